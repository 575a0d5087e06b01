//! From a request to types that cannot be wrong: the body, the query, the path. Each refusal names the member.

use super::blank::valueless;
use super::exchange::Exchange;
use super::limits::{BODY_BYTES, HEARD_OUT, LICENSE_BODY_BYTES, Limits};
use super::refusal::{Answer, Refusal};
use super::resources::{Asker, Resources};
use super::within::within;
use axum::body::{Bytes, HttpBody};
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::{HeaderMap, Uri, header, request::Parts};
use http_body_util::BodyExt;
use seatkeeper::wire::Code;
use seatkeeper_core::authorize::Permission;
use serde::de::DeserializeOwned;
use std::pin::pin;
use std::time::Duration;

/// A JSON body of at most 64 KiB.
pub(crate) struct Json<T>(pub(crate) T);
/// A JSON body that carries a license file, of one who may install it.
pub(crate) struct LicenseJson<T>(pub(crate) T);
/// The query.
pub(crate) struct Query<T>(pub(crate) T);
/// The variable parts of the path.
pub(crate) struct Path<T>(pub(crate) T);
/// What comes over the wire in pieces.
pub(super) trait Bytewise: HttpBody<Data = Bytes, Error: std::fmt::Display> + Unpin {}
/// The revision that an edit is based on (`If-Match`), where the caller names one.
pub(crate) struct IfMatch(pub(crate) Option<u64>);

impl<B: HttpBody<Data = Bytes, Error: std::fmt::Display> + Unpin> Bytewise for B {}

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Json<T> {
    type Rejection = Refusal;
    async fn from_request(request: Request, _: &S) -> Answer<Self> {
        let (parts, body) = request.into_parts();
        json(&parts.headers, body, patience(&parts)).await.map(Json)
    }
}

impl<T: DeserializeOwned> FromRequest<Resources> for LicenseJson<T> {
    type Rejection = Refusal;
    async fn from_request(request: Request, api: &Resources) -> Answer<Self> {
        let (mut parts, body) = request.into_parts();
        // Who may not install is told so before a byte of it is kept: these bodies are the large ones.
        may_install(&mut parts, api).await?;
        let read = read(&parts.headers, body, LICENSE_BODY_BYTES, patience(&parts));
        parse(&read.await?).map(LicenseJson)
    }
}

async fn may_install(parts: &mut Parts, api: &Resources) -> Answer<()> {
    let asker = Asker::from_request_parts(parts, api).await?;
    let install = Permission::LicenseInstall;
    Ok(api.desk.authorize_somewhere(&asker.caller, install)?)
}

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Query<T> {
    type Rejection = Refusal;
    async fn from_request_parts(parts: &mut Parts, _: &S) -> Answer<Self> {
        query(&parts.uri).map(Query)
    }
}

impl<S: Send + Sync, T: DeserializeOwned + Send> FromRequestParts<S> for Path<T> {
    type Rejection = Refusal;
    async fn from_request_parts(parts: &mut Parts, state: &S) -> Answer<Self> {
        match axum::extract::Path::from_request_parts(parts, state).await {
            Ok(axum::extract::Path(path)) => Ok(Path(path)),
            Err(e) => Err(bad(format!("the path: {}", e.body_text()))),
        }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for IfMatch {
    type Rejection = Refusal;
    async fn from_request_parts(parts: &mut Parts, _: &S) -> Answer<Self> {
        if_match(&parts.headers).map(IfMatch)
    }
}

/// `If-Match: "12"`; `*` asks for nothing.
fn if_match(headers: &HeaderMap) -> Answer<Option<u64>> {
    let Some(value) = headers.get(header::IF_MATCH) else {
        return Ok(None);
    };
    let text = value.to_str().unwrap_or_default().trim();
    if text == "*" {
        return Ok(None);
    }
    let number = text.strip_prefix('"').and_then(|t| t.strip_suffix('"'));
    match number.unwrap_or(text).parse() {
        Ok(revision) => Ok(Some(revision)),
        Err(_) => Err(bad(
            "the header If-Match: a revision as an earlier answer told it, like \"12\"",
        )),
    }
}

/// The query of an address.
pub(super) fn query<T: DeserializeOwned>(uri: &Uri) -> Answer<T> {
    match axum::extract::Query::try_from_uri(uri) {
        Ok(axum::extract::Query(query)) => Ok(query),
        Err(e) => Err(bad(format!("the query: {}", e.body_text()))),
    }
}

/// A JSON body of at most 64 KiB.
pub(super) async fn json<T: DeserializeOwned>(
    headers: &HeaderMap,
    body: impl Bytewise,
    patience: Duration,
) -> Answer<T> {
    parse(&read(headers, body, BODY_BYTES, patience).await?)
}

/// Reads a body within its size and time.
async fn read(
    headers: &HeaderMap,
    body: impl Bytewise,
    most: usize,
    patience: Duration,
) -> Answer<Bytes> {
    let told = headers.get(header::CONTENT_LENGTH);
    let told = told.and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
    let waits = headers.contains_key(header::EXPECT);
    let too_much = told.is_some_and(|bytes| bytes > most);
    if too_much && (waits || told > Some(HEARD_OUT)) {
        return Err(too_large(most));
    }
    match within(patience, pin!(collect(body, most))).await {
        Some(bytes) => bytes,
        None if too_much => Err(too_large(most)),
        None => Err(Refusal::new(
            Code::RequestTimeout,
            format!(
                "the body was not complete after {} s",
                patience.as_secs_f32()
            ),
        )),
    }
}

fn patience(parts: &Parts) -> Duration {
    let exchange = parts.extensions.get::<Exchange>();
    exchange.map_or(Limits::default().body, |exchange| exchange.body)
}

/// Keeps a body up to its size. What is beyond is heard out and dropped, within reason: a client that is cut off while it
/// still sends never reads why.
async fn collect(mut body: impl Bytewise, most: usize) -> Answer<Bytes> {
    let (mut first, mut more, mut heard) = (Bytes::new(), Vec::new(), 0);
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|e| bad(format!("the body ended early: {e}")))?;
        let Ok(data) = frame.into_data() else {
            continue;
        };
        heard += data.len();
        match heard {
            heard if heard > HEARD_OUT => break,
            heard if heard > most => {}
            // Nearly every body comes as one piece, which is kept as it is.
            _ if first.is_empty() => first = data,
            _ => {
                if more.is_empty() {
                    more.extend_from_slice(&first);
                }
                more.extend_from_slice(&data);
            }
        }
    }
    match heard {
        heard if heard > most => Err(too_large(most)),
        _ if more.is_empty() => Ok(first),
        _ => Ok(more.into()),
    }
}

/// Hears a body out that nobody will read, within reason, so that its sender reads why.
pub(super) async fn hear_out(body: impl Bytewise, patience: Duration) {
    if body.size_hint().lower() > HEARD_OUT as u64 {
        return;
    }
    // Whatever came of it, the refusal stands.
    let _ = within(patience, pin!(collect(body, 0))).await;
}

/// Parses twice where it fails: the second time tells where. No value is told: it may be a password.
fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Answer<T> {
    let bytes = if bytes.is_empty() { b"{}" } else { bytes };
    serde_json::from_slice(bytes).map_err(|_| {
        let mut parser = serde_json::Deserializer::from_slice(bytes);
        match serde_path_to_error::deserialize::<_, T>(&mut parser) {
            Ok(_) => bad("the body: something follows the JSON object"),
            Err(e) => {
                let said = e.inner().to_string();
                let said = valueless(&said);
                match e.path().iter().next() {
                    None => bad(format!("the body: {said}")),
                    Some(_) => bad(format!("member `{}`: {said}", e.path())),
                }
            }
        }
    })
}

/// A request that is not well-formed.
pub(super) fn bad(detail: impl Into<String>) -> Refusal {
    Refusal::new(Code::BadRequest, detail)
}

fn too_large(most: usize) -> Refusal {
    Refusal::new(
        Code::BodyTooLarge,
        format!(
            "the body has more than the {} KiB that this address takes",
            most / 1024
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use seatkeeper::wire::CheckoutBody;

    fn told(text: &str) -> String {
        parse::<CheckoutBody>(text.as_bytes())
            .map(drop)
            .expect_err("refused")
            .problem
            .detail
    }

    #[test]
    fn a_bad_body_is_refused_by_the_name_of_its_member() {
        assert!(told("{}").contains("missing field `checkout_id`"));
        let body = |items: &str| {
            format!(
                r#"{{"checkout_id":"","instance":"","nonce":"","product":"","roots":[],"items":{items}}}"#
            )
        };
        assert!(
            told(&body(r#"[{"feature":3}]"#))
                .starts_with("member `items[0].feature`: invalid type")
        );
        assert!(told(&body(r#"[{"feature":"f","n":-1}]"#)).contains("items[0].n"));
        assert!(told("[").contains("the body: EOF"));
        assert!(told(&format!("{} 1", body("[]"))).contains("something follows"));
        assert!(parse::<CheckoutBody>(body("[]").as_bytes()).is_ok());
    }

    #[test]
    fn s23_a_secret_in_a_body_that_does_not_fit_is_not_told() {
        use seatkeeper::wire::{PasswordChange, Redeem, SessionMake, SignIn};
        fn told<T: DeserializeOwned>(body: &str) -> String {
            let refused = parse::<T>(body.as_bytes()).map(drop);
            refused.expect_err("refused").problem.detail
        }
        let texts = [
            told::<SignIn>(r#"{"login":"ana","password":918273645}"#),
            told::<SignIn>("\"918273645\""),
            told::<SignIn>("918273645"),
            told::<SignIn>(r#"[["918273645"]]"#),
            told::<Redeem>(r#"{"code":918273645.5,"password":"x"}"#),
            told::<PasswordChange>(r#"{"old":-918273645}"#),
            told::<SessionMake>(r#"{"code":918273645}"#),
        ];
        for text in texts {
            assert!(!text.contains("918273645"), "{text}");
            assert!(text.contains("expected"), "{text}");
        }
        let text = told::<SignIn>(r#"{"login":"ana","password":7}"#);
        assert!(text.starts_with("member `password`: invalid type: integer, expected a string"));
    }

    #[test]
    fn a_revision_is_read_from_if_match() {
        let of = |text: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::IF_MATCH, text.parse().expect("a header"));
            if_match(&headers).map_err(|refusal| refusal.problem.code)
        };
        assert_eq!(of("\"12\""), Ok(Some(12)));
        assert_eq!(of("12"), Ok(Some(12)));
        assert_eq!(of("*"), Ok(None));
        assert_eq!(of("W/\"12\""), Err(Code::BadRequest));
        assert_eq!(
            if_match(&HeaderMap::new()).map_err(|r| r.problem.code),
            Ok(None)
        );
    }
}
