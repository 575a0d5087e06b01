//! Terms of service, over the wire: published, read, accepted (B15, D16). The journal has the hash of each text, and the
//! side store the text under its hash: it is not pruned with old events, and no rule reads it.

use super::Desk;
use super::parse::{self, bad};
use super::view::{self, Cursor};
use crate::authorize::{Caller, Permission, outright};
use crate::keeper::{Answer, Snapshot};
use crate::problem::{Refused, internal, problem};
use seatkeeper::wire::{self, Code, Page, TermsAccept, TermsAcceptance, TermsPublish};
use seatkeeper_engine::ids::{TextHash, UserId};
use seatkeeper_engine::state::ServiceTerms;
use seatkeeper_engine::{Command, Verdict};
use sha2::{Digest, Sha256};

/// Bytes of a text: what a body has room for, and a person patience.
const TEXT_BYTES: usize = 48 * 1024;

impl Desk {
    /// `GET /v1/terms`. Reads the side store: blocks.
    ///
    /// # Errors
    /// `forbidden`, or none are published.
    pub fn terms(&self, caller: &Caller) -> Result<wire::Terms, Refused> {
        self.authorize(caller, Permission::TermsAccept, self.unit)?;
        let shown = self.terms_shown(&self.keeper.snapshot(), caller);
        self.traced(caller, shown)
    }

    /// `POST /v1/terms`: they are in force at once, and everyone is asked anew. Blocks.
    ///
    /// # Errors
    /// `forbidden`, a member that is not well-formed, or another text has the version.
    pub fn publish_terms(
        &self,
        caller: &Caller,
        body: &TermsPublish,
    ) -> Result<wire::Terms, Refused> {
        self.authorize(caller, Permission::TermsPublish, self.unit)?;
        let done = self.publish_terms_of(caller, body);
        self.traced(caller, done)
    }

    fn publish_terms_of(
        &self,
        caller: &Caller,
        body: &TermsPublish,
    ) -> Result<wire::Terms, Refused> {
        let version = parse::name("version", &body.version)?;
        let hash = checked(&body.text)?;
        self.has_room(caller, "the terms of service")?;
        // Before the event that names it, as every name is.
        if let Err(why) = self.side.put_text(hash.0, &body.text) {
            return Err(self.broken(caller, &why));
        }
        let answer = self.asked(
            caller,
            Command::PublishTerms {
                version,
                text: hash,
            },
        )?;
        match answer.verdict {
            Verdict::Done => self.terms_shown(&answer.snapshot, caller),
            _ => {
                let hint = "publish this text under another version: `--version`";
                Err(self.terms_denied(caller, &body.version, &answer, hint))
            }
        }
    }

    /// `POST /v1/terms/accept`: the caller as a person, for themselves. Blocks.
    ///
    /// # Errors
    /// `forbidden`, the caller is nobody's user, or another version is in force.
    pub fn accept_terms(
        &self,
        caller: &Caller,
        body: &TermsAccept,
    ) -> Result<wire::Terms, Refused> {
        self.authorize(caller, Permission::TermsAccept, self.unit)?;
        let done = self.accept_terms_of(caller, body);
        self.traced(caller, done)
    }

    fn accept_terms_of(&self, caller: &Caller, body: &TermsAccept) -> Result<wire::Terms, Refused> {
        let version = parse::name("version", &body.version)?;
        // Nobody accepts what cannot be read.
        self.terms_shown(&self.keeper.snapshot(), caller)?;
        let user = self.meet(caller).map_err(|mut no| {
            if no.code == Code::UnknownUser {
                no.hint = format!(
                    "`seatkeeper login LOGIN --accept-terms {version}` accepts them for who is a user under another login; `seatkeeper register --help` tells how to ask to come in"
                );
            }
            no
        })?;
        let answer = self.asked(caller, Command::AcceptTerms { user, version })?;
        match answer.verdict {
            Verdict::Done => self.terms_shown(&answer.snapshot, caller),
            _ => {
                let hint = "read the terms in force, then accept them: `seatkeeper terms show`, `seatkeeper terms accept`";
                Err(self.terms_denied(caller, &body.version, &answer, hint))
            }
        }
    }

    /// The refusal of a version, in the words of what stands against it.
    fn terms_denied(&self, caller: &Caller, version: &str, answer: &Answer, hint: &str) -> Refused {
        let what = format!("terms of service {version}");
        let mut refused = self.not_done(caller, &what, answer);
        if let (Code::Conflict, Some(why)) = (&refused.code, &refused.limit) {
            refused.detail = format!("{what}: {why}");
            refused.hint = hint.to_owned();
        }
        refused
    }

    /// `GET /v1/terms/acceptances`: what those accepted whom the caller sees. Blocks.
    ///
    /// # Errors
    /// `forbidden`, or no cursor of this list.
    pub fn acceptances(
        &self,
        caller: &Caller,
        cursor: &Cursor,
    ) -> Result<Page<TermsAcceptance>, Refused> {
        let snapshot = self.keeper.snapshot();
        let sight = self.sight(&snapshot, caller, Permission::UserRead)?;
        let state = &snapshot.state;
        let rows = state
            .users
            .range(cursor.after_id::<UserId>()?)
            .map(|(id, _)| *id)
            .filter(|id| sight.over(state, *id))
            .map(|id| {
                let accepted = state.terms_of(id);
                let row = TermsAcceptance {
                    id: id.to_string(),
                    login: self.user_name(id),
                    version: accepted.map(|terms| terms.version.to_string()),
                    present: accepted.is_some() && state.terms_to_accept(id).is_none(),
                };
                (id.to_string(), row)
            });
        Ok(view::page(rows, cursor.limit()?))
    }

    /// The version of the terms of service that a person has to accept still, where there is one: what a sign-in asks
    /// before it gives anything (B15).
    #[must_use]
    pub fn terms_to_accept(&self, user: UserId) -> Option<String> {
        let snapshot = self.keeper.snapshot();
        let terms = snapshot.state.terms_to_accept(user)?;
        Some(terms.version.to_string())
    }

    fn terms_shown(&self, snapshot: &Snapshot, caller: &Caller) -> Result<wire::Terms, Refused> {
        let state = &snapshot.state;
        let Some((_, present)) = state.present_terms() else {
            return Err(none(caller));
        };
        let person = caller.person(state);
        let accepted = person.is_some_and(|person| state.terms_to_accept(person).is_none());
        let before = person.and_then(|person| state.terms_of(person));
        Ok(wire::Terms {
            version: present.version.to_string(),
            sha256: present.text.to_string(),
            text: self.text_of(present)?,
            published: present.at.0,
            accepted,
            accepted_before: before
                .filter(|_| !accepted)
                .map(|terms| terms.version.to_string()),
            block_checkout: self.settings.terms_block_checkout,
        })
    }

    /// The text, which is the one that the journal has the hash of.
    fn text_of(&self, terms: &ServiceTerms) -> Result<String, Refused> {
        let text = self.side.text(terms.text.0);
        let text = text.map_err(|why| internal("a text cannot be read", &why))?;
        match text.filter(|text| hash_of(text) == terms.text) {
            Some(text) => Ok(text),
            None => {
                let version = &terms.version;
                let why = format!(
                    "the text of terms of service {version} is gone, or is another one than was published (SHA-256 {})",
                    terms.text
                );
                let mut refused = problem(Code::NotFound, why);
                refused.hint = format!(
                    "whoever publishes them does so again, with the same file: `seatkeeper terms publish FILE --version {version}`"
                );
                Err(refused)
            }
        }
    }
}

fn checked(text: &str) -> Result<TextHash, Refused> {
    if text.trim().is_empty() {
        return Err(bad("text", "is empty"));
    }
    if text.len() > TEXT_BYTES {
        return Err(bad(
            "text",
            format_args!("has more than {TEXT_BYTES} bytes"),
        ));
    }
    let odd = |c: char| c.is_control() && !matches!(c, '\n' | '\r' | '\t');
    match text.chars().any(odd) {
        true => Err(bad("text", "has a control character")),
        false => Ok(hash_of(text)),
    }
}

fn hash_of(text: &str) -> TextHash {
    TextHash(Sha256::digest(text).into())
}

fn none(caller: &Caller) -> Refused {
    let mut refused = problem(Code::NotFound, "no terms of service are published here");
    let publishes = outright(caller, Permission::TermsPublish);
    refused.hint = match publishes {
        true => {
            "nobody is asked for any; `seatkeeper terms publish FILE --version V` publishes them"
        }
        false => "there is nothing to accept",
    }
    .to_owned();
    refused
}
