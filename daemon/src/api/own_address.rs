//! Somebody's own mail address: a code that is mailed there shows that it is theirs.

use super::extract::Json as Body;
use super::mails::not_posted;
use super::refusal::{Answer, Refusal};
use super::resources::{Asker, Resources};
use super::routes::{Routes, handlers};
use crate::mail::NotPosted;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use seatkeeper::wire::{AddressAsk, AddressAsked, AddressProve, AddressProved, Problem};

/// The routes of one's own address.
pub(super) fn routes() -> Routes {
    Routes::default()
        .with(handlers!(self::ask))
        .with(handlers!(self::prove))
}

/// Asks for another mail address of the caller, by their password. A code is mailed there, and until it is used nothing is
/// changed. Whether the address is somebody else's is not told: they are mailed that somebody asked.
#[utoipa::path(post, path = "/v1/address", tag = "people", request_body = AddressAsk, responses(
    (status = 202, description = "Whoever reads what is mailed there has the code, if the address is nobody else's", body = AddressAsked),
    (status = "default", description = "A refusal or a failure", body = Problem, content_type = "application/problem+json"),
))]
pub(super) async fn ask(
    State(api): State<Resources>,
    asker: Asker,
    Body(body): Body<AddressAsk>,
) -> Answer<(StatusCode, Json<AddressAsked>)> {
    if !api.mail.is_on() {
        let caller = asker.caller.clone();
        let known = api.reading(caller.uid, move |api| api.desk.is_somebody(&caller));
        return Err(known.await.err().unwrap_or_else(|| no_mail(&asker)));
    }
    let asked = api
        .stretching(asker.caller.uid, move |api| {
            let is_out = |code| api.mail.is_out(code);
            let made = api.desk.ask_address(&asker.caller, &body, &is_out)?;
            Ok(api.codes().to_address(made))
        })
        .await?;
    let asked = asked.map_err(not_posted)?;
    Ok((StatusCode::ACCEPTED, Json(asked)))
}

/// Uses the code that was mailed to an address: it is the caller's from now on, and the old one no more, which is told there.
#[utoipa::path(post, path = "/v1/address/code", tag = "people", request_body = AddressProve, responses(
    (status = 200, body = AddressProved),
    (status = "default", description = "A refusal or a failure", body = Problem, content_type = "application/problem+json"),
))]
pub(super) async fn prove(
    State(api): State<Resources>,
    asker: Asker,
    Body(body): Body<AddressProve>,
) -> Answer<Json<AddressProved>> {
    let proved = api
        .writing(asker.caller.uid, move |api| {
            let shown = api.desk.prove_address(&asker.caller, &body)?;
            api.codes().to_old_address(&shown);
            Ok(shown.proved)
        })
        .await?;
    Ok(Json(proved))
}

/// Where no mail is sent nobody can show it.
fn no_mail(asker: &Asker) -> Refusal {
    let mut refusal = not_posted(NotPosted::Off);
    let ask =
        "an administrator gives you another mail address: `seatkeeper user address LOGIN ADDRESS`";
    refusal.problem.detail =
        "no mail is sent here, so that nobody can show an address to be theirs".to_owned();
    refusal.problem.hint = match asker.caller.administers {
        true => ask.replace("an administrator gives you", "give"),
        false => ask.to_owned(),
    };
    refusal
}
