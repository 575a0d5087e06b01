//! Which events are wanted: by whom, about whom, of which feature, of which kinds, and when.

use super::trail::{About, Trail};
use super::words;
use crate::desk::Desk;
use crate::desk::parse::bad;
use crate::journal::Noted;
use crate::problem::{Refused, problem};
use seatkeeper::wire::Code;
use seatkeeper_engine::Actor;
use seatkeeper_engine::ids::UserId;

/// A filter as it was asked for; what is absent filters nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuditFilter {
    /// Caused by: `daemon`, a login, a user's id, or `uid 1000`.
    pub actor: Option<String>,
    /// About this user: a login, or a user's id.
    pub user: Option<String>,
    /// About this feature: `FEATURE`, or `PRODUCT/FEATURE`.
    pub feature: Option<String>,
    /// Of these kinds: names of events, joined by commas.
    pub kind: Option<String>,
    /// Recorded at this second (wall clock) or later.
    pub since: Option<u64>,
    /// Recorded before this second (wall clock).
    pub until: Option<u64>,
}

/// A filter at work.
pub(super) struct Wanted {
    actor: Option<Who>,
    user: Option<Trail>,
    feature: Option<Trail>,
    kinds: Vec<&'static str>,
    since: u64,
    until: u64,
}

/// Who caused it.
enum Who {
    Daemon,
    Uid(u32),
    User(UserId),
}

impl Wanted {
    /// Whether it is wanted. Every event of the journal must pass here, in order: some are about what others said.
    pub(super) fn takes(&mut self, noted: &Noted) -> bool {
        let mut about = true;
        for trail in [&mut self.user, &mut self.feature].into_iter().flatten() {
            about &= trail.follow(&noted.what);
        }
        about
            && self
                .actor
                .as_ref()
                .is_none_or(|who| who.caused(&noted.actor))
            && (self.kinds.is_empty() || self.kinds.contains(&words::kind(&noted.what)))
            && (self.since..self.until).contains(&noted.wall_s)
    }

    /// Whether what came before decides.
    pub(super) fn follows(&self) -> bool {
        self.user.is_some() || self.feature.is_some()
    }
}

impl Who {
    fn caused(&self, actor: &Actor) -> bool {
        match (self, actor) {
            (Who::Daemon, Actor::Daemon) => true,
            (Who::Uid(wanted), Actor::Local { uid, .. }) => wanted == uid,
            (Who::User(wanted), Actor::Local { user, .. }) => user.as_ref() == Some(wanted),
            _ => false,
        }
    }
}

impl Desk {
    /// Reads a filter.
    pub(super) fn look_for(&self, asked: &AuditFilter) -> Result<Wanted, Refused> {
        let user = match asked.user.as_deref() {
            Some(user) => Some(Trail::of(About::User(self.someone("user", user)?))),
            None => None,
        };
        let feature = match asked.feature.as_deref() {
            Some(text) => Some(Trail::of(feature(text)?)),
            None => None,
        };
        let actor = asked.actor.as_deref().map(|text| self.who(text));
        Ok(Wanted {
            actor: actor.transpose()?,
            user,
            feature,
            kinds: asked.kind.as_deref().map_or(Ok(Vec::new()), kinds)?,
            since: asked.since.unwrap_or(0),
            until: asked.until.unwrap_or(u64::MAX),
        })
    }

    fn who(&self, text: &str) -> Result<Who, Refused> {
        if text == "daemon" {
            return Ok(Who::Daemon);
        }
        if let Some(uid) = text.strip_prefix("uid").map(str::trim_start) {
            let uid = uid.strip_prefix([':', '-']).unwrap_or(uid);
            if let Ok(uid) = uid.parse() {
                return Ok(Who::Uid(uid));
            }
        }
        self.someone("actor", text).map(Who::User)
    }

    /// A user by login or id.
    fn someone(&self, member: &str, text: &str) -> Result<UserId, Refused> {
        let snapshot = self.keeper().recorded();
        let named = self.named(&snapshot.state, text);
        let by_id = || {
            let id = text.parse().ok()?;
            snapshot.state.users.contains_key(&id).then_some(id)
        };
        named.or_else(by_id).ok_or_else(|| {
            let mut refused = problem(
                Code::NotFound,
                format!("{member}: no user with the login or id {text:?} was ever seen here"),
            );
            refused.hint =
                "the column `actor` of `seatkeeper audit list` shows logins; `uid N` finds those who have none"
                    .to_owned();
            refused
        })
    }
}

fn feature(text: &str) -> Result<About, Refused> {
    let (product, feature) = match text.split_once('/') {
        Some((product, feature)) => (Some(product), feature),
        None => (None, text),
    };
    if feature.is_empty() || feature.contains('/') || product == Some("") {
        return Err(bad("feature", "neither FEATURE nor PRODUCT/FEATURE"));
    }
    Ok(About::Feature(product.map(Into::into), feature.into()))
}

/// Names of events, however they are spelled: `SeatTaken`, `seat_taken`, `seat-taken`.
fn kinds(text: &str) -> Result<Vec<&'static str>, Refused> {
    let plain = |name: &str| name.replace(['_', '-', ' '], "").to_lowercase();
    text.split(',')
        .map(|asked| {
            let found = words::KINDS.iter().find(|kind| plain(kind) == plain(asked));
            found.copied().ok_or_else(|| {
                let all = words::KINDS.join(", ");
                bad(
                    "kind",
                    format_args!("no event is called {asked:?}; there are {all}"),
                )
            })
        })
        .collect()
}
