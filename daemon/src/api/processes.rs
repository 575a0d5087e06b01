//! What the API asks about the process at the other end of a connection (rule 14).

use seatkeeper_engine::command::Pid;
use seatkeeper_engine::ids::HolderId;
use tokio::net::UnixStream;

/// The watch over holders' processes. It never takes a pid from a request.
pub trait Processes: Send + Sync + 'static {
    /// The process at the other end, as this kernel numbers it.
    fn pid(&self, stream: &UnixStream) -> Option<Pid>;

    /// Watches the peer's process for a holder; where it is watched already nothing happens.
    fn watch(&self, stream: &UnixStream, holder: HolderId);

    /// The holder is gone: its process need not be watched for it.
    fn forget(&self, holder: HolderId);

    /// Whether a holder's process is watched; else only its hold counts.
    fn watched(&self, holder: HolderId) -> bool;
}
