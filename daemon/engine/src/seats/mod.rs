//! Seats: taken, kept, given back, taken back.

pub(crate) mod assigned;
pub(crate) mod checkout;
pub(crate) mod ending;
pub(crate) mod judge;
pub(crate) mod kept;
pub(crate) mod pool;
pub(crate) mod release;
pub(crate) mod renew;
mod room;
pub(crate) mod terms;
pub(crate) mod version;

pub use judge::Choice;
pub use kept::Owners;
