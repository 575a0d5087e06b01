//! A no on its way out: handlers return it, the exchange gives it its trace id and writes it, in one place.

use axum::body::Body;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use seatkeeper::wire::{Code, Problem};

/// A problem document that will be written, and a full text for the log where something broke.
#[derive(Clone, Debug)]
pub(crate) struct Refusal {
    /// What the caller is told.
    pub(crate) problem: Box<Problem>,
    /// What the log is told beside it.
    pub(crate) log: Option<String>,
}

/// What a handler returns.
pub(crate) type Answer<T> = Result<T, Refusal>;

impl Refusal {
    /// A no of this code; `detail` says what happened this time.
    pub(crate) fn new(code: Code, detail: impl Into<String>) -> Self {
        Refusal {
            problem: Box::new(Problem::new(code, detail)),
            log: None,
        }
    }

    /// The same, and the caller may ask again after so many seconds.
    pub(crate) fn after(mut self, seconds: u64) -> Self {
        self.problem.retry_after_s = Some(seconds);
        self
    }

    /// Something broke: the caller gets a trace id, the log gets the text.
    pub(crate) fn internal(log: impl Into<String>) -> Self {
        let mut refusal = Refusal::new(
            Code::Internal,
            "the daemon could not answer; its log says why, under this trace id",
        );
        refusal.log = Some(log.into());
        refusal
    }
}

impl From<Problem> for Refusal {
    fn from(problem: Problem) -> Self {
        Refusal {
            problem: Box::new(problem),
            log: None,
        }
    }
}

impl IntoResponse for Refusal {
    /// Without a body yet: [`write`] makes it when the trace id is known.
    fn into_response(self) -> Response {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = status(&self.problem);
        response.extensions_mut().insert(self);
        response
    }
}

/// Writes the body of a refusal.
pub(super) fn write(response: &mut Response, mut refusal: Refusal, trace: &super::trace::Trace) {
    refusal.problem.trace_id = trace.to_string();
    *response.status_mut() = status(&refusal.problem);
    let headers = response.headers_mut();
    // It was counted while the body was still empty.
    headers.remove(header::CONTENT_LENGTH);
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/problem+json"),
    );
    if let Some(seconds) = refusal.problem.retry_after_s {
        headers.insert(header::RETRY_AFTER, seconds.into());
    }
    let bytes = serde_json::to_vec(&refusal.problem)
        .expect("a problem has only strings, numbers and lists of them");
    *response.body_mut() = Body::from(bytes);
}

fn status(problem: &Problem) -> StatusCode {
    StatusCode::from_u16(problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}
