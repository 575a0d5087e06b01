//! What the same organisation costs over the API of the daemon: pages of its lists, `why`, and a start from a checkpoint.

use crate::clock::Stopwatch;
use crate::measure::{median, rss_kib};
use crate::{Plan, site};
use seatkeeper_tests::Site;
use seatkeeper_tests::wire::Wire;
use serde_json::{Value, json};

const USERS: u32 = 100_000;
const GROUPS: u32 = 5_000;
const UNITS: u32 = 2_000;
/// Users of unit 1, and of group 0.
const MANY: u32 = 10_000;
/// Members that one call takes.
const AT_ONCE: usize = 500;
const ASSIGNMENTS: u32 = 1_000;

/// Measures and prints.
pub(crate) fn table(plan: &Plan) {
    let mut site = site::start(&plan.tmpfs);
    let filled = Stopwatch::start();
    let mut house = House::open(&site);
    house.people();
    house.assignments();
    println!(
        "| of the same over the API ({:.0} s to make it; the daemon has {} MiB) | median | worst | aim |\n|---|---|---|---|",
        filled.elapsed().as_secs_f64(),
        rss_kib(site.pid()) / 1024
    );
    let big = format!("unit={}", id(UNIT, 1));
    let group = id(GROUP, 0);
    for (what, path) in [
        ("users", "/v1/users?".to_owned()),
        ("users of a unit of 10,000", format!("/v1/users?{big}&")),
        (
            "users of a group of 10,000",
            format!("/v1/users?group={group}&"),
        ),
        ("groups", "/v1/groups?".to_owned()),
        (
            "members of a group of 10,000",
            format!("/v1/groups/{group}/members?"),
        ),
        ("units", "/v1/units?".to_owned()),
        ("assignments", "/v1/assignments?".to_owned()),
    ] {
        for rows in [200, 1000] {
            let mut pages = house.pages(&format!("{path}limit={rows}"));
            let worst = pages.iter().copied().fold(0.0, f64::max);
            let n = pages.len();
            println!(
                "| a page of {rows} {what} ({n} pages) | {:.1} ms | {worst:.1} ms | ≤ 50 ms |",
                median(&mut pages)
            );
        }
    }
    for (what, suppose) in suppositions() {
        let mut times: Vec<f64> = (0..100).map(|_| house.why(&suppose)).collect();
        let worst = times.iter().copied().fold(0.0, f64::max);
        let aim = if suppose.is_null() { "≤ 10 ms" } else { "" };
        println!(
            "| {what} | {:.2} ms | {worst:.2} ms | {aim} |",
            median(&mut times)
        );
    }
    let mut starts = Vec::new();
    for _ in 0..plan.rounds {
        assert_eq!(site.stop(), Some(0), "a clean stop");
        let clock = Stopwatch::start();
        site.start();
        starts.push(clock.elapsed().as_secs_f64());
    }
    let made = std::fs::read_dir(site.path("state/checkpoints")).map_or(0, Iterator::count);
    let worst = starts.iter().copied().fold(0.0, f64::max);
    println!(
        "| a start, until ready ({made} checkpoints lie there) | {:.2} s | {worst:.2} s | ≤ 2 s |\n",
        median(&mut starts)
    );
}

/// What is supposed, and nothing at first.
fn suppositions() -> [(&'static str, Value); 5] {
    let license = json!("B-1");
    [
        ("`why`", Value::Null),
        (
            "`why` with an assignment supposed",
            json!([{"assign": {"id": id(ASSIGNMENT, ASSIGNMENTS), "vendor": "", "license": license}}]),
        ),
        (
            "`why` with other seats supposed",
            json!([{"seats": {"license": license, "seats": 7}}]),
        ),
        (
            "`why` with the user in another unit",
            json!([{"place": {"units": [id(UNIT, 5)]}}]),
        ),
        (
            "`why` with the user in another group",
            json!([{"join": {"group": id(GROUP, 9)}}]),
        ),
    ]
}

struct House {
    wire: Wire,
    home: String,
}

const UNIT: u32 = 1;
const GROUP: u32 = 2;
const USER: u32 = 3;
const ASSIGNMENT: u32 = 4;

impl House {
    fn open(site: &Site) -> House {
        let units = site.admin("GET", "/v1/units", None);
        let home = units.body["items"][0]["id"].as_str().expect("a unit");
        House {
            wire: Wire::connect(&site.socket()).expect("the daemon listens"),
            home: home.to_owned(),
        }
    }

    fn give(&mut self, method: &str, path: &str, body: &Value) {
        let answer = self.wire.exchange(method, path, Some(body));
        let answer = answer.expect("the daemon answers");
        assert!(answer.status / 100 == 2, "{path}: {answer:?}");
    }

    /// As in the engine alone: a tree of two branches, chains of four groups, and 10,000 in unit 1 and group 0.
    fn people(&mut self) {
        for n in 1..UNITS {
            let above = match n {
                1 | 2 => self.home.clone(),
                n => id(UNIT, n / 2),
            };
            let body = json!({"id": id(UNIT, n), "name": format!("unit {n}"), "above": above});
            self.give("POST", "/v1/units", &body);
        }
        for n in 0..GROUPS {
            let body = json!({"id": id(GROUP, n), "name": format!("group {n}")});
            self.give("POST", "/v1/groups", &body);
        }
        for n in (0..GROUPS).filter(|n| n % 4 != 0) {
            self.join(n - 1, json!({"add_groups": [id(GROUP, n)]}));
        }
        for n in 0..USERS {
            let unit = if n < MANY { 1 } else { 2 + n % (UNITS - 2) };
            let body =
                json!({"id": id(USER, n), "login": format!("user{n}"), "units": [id(UNIT, unit)]});
            self.give("POST", "/v1/users", &body);
        }
        for group in 0..GROUPS {
            let of = (group..USERS).step_by(usize::try_from(GROUPS).expect("small"));
            let users: Vec<_> = of.map(|n| id(USER, n)).collect();
            self.join(group, json!({"add_users": users}));
        }
        for some in (0..MANY).collect::<Vec<_>>().chunks(AT_ONCE) {
            let users: Vec<_> = some.iter().map(|n| id(USER, *n)).collect();
            self.join(0, json!({"add_users": users}));
        }
    }

    fn join(&mut self, group: u32, body: Value) {
        let path = format!("/v1/groups/{}/members", id(GROUP, group));
        self.give("PATCH", &path, &body);
    }

    /// Besides everyone's: groups and units, those of user 7 among them.
    fn assignments(&mut self) {
        for n in 0..ASSIGNMENTS {
            let (kind, of) = match n % 2 {
                0 => ("group", id(GROUP, n / 2)),
                _ => ("unit", id(UNIT, 1 + n / 2)),
            };
            let body = json!({"id": id(ASSIGNMENT, n), "vendor": "", "license": "B-1", kind: of});
            self.give("POST", "/v1/assignments", &body);
        }
    }

    /// Milliseconds of each page of a list.
    fn pages(&mut self, path: &str) -> Vec<f64> {
        let mut times = Vec::new();
        let mut next = path.to_owned();
        loop {
            let clock = Stopwatch::start();
            let page = self.wire.exchange("GET", &next, None);
            let page = page.expect("the daemon answers");
            times.push(clock.elapsed().as_secs_f64() * 1e3);
            assert_eq!(page.status, 200, "{page:?}");
            match page.body["next"].as_str() {
                Some(after) => next = format!("{path}&after={}", after.replace(' ', "%20")),
                None => return times,
            }
        }
    }

    /// Milliseconds of one.
    fn why(&mut self, suppose: &Value) -> f64 {
        let mut body =
            json!({"user": "user7", "item": {"feature": "seat", "version": null, "n": 1}});
        if !suppose.is_null() {
            body["suppose"] = suppose.clone();
        }
        let clock = Stopwatch::start();
        self.give("POST", "/v1/explain", &body);
        clock.elapsed().as_secs_f64() * 1e3
    }
}

/// 32 hex digits: as random ids they are spread over all of their range.
fn id(kind: u32, n: u32) -> String {
    format!("{:08x}{kind:08x}{n:016x}", n.wrapping_mul(0x9e37_79b9))
}
