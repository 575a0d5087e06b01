//! The OpenAPI document, generated from the routes.

use super::leases;
use super::resources::Resources;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
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

/// The document as it is served.
pub(crate) struct Document(Bytes);

impl Document {
    pub(super) fn new(document: &utoipa::openapi::OpenApi) -> Self {
        let json = document
            .to_json()
            .expect("a document has only strings, lists and maps by strings");
        Document(json.into())
    }
}

/// This document.
#[utoipa::path(get, path = "/openapi.json", tag = "health", responses((status = 200, body = serde_json::Value)))]
pub(super) async fn openapi(State(api): State<Resources>) -> Response {
    let kind = [(header::CONTENT_TYPE, "application/json")];
    (kind, api.document.0.clone()).into_response()
}
