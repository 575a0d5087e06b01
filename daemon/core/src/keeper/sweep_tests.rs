//! Wrong clocks by the thousand: the wall clock jumps and drifts by up to ten years, at a start and while running.

use super::clock_tests::accept;
use super::seat_tests::{checkout, code, dated, furnish_with, order};
use super::tests::{House, NOON};
use super::*;
use seatkeeper_engine::denial::Code;
use std::time::Duration;

const HOUR: u64 = 3600;
const DAY: u64 = 24 * HOUR;
const YEAR: u64 = 365 * DAY;
/// Between two looks.
const STEP_S: u64 = 1800;

/// How a clock goes wrong.
#[derive(Clone, Copy, Debug)]
enum Wrong {
    /// While the daemon runs, at once.
    Running,
    /// While it is down.
    Start,
    /// A twelfth with every look.
    Drift,
}

/// A house whose true time is known, and a clock that shows another.
struct Sweep {
    house: House,
    keeper: Option<Keeper>,
    machine: seatkeeper_engine::ids::MachineId,
    /// True seconds since NOON.
    true_s: u64,
    /// The license's first day.
    nbf: u64,
    /// Lease time at which the first seat was served under the license, and to which the last one is.
    served_s: Option<(u64, u64)>,
    holder: u8,
}

impl Sweep {
    fn new(nbf: u64, exp: u64) -> Sweep {
        let house = House::new();
        let keeper = house.start();
        let machine = furnish_with(&keeper.handle(), dated(1, (NOON - DAY, nbf), Some(exp)));
        Sweep {
            house,
            keeper: Some(keeper),
            machine,
            true_s: 0,
            nbf,
            served_s: None,
            holder: 0,
        }
    }

    fn handle(&self) -> Handle {
        self.keeper.as_ref().expect("it runs").handle()
    }

    fn show(&self, offset_s: i64) {
        let wall = (NOON + self.true_s).saturating_add_signed(offset_s);
        self.house.clock.set_wall(wall);
    }

    /// Time passes, and a seat that is to be had is held for all of it.
    fn look(&mut self) -> Option<Code> {
        self.house.clock.advance(Duration::from_secs(STEP_S));
        self.true_s += STEP_S;
        self.holder = self.holder.wrapping_add(1);
        let answer = self
            .handle()
            .ask(order(checkout(self.machine, self.holder)));
        let answer = answer.expect("an answer");
        if let Verdict::Leased(terms) = &answer.verdict {
            assert!(terms.now.j.0 >= self.nbf, "served before the first day");
            let from = terms.now.lease.0 / 1000;
            let (first, _) = self.served_s.unwrap_or((from, from));
            self.served_s = Some((first, from + terms.ttl_s + terms.grace_s));
        }
        code(&answer)
    }

    fn restart(&mut self, down_s: u64) {
        self.keeper = None;
        self.house.clock.advance(Duration::from_secs(down_s));
        self.true_s += down_s;
    }
}

fn sweep(wrong: Wrong, offset_s: i64, nbf: u64, exp: u64) {
    let what = format!("{wrong:?} by {offset_s} s, license from {nbf} until {exp}");
    let mut sweep = Sweep::new(nbf, exp);
    sweep.look();
    match wrong {
        Wrong::Running => sweep.show(offset_s),
        Wrong::Start => {
            sweep.restart(60);
            sweep.show(offset_s);
            sweep.keeper = Some(sweep.house.start());
        }
        Wrong::Drift => {}
    }
    let mut j = sweep.handle().now().j;
    for n in 1..=12 {
        if matches!(wrong, Wrong::Drift) {
            sweep.show(offset_s / 12 * n);
        }
        sweep.look();
        let now = sweep.handle().now().j;
        assert!(now >= j, "{what}: J went back by itself");
        j = now;
    }
    let (from, to) = sweep.served_s.unwrap_or_default();
    assert!(to - from <= exp - nbf, "{what}: {} s served", to - from);
    assert_eq!(sweep.handle().snapshot().state.clock.count, 0, "{what}");
    // The clock is put right, and accepted.
    sweep.show(0);
    let right = NOON + sweep.true_s;
    sweep.handle().ask(accept(right)).expect("an answer");
    let now = sweep.handle().now().j.0;
    assert!(
        now.abs_diff(right) <= 1,
        "{what}: J is {now}, and it is {right}"
    );
    let open = nbf <= right + STEP_S && exp > right + STEP_S + 10;
    let got = sweep.look();
    assert_eq!(got.is_none(), open, "{what}: {got:?}");
}

#[test]
fn s21_no_clock_from_a_second_to_ten_years_wrong_locks_out_for_good_or_serves_longer() {
    let steps = [
        1,
        60,
        300,
        HOUR,
        DAY - 1,
        DAY,
        DAY + 1,
        31 * DAY,
        31 * DAY + 1,
        YEAR,
        10 * YEAR,
    ];
    for step in steps {
        for sign in [1, -1] {
            let offset = sign * i64::try_from(step).expect("ten years");
            for wrong in [Wrong::Running, Wrong::Start, Wrong::Drift] {
                // Ends within the look, within the jump, and far behind it.
                for exp in [2 * HOUR, DAY, 40 * DAY, 5 * YEAR, 20 * YEAR] {
                    // Begins before, within the look (a license waits, and what waits begins by itself), within the jump
                    // and far behind it.
                    for nbf in [0, HOUR + 900, 12 * HOUR, 20 * DAY, 4 * YEAR] {
                        if nbf < exp {
                            sweep(wrong, offset, NOON + nbf, NOON + exp);
                        }
                    }
                }
            }
        }
    }
}
