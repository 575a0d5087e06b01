//! The OpenAPI document, generated from the routes.

use super::leases;
use super::resources::Resources;
use super::routes::Described;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use std::sync::OnceLock;
use utoipa::OpenApi;

/// The head of the document; paths and schemas come from the routes, and from the leases, which have none.
#[derive(OpenApi)]
#[openapi(
    paths(leases::checkout, leases::renew, leases::release),
    info(
        title = "Seatkeeper",
        description = "License seats of this site. The same API on the local socket and, later, on TLS. Bodies are open: ignore members that you do not know."
    )
)]
pub(super) struct Head;

/// The document as it is served, put together when somebody asks first.
pub(crate) struct Document {
    json: OnceLock<Bytes>,
    described: Vec<Described>,
}

impl Document {
    pub(super) fn of(described: Vec<Described>) -> Self {
        Document {
            json: OnceLock::new(),
            described,
        }
    }

    fn json(&self) -> Bytes {
        let json = self.json.get_or_init(|| {
            let mut document = Head::openapi();
            for describe in &self.described {
                describe(&mut document);
            }
            let json = document.to_json();
            let json = json.expect("a document has only strings, lists and maps by strings");
            json.into()
        });
        json.clone()
    }
}

/// This document.
#[utoipa::path(get, path = "/openapi.json", tag = "health", responses((status = 200, body = serde_json::Value)))]
pub(super) async fn openapi(State(api): State<Resources>) -> Response {
    let kind = [(header::CONTENT_TYPE, "application/json")];
    (kind, api.document.json()).into_response()
}
