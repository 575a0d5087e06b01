//! What the daemon is compared with: a bare hyper server that parses the same bodies and signs once per lease, (a),
//! and the same with one redb row per batch of what waits, (a′). Both answer as long as the daemon does, and sign a token
//! as long as its lease.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ed25519_dalek::{Signer, SigningKey};
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use seatkeeper::wire::{CheckoutBody, RenewBody};
use std::path::{Path, PathBuf};
use std::sync::{Arc, mpsc};
use tokio::sync::oneshot;

/// How long the daemon's replies are.
#[derive(Clone, Copy)]
pub(crate) struct Lengths {
    pub(crate) checkout: usize,
    pub(crate) renew: usize,
    /// The lease in both.
    pub(crate) lease: usize,
}

struct Bare {
    key: SigningKey,
    lengths: Lengths,
    commit: Option<mpsc::SyncSender<(Vec<u8>, oneshot::Sender<()>)>>,
}

/// Serves until killed.
pub(crate) fn serve(
    socket: &Path,
    store: Option<PathBuf>,
    lengths: Lengths,
) -> std::io::Result<()> {
    let commit = store.map(committer);
    let bare = Arc::new(Bare {
        key: SigningKey::from_bytes(&[7; 32]),
        lengths,
        commit,
    });
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let listener = tokio::net::UnixListener::bind(socket)?;
        std::fs::set_permissions(socket, std::os::unix::fs::PermissionsExt::from_mode(0o666))?;
        loop {
            let (stream, _) = listener.accept().await?;
            let bare = bare.clone();
            tokio::spawn(async move {
                let service = service_fn(move |request| answer(bare.clone(), request));
                let _ = hyper::server::conn::http1::Builder::new()
                    .serve_connection(TokioIo::new(stream), service)
                    .await;
            });
        }
    })
}

/// Commits what waits as one row, then answers: the daemon's durable act and nothing else.
fn committer(store: PathBuf) -> mpsc::SyncSender<(Vec<u8>, oneshot::Sender<()>)> {
    let (send, receive) = mpsc::sync_channel::<(Vec<u8>, oneshot::Sender<()>)>(4096);
    std::thread::spawn(move || {
        const ROWS: redb::TableDefinition<u64, &[u8]> = redb::TableDefinition::new("batches");
        let db = redb::Builder::new()
            .set_cache_size(4 << 20)
            .create(store)
            .expect("the store is new");
        let mut row = 0;
        while let Ok(first) = receive.recv() {
            let mut waiting = vec![first];
            waiting.extend(receive.try_iter().take(4095));
            let batch: Vec<u8> = waiting
                .iter()
                .flat_map(|(bytes, _)| bytes.iter().copied())
                .collect();
            let mut write = db.begin_write().expect("a transaction begins");
            write.set_two_phase_commit(true);
            write
                .set_durability(redb::Durability::Immediate)
                .expect("no savepoint is open");
            write
                .open_table(ROWS)
                .expect("the table opens")
                .insert(row, batch.as_slice())
                .expect("a row fits");
            write.commit().expect("the disk takes it");
            row += 1;
            for (_, reply) in waiting {
                let _ = reply.send(());
            }
        }
    });
    send
}

async fn answer(
    bare: Arc<Bare>,
    request: Request<Incoming>,
) -> hyper::Result<Response<Full<Bytes>>> {
    let method = request.method().clone();
    let body = request.into_body().collect().await?.to_bytes();
    let (nonce, length) = match method {
        Method::POST => (
            serde_json::from_slice::<CheckoutBody>(&body).map(|b| b.nonce),
            bare.lengths.checkout,
        ),
        Method::PUT => (
            serde_json::from_slice::<RenewBody>(&body).map(|b| b.nonce),
            bare.lengths.renew,
        ),
        _ => (Ok(String::new()), 0),
    };
    let Ok(nonce) = nonce else {
        return Ok(status(StatusCode::BAD_REQUEST, Bytes::new()));
    };
    if method != Method::PUT
        && let Some(commit) = &bare.commit
    {
        // As many bytes as the daemon journals for an event, roughly.
        let (done, wait) = oneshot::channel();
        let sent = commit.try_send((vec![b'x'; 600], done));
        if sent.is_err() || wait.await.is_err() {
            return Ok(status(StatusCode::SERVICE_UNAVAILABLE, Bytes::new()));
        }
    }
    if length == 0 {
        return Ok(status(StatusCode::NO_CONTENT, Bytes::new()));
    }
    Ok(status(
        StatusCode::CREATED,
        lease(&bare.key, &nonce, bare.lengths.lease, length),
    ))
}

/// A lease-like token with one signature, padded to the daemon's lengths.
fn lease(key: &SigningKey, nonce: &str, token: usize, length: usize) -> Bytes {
    // 86 letters of signature, 2 dots, some 56 of header; 3 bytes become 4 letters.
    let pad = "x".repeat((token.saturating_sub(86 + 2 + 56) * 3 / 4).saturating_sub(95));
    let claims = format!(
        r#"{{"iss":"{pad}","jti":"1.1.1","nonce":"{nonce}","iat":1,"ttl_s":900,"slots":[1],"seq":1}}"#
    );
    let mut token = URL_SAFE_NO_PAD.encode(r#"{"alg":"Ed25519","typ":"bare","kid":"bare"}"#);
    token.push('.');
    URL_SAFE_NO_PAD.encode_string(claims, &mut token);
    let signature = key.sign(token.as_bytes());
    token.push('.');
    URL_SAFE_NO_PAD.encode_string(signature.to_bytes(), &mut token);
    let mut body = format!(r#"{{"id":"1.1.1","lease":"{token}","chain":{{"license":""#);
    while body.len() + 3 < length {
        body.push('x');
    }
    body.push_str("\"}}");
    Bytes::from(body)
}

fn status(status: StatusCode, body: Bytes) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(body));
    *response.status_mut() = status;
    response.headers_mut().insert(
        "content-type",
        hyper::header::HeaderValue::from_static("application/json"),
    );
    response
}
