//! The local daemon, as commands ask it: JSON in, JSON out, a refusal as a failure.

use crate::exit::Exit;
use crate::failure::{Failure, Outcome};
use crate::files;
use crate::printer::Printer;
use seatkeeper::admin::{self, Connection, Response, Stream};
use seatkeeper::wire::{Page, Problem};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::cell::{Cell, OnceCell};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// What names the file with what is presented.
const VARIABLE: &str = "SEATKEEPER_TOKEN_FILE";
/// Of the mode of that file: everybody reads or changes it, or its group changes it. A group may read it: service managers
/// hand secrets out so.
const OPEN_TO_OTHERS: u32 = 0o027;

/// A way to the daemon.
pub(crate) struct Daemon<'a> {
    connection: Connection,
    socket: Option<PathBuf>,
    /// What is presented to be somebody else than the kernel says; read when something is asked first.
    token: OnceCell<Option<Zeroizing<String>>>,
    printer: &'a Printer,
    told: Cell<bool>,
}

impl<'a> Daemon<'a> {
    /// To this socket, else to the first that answers. Does no I/O.
    pub(crate) fn new(socket: Option<&Path>, printer: &'a Printer) -> Daemon<'a> {
        Daemon {
            connection: Connection::open(socket),
            socket: socket.map(Path::to_owned),
            token: OnceCell::new(),
            printer,
            told: Cell::new(false),
        }
    }

    /// The same daemon, to whom this is presented, or nothing, whatever SEATKEEPER_TOKEN_FILE says.
    pub(crate) fn presenting(&self, secret: Option<&str>) -> Daemon<'a> {
        let token = secret.map(|secret| Zeroizing::new(format!("Bearer {secret}")));
        Daemon {
            token: OnceCell::from(token),
            told: self.told.clone(),
            ..Daemon::new(self.socket.as_deref(), self.printer)
        }
    }

    /// One thing.
    pub(crate) fn get<T: DeserializeOwned>(&self, path: &str) -> Outcome<T> {
        parse(&self.ask("GET", path, None, None)?)
    }

    /// A whole list, page after page.
    pub(crate) fn list<T: DeserializeOwned>(&self, path: &str) -> Outcome<Vec<T>> {
        let mut all = Vec::new();
        let mut next = path.to_owned();
        loop {
            let page: Page<T> = self.get(&next)?;
            all.extend(page.items);
            let Some(after) = page.next else {
                return Ok(all);
            };
            let joint = if path.contains('?') { '&' } else { '?' };
            next = format!("{path}{joint}after={}", escape(&after));
        }
    }

    /// Asks for something to be made or done.
    pub(crate) fn post<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &impl Serialize,
    ) -> Outcome<T> {
        parse(&self.ask("POST", path, None, Some(&encoded(body)?))?)
    }

    /// Asks for something to be done that has nothing to tell.
    pub(crate) fn post_done(&self, path: &str, body: &impl Serialize) -> Outcome {
        self.ask("POST", path, None, Some(&encoded(body)?))
            .map(drop)
    }

    /// The same of something that takes the place of what is there.
    pub(crate) fn put_done(&self, path: &str, body: &impl Serialize) -> Outcome {
        self.ask("PUT", path, None, Some(&encoded(body)?)).map(drop)
    }

    /// Puts something in the place of what is there; of this revision where it has one.
    pub(crate) fn put<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &impl Serialize,
        revision: Option<u64>,
    ) -> Outcome<T> {
        parse(&self.ask("PUT", path, revision, Some(&encoded(body)?))?)
    }

    /// Changes something; of this revision where it has one.
    pub(crate) fn patch<T: DeserializeOwned>(
        &self,
        path: &str,
        change: &impl Serialize,
        revision: Option<u64>,
    ) -> Outcome<T> {
        parse(&self.ask("PATCH", path, revision, Some(&encoded(change)?))?)
    }

    /// Asks for something to be done to what has this revision still.
    pub(crate) fn post_to<T: DeserializeOwned>(&self, path: &str, revision: u64) -> Outcome<T> {
        parse(&self.ask("POST", path, Some(revision), None)?)
    }

    /// Has something that needs no body there, or there no more; of this revision.
    pub(crate) fn set<T: DeserializeOwned>(
        &self,
        path: &str,
        there: bool,
        revision: u64,
    ) -> Outcome<T> {
        let method = if there { "PUT" } else { "DELETE" };
        parse(&self.ask(method, path, Some(revision), None)?)
    }

    /// The same as `post_to`, with a body.
    pub(crate) fn post_body_to<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &impl Serialize,
        revision: u64,
    ) -> Outcome<T> {
        parse(&self.ask("POST", path, Some(revision), Some(&encoded(body)?))?)
    }

    /// Asks for something to be ended; of this revision where it has one. The reply's body, where there is one.
    pub(crate) fn delete<T: DeserializeOwned>(
        &self,
        path: &str,
        revision: Option<u64>,
    ) -> Outcome<Option<T>> {
        let reply = self.ask("DELETE", path, revision, None)?;
        if reply.body.is_empty() {
            Ok(None)
        } else {
            parse(&reply).map(Some)
        }
    }

    /// A reply that goes on, line by line.
    pub(crate) fn stream(&self, path: &str) -> Outcome<Stream> {
        let token = self.token()?;
        let headers: Vec<_> = token
            .iter()
            .map(|token| ("authorization", *token))
            .collect();
        let opened = self.connection.stream(path, &headers)?;
        self.tell_which();
        opened.map_err(|reply| refusal(&reply))
    }

    /// The socket that was reached, once something was asked.
    pub(crate) fn endpoint(&self) -> Option<PathBuf> {
        self.connection.endpoint()
    }

    /// It is `seatkeeperd dev` that was reached.
    pub(crate) fn is_dev(&self) -> bool {
        self.endpoint().is_some_and(|socket| admin::is_dev(&socket))
    }

    /// Asks, of this revision where one is named.
    fn ask(
        &self,
        method: &str,
        path: &str,
        revision: Option<u64>,
        body: Option<&[u8]>,
    ) -> Outcome<Response> {
        let quoted = revision.map(|revision| format!("\"{revision}\""));
        let mut headers: Vec<_> = quoted
            .iter()
            .map(|revision| ("if-match", revision.as_str()))
            .collect();
        headers.extend(self.token()?.map(|token| ("authorization", token)));
        let reply = self.connection.request(method, path, &headers, body)?;
        self.tell_which();
        if (200..300).contains(&reply.status) {
            Ok(reply)
        } else {
            Err(refusal(&reply))
        }
    }

    /// What SEATKEEPER_TOKEN_FILE holds, as it is presented.
    fn token(&self) -> Outcome<Option<&str>> {
        if self.token.get().is_none() {
            let file = std::env::var_os(VARIABLE).filter(|file| !file.is_empty());
            let token = file.map(|file| presented(Path::new(&file)));
            // Nobody else sets it: there is one thread.
            let _ = self.token.set(token.transpose()?);
        }
        Ok(self
            .token
            .get()
            .and_then(Option::as_deref)
            .map(String::as_str))
    }

    /// Once, and only where it is a development daemon: nobody should take its answers for the site's.
    fn tell_which(&self) {
        if let Some(socket) = self.endpoint().filter(|socket| admin::is_dev(socket))
            && !self.told.replace(true)
        {
            self.printer.note(&format!(
                "(this is `seatkeeperd dev` at {})",
                socket.display()
            ));
        }
    }
}

/// What a file holds, as it is presented.
fn presented(file: &Path) -> Outcome<Zeroizing<String>> {
    let name = file.display();
    if let Ok(found) = std::fs::metadata(file)
        && found.is_file()
        && found.mode() & OPEN_TO_OTHERS != 0
    {
        return Err(Failure::new(
            Exit::NotPermitted,
            format!("{name}, which {VARIABLE} names, is open to others: it is not used"),
            format!(
                "make it yours alone: `chmod 600 {name}`; whoever has read it can be you, so take a token back that lay open"
            ),
        ));
    }
    let text = files::read(file).map_err(|failure| match failure {
        Failure::Told(told) => Failure::new(
            told.exit(),
            format!("what {VARIABLE} names: {}", told.what),
            format!("name the file of a token or a session, or unset {VARIABLE}"),
        ),
        other => other,
    })?;
    let text = Zeroizing::new(text);
    let line = text.lines().next().unwrap_or_default().trim();
    if line.is_empty() || !line.bytes().all(|b| b.is_ascii_graphic()) {
        return Err(Failure::new(
            Exit::Usage,
            format!("{name}, which {VARIABLE} names, holds neither a token nor a session"),
            "its first line is to be what `seatkeeper token create` told, or what `login --session` wrote",
        ));
    }
    Ok(Zeroizing::new(format!("Bearer {line}")))
}

/// Bytes of a path or query that could be read as something else, as %XX (RFC 3986).
pub(crate) fn escape(text: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-._~".contains(&b);
    // What was cut out of a CSV brings the end of its line along (RFC 4180); no name ends so.
    text.trim_end_matches(['\r', '\n'])
        .bytes()
        .map(|b| {
            if plain(b) {
                char::from(b).to_string()
            } else {
                format!("%{b:02X}")
            }
        })
        .collect()
}

fn encoded(body: &impl Serialize) -> Outcome<Vec<u8>> {
    serde_json::to_vec(body).map_err(|error| Failure::new(Exit::Failed, error.to_string(), ""))
}

fn parse<T: DeserializeOwned>(reply: &Response) -> Outcome<T> {
    serde_json::from_slice(&reply.body).map_err(|error| {
        let trace = reply
            .header("x-trace-id")
            .map(|id| format!(" (trace {id})"))
            .unwrap_or_default();
        Failure::new(
            Exit::Failed,
            format!("the daemon's answer is not what this version understands: {error}{trace}"),
            "is it another version? compare `seatkeeper --version` with `seatkeeperd --version`",
        )
    })
}

fn refusal(reply: &Response) -> Failure {
    match serde_json::from_slice::<Problem>(&reply.body) {
        Ok(mut problem) => {
            if problem.trace_id.is_empty() {
                problem.trace_id = reply.header("x-trace-id").unwrap_or_default().to_owned();
            }
            problem.into()
        }
        Err(_) => Failure::new(
            Exit::Failed,
            format!(
                "what answers at this socket is no seatkeeper daemon, or a broken one: HTTP {}",
                reply.status
            ),
            "`seatkeeper doctor` says which socket is used",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn s14_a_token_is_read_from_a_file_of_ones_own_that_holds_one() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("token");
        let told = |text: &[u8], mode: u32| {
            std::fs::write(&file, text).unwrap();
            let mode = std::fs::Permissions::from_mode(mode);
            std::fs::set_permissions(&file, mode).unwrap();
            match presented(&file) {
                Ok(token) => token.to_string(),
                Err(Failure::Told(told)) => format!("{}: {}", told.what, told.next),
                Err(other) => panic!("{other:?}"),
            }
        };
        for mode in [0o600, 0o400, 0o440, 0o640] {
            assert_eq!(told(b"skt_abc\n", mode), "Bearer skt_abc", "{mode:o}");
        }
        for mode in [0o644, 0o604, 0o602, 0o660] {
            let why = told(b"skt_abc\n", mode);
            assert!(why.contains("is open to others") && !why.contains("abc"));
        }
        for odd in [
            &b""[..],
            b"\n",
            b"two words\n",
            b"caf\xc3\xa9",
            b"a\0b",
            b"\xff\xfe",
        ] {
            let why = told(odd, 0o600);
            let name = file.display().to_string();
            assert!(why.contains(VARIABLE) && why.contains(&name), "{why}");
        }
        std::fs::remove_file(&file).unwrap();
        let Err(Failure::Told(told)) = presented(&file) else {
            panic!("it is not there");
        };
        assert!(told.what.contains(VARIABLE) && told.exit() == Exit::NotFound);
    }

    #[test]
    fn an_id_cannot_change_the_path() {
        assert_eq!(escape("a/../b?c=1"), "a%2F..%2Fb%3Fc%3D1");
        assert_eq!(escape("1.2.3"), "1.2.3");
    }
}
