//! What a script says of the terms of service: published, accepted, and by whom they are still to be.

use crate::stage::Stage;
use crate::words::{Words, id};
use seatkeeper_engine::Command;
use seatkeeper_engine::event::Recorded;
use seatkeeper_engine::ids::{Name, TextHash};

impl Stage {
    /// `terms publish 2026-1 text=one`, `terms accept 2026-1 by ana`, `terms of ana`.
    pub(crate) fn terms(&mut self, words: &Words) -> Result<(), String> {
        match words.at(1)? {
            "publish" => {
                let version = words.at(2)?;
                self.answer(Command::PublishTerms {
                    version: Name::from(version),
                    text: TextHash(id("text", words.get("text").unwrap_or(version))),
                })
            }
            "accept" => {
                // By one whom nobody has met yet, too.
                let user = self.named(words.after("by")?);
                self.answer(Command::AcceptTerms {
                    user,
                    version: Name::from(words.at(2)?),
                })
            }
            "of" => {
                let name = words.at(2)?;
                let user = self.user(name);
                let state = self.engine.state();
                let accepted = state
                    .terms_of(user)
                    .map_or("nothing", |terms| &terms.version);
                let due = state
                    .terms_to_accept(user)
                    .map_or("nothing", |terms| &terms.version);
                let text = format!("{name} accepted {accepted}, has to accept {due}");
                self.line(&text);
                Ok(())
            }
            other => Err(format!("terms {other} is nothing")),
        }
    }

    /// An event of them, in a line.
    pub(crate) fn told_of_terms(&self, event: &Recorded) -> Option<String> {
        match event {
            Recorded::TermsPublished { version, .. } => Some(format!("TermsPublished {version}")),
            Recorded::TermsAccepted { user, version } => {
                Some(format!("TermsAccepted {version} user={}", self.name(*user)))
            }
            _ => None,
        }
    }
}
