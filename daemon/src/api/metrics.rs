//! What is counted for Prometheus. Seats come from the snapshot when they are asked for, all else is counted as it happens.

use crate::clock::Stopwatch;
use crate::mail::Counts;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::{Registry, Unit};
use seatkeeper::wire::Code;
use seatkeeper_core::calendar::Mark;
use seatkeeper_core::journal::{Archive, EachRow, Journal, JournalError};
use seatkeeper_core::keeper::{Handle, Published};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// The metrics of the daemon.
pub struct Metrics {
    registry: Registry,
    denials: Family<OfCode, Counter>,
    commits: Histogram,
    batches: Histogram,
    connections: Gauge,
    queue: Gauge,
    quarantine: Gauge,
    mail: Counts,
    in_use: Family<OfPool, Gauge>,
    seats: Family<OfPool, Gauge>,
    open: OnceLock<Box<dyn Fn() -> usize + Send + Sync>>,
    scrape: Mutex<()>,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug, EncodeLabelSet)]
struct OfCode {
    code: String,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug, EncodeLabelSet)]
struct OfPool {
    vendor: String,
    license: String,
    feature: String,
}

impl Default for Metrics {
    fn default() -> Self {
        Metrics::new()
    }
}

impl Metrics {
    /// All at zero.
    #[must_use]
    pub fn new() -> Self {
        let mut metrics = Metrics {
            registry: Registry::with_prefix("seatkeeper"),
            denials: Family::default(),
            // 0.1 ms to 1.6 s: a good disk to a dying one.
            commits: Histogram::new(exponential_buckets(0.0001, 2.0, 15)),
            batches: Histogram::new(exponential_buckets(1.0, 2.0, 11)),
            connections: Gauge::default(),
            queue: Gauge::default(),
            quarantine: Gauge::default(),
            mail: Counts::default(),
            in_use: Family::default(),
            seats: Family::default(),
            open: OnceLock::new(),
            scrape: Mutex::default(),
        };
        metrics.register();
        metrics
    }

    fn register(&mut self) {
        let registry = &mut self.registry;
        registry.register("denials", "Checkouts denied", self.denials.clone());
        registry.register_with_unit(
            "journal_commit",
            "Time for a batch to become durable",
            Unit::Seconds,
            self.commits.clone(),
        );
        registry.register("batch_events", "Events of one batch", self.batches.clone());
        registry.register("connections", "Open connections", self.connections.clone());
        registry.register("queue_commands", "Commands that wait", self.queue.clone());
        registry.register_with_unit(
            "quarantine_left",
            "Time until new seats are given again (rule 21); 0 outside of quarantine",
            Unit::Seconds,
            self.quarantine.clone(),
        );
        let mail = &self.mail;
        registry.register("mails_sent", "Mails handed over", mail.sent.clone());
        registry.register("mails_waiting", "Mails that wait", mail.waiting.clone());
        registry.register(
            "mails_failed",
            "Mails that were not sent and are not tried again",
            mail.failed.clone(),
        );
        registry.register("seats_in_use", "Slots in use", self.in_use.clone());
        registry.register(
            "seats_total",
            "Seats of the license; absent where unlimited",
            self.seats.clone(),
        );
    }

    /// What the outbox counts.
    pub(crate) fn mail(&self) -> Counts {
        self.mail.clone()
    }

    /// A checkout was denied.
    pub(super) fn denied(&self, code: &Code) {
        let code = code.as_str().to_owned();
        self.denials.get_or_create(&OfCode { code }).inc();
    }

    /// A batch was recorded.
    pub fn recorded(&self, published: &Published) {
        let events = u32::try_from(published.events.len()).unwrap_or(u32::MAX);
        self.batches.observe(f64::from(events));
    }

    /// How many connections are open, once there is a listener.
    pub(super) fn count_connections(&self, open: impl Fn() -> usize + Send + Sync + 'static) {
        // A daemon has one listener; a second one would not be counted.
        let _ = self.open.set(Box::new(open));
    }

    /// The text format.
    pub(super) fn text(&self, keeper: &Handle) -> String {
        let _one_at_a_time = self.scrape.lock().unwrap_or_else(PoisonError::into_inner);
        self.connections
            .set(small(self.open.get().map_or(0, |open| open())));
        self.queue.set(small(keeper.waiting()));
        self.in_use.clear();
        self.seats.clear();
        let (snapshot, now) = (keeper.snapshot(), keeper.now().lease);
        let left = snapshot
            .state
            .quarantined(now)
            .map_or(0, |until| until - now);
        self.quarantine.set(small(left.div_ceil(1000)));
        for (id, pool) in &snapshot.state.pools {
            let of = OfPool {
                vendor: id.license.vendor.to_string(),
                license: id.license.id.to_string(),
                feature: id.feature.to_string(),
            };
            let used = pool.used.saturating_add(pool.above);
            self.in_use.get_or_create(&of).set(small(used));
            if let Some(seats) = pool.feature.as_ref().and_then(|feature| feature.seats) {
                self.seats.get_or_create(&of).set(small(seats));
            }
        }
        let mut text = String::new();
        encode(&mut text, &self.registry).expect("a String takes all that is written to it");
        text
    }
}

fn small(n: impl TryInto<i64>) -> i64 {
    n.try_into().unwrap_or(i64::MAX)
}

/// A journal whose commits are timed.
pub struct Timed {
    /// The journal.
    pub journal: Arc<dyn Journal>,
    /// Where times go.
    pub metrics: Arc<Metrics>,
}

impl Journal for Timed {
    fn load(&self, from: u64, each: EachRow<'_>) -> Result<Option<Mark>, JournalError> {
        self.journal.load(from, each)
    }

    fn rotate(&self, first: u64) -> Result<(), JournalError> {
        self.journal.rotate(first)
    }

    fn append(&self, first: u64, row: &[u8]) -> Result<(), JournalError> {
        let watch = Stopwatch::start();
        let done = self.journal.append(first, row);
        self.metrics.commits.observe(watch.seconds());
        done
    }

    fn keep_mark(&self, mark: &Mark) -> Result<(), JournalError> {
        self.journal.keep_mark(mark)
    }

    fn read(&self, from: u64, limit: usize) -> Result<Vec<(u64, Box<str>)>, JournalError> {
        self.journal.read(from, limit)
    }

    fn settle(&self) -> Result<(), JournalError> {
        self.journal.settle()
    }

    fn archive(&self) -> Option<&dyn Archive> {
        self.journal.archive()
    }

    fn place(&self) -> String {
        self.journal.place()
    }
}
