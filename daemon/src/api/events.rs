//! `/v1/events`: the journal as pages, or as a stream that goes on (`Accept: text/event-stream`).

use super::extract::Query;
use super::limits::STREAMS;
use super::listener::{Stop, stopped};
use super::refusal::{Answer, Refusal};
use super::resources::{Asker, PageQuery, Resources};
use axum::Json;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use futures_core::Stream;
use seatkeeper::wire::{Code, Event, Page, Problem};
use seatkeeper_core::authorize::{Caller, Permission};
use seatkeeper_core::desk::view::Cursor;
use seatkeeper_core::keeper::Published;
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::sync::broadcast::{Receiver, error::RecvError};
use tokio::sync::mpsc;

/// A comment is sent where nothing happens, so that a dead reader is noticed.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// Events written ahead of a reader.
const AHEAD: usize = 64;
const STREAM: &str = "text/event-stream";

/// What happened, oldest first, from the first event that is kept on. As `text/event-stream` it goes on with what happens;
/// `Last-Event-ID` or `after` say from where, else it starts now. A reader that falls behind gets an event `behind` and asks
/// again; one who asks for what was pruned is told so (`pruned`).
#[utoipa::path(get, path = "/v1/events", tag = "events", params(PageQuery), responses(
    (status = 200, description = "A page; or a stream, where it is accepted", content((Page<Event> = "application/json"), (String = "text/event-stream"))),
    (status = "default", description = "A refusal or a failure", body = Problem, content_type = "application/problem+json"),
))]
pub(super) async fn events(
    State(api): State<Resources>,
    asker: Asker,
    headers: HeaderMap,
    Query(page): Query<PageQuery>,
) -> Answer<Response> {
    api.desk
        .authorize(&asker.caller, Permission::AuditRead, api.desk.unit())?;
    let accepts = headers.get_all(header::ACCEPT).iter();
    let stream = accepts
        .filter_map(|value| value.to_str().ok())
        .any(|value| value.contains(STREAM));
    let cursor = Cursor::from(page);
    if stream {
        return follow(api, asker.caller, &headers, cursor.after);
    }
    let page = api
        .reading(asker.caller.uid, move |api| {
            api.desk.events(&asker.caller, &cursor)
        })
        .await?;
    Ok(Json(page).into_response())
}

fn follow(
    api: Resources,
    caller: Caller,
    headers: &HeaderMap,
    after: Option<String>,
) -> Answer<Response> {
    let last = headers
        .get("last-event-id")
        .and_then(|value| value.to_str().ok());
    let after = match last.or(after.as_deref()) {
        Some(text) => Some(api.desk.kept_after(Some(text))?),
        None => None,
    };
    let room = api.follow.room().ok_or_else(|| {
        let text = format!("{STREAMS} readers follow events already, which is all there may be");
        Refusal::new(Code::ServerBusy, text).after(10)
    })?;
    // Subscribed before the journal is read: nothing falls between the two.
    let live = api.follow.subscribe();
    let (rows, read) = mpsc::channel(AHEAD);
    let teller = Teller {
        stop: api.stop.clone(),
        told: after.unwrap_or_else(|| api.desk.snapshot().head.number),
        api,
        caller,
        rows,
    };
    tokio::spawn(async move {
        let _room = room;
        teller.tell(live).await;
    });
    let kind = [
        (header::CONTENT_TYPE, STREAM),
        (header::CACHE_CONTROL, "no-store"),
    ];
    Ok((kind, Body::from_stream(Rows(read))).into_response())
}

/// Writes one reader's stream.
struct Teller {
    api: Resources,
    caller: Caller,
    stop: Stop,
    rows: mpsc::Sender<Bytes>,
    told: u64,
}

/// The stream is over: the reader is gone, behind, or the daemon is stopping.
struct Over;

impl Teller {
    async fn tell(mut self, live: Receiver<Arc<Published>>) {
        let (stop, rows) = (self.stop.clone(), self.rows.clone());
        tokio::select! {
            Err(Over) = async { self.past().await?; self.present(live).await } => {}
            () = stopped(stop) => {}
            () = rows.closed() => {}
        }
    }

    /// What lies in the journal already.
    async fn past(&mut self) -> Result<(), Over> {
        loop {
            let cursor = Cursor {
                after: Some(self.told.to_string()),
                limit: None,
            };
            let caller = self.caller.clone();
            // It may wait for its turn: a stream that has begun is not told to come again.
            let read = self
                .api
                .writing(caller.uid, move |api| api.desk.events(&caller, &cursor))
                .await;
            let page: Page<Event> = read.map_err(|_| Over)?;
            for event in &page.items {
                self.event(event).await?;
            }
            if page.next.is_none() {
                return Ok(());
            }
        }
    }

    /// What happens now.
    async fn present(&mut self, mut live: Receiver<Arc<Published>>) -> Result<(), Over> {
        loop {
            match tokio::time::timeout(HEARTBEAT, live.recv()).await {
                Ok(Ok(batch)) => {
                    // Who lost the right meanwhile is told no more.
                    self.may_go_on()?;
                    let told = self.told;
                    for recorded in batch.events.iter().filter(|e| e.number > told) {
                        let event = self.api.desk.event_of(recorded).map_err(|_| Over)?;
                        self.event(&event).await?;
                    }
                }
                Ok(Err(RecvError::Lagged(_))) => {
                    self.row("event: behind\ndata: {}\n\n".to_owned()).await?;
                    return Err(Over);
                }
                Ok(Err(RecvError::Closed)) => return Err(Over),
                Err(_) => self.row(": still here\n\n".to_owned()).await?,
            }
        }
    }

    fn may_go_on(&self) -> Result<(), Over> {
        let desk = &self.api.desk;
        if !desk.presents_still(&self.caller) {
            return Err(Over);
        }
        let may = desk.authorize(&self.caller, Permission::AuditRead, desk.unit());
        may.map(drop).map_err(|_| Over)
    }

    async fn event(&mut self, event: &Event) -> Result<(), Over> {
        let data = serde_json::to_string(event).map_err(|_| Over)?;
        self.row(format!(
            "id: {}\nevent: {}\ndata: {data}\n\n",
            event.n, event.event
        ))
        .await?;
        self.told = event.n;
        Ok(())
    }

    async fn row(&self, text: String) -> Result<(), Over> {
        self.rows.send(text.into()).await.map_err(|_| Over)
    }
}

/// The rows of one reader, as a body.
struct Rows(mpsc::Receiver<Bytes>);

impl Stream for Rows {
    type Item = Result<Bytes, Infallible>;
    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0.poll_recv(cx).map(|row| row.map(Ok))
    }
}
