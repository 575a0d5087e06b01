//! The outbox: takes a mail at once or says why not, and hands it over beside all that goes on.

use super::book::{Book, Failed, Findings, MailId, Next, Posted};
use super::letters::Mail;
use super::render::{self, Letter, sender};
use super::smtp::Smtp;
use crate::clock::moment;
use crate::config::MailSettings;
use lettre::message::Mailbox;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use seatkeeper::wire::{Finding, MailState, MailStatus};
use seatkeeper_core::clock::Clock;
use seatkeeper_core::random;
use seatkeeper_engine::ids::CodeHash;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::Instant;

/// A delivery under way: the server's answer, or why there is none.
pub(super) type Carried = Pin<Box<dyn Future<Output = Result<String, Failed>> + Send>>;

/// Tells `doctor`.
pub type Tell = Box<dyn Fn(&str, Option<Finding>) + Send + Sync>;

/// Hands letters over.
pub(super) trait Carrier: Send + Sync {
    /// Begins to hand this one over.
    fn carry(&self, letter: Arc<Letter>) -> Carried;
}

/// What is counted. Clones count together.
#[derive(Clone, Debug, Default)]
pub struct Counts {
    /// The server took them.
    pub sent: Counter,
    /// Nothing more is tried.
    pub failed: Counter,
    /// They wait.
    pub waiting: Gauge,
}

/// What an outbox is made of.
pub struct Parts {
    /// The server, the sender, and how.
    pub settings: MailSettings,
    /// This machine's name, as the server is greeted.
    pub machine: String,
    /// What the time is.
    pub clock: Arc<dyn Clock>,
    /// What is counted.
    pub counts: Counts,
    /// Who tells `doctor`: under which subject, and what, or nothing any more.
    pub tell: Tell,
}

/// The outbox. Clones are the same one.
#[derive(Clone)]
pub struct Outbox(Option<Arc<Shared>>);

struct Shared {
    server: String,
    from: Mailbox,
    parts: Parts,
    book: Mutex<Book>,
    /// Counts every change.
    changed: watch::Sender<u64>,
    task: Mutex<Option<JoinHandle<()>>>,
    closed: watch::Sender<bool>,
}

/// A mail was not taken.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum NotPosted {
    /// No mail is sent here.
    Off,
    /// It cannot be made into a mail; the text names the member.
    Bad(String),
    /// Too many wait.
    Full,
    /// Another mail has this id.
    Conflict,
}

impl Outbox {
    /// Sends nothing: mail is not configured.
    #[must_use]
    pub fn off() -> Outbox {
        Outbox(None)
    }

    /// Opens it, within a runtime: to the server of the settings, or one that sends nothing.
    #[must_use]
    pub fn open(parts: Parts) -> Outbox {
        let carrier = Smtp::new(parts.settings.clone(), &parts.machine);
        Outbox::over(parts, carrier)
    }

    /// Where mails lead for pages.
    #[must_use]
    pub fn url(&self) -> Option<&str> {
        let url = &self.0.as_ref()?.parts.settings.url;
        (!url.is_empty()).then_some(url)
    }

    /// Opens it over this way.
    pub(super) fn over(parts: Parts, carrier: impl Carrier + 'static) -> Outbox {
        let Some(from) = sender(&parts.settings.from).filter(|_| parts.settings.is_on()) else {
            return Outbox::off();
        };
        let shared = Arc::new(Shared {
            server: format!("{}:{}", parts.settings.server, parts.settings.port()),
            from,
            parts,
            book: Mutex::new(Book::new()),
            changed: watch::Sender::new(0),
            task: Mutex::default(),
            closed: watch::Sender::new(false),
        });
        let task = tokio::spawn(deliver(shared.clone(), carrier));
        *lock(&shared.task) = Some(task);
        Outbox(Some(shared))
    }

    /// One whose server never answers.
    #[cfg(test)]
    pub(crate) fn stuck() -> Outbox {
        super::tests::stuck()
    }

    /// Mail is sent.
    #[must_use]
    pub fn is_on(&self) -> bool {
        self.0.is_some()
    }

    /// Takes a mail that `by` (a login) causes, and comes back at once. With an id, its repetition is the same mail.
    ///
    /// # Errors
    /// See [`NotPosted`].
    pub fn post(&self, mail: &Mail, by: &str, id: Option<MailId>) -> Result<MailState, NotPosted> {
        let shared = self.0.as_ref().ok_or(NotPosted::Off)?;
        let id = match id {
            Some(id) => id,
            None => MailId(random::bytes().map_err(|_| NotPosted::Full)?),
        };
        let wall_s = shared.parts.clock.read().wall_s;
        let letter = render::letter(mail, id, &shared.from, wall_s);
        let letter = letter.map_err(NotPosted::Bad)?;
        let now = moment();
        let mut book = lock(&shared.book);
        match book.is_same(id, mail.kind, &mail.to, by) {
            Some(false) => return Err(NotPosted::Conflict),
            Some(true) => {}
            None if !book.has_room(by) => return Err(NotPosted::Full),
            None => {
                let (kind, to) = (mail.kind, mail.to.as_str());
                let posted = Posted {
                    id,
                    kind,
                    to,
                    by,
                    letter,
                };
                book.post(posted, now);
            }
        }
        let state = book.state(id, now).ok_or(NotPosted::Conflict)?;
        shared.count(&book);
        drop(book);
        shared.changed.send_modify(|n| *n += 1);
        Ok(state)
    }

    /// How a mail does.
    #[must_use]
    pub fn state(&self, id: MailId) -> Option<MailState> {
        let shared = self.0.as_ref()?;
        lock(&shared.book).state(id, moment())
    }

    /// Whether this login caused it.
    #[must_use]
    pub fn is_by(&self, id: MailId, by: &str) -> bool {
        let shared = self.0.as_ref();
        shared.is_some_and(|shared| lock(&shared.book).is_by(id, by))
    }

    /// Whether the mail with this code waits or was handed over, by what is known since the daemon's start.
    #[must_use]
    pub fn is_out(&self, code: CodeHash) -> bool {
        let shared = self.0.as_ref();
        shared.is_some_and(|shared| lock(&shared.book).is_out(MailId::of(code)))
    }

    /// How a mail does, once that is known, or so much time has passed.
    pub async fn tried(&self, id: MailId, patience: Duration) -> Option<MailState> {
        let shared = self.0.as_ref()?;
        let mut changed = shared.changed.subscribe();
        let news = async {
            loop {
                let known = |state: &MailState| state.state != "waiting" || state.why.is_some();
                if self.state(id).as_ref().is_none_or(known) || changed.changed().await.is_err() {
                    return;
                }
            }
        };
        let _ = tokio::time::timeout(patience, news).await;
        self.state(id)
    }

    /// All that is known, the newest last.
    #[must_use]
    pub fn list(&self) -> Vec<MailState> {
        let shared = self.0.as_ref();
        shared.map_or_else(Vec::new, |shared| lock(&shared.book).list(moment()))
    }

    /// For `status`; nothing where mail is off.
    #[must_use]
    pub fn status(&self) -> Option<MailStatus> {
        let shared = self.0.as_ref()?;
        let book = lock(&shared.book);
        let counts = &shared.parts.counts;
        Some(MailStatus {
            server: shared.server.clone(),
            sent: counts.sent.get(),
            waiting: book.waiting() as u64,
            failed: counts.failed.get(),
            failing: book.failing().map(|failed| failed.why.clone()),
        })
    }

    /// Begins no delivery any more, lets the one under way end within `patience`, and says how many mails were not sent.
    pub async fn close(&self, patience: Duration) -> usize {
        let Some(shared) = &self.0 else {
            return 0;
        };
        shared.closed.send_replace(true);
        let task = lock(&shared.task).take();
        if let Some(mut task) = task
            && tokio::time::timeout(patience, &mut task).await.is_err()
        {
            task.abort();
        }
        lock(&shared.book).waiting()
    }
}

impl Shared {
    fn count(&self, book: &Book) {
        let waiting = i64::try_from(book.waiting()).unwrap_or(i64::MAX);
        self.parts.counts.waiting.set(waiting);
    }

    /// Notes how a delivery ended, and tells whom it concerns.
    fn settle(&self, id: MailId, result: Result<String, Failed>) {
        let now = moment();
        let mut book = lock(&self.book);
        let kind = book.state(id, now).map(|state| state.kind);
        let kind = kind.unwrap_or_default();
        match result {
            Ok(answer) => {
                if book.failing().is_some() {
                    tracing::info!(server = %self.server, "mail goes through again");
                }
                book.sent(id, answer);
                self.parts.counts.sent.inc();
                tracing::info!(mail = %id, kind, "a mail was handed over");
            }
            Err(failed) => {
                let news = book.failing() != Some(&failed);
                let why = failed.why.clone();
                if book.failed(id, failed, now) {
                    self.parts.counts.failed.inc();
                    tracing::warn!(mail = %id, kind, %why, "a mail was not sent, and is not tried again");
                } else if news {
                    tracing::warn!(mail = %id, kind, %why, "a mail was not sent, and waits");
                }
            }
        }
        self.count(&book);
        self.tell(&mut book, now);
        drop(book);
        self.changed.send_modify(|n| *n += 1);
    }

    fn tell(&self, book: &mut Book, now: Instant) {
        let Findings { failing, lost } = book.findings(now);
        let failing = failing.map(|(failed, waiting)| {
            let text = format!(
                "mail cannot be handed to {}, and {waiting} wait: {}",
                self.server, failed.why
            );
            finding(text, failed.remedy())
        });
        let lost = lost.map(|(kind, to, failed)| {
            let text = format!(
                "a mail ({}) to {to} was not sent: {}",
                kind.as_str(),
                failed.why
            );
            finding(text, failed.remedy())
        });
        (self.parts.tell)("mail", failing);
        (self.parts.tell)("mail not sent", lost);
    }
}

/// Hands over what is due, one after the other.
async fn deliver(shared: Arc<Shared>, carrier: impl Carrier) {
    let mut changed = shared.changed.subscribe();
    let mut closed = shared.closed.subscribe();
    loop {
        changed.mark_unchanged();
        if *closed.borrow() {
            return;
        }
        let next = lock(&shared.book).next(moment());
        match next {
            Next::Now(id, letter) => {
                let result = carrier.carry(letter).await;
                shared.settle(id, result);
            }
            Next::At(due) => tokio::select! {
                () = tokio::time::sleep_until(due) => {
                    let mut book = lock(&shared.book);
                    shared.tell(&mut book, moment());
                }
                _ = changed.changed() => {}
                _ = closed.changed() => {}
            },
            Next::Rest => tokio::select! {
                _ = changed.changed() => {}
                _ = closed.changed() => {}
            },
        }
    }
}

fn finding(text: String, remedy: &str) -> Finding {
    Finding {
        level: "warning".to_owned(),
        about: "mail".to_owned(),
        text,
        remedy: remedy.to_owned(),
        code: None,
        file: None,
    }
}

fn lock<T>(of: &Mutex<T>) -> MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}
