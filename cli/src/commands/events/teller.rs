//! Events in words: `02:05:57 ana took slot 1 of acme-cad/modeler (3.1.1), pid 4260`.

use crate::words;
use seatkeeper::wire::{Assignment, Event, Seat};
use serde_json::Value;
use std::collections::BTreeMap;

/// Remembers what events name by ids only.
#[derive(Default)]
pub(super) struct Teller {
    /// `slot 1 of acme-cad/modeler` by grant.
    seats: BTreeMap<String, String>,
    /// `acme/L-1 to bob` by assignment.
    assignments: BTreeMap<String, String>,
    /// Logins by user id, of those who were seen to do something.
    users: BTreeMap<String, String>,
}

impl Teller {
    /// A seat that was taken before.
    pub(super) fn knows_seat(&mut self, seat: &Seat) {
        let place = place(&seat.slots, &seat.product, &seat.feature);
        self.seats.insert(grant(&seat.id).to_owned(), place);
    }

    /// An assignment that there is.
    pub(super) fn knows_assignment(&mut self, assignment: &Assignment) {
        let whom = assignment.user.as_deref().unwrap_or("everyone");
        let text = format!("{}/{} to {whom}", assignment.vendor, assignment.license);
        self.assignments.insert(assignment.id.clone(), text);
    }

    /// One line.
    pub(super) fn line(&mut self, event: &Event) -> String {
        let by = actor(event);
        let body = &event.body[event.event.as_str()];
        let text = self
            .of_seat(event, &by, body)
            .or_else(|| self.of_license(event, &by, body))
            .unwrap_or_else(|| other(event, &by, body));
        format!(
            "{} {}\n",
            time(event.wall_s),
            text.replace(char::is_control, "?")
        )
    }

    fn of_seat(&mut self, event: &Event, by: &str, body: &Value) -> Option<String> {
        Some(match event.event.as_str() {
            "SeatTaken" => self.taken(by, body),
            "SeatAssigned" => {
                let (feature, gid) = (text(&body["pool"], "feature"), text(body, "gid"));
                let place = format!("slot {} of {feature}", body["slot"]);
                self.seats.insert(gid.to_owned(), place.clone());
                let user = self.users.get(text(body, "user"));
                let user = user.map_or("its user", String::as_str);
                format!("{place} ({gid}) is {user}'s for good (by {by})")
            }
            "SeatRecalled" => {
                let gid = text(body, "gid");
                format!(
                    "{} ({gid}) was taken from its owner (by {by})",
                    self.seat(gid)
                )
            }
            "HolderJoined" => {
                let holder = text(body, "holder");
                format!(
                    "{by} shares {} ({holder}){}",
                    self.seat(holder),
                    pid(&body["who"])
                )
            }
            "HoldersEnding" => {
                let hard = if body["hard"] == true {
                    ", without time to save"
                } else {
                    ""
                };
                format!(
                    "{} is ending{hard}: {} (by {by})",
                    self.holders(body),
                    why(body)
                )
            }
            "EndingTakenBack" => format!(
                "{} is not ending any more: the right is back",
                self.holders(body)
            ),
            "LastSigned" => {
                let holder = text(body, "holder");
                format!("{} ({holder}) was told that it ends", self.seat(holder))
            }
            "HolderEnded" => {
                let holder = text(body, "holder");
                format!(
                    "{} ({holder}) has one less: {}",
                    self.seat(holder),
                    why(body)
                )
            }
            "SeatEnded" => {
                let gid = text(body, "gid");
                let place = self.seat(gid);
                self.seats.remove(gid);
                format!("{place} ({gid}) is free: {}", why(body))
            }
            "CheckoutEnded" => format!("{by} gave up a checkout that had no seat"),
            "CoolDownStarted" => format!("{} may not sit for a while", self.pause(body)),
            "CoolDownDeleted" => format!("{} may sit again: asked in person", self.pause(body)),
            _ => return None,
        })
    }

    fn taken(&mut self, by: &str, body: &Value) -> String {
        let gid = text(body, "gid");
        let slots: Vec<u64> = serde_json::from_value(body["slots"].clone()).unwrap_or_default();
        let who = &body["who"];
        let place = place(
            &slots,
            text(&who["terms"], "product"),
            text(&body["pool"], "feature"),
        );
        self.users
            .insert(text(who, "user").to_owned(), by.to_owned());
        self.seats.insert(gid.to_owned(), place.clone());
        format!("{by} took {place} ({gid}.1){}", pid(who))
    }

    fn of_license(&mut self, event: &Event, by: &str, body: &Value) -> Option<String> {
        Some(match event.event.as_str() {
            "VendorTrusted" => format!("{by} trusted the vendor {}", text(body, "vendor")),
            "VendorRemoved" => format!("{by} removed the vendor {}", text(body, "vendor")),
            "IssuerSeen" => format!("{by} brought a newer issuer token"),
            "LicenseInstalled" => {
                let terms = &body["terms"];
                format!(
                    "{by} installed license {}, serial {}",
                    license(&terms["id"]),
                    terms["serial"]
                )
            }
            "LicenseWaits" => {
                let terms = &body["terms"];
                format!(
                    "{by} installed license {}, serial {}, which waits until {}",
                    license(&terms["id"]),
                    terms["serial"],
                    words::date(terms["nbf"].as_u64().unwrap_or_default())
                )
            }
            "LicenseRemoved" => match body["waiting"].as_u64() {
                Some(serial) => format!(
                    "{by} removed license {}, serial {serial}, which waited",
                    license(&body["license"])
                ),
                None => format!("{by} removed license {}", license(&body["license"])),
            },
            "LicenseAssigned" => {
                let known = self.assignments.get(text(body, "id"));
                let named = known.cloned();
                format!(
                    "{by} assigned license {}",
                    named.unwrap_or_else(|| license(&body["license"]))
                )
            }
            "LicenseUnassigned" => {
                let named = self.assignments.remove(text(body, "id"));
                let what = named.unwrap_or_else(|| text(body, "id").to_owned());
                format!("{by} took back the assignment of license {what}")
            }
            _ => return None,
        })
    }

    /// Where a holder or grant sits.
    fn seat(&self, id: &str) -> String {
        let known = self.seats.get(grant(id)).cloned();
        known.unwrap_or_else(|| "a seat".to_owned())
    }

    fn holders(&self, body: &Value) -> String {
        let holders = body["holders"].as_array().into_iter().flatten();
        let named = holders.filter_map(|holder| {
            let id = holder.as_str()?;
            Some(format!("{} ({id})", self.seat(id)))
        });
        named.collect::<Vec<_>>().join(", ")
    }

    fn pause(&self, body: &Value) -> String {
        let (product, feature) = (text(body, "product"), text(body, "feature"));
        let user = self.users.get(text(body, "user"));
        let user = user.map_or("its user", String::as_str);
        format!("{product}/{feature}: {user}")
    }
}

fn other(event: &Event, by: &str, body: &Value) -> String {
    match event.event.as_str() {
        "SiteFounded" => "the site was founded".to_owned(),
        "RunStarted" => format!("the daemon started, epoch {}", body["epoch"]),
        "RunStopped" => "the daemon stopped".to_owned(),
        "CheckpointWritten" => "a checkpoint was written".to_owned(),
        "JournalPruned" => format!("events before {} were pruned", body["before"]),
        "UserMet" => format!("{by} is a user now"),
        name => format!("{name} by {by}"),
    }
}

/// Who, without what only machines need.
fn actor(event: &Event) -> String {
    if event.origin == "inbox" {
        return "the inbox".to_owned();
    }
    let name = event.actor.split(" (uid ").next();
    name.unwrap_or(&event.actor).to_owned()
}

/// The time of the day, UTC.
fn time(wall_s: u64) -> String {
    let second = wall_s % 86_400;
    format!(
        "{:02}:{:02}:{:02}",
        second / 3_600,
        second / 60 % 60,
        second % 60
    )
}

fn place(slots: &[u64], product: &str, feature: &str) -> String {
    let noun = if slots.len() == 1 { "slot" } else { "slots" };
    let slots: Vec<_> = slots.iter().map(u64::to_string).collect();
    format!("{noun} {} of {product}/{feature}", slots.join(", "))
}

/// `3.1` of the holder `3.1.2`, and of itself.
fn grant(id: &str) -> &str {
    let mut dots = id.match_indices('.');
    dots.nth(1).map_or(id, |(at, _)| &id[..at])
}

fn pid(who: &Value) -> String {
    let pid = who["pid"]["pid"].as_u64();
    pid.map(|pid| format!(", pid {pid}")).unwrap_or_default()
}

fn license(id: &Value) -> String {
    format!("{}/{}", text(id, "vendor"), text(id, "id"))
}

fn text<'a>(value: &'a Value, member: &str) -> &'a str {
    value[member].as_str().unwrap_or_default()
}

fn why(body: &Value) -> &str {
    match text(body, "why") {
        "released" => "given back",
        "process_died" => "its process died",
        "heartbeat_lost" => "not renewed in time",
        "reclaimed" => "an administrator took it back",
        "released_elsewhere" => "given back from elsewhere",
        "right_lost" => "its user lost the right",
        "superseded" => "a newer license has no place for it",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn event(name: &str, actor: &str, body: Value) -> Event {
        Event {
            n: 1,
            event: name.to_owned(),
            wall_s: 1_795_572_357,
            actor: actor.to_owned(),
            origin: "socket".to_owned(),
            body: json!({ name: body }),
        }
    }

    #[test]
    fn u4_events_are_told_by_names_and_slots() {
        let mut teller = Teller::default();
        let who =
            json!({ "user": "0a", "pid": { "pid": 4260 }, "terms": { "product": "acme-cad" } });
        let taken =
            json!({ "gid": "3.1", "pool": { "feature": "modeler" }, "slots": [1], "who": who });
        let reclaimed = json!({ "holders": ["3.1.1"], "why": "reclaimed", "hard": false });
        let pause = json!({ "user": "0a", "product": "acme-cad", "feature": "modeler" });
        let died = json!({ "gid": "3.1", "why": "process_died" });
        for (event, line) in [
            (
                event("SeatTaken", "ana (uid 1000)", taken),
                "02:05:57 ana took slot 1 of acme-cad/modeler (3.1.1), pid 4260\n",
            ),
            (
                event("HoldersEnding", "root (uid 0)", reclaimed),
                "02:05:57 slot 1 of acme-cad/modeler (3.1.1) is ending: an administrator took it back (by root)\n",
            ),
            (
                event("CoolDownStarted", "root (uid 0)", pause),
                "02:05:57 acme-cad/modeler: ana may not sit for a while\n",
            ),
            (
                event("SeatEnded", "daemon", died),
                "02:05:57 slot 1 of acme-cad/modeler (3.1) is free: its process died\n",
            ),
            (
                event("MoonRose", "daemon", json!({})),
                "02:05:57 MoonRose by daemon\n",
            ),
        ] {
            assert_eq!(teller.line(&event), line);
        }
    }
}
