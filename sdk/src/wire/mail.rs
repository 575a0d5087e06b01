//! Mail on the wire: what was given to the outbox, and how it goes with it.

use serde::{Deserialize, Serialize};

/// A mail of the outbox: `GET /v1/mails/{id}`. It tells nothing of what stands in the mail.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct MailState {
    /// Its id: 32 lower-case hex digits.
    pub id: String,
    /// What it is: `test`, `license_request`.
    pub kind: String,
    /// To whom.
    pub to: String,
    /// `waiting`, `sent` (the server took it) or `failed` (nothing more is tried).
    pub state: String,
    /// How often it was tried.
    pub tries: u64,
    /// What the server answered when it took it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer: Option<String>,
    /// Why the last try failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// What to do about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remedy: Option<String>,
    /// Seconds until it is tried again, where it waits and has failed once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_try_s: Option<u64>,
}

/// The outbox in `GET /v1/status`, for those who operate the daemon and where mail is configured.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct MailStatus {
    /// The server to which mail is handed, with its port.
    pub server: String,
    /// Mails that the server took, since the daemon's start.
    pub sent: u64,
    /// Mails that wait to be handed over.
    pub waiting: u64,
    /// Mails that could not be sent, since the daemon's start.
    pub failed: u64,
    /// Why the last try failed; absent where none failed since one succeeded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failing: Option<String>,
}

/// Sends a mail that says that mail works: `POST /v1/mails/test`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct MailTest {
    /// The id that it gets, so that a repetition is the same one; else made here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// To this address.
    pub to: String,
}

/// Mails a license request to the vendor's support: `POST /v1/license-request/mail`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LicenseRequestMail {
    /// The account (company) id that the vendor gave.
    pub account: String,
    /// The product version to be licensed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub product_version: Option<String>,
    /// The order number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order: Option<String>,
    /// The vendor, by name, whose support gets it; needed where licenses of several vendors name a support address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vendor: Option<String>,
    /// The address, instead of that which the vendor's license names (`info.support`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
}

/// The request that is mailed, and the mail.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LicenseRequestMailed {
    /// The `.req` token, as it is attached.
    pub request: String,
    /// What else should be done now, in sentences (site key export).
    pub warnings: Vec<String>,
    /// The mail; `GET /v1/mails/{id}` tells how it goes on.
    pub mail: MailState,
}
