//! Who may do what: every verb of the API, asked as every role from every place of one organisation. The table in
//! `packaging/doc/roles.md` is what is found (`UPDATE=1` writes it).

use super::house_tests::{Answer, House};
use crate::dev::vendor;
use seatkeeper::wire::Forgot;
use seatkeeper_core::desk::Peer;
use seatkeeper_engine::access::{Permission, Scope};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::sync::PoisonError;
use std::sync::atomic::Ordering;

mod verb;
mod verbs;

use verb::{Asks, EVERYONE, Verb};
use verbs::{MAIL, VERBS};

/// A place of the organisation, and what is in it.
struct Place {
    name: &'static str,
    path: &'static str,
    /// The place above; none of an account.
    above: Option<&'static str>,
    /// The account that manages it.
    managed_by: Option<&'static str>,
}

const fn place(
    name: &'static str,
    path: &'static str,
    above: Option<&'static str>,
    managed_by: Option<&'static str>,
) -> Place {
    Place {
        name,
        path,
        above,
        managed_by,
    }
}

const PLACES: &[Place] = &[
    place("home", "Test", None, None),
    place("east", "Test/East", Some("home"), None),
    place("boston", "Test/East/Boston", Some("east"), None),
    place("west", "Test/West", Some("home"), None),
    place("dealer", "Dealer", None, None),
    place("works", "Works", None, Some("dealer")),
    place("hall", "Works/Hall", Some("works"), None),
    place("maker", "Maker", None, None),
    place("free", "Free", None, None),
];
/// Where the one who asks has their role.
const GIVEN_AT: &[&str] = &["home", "east", "dealer", "maker"];
const ROLES: &[&str] = &[
    "user",
    "administrator",
    "portal-administrator",
    "license-manager",
    "auditor",
];

impl Place {
    fn named(name: &str) -> &'static Place {
        let known = PLACES.iter().find(|place| place.name == name);
        known.expect("a place of the fixture")
    }

    fn root(&'static self) -> &'static Place {
        self.above.map_or(self, |above| Place::named(above).root())
    }

    fn is_below(&'static self, other: &str) -> bool {
        self.name == other
            || self
                .above
                .is_some_and(|above| Place::named(above).is_below(other))
    }
}

/// What is found for one target: the ids that paths name.
struct Target {
    place: &'static Place,
    assignment: String,
    token: String,
    session: String,
    seat: Option<String>,
}

/// Whether a role that is given at a place should reach a target: told anew, from the fixture and not from the engine.
fn reaches(
    reach: &str,
    at: &'static Place,
    permission: Permission,
    target: &'static Place,
) -> bool {
    let root = target.root();
    // Works is the fixture's customer, and Dealer its partner; home is nobody's.
    let by_maker = at.name == "maker" && root.name != "home" && root.name != "maker";
    let nobodys = root.name == "free";
    let customer =
        root.managed_by == Some(at.name) || (by_maker && (nobodys || permission.shows()));
    match permission.scope() {
        Scope::Everyone => true,
        Scope::Daemon => at.name == "home" && target.name == "home",
        Scope::Place => match reach {
            "unit" => at.name == target.name,
            "below" => target.is_below(at.name),
            _ => target.is_below(at.name) || (at.above.is_none() && customer),
        },
    }
}

/// What each role gives, as the API tells it.
type Roles = BTreeMap<String, (Vec<Permission>, String)>;

/// Whether a verb should be allowed to one who has a role at a place, about a target.
fn expected(
    roles: &Roles,
    (role, at): (&str, &'static Place),
    asks: &Asks,
    target: &'static Place,
) -> bool {
    let may = |permission: Permission, target: &'static Place| {
        let has = |role: &str| {
            let (gives, reach) = &roles[role];
            gives.contains(&permission) && reaches(reach, at, permission, target)
        };
        has(role) || has("user")
    };
    match asks {
        Asks::All(permissions) => permissions.iter().all(|one| may(*one, target)),
        Asks::Above(permission) => match target.above {
            Some(above) => {
                may(*permission, Place::named(above)) && may(Permission::UnitRead, target)
            }
            None => may(Permission::AccountManage, Place::named("home")),
        },
        Asks::Moves(permission, to) => {
            let (to, above) = (Place::named(to), target.above.map(Place::named));
            let out_of = match above {
                Some(above) => may(*permission, above),
                None => may(Permission::AccountManage, Place::named("home")),
            };
            let seen = may(Permission::UnitRead, target) && may(Permission::UnitRead, to);
            seen && out_of && may(*permission, to)
        }
        Asks::Explain => {
            let others = |place| may(Permission::ExplainOthers, place);
            others(target) || others(Place::named("home"))
        }
        Asks::Accounts => {
            let seen = may(Permission::UnitRead, target);
            seen && may(Permission::AccountManage, Place::named("home"))
        }
        Asks::License(permission) => {
            let manages = |place: &'static Place| may(Permission::LicenseManageUsers, place);
            let home = Place::named("home");
            let inside = PLACES.iter().filter(|place| place.root().name == "home");
            let given_inside = at.root().name == "home" && inside.into_iter().any(manages);
            let sees = may(Permission::LicenseRead, home) || manages(home) || given_inside;
            sees && permission.is_none_or(|permission| may(permission, target))
        }
    }
}

impl House {
    fn as_root(&self) {
        self.administers.store(true, Ordering::SeqCst);
    }

    /// From now on whoever connects is called so, and administers nothing.
    fn becomes(&self, name: &str) {
        self.administers.store(false, Ordering::SeqCst);
        *self.name.lock().unwrap_or_else(PoisonError::into_inner) = name.to_owned();
    }

    async fn done(&self, method: &str, path: &str, body: Value) -> Value {
        let answer = self.ask(method, path, Some(body)).await;
        assert!(answer.status < 300, "{method} {path}: {}", answer.text);
        answer.json()
    }

    /// The organisation, with a user, a group and an assignment at each place, and who asks as each role from each place.
    async fn furnished(&self) -> Vec<Target> {
        self.done("POST", "/v1/vendors", json!(vendor::trust()))
            .await;
        let mut license = self.install_body().await;
        license["assign_everyone"] = json!(false);
        self.done("POST", "/v1/licenses", license).await;
        for (name, kind) in [("Dealer", "partner"), ("Maker", "producer")] {
            self.done("POST", "/v1/units", json!({"name": name, "kind": kind}))
                .await;
        }
        let free = json!({"name": "Free", "kind": "customer"});
        self.done("POST", "/v1/units", free).await;
        let works = json!({"name": "Works", "kind": "customer", "managed_by": "Dealer"});
        self.done("POST", "/v1/units", works).await;
        for place in PLACES.iter().filter(|place| place.above.is_some()) {
            let (above, name) = place.path.rsplit_once('/').expect("a path");
            self.done("POST", "/v1/units", json!({"name": name, "above": above}))
                .await;
        }
        let mail = json!({"id": MAIL, "to": "ana@example.com"});
        self.done("POST", "/v1/mails/test", mail).await;
        let terms = json!({"version": "1", "text": "Be kind."});
        self.done("POST", "/v1/terms", terms).await;
        let spare = json!({"permissions": ["unit.read"], "reach": "unit"});
        self.done("PUT", "/v1/roles/spare", spare).await;
        let mut targets = Vec::new();
        for place in PLACES {
            let Place { name, path, .. } = place;
            let user = json!({"login": format!("u-{name}"), "units": [path]});
            self.done("POST", "/v1/users", user).await;
            let group = json!({"name": format!("g-{name}"), "unit": path});
            self.done("POST", "/v1/groups", group).await;
            let members = json!({"add_users": [format!("u-{name}")]});
            let into = format!("/v1/groups/g-{name}/members");
            self.done("PATCH", &into, members).await;
            let assign = json!({"id": "", "vendor": "", "license": "dev-license", "group": format!("g-{name}")});
            let made = self.done("POST", "/v1/assignments", assign).await;
            let code = format!("/v1/users/u-{name}/reset");
            let code = self.done("POST", &code, json!({})).await["code"].clone();
            let session =
                json!({"code": code, "password": "the first sentence", "accept_terms": "1"});
            let session = self.done("POST", "/v1/sessions", session).await;
            let token = json!({"name": "t", "user": format!("u-{name}")});
            let token = self.done("POST", "/v1/tokens", token).await;
            targets.push(Target {
                session: session["id"].as_str().expect("an id").to_owned(),
                token: token["id"].as_str().expect("an id").to_owned(),
                place,
                assignment: made["id"].as_str().expect("an id").to_owned(),
                seat: None,
            });
        }
        for place in PLACES {
            self.cannot_get_in(place);
        }
        for place in PLACES.iter().filter(|place| place.above.is_none()) {
            self.waits_for(place).await;
        }
        for at in GIVEN_AT {
            for role in ROLES {
                let login = format!("{role}-{at}");
                let path = Place::named(at).path;
                let asker = json!({"login": login, "units": [path]});
                self.done("POST", "/v1/users", asker).await;
                if *role != "user" {
                    let give = json!({"give": [{"role": role, "unit": path}]});
                    self.done("PATCH", &format!("/v1/users/{login}/roles"), give)
                        .await;
                }
            }
        }
        targets
    }

    /// Whoever is at this place asks for a code.
    fn cannot_get_in(&self, place: &Place) {
        let root = Peer {
            uid: 0,
            pid: None,
            administers: true,
        };
        let desk = &self.desk;
        let login = desk.login(0, "root").expect("a login");
        let asked = Forgot {
            login: format!("u-{}", place.name),
        };
        let caller = desk.caller(root, login, None);
        desk.file_forgotten(&caller, &asked, None).expect("noted");
    }

    /// Somebody asks to come into this account.
    async fn waits_for(&self, place: &Place) {
        let path = format!("/v1/units/{}", place.path);
        let id = self.ask("GET", &path, None).await.json()["id"].clone();
        self.becomes(&format!("r-{}", place.name));
        self.done("POST", "/v1/registrations", json!({"access": id}))
            .await;
        self.as_root();
    }

    /// Whoever is at this place sits, where they may: the seat that `seat` names.
    async fn seated(&self, target: &mut Target, n: u8) {
        self.becomes(&format!("u-{}", target.place.name));
        let mut body = self.checkout(n);
        body["interactive"] = json!(true);
        let answer = self.ask("POST", "/v1/leases", Some(body)).await;
        target.seat = answer.json()["id"].as_str().map(str::to_owned);
        self.as_root();
    }

    async fn roles(&self) -> Roles {
        let all = self.ask("GET", "/v1/roles", None).await.json();
        let role = |role: &Value| {
            let gives = role["permissions"].as_array().expect("a list");
            let gives = gives.iter().map(|one| one.as_str().expect("text").parse());
            let gives: Result<Vec<Permission>, _> = gives.collect();
            let text = |member: &str| role[member].as_str().expect("text").to_owned();
            (text("name"), (gives.expect("permissions"), text("reach")))
        };
        all["items"]
            .as_array()
            .expect("roles")
            .iter()
            .map(role)
            .collect()
    }

    /// Whether a verb is allowed to whoever connects, about a target; nothing is changed by asking.
    async fn allows(&self, verb: &Verb, target: &Target) -> bool {
        let path = (verb.real)(target);
        let stale = "if-match: \"999999\"\r\n";
        let more = if verb.edits { stale } else { "" };
        let answer = self
            .ask_with(verb.method, &path, (verb.body)(target), more)
            .await;
        assert!(
            answer.status < 500,
            "{} {path}: {}",
            verb.method,
            answer.text
        );
        // An account whose licenses one may not remove has a name that one did not type.
        let unseen = answer
            .text
            .contains("confirm: is not the name of an account");
        let allowed = !matches!(answer.status, 403 | 404) && !unseen;
        match verb.shows {
            Some(what) if allowed => shows(&answer, &what(target)),
            _ => allowed,
        }
    }
}

/// Whether a list has a row in which this text is a value.
fn shows(answer: &Answer, what: &str) -> bool {
    answer.text.contains(what)
}

#[tokio::test]
async fn f8_every_verb_as_every_role_from_every_place() {
    let house = House::open();
    let mut targets = house.furnished().await;
    for (n, target) in (1..).zip(&mut targets) {
        if ["east", "boston", "west"].contains(&target.place.name) {
            house.seated(target, n).await;
            assert!(target.seat.is_some(), "{} sits", target.place.name);
        }
    }
    house.as_root();
    every_verb_is_asked(&house).await;
    let roles = house.roles().await;
    let mut wrong = String::new();
    for at in GIVEN_AT {
        for role in ROLES {
            house.becomes(&format!("{role}-{at}"));
            for verb in VERBS {
                for target in targets.iter().filter(|target| verb.concerns(target)) {
                    let at = Place::named(at);
                    let should = expected(&roles, (role, at), &verb.asks, target.place);
                    let does = house.allows(verb, target).await;
                    if should != does {
                        let (method, path) = (verb.method, verb.path);
                        let _ = writeln!(
                            wrong,
                            "{role} at {}: {method} {path} about {}: {does}, and should be {should}",
                            at.name, target.place.name
                        );
                    }
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
    house.becomes("user-east");
    for (method, path) in EVERYONE.iter().filter(|(method, _)| *method == "GET") {
        let real = path
            .replace("{role}", "user")
            .replace("{code}", "forbidden");
        let answer = house.ask(method, &real, None).await;
        assert_eq!(answer.status, 200, "{method} {real}: {}", answer.text);
    }
    kept(&document(&roles));
}

/// A route without a row here is a route that nobody asked about.
async fn every_verb_is_asked(house: &House) {
    let document = house.ask("GET", "/openapi.json", None).await.json();
    for (path, methods) in document["paths"].as_object().expect("paths") {
        for method in methods.as_object().expect("methods").keys() {
            let method = method.to_uppercase();
            let same = |(m, p): (&str, &str)| m == method && p == path;
            let known = VERBS.iter().any(|verb| same((verb.method, verb.path)))
                || EVERYONE.iter().any(|verb| same(*verb));
            assert!(known, "{method} {path} stands in no table of who may");
        }
    }
}

/// The document, as it should be.
fn document(roles: &Roles) -> String {
    let mut out = HEAD.to_owned();
    let names: Vec<_> = ROLES.iter().map(|role| (*role).to_owned()).collect();
    let _ = writeln!(out, "| permission | {} |", names.join(" | "));
    let _ = writeln!(out, "|---|{}", "---|".repeat(names.len()));
    for permission in Permission::ALL {
        let told = match permission.scope() {
            Scope::Everyone => vec!["everyone".to_owned(); names.len()],
            _ => names
                .iter()
                .map(|role| {
                    if roles[role].0.contains(permission) {
                        "yes"
                    } else {
                        ""
                    }
                })
                .map(str::to_owned)
                .collect(),
        };
        let _ = writeln!(out, "| `{permission}` | {} |", told.join(" | "));
    }
    let reach = names.iter().map(|role| roles[role].1.clone());
    let _ = writeln!(
        out,
        "| *reach* | {} |",
        reach.collect::<Vec<_>>().join(" | ")
    );
    out.push_str(MIDDLE);
    let _ = writeln!(out, "| verb | asks for |\n|---|---|");
    for verb in VERBS {
        let (method, path, what) = (verb.method, verb.path, verb.what);
        let _ = writeln!(out, "| `{method} {path}`{what} | {} |", verb.asks.words());
    }
    for (method, path) in EVERYONE {
        let _ = writeln!(out, "| `{method} {path}` | nothing: everyone |");
    }
    out
}

const HEAD: &str = "\
# Who may do what

Whoever administers this daemon (uid 0, the members of its group) may all. Everyone else may what their roles give, where
they have them: a role is given at a unit, `seatkeeper role give ROLE LOGIN --unit UNIT`. `unit` reaches that unit alone,
`below` also all below it; `customers` reaches from the root of a partner's or producer's account also the accounts that it
manages, and from a producer's the customers that nobody manages and, to see only, partners and all customers. The home
account is reached by its own and its manager. The role `user` is everybody's at their own units. What a role gives can be
changed, and a site makes its own: `seatkeeper role define`. Nobody gives more than they have, makes a role of more, changes
somebody who has more, or themselves; nobody moves a unit to where they would have more over it. Whoever acts for an account
gives its roles to people of that account. A role counts while its owner is active; a guest's ends within a minute of their
last day.

What is out of somebody's sight is told as if there were none, in lists, in counts (those of `status`, too), in the holders
that a denial names and in what `why` tells. Who sees a unit or a group sees how many are in it, and who sees a group whom
it holds. What each role gives, as it comes:

";

const MIDDLE: &str = "
`audit.read` and whatever else is about the daemon counts where the role is given at the home account.

What each verb of the API asks for, at the unit of what it is about. This table is what a test finds that asks every verb
as every role from every place of an organisation:

";

fn kept(text: &str) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../packaging/doc/roles.md");
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&file, text).expect("written");
    }
    let kept = std::fs::read_to_string(&file).expect("the document is there");
    assert_eq!(kept, text, "UPDATE=1 writes packaging/doc/roles.md anew");
}
