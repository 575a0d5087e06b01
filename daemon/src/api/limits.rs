//! Every limit of the listener, by name (claims.md 4).

use std::time::Duration;

/// What a caller of the API may cost. Tests make the times short.
#[derive(Clone, Debug)]
pub struct Limits {
    /// For the head of a request, and for an idle connection to send the next one.
    pub head: Duration,
    /// For the body of a request.
    pub body: Duration,
    /// For an answer to begin.
    pub request: Duration,
    /// For the export of the site key, which stretches its passphrase.
    pub export: Duration,
    /// For a client to take more of an answer.
    pub stalled: Duration,
    /// For a look-up in the machine's name service.
    pub names: Duration,
    /// For requests in flight at a stop.
    pub stop: Duration,
    /// Between two tries to accept, where the process has no descriptors left.
    pub back_off: Duration,
    /// Connections of this listener.
    pub connections: usize,
    /// Connections of one uid.
    pub per_uid: usize,
    /// Failed requests of one uid in a second that are answered at once.
    pub failures_per_s: u32,
}

/// Bytes of a request's head.
pub(super) const HEAD_BYTES: usize = 8 * 1024;
/// Bytes of a head that hyper takes at all: what is above `HEAD_BYTES` is read, to refuse it in a way that its sender
/// hears; beyond this hyper says 431 without a body, and closes.
pub(super) const HEAD_HEARD_OUT: usize = 4 * HEAD_BYTES;
/// Header lines of a request.
pub(super) const HEADERS: usize = 32;
/// Bytes of a body.
pub(super) const BODY_BYTES: usize = 64 * 1024;
/// Bytes of a body that carries a license file: 256 KiB of file, and what JSON adds to its line ends and quotes.
pub(super) const LICENSE_BODY_BYTES: usize = 320 * 1024;
/// Bytes of a body that are read, to refuse it in a way that its sender hears.
pub(super) const HEARD_OUT: usize = 1024 * 1024;
/// Connections past the limits that are told so at one time; beyond, they are only closed.
pub(super) const REFUSED_AT_A_TIME: usize = 64;
/// Look-ups in the machine's name service at one time, one of each uid: a dead one must not eat the threads that install
/// licenses.
pub(super) const LOOK_UPS: usize = 16;
/// Reading requests (lists, `status`, `explain`, pages of `events`) that are answered at one time; beyond,
/// they are told that the server is busy.
pub(super) const READS: usize = 12;
/// Of one uid.
pub(super) const READS_PER_UID: usize = 6;
/// Writing requests, and first sights of users, that are served at one time; further ones wait for their turn.
pub(super) const WRITES: usize = 8;
/// Those of one uid that are served or wait; beyond, they are told that the server is busy.
pub(super) const WRITES_PER_UID: usize = 64;
/// Passwords that are stretched at one time: each takes a processor for some 30 ms, and 19 MiB. Further ones wait.
pub(super) const STRETCHES: usize = 2;
/// Those that are stretched or wait; beyond, callers are told that the server is busy.
pub(super) const STRETCHES_WAITING: usize = 64;
/// Of one uid.
pub(super) const STRETCHES_PER_UID: usize = 4;
/// Threads for all that waits for disk, keeper or name service: each of the above has its own, and so have the chores, and
/// the outbox for certificates and names.
pub const BLOCKING: usize = LOOK_UPS + READS + WRITES + STRETCHES + 6;
/// How long the answer to a failed request waits for its turn, at most.
pub(super) const FAILED_WAIT: Duration = Duration::from_secs(5);
pub(super) const STREAMS: usize = 64;
/// Batches that a slow reader of events may be behind before it is told to read the pages instead.
pub(super) const STREAM_BEHIND: usize = 256;

impl Default for Limits {
    fn default() -> Self {
        Limits {
            head: Duration::from_secs(5),
            body: Duration::from_secs(5),
            request: Duration::from_secs(10),
            export: Duration::from_secs(60),
            stalled: Duration::from_secs(10),
            names: Duration::from_secs(5),
            stop: Duration::from_secs(10),
            back_off: Duration::from_millis(100),
            connections: 4096,
            per_uid: 1024,
            failures_per_s: 50,
        }
    }
}
