//! The RFC 9457 problem document: every refusal and failure on the wire.

use super::{Class, Code};
use serde::{Deserialize, Serialize};

/// A no, or what broke: what, why (code and rule) and what to do next.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Problem {
    /// `/problems/CODE`.
    #[serde(rename = "type")]
    pub kind: String,
    /// A short sentence, the same for every problem of this code.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// What happened this time, for people.
    pub detail: String,
    /// The stable code.
    pub code: Code,
    /// The code's class.
    pub class: Class,
    /// Asking again, unchanged, can help.
    pub retryable: bool,
    /// The rule that decided (packaging/doc/rules.md).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<u8>,
    /// The assignment that decided.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub assignment: Option<String>,
    /// The pool that decided, `vendor/license/feature`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pool: Option<String>,
    /// The limit that was passed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<String>,
    /// Seats in use in that pool.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub in_use: Option<u64>,
    /// Its seats; absent where unlimited.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total: Option<u64>,
    /// Of its seats, what is reserved for others (rule 11).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reserved: Option<u64>,
    /// Asking again after so many seconds can help.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after_s: Option<u64>,
    /// Who holds the seats, for those who may see it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub holders: Vec<String>,
    /// What to do next.
    pub hint: String,
    /// The exchange, as in `x-trace-id`, log and audit.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub trace_id: String,
}

impl Problem {
    /// A problem with the code's own title, status and remedy; `detail` says what happened this time.
    #[must_use]
    pub fn new(code: Code, detail: impl Into<String>) -> Problem {
        Problem {
            kind: format!("/problems/{code}"),
            title: code.title().to_owned(),
            status: code.status(),
            detail: detail.into(),
            class: code.class(),
            retryable: code.retryable(),
            rule: None,
            assignment: None,
            pool: None,
            limit: None,
            in_use: None,
            total: None,
            reserved: None,
            retry_after_s: None,
            holders: Vec::new(),
            hint: code.remedy().to_owned(),
            trace_id: String::new(),
            code,
        }
    }
}
