//! The routes of the terms of service.

use crate::api::house_tests::Walk;
use serde_json::json;

impl Walk {
    /// Published, read, accepted.
    pub(super) async fn terms(&mut self) {
        self.get("/v1/terms", 404).await;
        let text = json!({"version": "1", "text": "Be kind."});
        let published = self.post("/v1/terms", text, 201).await;
        assert_eq!(published["accepted"], false);
        self.post("/v1/terms/accept", json!({"version": "0"}), 409)
            .await;
        self.post("/v1/terms/accept", json!({"version": "1"}), 200)
            .await;
        let shown = self.get("/v1/terms", 200).await;
        assert_eq!(
            (&shown["accepted"], &shown["text"]),
            (&json!(true), &json!("Be kind."))
        );
        let all = self.get("/v1/terms/acceptances", 200).await;
        let rows = all["items"].as_array().expect("rows");
        assert!(
            rows.iter()
                .any(|row| row["login"] == "ana" && row["present"] == true),
            "{all}"
        );
    }
}
