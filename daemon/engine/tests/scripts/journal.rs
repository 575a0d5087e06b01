//! A journal as a script: `event …` lines, as `seatkeeper audit script` prints them, fold to the state that they made.

use crate::play;
use crate::stage::Stage;
use crate::words::id;
use seatkeeper_engine::Engine;
use seatkeeper_engine::event::Recorded;
use serde_json::Value;
use sha2::{Digest, Sha256};

/// The hash of a recorded state, in hex.
pub(crate) fn state_hash(engine: &Engine) -> String {
    let state = serde_json::to_vec(engine.state()).expect("a state is JSON");
    Sha256::digest(state)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// An event as a line of a script.
fn line(event: &Recorded) -> String {
    format!(
        "event {}",
        serde_json::to_string(event).expect("an event is JSON")
    )
}

/// An event out of a line.
pub(crate) fn event(json: &str) -> Result<Recorded, String> {
    serde_json::from_str(json).map_err(|e| format!("no event: {e}"))
}

/// The latest moment of lease time in an event, in milliseconds: what comes after it comes later.
pub(crate) fn moment(event: &Value) -> u64 {
    match event {
        Value::Object(members) => members
            .iter()
            .map(|(name, value)| match value.as_u64() {
                Some(at) if name == "at" => at,
                _ => moment(value),
            })
            .max()
            .unwrap_or(0),
        Value::Array(list) => list.iter().map(moment).max().unwrap_or(0),
        _ => 0,
    }
}

/// Numbers that look random and repeat.
struct Dice(u64);

impl Dice {
    fn below(&mut self, many: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % many
    }

    fn one<'a>(&mut self, of: &[&'a str]) -> &'a str {
        of[usize::try_from(self.below(of.len() as u64)).expect("below a usize")]
    }
}

/// A day of commands that contradict each other as those of people do.
fn day(seed: u64) -> Stage {
    let mut dice = Dice(seed);
    let mut stage = Stage::new();
    let mut at = 0;
    let counting = dice.one(&["process", "user", "host", "user+host"]);
    let license = |serial, seats| {
        format!(
            "license cad/modeler,viewer seats={seats} counting={counting} serial={serial} save=20s ttl=60s grace=30s"
        )
    };
    stage
        .play(&format!("{} assign=everyone", license(1, 3)))
        .expect("a license");
    let mut serial = 1;
    for _ in 0..80 {
        at += dice.below(40);
        let who = dice.one(&["ana@ws1", "bob@ws1", "ana@ws2", "eve@ws3"]);
        let app = dice.below(3);
        let epoch = stage.epoch();
        let holder = format!("{epoch}.{}.{}", 1 + dice.below(12), 1 + dice.below(2));
        let words = match dice.below(12) {
            0..4 => format!(
                "checkout {} by {who} app={app} n={} {}",
                dice.one(&["modeler", "viewer"]),
                1 + dice.below(2),
                dice.one(&["", "interactive"])
            ),
            4 => format!("renew {holder} by {who} app={app}"),
            5 => format!("release {holder} by {who} app={app}"),
            6 => format!("died {holder}"),
            7 => format!(
                "reclaim {epoch}.{} {}",
                1 + dice.below(12),
                dice.one(&["", "hard"])
            ),
            8 => format!("give-up by {who} app={app} id=never{at}"),
            9 => {
                serial += 1;
                license(serial, 1 + dice.below(5))
            }
            10 => {
                let rights = [
                    "assign L1 to ana",
                    "assign L1 to everyone",
                    "unassign L1 from ana",
                    "unassign L1 from everyone",
                ];
                match dice.below(6) {
                    0 => format!("issuer acme iat={at}s"),
                    _ => dice.one(&rights).to_owned(),
                }
            }
            _ => dice.one(&["stop", "crash", "wait"]).to_owned(),
        };
        // A command that has nothing to work on is a command that nobody gave.
        let _ = stage.play(&format!("{words} at={at}s"));
    }
    stage
}

#[test]
fn i14_the_journal_of_a_random_day_is_a_script_that_folds_to_its_state() {
    let (mut events, mut kinds) = (0, std::collections::BTreeSet::new());
    for seed in 0..200 {
        let stage = day(seed);
        let mut script: String = stage
            .journal()
            .iter()
            .map(|event| line(event) + "\n")
            .collect();
        script.push_str("state\n");
        let told = play(&script).unwrap_or_else(|e| panic!("seed {seed}: {e}"));
        let folded = told.lines().last().expect("a line");
        assert_eq!(folded, format!("state {}", stage.replayed()), "seed {seed}");
        events += stage.journal().len();
        kinds.extend(stage.journal().iter().map(|event| {
            let text = line(event);
            text.split('"').nth(1).unwrap_or_default().to_owned()
        }));
        stage
            .finish()
            .unwrap_or_else(|e| panic!("seed {seed}: {e}"));
    }
    assert!(events > 5_000, "{events}");
    assert!(kinds.len() >= 16, "{kinds:?}");
}

#[test]
fn i14_a_script_without_one_of_its_events_folds_to_another_state() {
    let stage = day(7);
    let lines: Vec<_> = stage.journal().iter().map(line).collect();
    let whole = play(&format!("{}\nstate\n", lines.join("\n"))).expect("it plays");
    let last = |told: &str| told.lines().last().map(str::to_owned);
    for gone in 2..lines.len() {
        let mut lines = lines.clone();
        lines.remove(gone);
        let folded = std::panic::catch_unwind(|| play(&format!("{}\nstate\n", lines.join("\n"))));
        let same = folded.is_ok_and(|told| told.is_ok_and(|told| last(&told) == last(&whole)));
        assert!(!same, "without {}", gone + 1);
    }
}

#[test]
fn a_script_of_a_journal_goes_on_with_commands() {
    let mut stage = Stage::new();
    for words in [
        "license cad/modeler seats=1 assign=everyone",
        "checkout modeler by ana@ws1 at=60s",
    ] {
        stage.play(words).expect("it plays");
    }
    let mut script: String = stage
        .journal()
        .iter()
        .map(|event| line(event) + "\n")
        .collect();
    // Ids as the journal has them are as good as names.
    let ana = hex(id::<16>("user", "ana"));
    script.push_str(&format!("checkout modeler by {ana}@ws2 at=61s\n"));
    let told = play(&script).expect("it plays");
    assert!(
        told.ends_with("started epoch=2\ndenied no_seat_free rule=9 in_use=1 total=1\n"),
        "{told}"
    );
    assert!(play(&format!("{script}checkout modeler by bob@ws1 at=59s\n")).is_err());
    assert!(play("event {\"SeatTakn\":{}}\n").is_err());
    assert!(play(&format!("wait at=1s\n{script}")).is_err());
}

fn hex(bytes: [u8; 16]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
