//! One lease in time, and when to call next: pure, every function is told what time it is.

use crate::clock::Moment;
use crate::token::claims::{Feature, Last, Lease};
use std::time::Duration;

/// How long a lease lives, counted from the send of the attempt that brought it (rule 20), never from its arrival.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Term {
    sent: Moment,
    ttl: Duration,
    grace: Duration,
    /// The ttl that the license gives: a lease near its end has less.
    full: Duration,
    end: Option<End>,
}

/// Why a lease will not be followed by another like it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// The daemon said that it is the last (rule 16).
    Last(Last),
    /// The license ends, which cut the lease short (rule 16).
    License,
}

/// Where a lease stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    /// It lives.
    Live,
    /// It lives until then, and nothing like it will follow.
    Ending(Moment, End),
    /// It should have been renewed, and may be used until then.
    Grace(Moment),
    /// It is over.
    Over(Option<End>),
}

/// A share of chance, from 0 to 1,000, so that clients that started together do not call together.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Jitter(u16);

/// Nobody calls more often, whatever the terms.
const SHORTEST: Duration = Duration::from_secs(1);
/// An unreachable daemon is asked at least so often: its seats are waiting for it.
const LONGEST_RETRY: Duration = Duration::from_secs(30);

impl Term {
    /// The term of a lease whose attempt was sent then, under a license with this end. A lease that ends before the license
    /// and is short nevertheless was cut by the delegation of its key: another may follow.
    pub(crate) fn of(lease: &Lease, feature: &Feature, ends: Option<u64>, sent: Moment) -> Term {
        let until = lease.iat.saturating_add(lease.ttl_s);
        let cut = lease.ttl_s < feature.ttl_s && ends.is_some_and(|ends| until >= ends);
        let end = match lease.last {
            Some(last) => Some(End::Last(last)),
            None if cut => Some(End::License),
            None => None,
        };
        Term {
            sent,
            ttl: Duration::from_secs(lease.ttl_s),
            grace: Duration::from_secs(lease.grace_s),
            full: Duration::from_secs(feature.ttl_s),
            end,
        }
    }

    /// Where it stands at `now`.
    pub(crate) fn stage(&self, now: Moment) -> Stage {
        match self.end {
            end if now >= self.over_at() => Stage::Over(end),
            Some(end) => Stage::Ending(self.over_at(), end),
            None if now >= self.sent + self.ttl => Stage::Grace(self.over_at()),
            None => Stage::Live,
        }
    }

    /// When it is over: never later than the daemon's hold on the slot (I5).
    pub(crate) fn over_at(&self) -> Moment {
        self.sent + self.ttl + self.grace
    }

    /// When it next stands elsewhere, if it ever does.
    pub(crate) fn next_change(&self, now: Moment) -> Option<Moment> {
        let grace = Some(self.sent + self.ttl).filter(|_| self.end.is_none());
        grace
            .into_iter()
            .chain([self.over_at()])
            .find(|at| *at > now)
    }

    /// Why nothing like it will follow.
    pub(crate) fn end(&self) -> Option<End> {
        self.end
    }

    /// When to renew it: after a third of its ttl.
    pub(crate) fn renew_at(&self, jitter: Jitter) -> Moment {
        self.sent + jitter.of(self.beat()).min(self.ttl)
    }

    /// When to call again after the daemon said no: a beat later, and once the lease is over a beat of the ttl that the
    /// license gives. When it says that asking helps is the latest moment: a seat may be given back at any other.
    pub(crate) fn after_denial(&self, now: Moment, jitter: Jitter) -> Moment {
        let beat = if now < self.over_at() {
            self.beat()
        } else {
            (self.full / 3).max(SHORTEST)
        };
        now + jitter.of(beat)
    }

    /// When to call again after so many calls in a row had no answer.
    pub(crate) fn after_failure(&self, now: Moment, failures: u32, jitter: Jitter) -> Moment {
        let doubled = SHORTEST.saturating_mul(1 << failures.min(5));
        now + jitter.of(doubled.min(LONGEST_RETRY).min(self.beat()).max(SHORTEST))
    }

    fn beat(&self) -> Duration {
        (self.ttl / 3).max(SHORTEST)
    }
}

impl Jitter {
    /// From two random bytes.
    pub(crate) fn from_random(bytes: [u8; 2]) -> Jitter {
        Jitter(u16::from_le_bytes(bytes) % 1001)
    }

    /// 0.9 to 1.1 times as long.
    pub(crate) fn of(self, duration: Duration) -> Duration {
        duration * (9_000 + 2 * u32::from(self.0)) / 10_000
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(seconds: u64) -> Moment {
        Moment::after_boot(Duration::from_secs(seconds))
    }

    fn term(sent: u64, ttl: u64, grace: u64, end: Option<End>) -> Term {
        Term {
            sent: at(sent),
            ttl: Duration::from_secs(ttl),
            grace: Duration::from_secs(grace),
            full: Duration::from_secs(ttl),
            end,
        }
    }

    #[test]
    fn a_lease_is_live_then_in_grace_then_over() {
        let term = term(100, 60, 30, None);
        assert_eq!(term.stage(at(159)), Stage::Live);
        assert_eq!(term.stage(at(160)), Stage::Grace(at(190)));
        assert_eq!(term.stage(at(190)), Stage::Over(None));
        assert_eq!(
            [100, 160, 190].map(|s| term.next_change(at(s))),
            [Some(at(160)), Some(at(190)), None]
        );
    }

    #[test]
    fn a_seat_that_is_lost_is_asked_for_as_often_as_any_other_however_short_its_last_lease_was() {
        let mut term = term(100, 15, 0, Some(End::License));
        term.full = Duration::from_secs(900);
        let pause = |now| term.after_denial(now, Jitter(500)).since(now).as_secs();
        assert_eq!([at(110), at(115)].map(pause), [5, 300]);
    }

    #[test]
    fn r16_a_last_lease_ends_without_grace() {
        let end = Some(End::Last(Last::Reclaimed));
        let term = term(100, 60, 0, end);
        assert_eq!(
            term.stage(at(100)),
            Stage::Ending(at(160), End::Last(Last::Reclaimed))
        );
        assert_eq!(term.stage(at(160)), Stage::Over(end));
    }

    proptest! {
        /// The client counts from the send, on a clock of its own; the daemon holds from the moment it applied (rule 15).
        #[test]
        fn i5_the_client_gives_up_before_the_daemon_does(
            offset_s in 0u64..1_000_000_000,
            on_the_way_ms in 0u64..30_000,
            ttl in 1u64..=86_400,
            grace_share in 0u64..=100,
            client_ppm in -500i64..=500,
            server_ppm in -500i64..=500,
        ) {
            let grace = (86_400 - ttl) * grace_share / 100;
            // Real time 0 is the send; the client's clock shows `offset_s` then.
            let over = term(offset_s, ttl, grace, None).over_at().since(at(offset_s));
            let client_ends = over.as_secs_f64() / (1.0 + client_ppm as f64 * 1e-6);
            let hold = (ttl + grace) as f64 * 1.001 + 2.0;
            let server_ends = on_the_way_ms as f64 / 1e3 + hold / (1.0 + server_ppm as f64 * 1e-6);
            prop_assert!(client_ends <= server_ends, "{client_ends} > {server_ends}");
        }

        #[test]
        fn a_lease_is_renewed_around_a_third_of_its_ttl(ttl in 1u64..=86_400, random: [u8; 2], sent in 0u64..1_000_000) {
            let term = term(sent, ttl, 0, None);
            let renew = term.renew_at(Jitter::from_random(random)).since(at(sent)).as_secs_f64();
            let third = (ttl as f64 / 3.0).max(1.0);
            prop_assert!(renew <= ttl as f64 && renew >= 0.89 * third.min(ttl as f64) && renew <= 1.11 * third);
        }

        #[test]
        fn an_unreachable_daemon_is_asked_again_within_a_beat(ttl in 1u64..=86_400, failures: u32, random: [u8; 2]) {
            let term = term(0, ttl, 0, None);
            let pause = term.after_failure(at(0), failures, Jitter::from_random(random)).since(at(0));
            prop_assert!(pause >= SHORTEST * 9 / 10 && pause <= LONGEST_RETRY * 11 / 10);
        }
    }
}
