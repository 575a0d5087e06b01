//! The bare exchange with a local daemon, for the command line and for consoles; applications use `Client`.
//!
//! ```no_run
//! # fn main() -> Result<(), seatkeeper::admin::Broken> {
//! let daemon = seatkeeper::admin::Connection::open(None);
//! let reply = daemon.request("GET", "/v1/status", &[], None)?;
//! assert_eq!(reply.status, 200);
//! # Ok(())
//! # }
//! ```

use super::transport::{Transport, UnixTransport};
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::time::Duration;

pub use super::endpoint::{candidates, dev_folders, is_dev};
pub use super::transport::{Broken, Request, Response};

/// A request may wait so long for its reply; the daemon gives up after 10 s, long polls after 60.
const LONGEST: Duration = Duration::from_secs(75);

/// Largest body of a reply: a single event of the journal lists every seat in use at a clean stop.
const LARGEST: u64 = 256 * 1024 * 1024;

/// A way to the local daemon; connections are opened when needed and kept for at most 3 s.
pub struct Connection {
    transport: UnixTransport,
}

/// A reply that goes on: server-sent events, line by line.
pub struct Stream {
    lines: BufReader<Box<dyn Read + Send>>,
}

impl Connection {
    /// To this socket, else to the first that answers of `SEATKEEPER_SOCKET`, the installed daemon's and that of
    /// `seatkeeperd dev`. Does no I/O.
    #[must_use]
    pub fn open(socket: Option<&Path>) -> Connection {
        Connection {
            transport: UnixTransport::new(socket.map(Path::to_owned)).taking(LARGEST),
        }
    }

    /// Sends a request; the path carries its query. A broken pipe on a kept connection is repeated once.
    ///
    /// # Errors
    /// Where no reply came. A refusal is a reply: look at its status.
    pub fn request(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<&[u8]>,
    ) -> Result<Response, Broken> {
        let request = request(method, path, headers, body);
        match self.transport.exchange(&request, LONGEST) {
            Err(Broken::Stale) => self.transport.exchange(&request, LONGEST),
            reply => reply,
        }
    }

    /// Opens a reply that goes on until one of the two hangs up. A refusal is the whole reply.
    ///
    /// # Errors
    /// Where no reply came.
    pub fn stream(
        &self,
        path: &str,
        headers: &[(&str, &str)],
    ) -> Result<Result<Stream, Response>, Broken> {
        let mut request = request("GET", path, headers, None);
        request
            .headers
            .push(("accept".to_owned(), "text/event-stream".to_owned()));
        let reply = self.transport.open(&request, None)?;
        if reply.status().as_u16() != 200 {
            let (head, mut body) = reply.into_parts();
            let body = body
                .read_to_vec()
                .map_err(|error| Broken::Io(io::Error::other(error)))?;
            let headers = super::transport::headers(&head.headers);
            return Ok(Err(Response {
                status: head.status.as_u16(),
                headers,
                body,
            }));
        }
        let reader: Box<dyn Read + Send> = Box::new(reply.into_body().into_reader());
        Ok(Ok(Stream {
            lines: BufReader::new(reader),
        }))
    }

    /// The socket that was last reached.
    #[must_use]
    pub fn endpoint(&self) -> Option<PathBuf> {
        self.transport.endpoint()
    }
}

impl Iterator for Stream {
    type Item = io::Result<String>;

    /// The next line without its end; server-sent events are separated by empty ones.
    fn next(&mut self) -> Option<io::Result<String>> {
        let mut line = String::new();
        match self.lines.read_line(&mut line) {
            Ok(0) => None,
            Ok(_) => Some(Ok(line.trim_end_matches(['\r', '\n']).to_owned())),
            Err(error) => Some(Err(error)),
        }
    }
}

fn request(method: &str, path: &str, headers: &[(&str, &str)], body: Option<&[u8]>) -> Request {
    let headers = headers
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    Request {
        method: method.to_owned(),
        path: path.to_owned(),
        headers,
        body: body.map(<[u8]>::to_vec),
    }
}
