//! The mail room: texts, an outbox that nobody waits for, and the way to the SMTP server.
//!
//! A mail is never the only way: whoever causes one is told where none can be sent, and what could not be sent stands in
//! `doctor`. Nothing here is durable: a mail that waits at a stop is not sent, and the log says so.

mod book;
mod codes;
pub mod letters;
mod outbox;
mod password;
mod render;
mod smtp;
#[cfg(test)]
mod tests;

pub use book::MailId;
pub(crate) use codes::Codes;
pub use letters::{Attachment, Kind, Mail};
pub use outbox::{Counts, NotPosted, Outbox, Parts, Tell};
pub use password::{NoPassword, password};
pub use render::sender;
