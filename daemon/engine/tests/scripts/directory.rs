//! What a script says of the organisation, and of what assignments give and withhold (rules 1 to 4, 10).

use crate::stage::Stage;
use crate::words::{Words, address, id, mail_address};
use seatkeeper_engine::command::{Arrange, Command, MoveTo, NewAccount, UnitChange};
use seatkeeper_engine::ids::{
    AssignmentId, GroupId, LicenseId, LoginHash, Name, NameHash, PoolId, UnitId,
};
use seatkeeper_engine::reserves;
use seatkeeper_engine::state::{
    Account, AccountKind, AssignmentTerms, Limit, Place, Target, UserStatus,
};
use std::collections::BTreeMap;

impl Stage {
    /// Plays a change of the directory; false where the line is none.
    pub(crate) fn arrange(&mut self, words: &Words) -> Result<bool, String> {
        let change = match words.at(0)? {
            "assign" | "change" | "unassign" => return self.assigned(words).map(|()| true),
            "reserves" => return self.reserves(words).map(|()| true),
            "account" => self.made_account(words)?,
            "unit" => {
                let above = self.unit(words.after("in")?);
                self.made_unit(words.at(1)?, Place::Below(above))
            }
            "rename" => {
                self.change_unit(words.at(1)?, UnitChange::Rename(name(words.after("to")?)))
            }
            "move" => {
                let to = match words.after("to")? {
                    "account" => MoveTo::Account(kind(words)?),
                    unit => MoveTo::Below(self.unit(unit)),
                };
                let hard = words.flag("hard");
                self.change_unit(words.at(1)?, UnitChange::Move { to, hard })
            }
            "manage" => {
                let by = self.unit(words.after("by")?);
                self.change_unit(words.at(1)?, UnitChange::Manage(Some(by)))
            }
            "remove-unit" => Arrange::RemoveUnit {
                unit: self.unit(words.at(1)?),
                if_match: None,
            },
            "group" | "rename-group" | "remove-group" | "join" | "leave" => self.group_of(words)?,
            "person" | "place" | "status" | "address" | "remove-person" => self.person_of(words)?,
            _ => return Ok(false),
        };
        self.answer(Command::Arrange(change))?;
        Ok(true)
    }

    fn assigned(&mut self, words: &Words) -> Result<(), String> {
        let whom = if words.flag("from") { "from" } else { "to" };
        let target = self.target(words.after(whom)?);
        let license = self.license_id(words, words.at(1)?);
        let terms = terms(words)?;
        let (hard, if_match) = (words.flag("hard"), None);
        let known = self.assignment(&license, target);
        // `id_of=` takes the id that the same license has, or had, for another.
        let id_of = words.get("id_of").map(|called| self.target(called));
        let name = format!("{license} {:?}", id_of.unwrap_or(target));
        self.answer(match words.at(0)? {
            "assign" => Command::Assign {
                id: AssignmentId(id("assignment", &name)),
                license,
                target,
                terms,
            },
            "change" => Command::ChangeAssignment {
                id: known,
                terms,
                hard,
                if_match,
            },
            _ => Command::Unassign {
                id: known,
                hard,
                if_match,
            },
        })
    }

    /// `reserves modeler of ana,group:cad,…`: what is reserved for each, and how much of it is filled. Of the license `id=`.
    fn reserves(&mut self, words: &Words) -> Result<(), String> {
        let license = self.license_id(words, words.get("id").unwrap_or("L1"));
        let feature = words.at(1)?.into();
        let pool = PoolId {
            license: license.clone(),
            feature,
        };
        let filled = reserves::filled(self.engine.state(), &pool);
        for whom in words.after("of")?.split(',') {
            let target = self.target(whom);
            let of = self.assignment(&license, target);
            let told = filled.iter().find(|(id, _, _)| *id == of);
            let told = told.map_or("none".to_owned(), |(_, seats, filled)| {
                format!("{filled} of {seats}")
            });
            self.line(&format!("  reserved for {whom}: {told} filled"));
        }
        Ok(())
    }

    fn made_account(&self, words: &Words) -> Result<Arrange, String> {
        let account = Account {
            kind: kind(words)?,
            managed_by: words.get("managed_by").map(|by| self.unit(by)),
            self_registered: false,
        };
        Ok(self.made_unit(words.at(1)?, Place::Account(account)))
    }

    /// `called=NAME`, and where they are given `managed_by=` and `contact=`.
    pub(crate) fn new_account(&mut self, words: &Words) -> Result<NewAccount, String> {
        let called = words.get("called").ok_or("a new account is called=NAME")?;
        let contact = words.get("contact");
        Ok(NewAccount {
            unit: self.unit(called),
            name: name(called),
            managed_by: words.get("managed_by").map(|by| self.unit(by)),
            contact: contact.map(|who| (self.named(who), LoginHash(id("login", who)))),
        })
    }

    fn made_unit(&self, called: &str, place: Place) -> Arrange {
        Arrange::MakeUnit {
            unit: self.unit(called),
            name: name(called),
            place,
        }
    }

    fn change_unit(&self, called: &str, change: UnitChange) -> Arrange {
        Arrange::ChangeUnit {
            unit: self.unit(called),
            change,
            if_match: None,
        }
    }

    fn group_of(&mut self, words: &Words) -> Result<Arrange, String> {
        let called = words.at(1)?;
        let (group, hard) = (group(called), words.flag("hard"));
        let users = list(words, "user").map(|one| self.user(one)).collect();
        let groups = list(words, "group").map(self::group).collect();
        Ok(match words.at(0)? {
            "group" => Arrange::MakeGroup {
                group,
                name: name(called),
                unit: self.unit("home"),
            },
            "rename-group" => Arrange::RenameGroup {
                group,
                name: name(words.after("to")?),
                if_match: None,
            },
            "remove-group" => Arrange::RemoveGroup {
                group,
                hard,
                if_match: None,
            },
            "join" => Arrange::AddMembers {
                group,
                users,
                groups,
                if_match: None,
            },
            _ => Arrange::DropMembers {
                group,
                users,
                groups,
                hard,
                if_match: None,
            },
        })
    }

    fn person_of(&mut self, words: &Words) -> Result<Arrange, String> {
        let called = words.at(1)?;
        let user = self.named(called);
        let (hard, until) = (words.flag("hard"), self.date(words, "until")?);
        let status = |text: &str| {
            let text = serde_json::Value::String(text.to_owned());
            serde_json::from_value::<UserStatus>(text).map_err(|e| e.to_string())
        };
        let units = || {
            let units = words.after("in")?.split(',');
            Ok::<_, String>(units.map(|unit| self.unit(unit)).collect())
        };
        Ok(match words.at(0)? {
            "person" => Arrange::MakeUser {
                user,
                login: LoginHash(id("login", called)),
                address: words.get("address").map(address),
                units: units()?,
                status: words.get("status").map_or(Ok(UserStatus::Active), status)?,
                until,
            },
            "address" => Arrange::ChangeAddress {
                user: self.user(called),
                was: words.get("was").map(address),
                address: words.get("is").map(mail_address),
                if_match: None,
            },
            "place" => Arrange::PlaceUser {
                units: if words.flag("in") {
                    units()?
                } else {
                    Vec::new()
                },
                user: self.user(called),
                hard,
                if_match: None,
            },
            "status" => Arrange::ChangeUser {
                user: self.user(called),
                status: status(words.at(2)?)?,
                until,
                hard,
                if_match: None,
            },
            _ => Arrange::RemoveUser {
                user: self.user(called),
                hard,
                if_match: None,
            },
        })
    }

    pub(crate) fn unit(&self, called: &str) -> UnitId {
        match called {
            "home" => UnitId(id("unit", "root")),
            other => UnitId(id("unit", other)),
        }
    }

    /// `ana`, `group:cad`, `unit:boston`, `everyone`.
    fn target(&mut self, called: &str) -> Target {
        match called.split_once(':') {
            Some(("group", called)) => Target::Group(group(called)),
            Some(("unit", called)) => Target::Unit(self.unit(called)),
            _ if called == "everyone" => Target::Unit(self.unit("home")),
            _ => Target::User(self.user(called)),
        }
    }

    /// The assignment that stands, or one that nobody made.
    fn assignment(&self, license: &LicenseId, target: Target) -> AssignmentId {
        let covers = self.engine.state().covers.get(license);
        let known = covers.and_then(|covers| covers.by.get(&target));
        let name = format!("{license} {target:?}");
        known
            .copied()
            .unwrap_or_else(|| AssignmentId(id("assignment", &name)))
    }
}

/// `policies=`, `exclude` or `exclude=FEATURE,…`, `max=FEATURE:N,…`, `max_each=…`, `reserve=…`, `priority=`.
fn terms(words: &Words) -> Result<AssignmentTerms, String> {
    let mut limits = BTreeMap::<Option<Name>, Limit>::new();
    let all = words.flag("exclude").then_some(None);
    let some = list(words, "exclude").map(|feature| Some(Name::from(feature)));
    for feature in all.into_iter().chain(some) {
        limits.entry(feature).or_default().exclude = true;
    }
    for pair in ["max", "max_each", "reserve"] {
        for limit in list(words, pair) {
            let (feature, n) = limit.split_once(':').ok_or("it is FEATURE:N")?;
            let n = n.parse().map_err(|_| format!("{n} is no number"))?;
            let limit = limits.entry(Some(feature.into())).or_default();
            match pair {
                "max" => limit.max = Some(n),
                "reserve" => limit.reserve = Some(n),
                _ => limit.max_each = Some(n),
            }
        }
    }
    let named = |(feature, limit)| Limit { feature, ..limit };
    Ok(AssignmentTerms {
        policies: list(words, "policies").map(Name::from).collect(),
        priority: words.number("priority", 5)?,
        limits: limits.into_iter().map(named).collect(),
    })
}

fn kind(words: &Words) -> Result<AccountKind, String> {
    let text = words.get("kind").unwrap_or("customer");
    serde_json::from_value(serde_json::Value::String(text.to_owned())).map_err(|e| e.to_string())
}

fn list<'a>(words: &'a Words, pair: &str) -> impl Iterator<Item = &'a str> {
    words.get(pair).into_iter().flat_map(|text| text.split(','))
}

fn group(called: &str) -> GroupId {
    GroupId(id("group", called))
}

fn name(called: &str) -> NameHash {
    NameHash(id("name", called))
}
