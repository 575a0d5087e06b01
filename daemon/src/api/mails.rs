//! `/v1/mails`, `/v1/license-request/mail`: what is mailed, and how it goes with it. No handler waits for the SMTP server.

use super::extract::{Json as Body, Path, Query};
use super::listener::stopped;
use super::refusal::{Answer, Refusal};
use super::resources::{Asker, Resources, Shared};
use crate::mail::{Mail, MailId, NotPosted, letters};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use seatkeeper::wire::{
    Code, LicenseRequestMail, LicenseRequestMailed, MailState, MailTest, Page, Problem,
};
use seatkeeper_core::authorize::{Caller, Permission};
use serde::Deserialize;
use std::time::Duration;

/// A question about a mail waits at most so long for its answer.
const WAIT_S: u64 = 8;

/// Whether to wait: `?wait_s=N`.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct WaitQuery {
    /// Answer as soon as the mail was tried, and after so many seconds at the latest; 8 at most.
    wait_s: Option<u64>,
}

/// Mails a license request to the vendor's support. The mail goes out beside this.
#[utoipa::path(post, path = "/v1/license-request/mail", tag = "licenses", request_body = LicenseRequestMail, responses(
    (status = 202, description = "It is in the outbox", body = LicenseRequestMailed),
    (status = "default", description = "A refusal or a failure", body = Problem, content_type = "application/problem+json"),
))]
pub(super) async fn request(
    State(api): State<Resources>,
    asker: Asker,
    Body(body): Body<LicenseRequestMail>,
) -> Answer<(StatusCode, Json<LicenseRequestMailed>)> {
    let (caller, unit) = (&asker.caller, api.desk.unit());
    api.desk
        .authorize(caller, Permission::LicenseInstall, unit)?;
    if !api.mail.is_on() {
        return Err(not_posted(NotPosted::Off));
    }
    let (caller, asked) = (asker.caller.clone(), body.clone());
    let made = api
        .reading(caller.uid, move |api| {
            api.desk.license_request_to_mail(&caller, &asked)
        })
        .await?;
    let requested = letters::Requested {
        site: &made.site,
        account: &body.account,
        product_version: body.product_version.as_deref(),
        order: body.order.as_deref(),
        person: &made.person,
        address: made.address.as_deref(),
        request: &made.request,
    };
    let mail = letters::license_request(&made.to, &requested);
    let mail = posted(&api, &asker.caller, &mail, None)?;
    let reply = LicenseRequestMailed {
        request: made.request,
        warnings: made.warnings,
        mail,
    };
    Ok((StatusCode::ACCEPTED, Json(reply)))
}

/// Sends a mail that says that mail works; it is tried once, and at once.
#[utoipa::path(post, path = "/v1/mails/test", tag = "mail", request_body = MailTest, responses(
    (status = 202, description = "It is in the outbox", body = MailState),
    (status = "default", description = "A refusal or a failure", body = Problem, content_type = "application/problem+json"),
))]
pub(super) async fn test(
    State(api): State<Resources>,
    asker: Asker,
    Body(body): Body<MailTest>,
) -> Answer<(StatusCode, Json<MailState>)> {
    let caller = &asker.caller;
    api.desk
        .authorize(caller, Permission::Operate, api.desk.unit())?;
    let id = body.id.as_deref().map(parsed).transpose()?;
    let mail = letters::test(&body.to, api.desk.site_name());
    let state = posted(&api, caller, &mail, id)?;
    Ok((StatusCode::ACCEPTED, Json(state)))
}

/// The mails of the outbox, and the last that left it. Since the daemon's start.
#[utoipa::path(get, path = "/v1/mails", tag = "mail", responses(
    (status = 200, body = Page<MailState>),
    (status = "default", description = "A refusal or a failure", body = Problem, content_type = "application/problem+json"),
))]
pub(super) async fn list(
    State(api): State<Resources>,
    asker: Asker,
) -> Answer<Json<Page<MailState>>> {
    api.desk
        .authorize(&asker.caller, Permission::Operate, api.desk.unit())?;
    Ok(Json(Page {
        items: api.mail.list(),
        next: None,
    }))
}

/// One mail. Who caused it sees it, and who operates the daemon.
#[utoipa::path(get, path = "/v1/mails/{id}", tag = "mail",
    params(("id" = String, Path, description = "32 lower-case hex digits"), WaitQuery), responses(
    (status = 200, body = MailState),
    (status = "default", description = "A refusal or a failure", body = Problem, content_type = "application/problem+json"),
))]
pub(super) async fn one(
    State(api): State<Resources>,
    asker: Asker,
    Path(id): Path<String>,
    Query(query): Query<WaitQuery>,
) -> Answer<Json<MailState>> {
    let unknown = || {
        let text = format!("there is no mail {id} that you caused (any more)");
        Refusal::new(Code::NotFound, text)
    };
    let known = parsed(&id).map_err(|_| unknown())?;
    let operates = api
        .desk
        .authorize(&asker.caller, Permission::Operate, api.desk.unit());
    if operates.is_err() && !api.mail.is_by(known, &asker.caller.login.full) {
        return Err(unknown());
    }
    let patience = Duration::from_secs(query.wait_s.unwrap_or(0).min(WAIT_S));
    let state = tokio::select! {
        state = api.mail.tried(known, patience) => state,
        () = stopped(api.stop.clone()) => api.mail.state(known),
    };
    state.map(Json).ok_or_else(unknown)
}

/// Gives a mail to the outbox.
fn posted(api: &Shared, caller: &Caller, mail: &Mail, id: Option<MailId>) -> Answer<MailState> {
    let posted = api.mail.post(mail, &caller.login.full, id);
    posted.map_err(not_posted)
}

fn parsed(text: &str) -> Answer<MailId> {
    let bad = || Refusal::new(Code::BadRequest, "id: not 32 lower-case hex digits");
    text.parse().map_err(|()| bad())
}

/// The refusal of a mail that was not taken.
pub(super) fn not_posted(why: NotPosted) -> Refusal {
    match why {
        NotPosted::Off => Refusal::new(Code::MailOff, "no mail server is configured here"),
        NotPosted::Bad(text) => Refusal::new(Code::BadRequest, text),
        NotPosted::Full => {
            let text = "too many mails wait already, of yours or of all";
            Refusal::new(Code::ServerBusy, text).after(60)
        }
        NotPosted::Conflict => Refusal::new(Code::Conflict, "id: another mail has it"),
    }
}
