//! Terms of service on the wire: the text in force, and who accepted it (B15).

use serde::{Deserialize, Serialize};

/// The terms of service in force: `GET /v1/terms`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Terms {
    /// What they are called.
    pub version: String,
    /// SHA-256 of the text in hex digits, as the journal has it.
    pub sha256: String,
    /// The text.
    pub text: String,
    /// When they were published, in seconds since 1970.
    pub published: u64,
    /// The caller has accepted them.
    pub accepted: bool,
    /// The version that the caller accepted last, where another one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accepted_before: Option<String>,
    /// Without it nobody gets a new seat (`terms_block_checkout`).
    #[serde(default)]
    pub block_checkout: bool,
}

/// Publishes terms of service, which are in force at once: `POST /v1/terms`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TermsPublish {
    /// What they are called; no other text was ever called so here.
    pub version: String,
    /// The text: 48 KiB at most.
    pub text: String,
}

/// Accepts the terms of service in force, for oneself: `POST /v1/terms/accept`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TermsAccept {
    /// The version that was seen; refused where another one is in force meanwhile.
    pub version: String,
}

/// What a user accepted: `GET /v1/terms/acceptances`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TermsAcceptance {
    /// The user's id.
    pub id: String,
    /// Their login.
    pub login: String,
    /// The version that they accepted last; absent where none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// It is the one in force.
    pub present: bool,
}
