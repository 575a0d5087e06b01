//! What a script says of coming into an account, and what it looks at there: who is in it, and by which customers' ids
//! vendors know it (rule 1).

use crate::stage::Stage;
use crate::words::{Words, id};
use seatkeeper_engine::command::{Admission, Arrange, Command, Register, Want};
use seatkeeper_engine::event::Recorded;
use seatkeeper_engine::ids::{LoginHash, NameHash, UnitId};
use seatkeeper_engine::state::{Account, MailAddress, Place, Way};

impl Stage {
    /// Plays a line about an account; false where the line is none.
    pub(crate) fn account(&mut self, words: &Words) -> Result<bool, String> {
        match words.at(0)? {
            "show" => self.show(words.at(1)?),
            "register" => {
                let asked = self.register(words)?;
                self.admit(Admission::Register(Box::new(asked)))?;
            }
            "approve" | "refuse" | "verify" => self.decide(words)?,
            "let-in" | "drop-domain" => {
                let change = Admission::LetIn {
                    account: self.unit(words.at(1)?),
                    domain: domain(words.at(2)?),
                    on: words.at(0)? == "let-in",
                    if_match: None,
                };
                self.admit(change)?;
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn admit(&mut self, admission: Admission) -> Result<(), String> {
        self.answer(Command::Arrange(Arrange::Admit(admission)))
    }

    fn register(&mut self, words: &Words) -> Result<Register, String> {
        let called = words.at(1)?;
        let ways = ["company", "join", "license", "access"];
        let way = ways
            .into_iter()
            .find_map(|way| Some((way, words.get(way)?)));
        let (way, what) = way.ok_or("they ask for nothing")?;
        let unit = self.unit(what);
        let want = match way {
            "company" => {
                let name = NameHash(id("name", what));
                Want::Company { unit, name }
            }
            "join" => Want::Join(unit),
            "license" => Want::License(self.license_id(words, what)),
            _ => Want::Access(unit),
        };
        let address = words.get("address").map(|address| MailAddress {
            hash: LoginHash(id("address", address)),
            domain: domain(address.rsplit('@').next().unwrap_or(address)),
        });
        Ok(Register {
            user: self.named(words.get("id").unwrap_or(called)),
            login: LoginHash(id("login", called)),
            address,
            verified: words.flag("verified"),
            want,
        })
    }

    fn decide(&mut self, words: &Words) -> Result<(), String> {
        let user = self.named(words.at(1)?);
        let if_match = words.get("if_match").map(str::parse).transpose();
        let if_match = if_match.map_err(|_| "if_match= is no number")?;
        let units = words
            .get("in")
            .into_iter()
            .flat_map(|units| units.split(','));
        let units = units.map(|unit| self.unit(unit)).collect();
        self.admit(match words.at(0)? {
            "approve" => Admission::Approve {
                user,
                units,
                if_match,
            },
            "refuse" => Admission::Refuse { user, if_match },
            _ => Admission::Verify { user, if_match },
        })
    }

    /// The line of an event of somebody who comes in.
    pub(crate) fn told_of_coming(&self, event: &Recorded) -> Option<String> {
        Some(match event {
            Recorded::Registered(asked) => {
                let way = match &asked.way {
                    Way::Company => "company".to_owned(),
                    Way::Joined => "joined".to_owned(),
                    Way::License(license) => format!("license {}", license.id),
                    Way::Access => "access".to_owned(),
                };
                let to = match asked.to {
                    Some(to) => self.called(to),
                    None => "the site".to_owned(),
                };
                format!("Registered {} way={way} to={to}", self.name(asked.user))
            }
            Recorded::RegistrationApproved {
                user, by_domain, ..
            } => {
                let how = if *by_domain { " by its domain" } else { "" };
                format!("RegistrationApproved {}{how}", self.name(*user))
            }
            Recorded::RegistrationRefused { user } => {
                format!("RegistrationRefused {}", self.name(*user))
            }
            _ => return None,
        })
    }

    fn show(&mut self, called: &str) {
        let unit = self.unit(called);
        let place = self.engine.state().units.get(&unit).map(|unit| unit.place);
        let text = match place {
            None => "is not there".to_owned(),
            Some(Place::Below(_)) => format!("is a unit{}", self.people(unit)),
            Some(Place::Account(account)) => self.told(unit, account),
        };
        self.line(&format!("  {called} {text}"));
    }

    fn told(&self, unit: UnitId, account: Account) -> String {
        let state = self.engine.state();
        let managed = account.managed_by.map_or("", |_| " managed");
        let own = if account.self_registered {
            " self_registered"
        } else {
            ""
        };
        let aliases = state.customers.iter().filter(|(_, of)| **of == unit);
        let aliases = aliases.map(|((vendor, id), _)| format!(" {vendor}/{id}"));
        let aliases: String = aliases.collect();
        let kind = format!("{:?}", account.kind).to_lowercase();
        format!("is a {kind}{own}{managed}{aliases}{}", self.people(unit))
    }

    fn people(&self, unit: UnitId) -> String {
        let users = self.engine.state().users.iter();
        let users = users.filter(|(_, user)| user.units.contains(&unit));
        let users = users.map(|(id, user)| {
            let status = format!("{:?}", user.status).to_lowercase();
            format!(" {}={status}", self.name(*id))
        });
        users.collect()
    }
}

fn domain(text: &str) -> NameHash {
    NameHash(id("domain", text))
}
