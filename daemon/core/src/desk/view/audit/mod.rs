//! The audit log: pages of events as stored, with names and words beside them that are not part of what is hashed.

mod filter;
mod people;
mod trail;
mod words;

pub use filter::AuditFilter;

use super::Cursor;
use super::journal::origin;
use crate::authorize::{Caller, Permission};
use crate::desk::Desk;
use crate::desk::parse::bad;
use crate::journal::{Hash, Head, Noted, PAGE, parse};
use crate::keeper::Snapshot;
use crate::problem::{Refused, internal, problem};
use crate::side::Kind;
use filter::Wanted;
use seatkeeper::wire::{AuditAnchor, AuditEvent, Code, Page};
use seatkeeper_engine::ids::{AssignmentId, GroupId, LicenseId, MachineId, UnitId, UserId};
use seatkeeper_engine::state::Target;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

/// Events that one request looks at; where there are more the page ends early and `next` says where to go on.
const LOOKED_AT: u64 = 50_000;
/// Stored bytes on a page, beyond which it ends early; a single event may have more.
const BYTES: usize = 1 << 20;

/// Where the last filtered page ended, and what its filter knew there: the next page goes on without starting over.
#[derive(Default)]
pub(in crate::desk) struct Followed(Mutex<Option<Place>>);

/// A filter at a place in the journal.
struct Place {
    filter: AuditFilter,
    after: u64,
    wanted: Wanted,
}

/// Names by id, looked up once per page.
struct Book<'a> {
    desk: &'a Desk,
    /// What units and groups are called is asked of the present.
    now: Arc<Snapshot>,
    names: BTreeMap<[u8; 16], Option<String>>,
}

impl Desk {
    /// `GET /v1/audit`: a page of the journal as stored, oldest first; the cursor is an event's number.
    ///
    /// # Errors
    /// `forbidden`, a cursor or a filter that is none, or a journal that cannot be read.
    pub fn audit(
        &self,
        caller: &Caller,
        cursor: &Cursor,
        filter: &AuditFilter,
    ) -> Result<Page<AuditEvent>, Refused> {
        self.authorize(caller, Permission::AuditRead, self.unit())?;
        let after = self.kept_after(cursor.after.as_deref())?;
        let limit = cursor.limit()?;
        let mut wanted = self.wanted(filter, after)?;
        let mut book = Book::of(self);
        let (mut at, mut bytes, mut items) = (after, 0, Vec::new());
        let mut more = true;
        while more && items.len() < limit && bytes < BYTES && at - after < LOOKED_AT {
            let rows = self.rows(at, PAGE)?;
            more = rows.len() == PAGE;
            let mut rows = rows.into_iter();
            for (n, raw) in rows.by_ref() {
                let noted = read(&raw)?;
                at = n;
                if wanted.takes(&noted) {
                    bytes += raw.len();
                    items.push(self.audit_event(&noted, &raw, &mut book));
                }
                if items.len() == limit || bytes >= BYTES {
                    break;
                }
            }
            more |= rows.next().is_some();
        }
        let next = more.then(|| at.to_string());
        if more {
            self.followed.keep(filter, at, wanted);
        }
        Ok(Page { items, next })
    }

    /// `GET /v1/audit/anchor`: the site key signs where the journal stands.
    ///
    /// # Errors
    /// `forbidden`, a site key that is kept elsewhere, or claims that no token takes: the clock stands outside of what tokens can say.
    pub fn audit_anchor(&self, caller: &Caller) -> Result<AuditAnchor, Refused> {
        self.authorize(caller, Permission::AuditAnchor, self.unit())?;
        let what = "an anchor cannot be signed here (`seatkeeper audit list --all -o jsonl` gives the events without one)";
        let key = self.site_signing(caller, what)?;
        self.anchor(key, self.keeper().recorded().head)
            .map_err(|e| internal("the anchor cannot be signed", &e))
    }

    /// `GET /v1/audit/pruned`: the anchor that stands for the events that were pruned.
    ///
    /// # Errors
    /// `forbidden`, or `not_found` where none were.
    pub fn audit_pruned(&self, caller: &Caller) -> Result<AuditAnchor, Refused> {
        self.authorize(caller, Permission::AuditAnchor, self.unit())?;
        let pruned = self.pruned_anchor().map(|(anchor, _)| anchor);
        pruned.ok_or_else(|| {
            let mut refused = problem(
                Code::NotFound,
                "no event was pruned: no anchor stands for any",
            );
            refused.hint = "read the journal from its first event on".to_owned();
            refused
        })
    }

    /// Where a page of events begins: behind this event, or behind those that were pruned.
    ///
    /// # Errors
    /// `bad_request` where it is no number, `pruned` where what follows it is there no more.
    pub fn kept_after(&self, after: Option<&str>) -> Result<u64, Refused> {
        let Some(after) = after else {
            return Ok(self.pruned());
        };
        let after: u64 = after
            .parse()
            .map_err(|_| bad("after", "not the number of an event"))?;
        self.still_there(after)
    }

    fn still_there(&self, after: u64) -> Result<u64, Refused> {
        let pruned = self.pruned();
        if after >= pruned {
            return Ok(after);
        }
        Err(problem(
            Code::Pruned,
            format!(
                "events 1 to {pruned} were pruned, and what follows event {after} was asked for"
            ),
        ))
    }

    /// The filter as it stands after this event.
    fn wanted(&self, filter: &AuditFilter, after: u64) -> Result<Wanted, Refused> {
        if let Some(wanted) = self.followed.take(filter, after) {
            return Ok(wanted);
        }
        let mut wanted = self.look_for(filter)?;
        let mut at = self.pruned();
        // What an event is about may have been said long before it: whose seat 1.4.1 is says the event that opened it.
        while wanted.follows() && at < after {
            let rows = self.rows(at, PAGE)?;
            let Some((last, _)) = rows.last() else { break };
            let past = (*last).min(after);
            for (_, raw) in rows.iter().take_while(|(n, _)| *n <= after) {
                wanted.takes(&read(raw)?);
            }
            at = past;
        }
        Ok(wanted)
    }

    /// What follows an event, as stored.
    pub(in crate::desk::view) fn rows(
        &self,
        after: u64,
        limit: usize,
    ) -> Result<Vec<(u64, Box<str>)>, Refused> {
        let next = after.saturating_add(1);
        let rows = self.keeper().read(next, limit);
        let rows = rows.map_err(|e| internal("the journal cannot be read", &e))?;
        // Pruned since it was asked for: the page would begin later, and nobody would know.
        if rows.first().is_some_and(|(n, _)| *n > next) {
            self.still_there(after)?;
        }
        Ok(rows)
    }

    fn audit_event(&self, noted: &Noted, raw: &str, book: &mut Book<'_>) -> AuditEvent {
        let before = Head {
            number: noted.number.saturating_sub(1),
            hash: noted.prev,
        };
        let Hash(hash) = before.after(raw.as_bytes()).hash;
        AuditEvent {
            n: noted.number,
            hash: Hash(hash).to_string(),
            stored: raw.to_owned(),
            wall_s: noted.wall_s,
            kind: words::kind(&noted.what).to_owned(),
            actor: self.actor_name(&noted.actor),
            origin: origin(noted.origin).to_owned(),
            trace: noted.trace.as_deref().map(str::to_owned),
            text: words::text(&noted.what, book),
            names: book.all_in(raw),
        }
    }
}

impl Followed {
    /// What the filter knew at this place, where the last page ended there.
    fn take(&self, filter: &AuditFilter, after: u64) -> Option<Wanted> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let place = kept.take_if(|place| place.after == after && place.filter == *filter)?;
        Some(place.wanted)
    }

    fn keep(&self, filter: &AuditFilter, after: u64, wanted: Wanted) {
        if wanted.follows() {
            let place = Place {
                filter: filter.clone(),
                after,
                wanted,
            };
            *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(place);
        }
    }
}

impl<'a> Book<'a> {
    fn of(desk: &'a Desk) -> Self {
        Book {
            desk,
            now: desk.keeper().recorded(),
            names: BTreeMap::new(),
        }
    }

    /// Every name that belongs to an id in the stored bytes: ids are texts of 32 hex digits.
    fn all_in(&mut self, raw: &str) -> BTreeMap<String, String> {
        raw.split('"')
            .filter(|text| text.len() == 32)
            .filter_map(|text| {
                let UserId(id) = text.parse().ok()?;
                Some((text.to_owned(), self.name(id)?))
            })
            .collect()
    }

    fn name(&mut self, id: [u8; 16]) -> Option<String> {
        let side = self.desk.side();
        let found = self.names.entry(id).or_insert_with(|| {
            let named = [Kind::User, Kind::Machine].into_iter().find_map(|kind| {
                let name = side.name(kind, id);
                name.inspect_err(|e| tracing::error!(error = %e, "a name cannot be read"))
                    .ok()?
            });
            named.or_else(|| self.desk.place_name(&self.now.state, id))
        });
        found.clone()
    }
}

impl words::Names for Book<'_> {
    fn user(&mut self, user: UserId) -> String {
        self.name(user.0).unwrap_or_else(|| format!("user {user}"))
    }

    fn machine(&mut self, machine: MachineId) -> String {
        self.name(machine.0)
            .unwrap_or_else(|| format!("machine {machine}"))
    }

    fn unit(&mut self, unit: UnitId) -> String {
        self.name(unit.0).unwrap_or_else(|| unit.to_string())
    }

    fn group(&mut self, group: GroupId) -> String {
        self.name(group.0).unwrap_or_else(|| group.to_string())
    }

    fn assignment(&mut self, id: AssignmentId) -> Option<(LicenseId, Target)> {
        let state = &self.now.state;
        let stands = state.assignments.get(&id);
        let stands = stands.map(|known| (known.license.clone(), known.target));
        stands.or_else(|| state.gone_assignments.get(&id).cloned())
    }
}

fn read(raw: &str) -> Result<Noted, Refused> {
    parse(raw).map_err(|e| internal("an event of the journal cannot be read", &e))
}
