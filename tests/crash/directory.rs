//! An administrator who changes the organisation while the daemon is killed, and what was acknowledged to them.

use crate::Random;
use seatkeeper_tests::Site;
use seatkeeper_tests::wire::{Answer, Wire, hex};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// Of each kind there are about so many at a time.
const MANY: usize = 6;

/// What was acknowledged, by id.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Directory {
    /// Names, and the units above.
    units: BTreeMap<String, (String, String)>,
    /// Names, and who is right in them: users and groups.
    groups: BTreeMap<String, (String, BTreeSet<String>)>,
    users: BTreeMap<String, User>,
    assignments: BTreeMap<String, Assignment>,
}

#[derive(Clone, Debug, Default, PartialEq)]
struct User {
    login: String,
    status: String,
    units: BTreeSet<String>,
}

#[derive(Clone, Debug, PartialEq)]
struct Assignment {
    /// By what the API calls it: a login, a group's name, a unit's name.
    whom: String,
    max: Value,
    exclude: Value,
}

/// A change, and what it makes of the directory where it is done.
struct Step {
    method: &'static str,
    path: String,
    body: Option<Value>,
    then: Box<dyn FnOnce(&mut Directory) + Send>,
}

/// An administrator, over all rounds.
pub(crate) struct Administrator {
    known: Directory,
    /// What was asked and never answered: it is done, or it is not.
    open: Option<Step>,
    home: String,
    random: Random,
    /// Changes that were acknowledged, and refused.
    pub(crate) done: u64,
    pub(crate) refused: u64,
}

impl Administrator {
    /// One of a site that nobody else changes.
    pub(crate) fn new(site: &Site) -> Administrator {
        let units = site.admin("GET", "/v1/units", None);
        let home = units.body["items"][0]["id"].as_str().expect("a unit");
        Administrator {
            known: Directory::default(),
            open: None,
            home: home.to_owned(),
            random: Random(0xD1EC),
            done: 0,
            refused: 0,
        }
    }

    /// Changes one thing after the other until the daemon is gone, and counts the answers.
    pub(crate) fn work(&mut self, socket: &Path, stop: &AtomicBool, answers: &AtomicU64) {
        let Ok(mut wire) = Wire::connect(socket) else {
            return;
        };
        while !stop.load(Ordering::Relaxed) {
            let step = self.step();
            match wire.exchange(step.method, &step.path, step.body.as_ref()) {
                Ok(answer) if answer.status / 100 == 2 => {
                    (step.then)(&mut self.known);
                    self.done += 1;
                }
                Ok(answer) => {
                    assert!(lawful(&answer), "{} {}: {answer:?}", step.method, step.path);
                    self.refused += 1;
                }
                Err(_) => {
                    self.open = Some(step);
                    return;
                }
            }
            answers.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// The restarted daemon lists what was acknowledged, and what was open is done or not.
    pub(crate) fn check(&mut self, site: &Site, round: u64) {
        let mut wire = Wire::connect(&site.socket()).expect("the daemon listens");
        let listed = Directory::listed(&mut wire, &self.home);
        let open = self.open.take();
        if listed == self.known {
            return;
        }
        let without = self.known.clone();
        if let Some(step) = open {
            (step.then)(&mut self.known);
        }
        assert_eq!(
            listed, self.known,
            "round {round}: what was acknowledged, without what was open: {without:?}"
        );
    }

    fn step(&mut self) -> Step {
        let dice = self.random.below(16);
        match dice {
            0 | 1 if self.known.users.len() < MANY => self.make_user(),
            2 if self.known.units.len() < MANY => self.make_unit(),
            3 if self.known.groups.len() < MANY => self.make_group(),
            4 => self.move_unit(),
            5..8 => self.change_members(),
            8 | 9 => self.change_user(),
            10 => self.remove(),
            11 | 12 => self.assign(),
            13 => self.change_assignment(),
            14 => self.unassign(),
            _ => self.make_user(),
        }
    }

    fn one<T>(&mut self, of: &BTreeMap<String, T>) -> Option<String> {
        let n = self.random.below(of.len().max(1) as u64);
        of.keys().nth(usize::try_from(n).expect("small")).cloned()
    }

    /// A unit that may be the home account.
    fn some_unit(&mut self) -> String {
        let units = self.known.units.clone();
        let some = self.one(&units);
        some.filter(|_| self.random.below(3) > 0)
            .unwrap_or_else(|| self.home.clone())
    }

    fn hard(&mut self) -> bool {
        self.random.below(3) == 0
    }

    fn make_user(&mut self) -> Step {
        let (id, unit) = (hex(), self.some_unit());
        let login = format!("k{}", &id[8..]);
        let made = User {
            login: login.clone(),
            status: "active".to_owned(),
            units: BTreeSet::from([unit.clone()]),
        };
        let body = json!({"id": id, "login": login, "units": [unit]});
        post("/v1/users", body, move |known| {
            known.users.insert(id, made);
        })
    }

    fn make_unit(&mut self) -> Step {
        let (id, above) = (hex(), self.some_unit());
        let name = format!("u{id}");
        let body = json!({"id": id, "name": name, "above": above});
        post("/v1/units", body, move |known| {
            known.units.insert(id, (name, above));
        })
    }

    fn make_group(&mut self) -> Step {
        let id = hex();
        let name = format!("g{id}");
        let body = json!({"id": id, "name": name});
        post("/v1/groups", body, move |known| {
            known.groups.insert(id, (name, BTreeSet::new()));
        })
    }

    fn move_unit(&mut self) -> Step {
        let units = self.known.units.clone();
        let Some(unit) = self.one(&units) else {
            return self.make_unit();
        };
        let above = self.some_unit();
        let body = json!({"above": above, "hard": self.hard()});
        patch(format!("/v1/units/{unit}"), body, move |known| {
            known.units.entry(unit).and_modify(|(_, now)| *now = above);
        })
    }

    fn change_members(&mut self) -> Step {
        let (groups, users) = (self.known.groups.clone(), self.known.users.clone());
        let Some(group) = self.one(&groups) else {
            return self.make_group();
        };
        let user = self.one(&users).filter(|_| self.random.below(3) > 0);
        let kind = if user.is_some() { "users" } else { "groups" };
        let Some(member) = user.or_else(|| self.one(&groups)) else {
            return self.make_user();
        };
        let comes = self.random.below(3) > 0;
        let member_list = format!("{}_{kind}", if comes { "add" } else { "drop" });
        let body = json!({member_list: [member], "hard": !comes && self.hard()});
        patch(format!("/v1/groups/{group}/members"), body, move |known| {
            let Some((_, members)) = known.groups.get_mut(&group) else {
                return;
            };
            if comes {
                members.insert(member);
            } else {
                members.remove(&member);
            }
        })
    }

    fn change_user(&mut self) -> Step {
        let users = self.known.users.clone();
        let Some(user) = self.one(&users) else {
            return self.make_user();
        };
        let path = format!("/v1/users/{user}");
        if self.random.below(2) == 0 {
            let status = ["active", "suspended"][usize::from(self.hard())];
            let body = json!({"status": status, "hard": self.hard()});
            return patch(path, body, move |known| {
                let change = |known: &mut User| known.status = status.to_owned();
                known.users.entry(user).and_modify(change);
            });
        }
        let units = BTreeSet::from([self.some_unit(), self.some_unit()]);
        let body = json!({"units": units, "hard": self.hard()});
        patch(path, body, move |known| {
            known
                .users
                .entry(user)
                .and_modify(|known| known.units = units);
        })
    }

    fn remove(&mut self) -> Step {
        let known = self.known.clone();
        let hard = self.hard();
        let at = |kind: &str, id: &str| format!("/v1/{kind}/{id}?hard={hard}");
        match self.random.below(4) {
            0 => match self.one(&known.units) {
                Some(id) => delete(format!("/v1/units/{id}"), move |known| {
                    known.units.remove(&id);
                }),
                None => self.make_unit(),
            },
            1 => match self.one(&known.groups) {
                Some(id) => delete(at("groups", &id), move |known| {
                    if let Some((name, _)) = known.groups.remove(&id) {
                        known.forget(&id, &name);
                    }
                }),
                None => self.make_group(),
            },
            _ => match self.one(&known.users) {
                Some(id) => delete(at("users", &id), move |known| {
                    if let Some(gone) = known.users.remove(&id) {
                        known.forget(&id, &gone.login);
                    }
                }),
                None => self.make_user(),
            },
        }
    }

    fn assign(&mut self) -> Step {
        let known = self.known.clone();
        let (kind, whom) = match self.random.below(3) {
            0 => {
                let unit = self.one(&known.units);
                ("unit", unit.map(|id| (known.units[&id].0.clone(), id)))
            }
            1 => {
                let group = self.one(&known.groups);
                ("group", group.map(|id| (known.groups[&id].0.clone(), id)))
            }
            _ => {
                let user = self.one(&known.users);
                ("user", user.map(|id| (known.users[&id].login.clone(), id)))
            }
        };
        let Some((whom, id_of)) = whom else {
            return self.make_group();
        };
        let (id, max, exclude) = (hex(), self.max(), self.exclude());
        let body = json!({"id": id, "vendor": "acme", "license": "L-1", kind: id_of, "max": max,
            "exclude": exclude});
        post("/v1/assignments", body, move |known| {
            let made = Assignment { whom, max, exclude };
            // What is assigned so already stays the one that it is, under its own id (rule 20).
            if !known.assignments.values().any(|one| *one == made) {
                known.assignments.insert(id, made);
            }
        })
    }

    fn max(&mut self) -> Value {
        match self.random.below(3) {
            0 => json!({}),
            n => json!({"modeler": n + self.random.below(9)}),
        }
    }

    fn exclude(&mut self) -> Value {
        match self.random.below(4) {
            0 => json!(["*"]),
            _ => json!([]),
        }
    }

    fn change_assignment(&mut self) -> Step {
        let assignments = self.known.assignments.clone();
        let Some(id) = self.one(&assignments) else {
            return self.assign();
        };
        let (max, exclude) = (self.max(), self.exclude());
        let body = json!({"max": max, "exclude": exclude, "hard": self.hard()});
        patch(format!("/v1/assignments/{id}"), body, move |known| {
            let change = |known: &mut Assignment| (known.max, known.exclude) = (max, exclude);
            known.assignments.entry(id).and_modify(change);
        })
    }

    fn unassign(&mut self) -> Step {
        let assignments = self.known.assignments.clone();
        let Some(id) = self.one(&assignments) else {
            return self.assign();
        };
        let hard = self.hard();
        delete(format!("/v1/assignments/{id}?hard={hard}"), move |known| {
            known.assignments.remove(&id);
        })
    }
}

impl Directory {
    /// What the daemon lists, without what others made.
    fn listed(wire: &mut Wire, home: &str) -> Directory {
        let mut known = Directory::default();
        for unit in list(wire, "/v1/units?limit=1000") {
            if text(&unit, "id") != home {
                let of = (text(&unit, "name"), text(&unit, "above"));
                known.units.insert(text(&unit, "id"), of);
            }
        }
        for group in list(wire, "/v1/groups?limit=1000") {
            let id = text(&group, "id");
            let members = list(wire, &format!("/v1/groups/{id}/members?limit=1000"));
            let members = members.iter().map(|member| text(member, "id"));
            let of = (text(&group, "name"), members.collect());
            known.groups.insert(id, of);
        }
        for user in list(wire, "/v1/users?limit=1000") {
            if text(&user, "login").starts_with('k') {
                let units = user["unit_ids"].as_array().expect("units").iter();
                let units = units.map(|unit| unit.as_str().expect("an id").to_owned());
                let of = User {
                    login: text(&user, "login"),
                    status: text(&user, "status"),
                    units: units.collect(),
                };
                known.users.insert(text(&user, "id"), of);
            }
        }
        for one in list(wire, "/v1/assignments?limit=1000") {
            if one["everyone"] != true {
                let path = ["user", "group", "unit"]
                    .map(|kind| text(&one, kind))
                    .concat();
                let whom = path.rsplit('/').next().unwrap_or_default().to_owned();
                let or = |member: &str, none: Value| match &one[member] {
                    Value::Null => none,
                    there => there.clone(),
                };
                let (max, exclude) = (or("max", json!({})), or("exclude", json!([])));
                let of = Assignment { whom, max, exclude };
                known.assignments.insert(text(&one, "id"), of);
            }
        }
        known
    }

    /// One is gone: out of all groups, and with their assignments.
    fn forget(&mut self, id: &str, name: &str) {
        for (_, members) in self.groups.values_mut() {
            members.remove(id);
        }
        self.assignments.retain(|_, one| one.whom != name);
    }
}

/// A no that the rules give: what is named is there, and it would break one of them.
fn lawful(answer: &Answer) -> bool {
    let known = ["one_line", "cycle", "not_empty", "conflict"];
    known.contains(&answer.text("code"))
}

fn list(wire: &mut Wire, path: &str) -> Vec<Value> {
    let answer = wire.exchange("GET", path, None).expect("an answer");
    assert_eq!(answer.status, 200, "{path}: {answer:?}");
    assert!(answer.body["next"].is_null(), "one page holds all");
    answer.body["items"].as_array().expect("items").clone()
}

fn text(of: &Value, member: &str) -> String {
    of[member].as_str().unwrap_or_default().to_owned()
}

fn post(path: &str, body: Value, then: impl FnOnce(&mut Directory) + Send + 'static) -> Step {
    step("POST", path.to_owned(), Some(body), then)
}

fn patch(path: String, body: Value, then: impl FnOnce(&mut Directory) + Send + 'static) -> Step {
    step("PATCH", path, Some(body), then)
}

fn delete(path: String, then: impl FnOnce(&mut Directory) + Send + 'static) -> Step {
    step("DELETE", path, None, then)
}

fn step(
    method: &'static str,
    path: String,
    body: Option<Value>,
    then: impl FnOnce(&mut Directory) + Send + 'static,
) -> Step {
    Step {
        method,
        path,
        body,
        then: Box::new(then),
    }
}
