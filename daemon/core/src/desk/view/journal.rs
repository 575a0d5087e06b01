//! Events and denials: what happened, and what was refused.

use super::Cursor;
use crate::authorize::{Caller, Permission};
use crate::desk::Desk;
use crate::journal::parse;
use crate::keeper::PublishedEvent;
use crate::problem::{Refused, internal};
use crate::side::DenialNote;
use seatkeeper::wire::{self, Page};
use seatkeeper_engine::{Actor, Origin};
use serde_json::Value;

impl Desk {
    /// `GET /v1/events`: a page of the journal, oldest first; the cursor is an event's number.
    ///
    /// # Errors
    /// `forbidden`, a cursor that is none or lies in what was pruned, or a journal that cannot be read.
    pub fn events(&self, caller: &Caller, cursor: &Cursor) -> Result<Page<wire::Event>, Refused> {
        self.authorize(caller, Permission::AuditRead, self.unit())?;
        let after = self.kept_after(cursor.after.as_deref())?;
        let limit = cursor.limit()?;
        let rows = self.rows(after, limit)?;
        let full = rows.len() == limit;
        let items = rows
            .iter()
            .map(|(number, raw)| self.event(*number, raw))
            .collect::<Result<Vec<_>, _>>()?;
        let next = items
            .last()
            .filter(|_| full)
            .map(|event| event.n.to_string());
        Ok(Page { items, next })
    }

    /// An event as it was just recorded, for those who follow.
    ///
    /// # Errors
    /// Never in practice: what was journaled is JSON.
    pub fn event_of(&self, published: &PublishedEvent) -> Result<wire::Event, Refused> {
        let body = serde_json::to_value(&published.what)
            .map_err(|e| internal("an event is not JSON", &e))?;
        Ok(wire::Event {
            n: published.number,
            event: name(&body),
            wall_s: published.wall_s,
            actor: self.actor_name(&published.actor),
            origin: origin(published.origin).to_owned(),
            body,
        })
    }

    /// `GET /v1/denials`: the newest denials, newest first.
    ///
    /// # Errors
    /// `forbidden`.
    pub fn denials(&self, caller: &Caller, cursor: &Cursor) -> Result<Vec<DenialNote>, Refused> {
        self.authorize(caller, Permission::AuditRead, self.unit())?;
        Ok(self.side().newest_denials(cursor.limit()?))
    }

    fn event(&self, number: u64, raw: &str) -> Result<wire::Event, Refused> {
        let noted =
            parse(raw).map_err(|e| internal("an event of the journal cannot be read", &e))?;
        let whole: Value =
            serde_json::from_str(raw).map_err(|e| internal("an event is not JSON", &e))?;
        let body = whole.get("what").cloned().unwrap_or(Value::Null);
        Ok(wire::Event {
            n: number,
            event: name(&body),
            wall_s: noted.wall_s,
            actor: self.actor_name(&noted.actor),
            origin: origin(noted.origin).to_owned(),
            body,
        })
    }

    pub(super) fn actor_name(&self, actor: &Actor) -> String {
        let state = &self.keeper().recorded().state;
        match actor {
            Actor::Daemon => "daemon".to_owned(),
            Actor::Local {
                uid,
                user,
                acting_for,
                token,
                session,
                ..
            } => {
                let token = token.and_then(|id| self.token_name(id));
                let by = match (token, session) {
                    (Some(name), _) => format!(" by token {name}"),
                    (None, Some(_)) => " in a session".to_owned(),
                    (None, None) => String::new(),
                };
                let who = match user {
                    Some(user) => format!("{} (uid {uid}){by}", self.user_name(*user)),
                    None => format!("uid {uid}{by}"),
                };
                let acting_for = acting_for.and_then(|unit| self.place_name(state, unit.0));
                match acting_for {
                    Some(account) => format!("{who}, acting for {account}"),
                    None => who,
                }
            }
        }
    }
}

/// The event's name: a text, or the one member of an object.
fn name(body: &Value) -> String {
    match body {
        Value::String(name) => name.clone(),
        Value::Object(members) => members.keys().next().cloned().unwrap_or_default(),
        _ => String::new(),
    }
}

pub(super) fn origin(origin: Origin) -> &'static str {
    match origin {
        Origin::Socket => "socket",
        Origin::Inbox => "inbox",
        Origin::Run => "run",
        Origin::Watch => "watch",
    }
}
