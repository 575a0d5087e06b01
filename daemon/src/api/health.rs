//! Whether the daemon lives and serves, for supervisors; what a code means, for everyone.

use super::extract::Path;
use super::refusal::{Answer, Refusal};
use super::resources::Resources;
use axum::Json;
use axum::extract::State;
use seatkeeper::wire::{Code, Problem};
use serde::Serialize;
use utoipa::ToSchema;

/// A short word.
#[derive(Serialize, ToSchema)]
pub(super) struct Health {
    /// `alive` or `ready`.
    status: &'static str,
}

/// What a code means.
#[derive(Serialize, ToSchema)]
pub(super) struct Explained {
    /// The code.
    code: Code,
    /// A short sentence.
    title: String,
    /// Its class.
    class: seatkeeper::wire::Class,
    /// The HTTP status that goes with it.
    status: u16,
    /// Asking again, unchanged, can help.
    retryable: bool,
    /// What it means and when it comes.
    about: String,
    /// What to do next.
    remedy: String,
}

/// The process answers.
#[utoipa::path(get, path = "/healthz", tag = "health", responses((status = 200, body = Health)))]
pub(super) async fn healthz() -> Json<Health> {
    Json(Health { status: "alive" })
}

/// The daemon serves; not while it is stopping.
#[utoipa::path(get, path = "/readyz", tag = "health", responses(
    (status = 200, body = Health),
    (status = 503, description = "`server_stopping`", body = Problem, content_type = "application/problem+json"),
))]
pub(super) async fn readyz(State(api): State<Resources>) -> Answer<Json<Health>> {
    if api.stopping() {
        return Err(Refusal::new(Code::ServerStopping, "the daemon is stopping").after(5));
    }
    Ok(Json(Health { status: "ready" }))
}

/// What a code means; the `type` of every problem document leads here.
#[utoipa::path(get, path = "/problems/{code}", tag = "health", params(("code" = String, Path, description = "a code")), responses(
    (status = 200, body = Explained),
    (status = 404, description = "`not_found`", body = Problem, content_type = "application/problem+json"),
))]
pub(super) async fn problem(Path(code): Path<String>) -> Answer<Json<Explained>> {
    match Code::of(&code) {
        Code::Other(text) => Err(Refusal::new(
            Code::NotFound,
            format!("no code is called `{text}`"),
        )),
        code => Ok(Json(Explained {
            title: code.title().to_owned(),
            class: code.class(),
            status: code.status(),
            retryable: code.retryable(),
            about: code.about().to_owned(),
            remedy: code.remedy().to_owned(),
            code,
        })),
    }
}
