//! The table `[mail]`: to which server mail is handed, and how.

use super::settings::Judged;
use crate::mail::sender;
use std::net::{IpAddr, Ipv6Addr};
use std::path::PathBuf;

/// How the way to the server is protected.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Tls {
    /// TLS is asked for, and mail waits where it does not come (RFC 3207).
    StartTls,
    /// TLS from the first byte (RFC 8314).
    Wrapped,
    /// None, to a server of this machine.
    None,
    /// None, to any server: somebody said so.
    Insecure,
}

/// Where mail goes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MailSettings {
    /// The server; empty where no mail is sent.
    pub server: String,
    /// Its port; 0 for the usual one.
    pub port: u16,
    /// How the way to it is protected.
    pub tls: Tls,
    /// The sender.
    pub from: String,
    /// Who signs in; empty for nobody.
    pub user: String,
    /// The file with their password; empty for the service manager's credential.
    pub password_file: PathBuf,
    /// Where mails lead for pages, without a slash at its end; empty where there are none.
    pub url: String,
    /// Seconds for all of a delivery that comes before the letter itself.
    pub timeout_s: u64,
}

impl MailSettings {
    pub(super) fn none() -> MailSettings {
        MailSettings {
            server: String::new(),
            port: 0,
            tls: Tls::StartTls,
            from: String::new(),
            user: String::new(),
            password_file: PathBuf::new(),
            url: String::new(),
            timeout_s: 0,
        }
    }

    /// Mail is sent.
    #[must_use]
    pub fn is_on(&self) -> bool {
        !self.server.is_empty()
    }

    /// The port that is called.
    #[must_use]
    pub fn port(&self) -> u16 {
        match (self.port, self.tls) {
            (0, Tls::StartTls) => 587,
            (0, Tls::Wrapped) => 465,
            (0, Tls::None | Tls::Insecure) => 25,
            (port, _) => port,
        }
    }

    /// Takes the value of a setting of the table; false where there is no such setting.
    pub(super) fn put(&mut self, key: &str, value: &Judged) -> bool {
        match (key, value) {
            ("server", Judged::Text(text)) => self.server.clone_from(text),
            ("port", Judged::Number(n)) => match u16::try_from(*n) {
                Ok(port) => self.port = port,
                Err(_) => return false,
            },
            ("tls", Judged::Word("starttls")) => self.tls = Tls::StartTls,
            ("tls", Judged::Word("tls")) => self.tls = Tls::Wrapped,
            ("tls", Judged::Word("none")) => self.tls = Tls::None,
            ("tls", Judged::Word("insecure")) => self.tls = Tls::Insecure,
            ("from", Judged::Text(text)) => self.from.clone_from(text),
            ("user", Judged::Text(text)) => self.user.clone_from(text),
            ("password_file", Judged::Path(path)) => self.password_file.clone_from(path),
            ("url", Judged::Text(text)) => {
                text.trim_end_matches('/').clone_into(&mut self.url);
            }
            ("timeout_s", Judged::Number(n)) => self.timeout_s = *n,
            _ => return false,
        }
        true
    }

    /// What no value can say alone.
    pub(super) fn check(&self, fault: &mut dyn FnMut(&str, &str, &str)) {
        let password = !self.password_file.as_os_str().is_empty();
        let server = "name the SMTP server in `mail.server`, or take the table out";
        if !self.is_on() {
            for (key, set) in [
                ("mail.from", !self.from.is_empty()),
                ("mail.user", !self.user.is_empty()),
                ("mail.password_file", password),
                ("mail.url", !self.url.is_empty()),
            ] {
                if set {
                    fault(key, "is set, and `mail.server` is not", server);
                }
            }
            return;
        }
        if let Err(why) = check_url(&self.url) {
            let remedy = "write it as in \"https://seats.example.com\" or \"https://example.com/seats\", or take it out";
            fault("mail.url", why, remedy);
        }
        if !is_host(&self.server) {
            fault(
                "mail.server",
                "is no name or address of a server",
                "write the name alone, such as \"smtp.example.com\"; the port stands in `mail.port`",
            );
        }
        if sender(&self.from).is_none() {
            let text = if self.from.is_empty() {
                "is missing: `mail.server` is set"
            } else {
                "is no mail address"
            };
            let remedy = "write \"licenses@example.com\", or \"Seatkeeper <licenses@example.com>\"";
            fault("mail.from", text, remedy);
        }
        if self.tls == Tls::None && !is_here(&self.server) {
            fault(
                "mail.tls",
                "is \"none\", and `mail.server` is not this machine",
                "take \"starttls\" or \"tls\"; \"insecure\" sends without TLS to any server, and whoever is on the way reads the mails",
            );
        }
        if self.tls == Tls::Insecure && !self.user.is_empty() {
            fault(
                "mail.user",
                "signs in without TLS: whoever is on the way would read the password",
                "set `mail.tls` to \"starttls\" or \"tls\", or sign nobody in",
            );
        }
        if self.user.is_empty() && password {
            fault(
                "mail.password_file",
                "is set, and `mail.user` is not",
                "say in `mail.user` who signs in with that password",
            );
        }
    }
}

/// A name of DNS or an address.
fn is_host(text: &str) -> bool {
    let letter = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
    let good = |label: &str| (1..=63).contains(&label.len()) && label.bytes().all(letter);
    text.parse::<IpAddr>().is_ok() || text.split('.').all(good)
}

/// An origin and perhaps a path: what a code is put behind must be nobody else's, and come to nobody else.
fn check_url(url: &str) -> Result<(), &'static str> {
    if url.is_empty() {
        return Ok(());
    }
    let (plain, rest) = match (url.strip_prefix("https://"), url.strip_prefix("http://")) {
        (Some(rest), _) => (false, rest),
        (None, Some(rest)) => (true, rest),
        (None, None) => return Err("does not begin with https://"),
    };
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
        _ => (authority, None),
    };
    let bare = host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'));
    let named = match bare {
        Some(v6) => v6.parse::<Ipv6Addr>().is_ok(),
        None => is_host(host) && !host.contains(':'),
    };
    if !named || port.is_some_and(|port| port.parse::<u16>().unwrap_or(0) == 0) {
        return Err("names no host after ://, or a port that is none");
    }
    let plain_path = |b: u8| b.is_ascii_alphanumeric() || b"-._~/".contains(&b);
    if !path.bytes().all(plain_path) {
        return Err("has more than a host and a path of letters, digits and -._~/");
    }
    if plain && !is_here(bare.unwrap_or(host)) {
        return Err("is http, and not this machine: whoever is on the way would read the codes");
    }
    Ok(())
}

/// A server of this machine: what is said to it goes over no wire.
fn is_here(server: &str) -> bool {
    let address = server.parse::<IpAddr>();
    address.map_or(server.eq_ignore_ascii_case("localhost"), |ip| {
        ip.is_loopback()
    })
}
