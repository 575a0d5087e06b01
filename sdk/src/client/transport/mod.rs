//! One HTTP exchange with a daemon, whatever carries it: a unix socket, or a vendor's test process.

mod unix;

pub(crate) use unix::UnixTransport;
#[cfg(feature = "admin")]
pub(crate) use unix::headers;

use std::fmt;
use std::io;
use std::path::PathBuf;
use std::time::Duration;

/// A request: what is asked of the daemon.
#[derive(Clone, Debug)]
pub struct Request {
    /// `GET`, `POST`, `PUT`, `PATCH` or `DELETE`.
    pub method: String,
    /// The path with its query.
    pub path: String,
    /// Further headers, as name and value.
    pub headers: Vec<(String, String)>,
    /// The body, JSON.
    pub body: Option<Vec<u8>>,
}

/// A reply: status, headers in lower case, and the whole body.
#[derive(Clone, Debug)]
pub struct Response {
    /// The HTTP status.
    pub status: u16,
    /// Names in lower case, and values.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

/// Why there was no reply.
#[derive(Debug)]
pub enum Broken {
    /// No daemon listens: the sockets that were tried, and the last error.
    NoDaemon(Vec<PathBuf>, io::Error),
    /// The connection was kept from an earlier exchange, and the daemon had closed it.
    Stale,
    /// No reply in time.
    TimedOut,
    /// The reply was larger than what was asked for can be.
    TooLarge,
    /// The connection broke, or what came was no HTTP.
    Io(io::Error),
}

/// What carries an exchange.
pub trait Transport: Send + Sync + 'static {
    /// Sends a request and waits no longer than `timeout` for the whole reply.
    ///
    /// # Errors
    /// Where no reply came. A refusal of the daemon is a reply.
    fn exchange(&self, request: &Request, timeout: Duration) -> Result<Response, Broken>;

    /// The socket that it last reached.
    fn endpoint(&self) -> Option<PathBuf>;
}

impl Request {
    /// A request without further headers.
    pub(crate) fn new(method: &str, path: String, body: Option<Vec<u8>>) -> Request {
        Request {
            method: method.to_owned(),
            path,
            headers: Vec::new(),
            body,
        }
    }
}

impl Response {
    /// The value of a header, by its name in lower case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    }
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Broken::NoDaemon(tried, error) => {
                let tried: Vec<_> = tried
                    .iter()
                    .map(|path| path.display().to_string())
                    .collect();
                write!(f, "no daemon listens at {}: {error}", tried.join(" or "))
            }
            Broken::Stale => f.write_str("the daemon closed the connection"),
            Broken::TimedOut => f.write_str("no answer in time"),
            Broken::TooLarge => f.write_str("the answer is too large"),
            Broken::Io(error) => write!(f, "the connection broke: {error}"),
        }
    }
}

impl std::error::Error for Broken {}
