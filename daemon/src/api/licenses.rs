//! `/v1/vendors`, `/v1/licenses`, `/v1/license-request`, `/v1/site-key`: the chain of trust of this site.

use super::extract::{Json as Body, LicenseJson, Path, Query};
use super::refusal::Answer;
use super::resources::{Asker, PageQuery, Resources, Revised};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use seatkeeper::wire::{
    DelegationBody, ExportBody, ExportReply, InstallBody, Installed, License, LicenseRequestBody,
    LicenseRequestReply, Page, Problem, SiteKey, TrustBody, Vendor,
};

/// The vendors that this site trusts, with their root keys.
#[utoipa::path(get, path = "/v1/vendors", tag = "vendors", params(PageQuery), responses(
    (status = 200, body = Page<Vendor>),
    (status = "default", description = "A refusal or a failure", body = Problem, content_type = "application/problem+json"),
))]
pub(super) async fn vendors(
    State(api): State<Resources>,
    asker: Asker,
    Query(page): Query<PageQuery>,
) -> Answer<Json<Page<Vendor>>> {
    Ok(Json(api.desk.vendors(&asker.caller, &page.into())?))
}

/// Trusts a vendor's root keys.
#[utoipa::path(post, path = "/v1/vendors", tag = "vendors", request_body = TrustBody, responses(
    (status = 201, description = "Trusted; ETag is its revision", body = Vendor),
    (status = "default", description = "A refusal or a failure", body = Problem, content_type = "application/problem+json"),
))]
pub(super) async fn trust(
    State(api): State<Resources>,
    asker: Asker,
    Body(body): Body<TrustBody>,
) -> Answer<Revised<(StatusCode, Json<Vendor>)>> {
    let vendor = api
        .writing(asker.caller.uid, move |api| {
            api.desk.trust(&asker.caller, &body)
        })
        .await?;
    Ok(Revised(
        vendor.revision,
        (StatusCode::CREATED, Json(vendor)),
    ))
}

/// The installed licenses.
#[utoipa::path(get, path = "/v1/licenses", tag = "licenses", params(PageQuery), responses(
    (status = 200, body = Page<License>),
    (status = "default", description = "A refusal or a failure", body = Problem, content_type = "application/problem+json"),
))]
pub(super) async fn licenses(
    State(api): State<Resources>,
    asker: Asker,
    Query(page): Query<PageQuery>,
) -> Answer<Json<Page<License>>> {
    Ok(Json(api.desk.licenses(&asker.caller, &page.into())?))
}

/// One installed license.
#[utoipa::path(get, path = "/v1/licenses/{vendor}/{id}", tag = "licenses",
    params(("vendor" = String, Path, description = "the vendor's name"), ("id" = String, Path, description = "the license id")), responses(
    (status = 200, description = "ETag is its revision", body = License),
    (status = "default", description = "A refusal or a failure", body = Problem, content_type = "application/problem+json"),
))]
pub(super) async fn license(
    State(api): State<Resources>,
    asker: Asker,
    Path((vendor, id)): Path<(String, String)>,
) -> Answer<Revised<Json<License>>> {
    let license = api.desk.license(&asker.caller, &vendor, &id)?;
    Ok(Revised(license.revision, Json(license)))
}

/// Installs a license file, or says what installing would do.
#[utoipa::path(post, path = "/v1/licenses", tag = "licenses", request_body = InstallBody, responses(
    (status = 201, description = "Installed", body = Installed),
    (status = 200, description = "Verified only", body = Installed),
    (status = "default", description = "A refusal or a failure", body = Problem, content_type = "application/problem+json"),
))]
pub(super) async fn install(
    State(api): State<Resources>,
    asker: Asker,
    LicenseJson(body): LicenseJson<InstallBody>,
) -> Answer<Response> {
    let status = if body.verify_only {
        StatusCode::OK
    } else {
        StatusCode::CREATED
    };
    let installed = api
        .writing(asker.caller.uid, move |api| {
            api.desk.install(&asker.caller, &body)
        })
        .await?;
    Ok((status, Json(installed)).into_response())
}

/// Makes a license request to send to a vendor.
#[utoipa::path(post, path = "/v1/license-request", tag = "licenses", request_body = LicenseRequestBody, responses(
    (status = 200, body = LicenseRequestReply),
    (status = "default", description = "A refusal or a failure", body = Problem, content_type = "application/problem+json"),
))]
pub(super) async fn request(
    State(api): State<Resources>,
    asker: Asker,
    Body(body): Body<LicenseRequestBody>,
) -> Answer<Json<LicenseRequestReply>> {
    Ok(Json(api.desk.license_request(&asker.caller, &body)?))
}

/// The public half of the site key.
#[utoipa::path(get, path = "/v1/site-key", tag = "site", responses(
    (status = 200, body = SiteKey),
    (status = "default", description = "A refusal or a failure", body = Problem, content_type = "application/problem+json"),
))]
pub(super) async fn site_key(State(api): State<Resources>, asker: Asker) -> Answer<Json<SiteKey>> {
    Ok(Json(api.desk.site_key(&asker.caller)?))
}

/// Exports the site key, encrypted under a passphrase. The answer may be stored nowhere on its way.
#[utoipa::path(post, path = "/v1/site-key/export", tag = "site", request_body = ExportBody, responses(
    (status = 200, body = ExportReply),
    (status = "default", description = "A refusal or a failure", body = Problem, content_type = "application/problem+json"),
))]
pub(super) async fn export(
    State(api): State<Resources>,
    asker: Asker,
    Body(body): Body<ExportBody>,
) -> Answer<Response> {
    let exported: ExportReply = api
        .writing(asker.caller.uid, move |api| {
            api.desk.export_site_key(&asker.caller, &body)
        })
        .await?;
    let never = [(axum::http::header::CACHE_CONTROL, "no-store")];
    Ok((never, Json(exported)).into_response())
}

/// Takes a delegation that the site key signed elsewhere, so that the key need not be on this machine.
#[utoipa::path(post, path = "/v1/site-key/delegation", tag = "site", request_body = DelegationBody, responses(
    (status = 200, description = "Seats are signed under it", body = SiteKey),
    (status = "default", description = "A refusal or a failure", body = Problem, content_type = "application/problem+json"),
))]
pub(super) async fn delegation(
    State(api): State<Resources>,
    asker: Asker,
    Body(body): Body<DelegationBody>,
) -> Answer<Json<SiteKey>> {
    let taken = api
        .writing(asker.caller.uid, move |api| {
            api.desk.accept_delegation(&asker.caller, &body)
        })
        .await?;
    Ok(Json(taken))
}
