//! A mail into the bytes that go over the wire. Addresses and headers are built by types, never by joining text: nothing
//! that a caller writes becomes a header of its own.

use super::book::MailId;
use super::letters::Mail;
use lettre::address::Envelope;
use lettre::message::header::{ContentTransferEncoding, ContentType, HeaderName, HeaderValue};
use lettre::message::{Attachment, Body, Mailbox, MultiPart, SinglePart};
use lettre::{Address, Message};
use std::time::{Duration, UNIX_EPOCH};

/// Characters of a subject or name.
const LINE_CHARS: usize = 998;

/// A mail that is ready to go.
#[derive(Debug)]
pub(super) struct Letter {
    /// From whom and to whom, for the server.
    pub(super) envelope: Envelope,
    /// Headers and body.
    pub(super) bytes: Vec<u8>,
}

/// The one mailbox of a text; nothing where something else stands beside it.
#[must_use]
pub fn sender(text: &str) -> Option<Mailbox> {
    let mailbox: Mailbox = one_line("", text).ok()?.parse().ok()?;
    let address = mailbox.email.to_string();
    let whole = text == address || text.ends_with(&format!("<{address}>"));
    whole.then_some(mailbox)
}

/// Makes the letter. The text of an error names the member.
pub(super) fn letter(
    mail: &Mail,
    id: MailId,
    from: &Mailbox,
    wall_s: u64,
) -> Result<Letter, String> {
    let mut builder = Message::builder()
        .from(from.clone())
        .to(Mailbox::new(None, address("to", &mail.to)?))
        .subject(one_line("subject", &mail.subject)?)
        .date(UNIX_EPOCH + Duration::from_secs(wall_s))
        .message_id(Some(format!("<{id}@{}>", from.email.domain())))
        // Nobody's out-of-office answers a program (RFC 3834).
        .raw_header(HeaderValue::new(
            HeaderName::new_from_ascii_str("Auto-Submitted"),
            "auto-generated".to_owned(),
        ));
    if let Some((name, text)) = &mail.reply_to {
        let name = Some(one_line("reply_to", name)?).filter(|name| !name.is_empty());
        builder = builder.reply_to(Mailbox::new(name, address("reply_to", text)?));
    }
    let text = SinglePart::plain(mail.body.replace('\n', "\r\n"));
    let message = match &mail.attachment {
        None => builder.singlepart(text),
        Some(file) => {
            let body = Body::new_with_encoding(file.bytes.clone(), ContentTransferEncoding::Base64)
                .map_err(|_| "attachment: cannot be encoded".to_owned())?;
            let kind = ContentType::parse("application/octet-stream")
                .map_err(|why| format!("attachment: {why}"))?;
            let part = Attachment::new(one_line("attachment", &file.name)?).body(body, kind);
            builder.multipart(MultiPart::mixed().singlepart(text).singlepart(part))
        }
    };
    let message = message.map_err(|why| format!("the mail cannot be made: {why}"))?;
    Ok(Letter {
        envelope: message.envelope().clone(),
        bytes: message.formatted(),
    })
}

fn address(member: &str, text: &str) -> Result<Address, String> {
    let text = one_line(member, text)?;
    text.parse()
        .map_err(|_| format!("{member}: is no mail address such as ana@example.com"))
}

fn one_line(member: &str, text: &str) -> Result<String, String> {
    if text.chars().any(char::is_control) {
        Err(format!("{member}: has a control character"))
    } else if text.chars().count() > LINE_CHARS {
        Err(format!("{member}: has more than {LINE_CHARS} characters"))
    } else {
        Ok(text.to_owned())
    }
}
