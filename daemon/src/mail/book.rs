//! What the outbox knows of its mails: which is next, when, and what became of it. Told the time, reads no clock.

use super::letters::Kind;
use super::render::Letter;
use seatkeeper::wire::MailState;
use seatkeeper_engine::ids::CodeHash;
use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// Mails that wait at one time.
pub(super) const WAITING: usize = 256;
/// Of one caller.
pub(super) const WAITING_PER_CALLER: usize = 64;
/// Mails that are done and can still be asked about.
const DONE: usize = 256;
/// A mail that could not be handed over in this time is given up.
pub(super) const KEPT: Duration = Duration::from_secs(24 * 3600);
/// So long `doctor` tells of a mail that was given up or refused.
pub(super) const TOLD: Duration = Duration::from_secs(24 * 3600);
/// The longest pause between two tries.
const LONGEST: Duration = Duration::from_secs(900);

/// The id of a mail.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct MailId(pub [u8; 16]);

/// How far a delivery came.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Stage {
    /// Finding and calling the server, and its greeting.
    Call,
    /// Protecting the way.
    Tls,
    /// The password is not to be had.
    Password,
    /// Signing in.
    SignIn,
    /// Handing the mail over.
    HandOver,
}

/// Whose fault a failure is, and whether it may pass.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Fault {
    /// No mail goes through now.
    Server,
    /// The server does not take this mail now (4xx).
    Mail,
    /// The server refuses this mail (5xx): nothing more is tried.
    Refused,
}

/// Why a delivery failed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Failed {
    /// How far it came.
    pub(super) stage: Stage,
    /// Whose fault it is.
    pub(super) fault: Fault,
    /// In words.
    pub(super) why: String,
}

/// The book.
pub(super) struct Book {
    mails: BTreeMap<MailId, Entry>,
    /// In the order in which they were posted.
    order: VecDeque<MailId>,
    /// No mail goes through: until when nothing is tried, and how often that was so in a row.
    away: Option<(Instant, u32)>,
    /// The failure that keeps mail waiting.
    failing: Option<Failed>,
    /// The last mail that was not sent, until when it is told, and why not.
    lost: Option<(MailId, Instant, Failed)>,
}

struct Entry {
    kind: Kind,
    to: String,
    by: String,
    since: Instant,
    tries: u32,
    fate: Fate,
}

enum Fate {
    Waits {
        letter: Arc<Letter>,
        due: Instant,
        why: Option<Failed>,
    },
    Sent(String),
    Lost(Failed),
}

/// A mail that is posted.
pub(super) struct Posted<'a> {
    pub(super) id: MailId,
    pub(super) kind: Kind,
    pub(super) to: &'a str,
    pub(super) by: &'a str,
    pub(super) letter: Letter,
}

/// What is to be done next.
pub(super) enum Next {
    /// Hand this one over.
    Now(MailId, Arc<Letter>),
    /// Look again at this moment.
    At(Instant),
    /// Nothing.
    Rest,
}

/// What `doctor` is told.
pub(super) struct Findings<'a> {
    /// Why no mail goes through, and how many wait.
    pub(super) failing: Option<(&'a Failed, usize)>,
    /// The last mail that was not sent: what it was, to whom, why not.
    pub(super) lost: Option<(Kind, &'a str, &'a Failed)>,
}

impl Book {
    pub(super) fn new() -> Book {
        Book {
            mails: BTreeMap::new(),
            order: VecDeque::new(),
            away: None,
            failing: None,
            lost: None,
        }
    }

    /// Whether there is room for one more of this caller.
    pub(super) fn has_room(&self, by: &str) -> bool {
        let waiting = || self.mails.values().filter(|entry| entry.waits());
        waiting().count() < WAITING
            && waiting().filter(|entry| entry.by == by).count() < WAITING_PER_CALLER
    }

    /// Takes a mail.
    pub(super) fn post(&mut self, mail: Posted<'_>, now: Instant) {
        self.forget();
        self.order.push_back(mail.id);
        self.mails.insert(
            mail.id,
            Entry {
                kind: mail.kind,
                to: mail.to.to_owned(),
                by: mail.by.to_owned(),
                since: now,
                tries: 0,
                fate: Fate::Waits {
                    letter: Arc::new(mail.letter),
                    due: now,
                    why: None,
                },
            },
        );
    }

    /// Whether a mail of this id is there, and is this one.
    pub(super) fn is_same(&self, id: MailId, kind: Kind, to: &str, by: &str) -> Option<bool> {
        let entry = self.mails.get(&id)?;
        Some(entry.kind == kind && entry.to == to && entry.by == by)
    }

    /// Who caused it.
    pub(super) fn is_by(&self, id: MailId, by: &str) -> bool {
        self.mails.get(&id).is_some_and(|entry| entry.by == by)
    }

    /// It waits, or the server took it.
    pub(super) fn is_out(&self, id: MailId) -> bool {
        let entry = self.mails.get(&id);
        entry.is_some_and(|entry| !matches!(entry.fate, Fate::Lost(_)))
    }

    /// The mail that is due first, or when there is one.
    pub(super) fn next(&self, now: Instant) -> Next {
        let away = self.away.map(|(until, _)| until);
        let due = |id: &MailId| {
            let entry = self.mails.get(id)?;
            let Fate::Waits { letter, due, .. } = &entry.fate else {
                return None;
            };
            let due = match away {
                Some(until) if !entry.kind.is_tried_once() => (*due).max(until),
                _ => *due,
            };
            Some((due, *id, letter))
        };
        let first = self
            .order
            .iter()
            .filter_map(due)
            .min_by_key(|(due, ..)| *due);
        let told = self.lost.as_ref().map(|(_, until, _)| *until);
        match (first, told) {
            (Some((due, id, letter)), _) if due <= now => Next::Now(id, letter.clone()),
            (Some((due, ..)), Some(told)) => Next::At(due.min(told)),
            (Some((due, ..)), None) => Next::At(due),
            (None, Some(told)) => Next::At(told),
            (None, None) => Next::Rest,
        }
    }

    /// The server took it.
    pub(super) fn sent(&mut self, id: MailId, answer: String) {
        self.away = None;
        self.failing = None;
        let Some(entry) = self.mails.get_mut(&id) else {
            return;
        };
        entry.tries += 1;
        entry.fate = Fate::Sent(answer);
        let to = entry.to.clone();
        let lost = self.lost.as_ref().and_then(|(id, ..)| self.mails.get(id));
        if lost.is_some_and(|lost| lost.to == to) {
            self.lost = None;
        }
    }

    /// It was not sent; true where nothing more is tried.
    pub(super) fn failed(&mut self, id: MailId, failed: Failed, now: Instant) -> bool {
        let Some(entry) = self.mails.get_mut(&id) else {
            return false;
        };
        entry.tries += 1;
        match failed.fault {
            // Somebody looks on, and is told: the pauses of what waits are their own.
            Fault::Server if entry.kind.is_tried_once() => {}
            Fault::Server => {
                let times = self.away.map_or(0, |(_, times)| times) + 1;
                self.away = Some((now + pause(&failed, times), times));
                self.failing = Some(failed.clone());
            }
            // It was heard out: others go through.
            Fault::Mail | Fault::Refused => {
                self.away = None;
                self.failing = None;
            }
        }
        let ends = failed.fault == Fault::Refused
            || entry.kind.is_tried_once()
            || now.duration_since(entry.since) >= KEPT;
        if ends {
            let told = now + TOLD;
            if !entry.kind.is_tried_once() {
                self.lost = Some((id, told, failed.clone()));
            }
            entry.fate = Fate::Lost(failed);
        } else if let Fate::Waits { due, why, .. } = &mut entry.fate {
            // Where no mail goes through all of it goes as soon as one does.
            if failed.fault == Fault::Mail {
                *due = now + pause(&failed, entry.tries);
            }
            *why = Some(failed);
        }
        ends
    }

    /// How a mail does.
    pub(super) fn state(&self, id: MailId, now: Instant) -> Option<MailState> {
        let entry = self.mails.get(&id)?;
        let mut state = MailState {
            id: id.to_string(),
            kind: entry.kind.as_str().to_owned(),
            to: entry.to.clone(),
            state: String::new(),
            tries: u64::from(entry.tries),
            answer: None,
            why: None,
            remedy: None,
            next_try_s: None,
        };
        let told = |failed: &Failed, state: &mut MailState| {
            state.why = Some(failed.why.clone());
            state.remedy = Some(failed.remedy().to_owned());
        };
        match &entry.fate {
            Fate::Waits { due, why, .. } => {
                "waiting".clone_into(&mut state.state);
                // What keeps all of them waiting keeps this one, too.
                let all = self.failing.as_ref();
                let all = all.filter(|_| !entry.kind.is_tried_once());
                if let Some(failed) = why.as_ref().or(all) {
                    told(failed, &mut state);
                    let due = self.away.map_or(*due, |(until, _)| until.max(*due));
                    state.next_try_s = Some(due.saturating_duration_since(now).as_secs());
                }
            }
            Fate::Sent(answer) => {
                "sent".clone_into(&mut state.state);
                state.answer = Some(answer.clone());
            }
            Fate::Lost(failed) => {
                "failed".clone_into(&mut state.state);
                told(failed, &mut state);
            }
        }
        Some(state)
    }

    /// All that is known, the newest last.
    pub(super) fn list(&self, now: Instant) -> Vec<MailState> {
        let ids = self.order.iter();
        ids.filter_map(|id| self.state(*id, now)).collect()
    }

    /// Mails that wait.
    pub(super) fn waiting(&self) -> usize {
        self.mails.values().filter(|entry| entry.waits()).count()
    }

    /// Why no mail goes through.
    pub(super) fn failing(&self) -> Option<&Failed> {
        self.failing.as_ref()
    }

    /// What `doctor` is told now.
    pub(super) fn findings(&mut self, now: Instant) -> Findings<'_> {
        if self
            .lost
            .as_ref()
            .is_some_and(|(_, until, _)| *until <= now)
        {
            self.lost = None;
        }
        let waiting = self.waiting();
        let lost = self.lost.as_ref().and_then(|(id, _, failed)| {
            let entry = self.mails.get(id)?;
            Some((entry.kind, entry.to.as_str(), failed))
        });
        Findings {
            failing: self
                .failing
                .as_ref()
                .filter(|_| waiting > 0)
                .map(|failed| (failed, waiting)),
            lost,
        }
    }

    /// Forgets what is done beyond the limit, the oldest first.
    fn forget(&mut self) {
        let done = self.mails.len() - self.waiting();
        let mut surplus = (done + 1).saturating_sub(DONE);
        let mails = &mut self.mails;
        self.order.retain(|id| {
            let drop = surplus > 0 && mails.get(id).is_none_or(|entry| !entry.waits());
            if drop {
                surplus -= 1;
                mails.remove(id);
            }
            !drop
        });
    }
}

impl Entry {
    fn waits(&self) -> bool {
        matches!(self.fate, Fate::Waits { .. })
    }
}

/// How long nothing is tried after so many failures in a row. A server that is away is asked soon again; one that says
/// no to a password is not, since some lock the account.
fn pause(failed: &Failed, times: u32) -> Duration {
    let first = match (failed.stage, failed.fault) {
        (Stage::SignIn, _) => 60,
        (_, Fault::Server) => 1,
        _ => 30,
    };
    let doubled = 1_u64
        .checked_shl(times.saturating_sub(1))
        .unwrap_or(u64::MAX);
    Duration::from_secs(doubled.saturating_mul(first)).min(LONGEST)
}

impl Failed {
    /// What to do about it.
    pub(super) fn remedy(&self) -> &'static str {
        match (self.stage, self.fault) {
            (Stage::Call, _) => {
                "see that the server runs and that `mail.server` and `mail.port` name it; `seatkeeper mail test ADDRESS` tries at once"
            }
            (Stage::Tls, _) => {
                "`mail.tls` is \"tls\" where TLS begins at once (mostly port 465), \"starttls\" where it is asked for (587, 25); the server's certificate has to be of an authority that the system trusts, and of the name in `mail.server`"
            }
            (Stage::Password, _) => {
                "let the daemon's user alone read the file that `mail.password_file` names; it is read anew at each try"
            }
            (Stage::SignIn, _) => {
                "correct `mail.user`, or the password in `mail.password_file`, which is read anew at each try; then `seatkeeper mail test ADDRESS` tries at once"
            }
            (Stage::HandOver, Fault::Refused) => {
                "the server's words say why: is the address right, and may `mail.from` send through this server? Then ask for the mail again, or carry by hand what it would have brought"
            }
            (Stage::HandOver, _) => {
                "nothing at once: it is tried again for a day; the server's words say why it waits"
            }
        }
    }
}

impl MailId {
    /// Of the mail with a code.
    #[must_use]
    pub fn of(code: CodeHash) -> MailId {
        let mut id = [0; 16];
        id.copy_from_slice(&code.0[..16]);
        MailId(id)
    }
}

impl fmt::Display for MailId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl FromStr for MailId {
    type Err = ();

    fn from_str(text: &str) -> Result<MailId, ()> {
        if text.len() != 32 || !text.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Err(());
        }
        let mut id = [0; 16];
        for (n, byte) in id.iter_mut().enumerate() {
            *byte = u8::from_str_radix(&text[2 * n..2 * n + 2], 16).map_err(|_| ())?;
        }
        Ok(MailId(id))
    }
}
