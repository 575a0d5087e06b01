//! HTTP over a unix socket: ureq with a connector of our own, and none of its defaults that are not ours.

use super::{Broken, Request, Response, Transport};
use crate::client::endpoint;
use crate::os;
use std::cell::Cell;
use std::fmt;
use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use ureq::Agent;
use ureq::config::{AutoHeaderValue, Config};
use ureq::http;
use ureq::unversioned::resolver::{ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{
    Buffers, ConnectionDetails, Connector, LazyBuffers, NextTimeout, Transport as UreqTransport,
};

/// Largest body of a reply: a chain holds a license (256 KiB), an export of the journal is paged.
const MAX_BODY: u64 = 4 * 1024 * 1024;
const MAX_HEADERS: usize = 16 * 1024;
const BUFFER: usize = 16 * 1024;
/// The daemon closes idle connections after 5 s; ours end before, so that a request seldom meets a closed one.
const MAX_IDLE: Duration = Duration::from_secs(3);
const CONNECT: Duration = Duration::from_secs(2);
const SEND: Duration = Duration::from_secs(5);
/// The name before the path; no name is ever looked up.
const ORIGIN: &str = "http://localhost";

/// A pool of connections to the first socket that answers.
pub(crate) struct UnixTransport {
    agent: Agent,
    reached: Arc<Mutex<Option<PathBuf>>>,
    most: u64,
}

thread_local! {
    /// The present exchange of this thread opened a connection of its own.
    static CONNECTED: Cell<bool> = const { Cell::new(false) };
}

impl UnixTransport {
    /// To an explicit socket, else to those of `endpoint`. Does no I/O.
    pub(crate) fn new(explicit: Option<PathBuf>) -> UnixTransport {
        let reached = Arc::new(Mutex::new(None));
        let connector = SocketConnector {
            explicit,
            reached: reached.clone(),
        };
        UnixTransport {
            agent: Agent::with_parts(config(), connector, NoNames),
            reached,
            most: MAX_BODY,
        }
    }

    /// Takes bodies of so many bytes.
    #[cfg(feature = "admin")]
    pub(crate) fn taking(self, most: u64) -> UnixTransport {
        UnixTransport { most, ..self }
    }

    /// Sends a request and returns the reply as soon as its head is there; `None` waits for ever.
    pub(crate) fn open(
        &self,
        request: &Request,
        timeout: Option<Duration>,
    ) -> Result<http::Response<ureq::Body>, Broken> {
        let mut builder = http::Request::builder()
            .method(request.method.as_str())
            .uri(format!("{ORIGIN}{}", request.path));
        if !request.headers.iter().any(|(name, _)| name == "accept") {
            builder = builder.header("accept", "application/json, application/problem+json");
        }
        if request.body.is_some() {
            builder = builder.header("content-type", "application/json");
        }
        for (name, value) in &request.headers {
            builder = builder.header(name, value);
        }
        CONNECTED.set(false);
        let result = match &request.body {
            Some(body) => self.run(builder.body(body.as_slice()), timeout),
            None => self.run(builder.body(()), timeout),
        };
        result.map_err(broken)
    }

    fn run(
        &self,
        request: Result<http::Request<impl ureq::AsSendBody>, http::Error>,
        timeout: Option<Duration>,
    ) -> Result<http::Response<ureq::Body>, ureq::Error> {
        let request = self
            .agent
            .configure_request(request?)
            .timeout_global(timeout)
            .build();
        self.agent.run(request)
    }
}

impl Transport for UnixTransport {
    fn exchange(&self, request: &Request, timeout: Duration) -> Result<Response, Broken> {
        let reply = self.open(request, Some(timeout.max(Duration::from_millis(1))))?;
        let (head, mut body) = reply.into_parts();
        let body = body
            .with_config()
            .limit(self.most)
            .read_to_vec()
            .map_err(broken)?;
        Ok(Response {
            status: head.status.as_u16(),
            headers: headers(&head.headers),
            body,
        })
    }

    fn endpoint(&self) -> Option<PathBuf> {
        self.reached
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

/// Names in lower case, and values that are text.
pub(crate) fn headers(map: &http::HeaderMap) -> Vec<(String, String)> {
    map.iter()
        .filter_map(|(name, value)| {
            Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned()))
        })
        .collect()
}

fn config() -> Config {
    Agent::config_builder()
        .http_status_as_error(false)
        .proxy(None)
        .max_redirects(0)
        .max_redirects_will_error(false)
        .user_agent(concat!("seatkeeper/", env!("CARGO_PKG_VERSION")))
        .accept_encoding(AutoHeaderValue::None)
        .max_idle_age(MAX_IDLE)
        .max_response_header_size(MAX_HEADERS)
        .input_buffer_size(BUFFER)
        .output_buffer_size(BUFFER)
        .timeout_connect(Some(CONNECT))
        .timeout_send_request(Some(SEND))
        .timeout_send_body(Some(SEND))
        .build()
}

fn broken(error: ureq::Error) -> Broken {
    let kept = !CONNECTED.get();
    match error {
        ureq::Error::Timeout(_) => Broken::TimedOut,
        ureq::Error::BodyExceedsLimit(_) | ureq::Error::LargeResponseHeader(..) => Broken::TooLarge,
        ureq::Error::Other(inner) => match inner.downcast::<Broken>() {
            Ok(broken) => *broken,
            Err(other) => Broken::Io(io::Error::other(other)),
        },
        ureq::Error::Io(error) if kept && was_closed(&error) => Broken::Stale,
        ureq::Error::Io(error) => Broken::Io(error),
        other => Broken::Io(io::Error::other(other)),
    }
}

fn was_closed(error: &io::Error) -> bool {
    use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, UnexpectedEof};
    matches!(
        error.kind(),
        BrokenPipe | ConnectionReset | ConnectionAborted | UnexpectedEof
    )
}

struct SocketConnector {
    explicit: Option<PathBuf>,
    reached: Arc<Mutex<Option<PathBuf>>>,
}

impl SocketConnector {
    fn first(&self, timeout: Duration) -> Result<UnixStream, Broken> {
        let tried = endpoint::candidates(self.explicit.as_deref());
        let mut worst: Option<io::Error> = None;
        for path in &tried {
            match os::connect(path, timeout) {
                Ok(stream) => {
                    *self.reached.lock().unwrap_or_else(PoisonError::into_inner) =
                        Some(path.clone());
                    return Ok(stream);
                }
                // A socket that is there and refuses says more than one that is not there.
                Err(error) if worst.is_none() || error.kind() != io::ErrorKind::NotFound => {
                    worst = Some(error)
                }
                Err(_) => {}
            }
        }
        Err(Broken::NoDaemon(
            tried,
            worst.unwrap_or_else(|| io::ErrorKind::NotFound.into()),
        ))
    }
}

impl Connector for SocketConnector {
    type Out = SocketTransport;

    fn connect(
        &self,
        details: &ConnectionDetails,
        _: Option<()>,
    ) -> Result<Option<SocketTransport>, ureq::Error> {
        CONNECTED.set(true);
        let timeout = details
            .timeout
            .not_zero()
            .map_or(CONNECT, |timeout| *timeout);
        let stream = self
            .first(timeout)
            .map_err(|broken| ureq::Error::Other(Box::new(broken)))?;
        let buffers = LazyBuffers::new(
            details.config.input_buffer_size(),
            details.config.output_buffer_size(),
        );
        Ok(Some(SocketTransport { stream, buffers }))
    }
}

impl fmt::Debug for SocketConnector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SocketConnector")
            .field("explicit", &self.explicit)
            .finish()
    }
}

struct SocketTransport {
    stream: UnixStream,
    buffers: LazyBuffers,
}

impl SocketTransport {
    /// A peer must be silent between exchanges, and there.
    fn probe(&mut self) -> io::Result<bool> {
        self.stream.set_nonblocking(true)?;
        let silent =
            matches!(self.stream.read(&mut [0]), Err(e) if e.kind() == io::ErrorKind::WouldBlock);
        self.stream.set_nonblocking(false)?;
        Ok(silent)
    }
}

impl UreqTransport for SocketTransport {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.buffers
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), ureq::Error> {
        let timeout = timeout.for_write();
        self.stream
            .set_write_timeout(timeout.not_zero().map(|left| *left))?;
        let output = &self.buffers.output()[..amount];
        (&self.stream)
            .write_all(output)
            .map_err(|error| timed_out(error, timeout))
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, ureq::Error> {
        let timeout = timeout.for_read();
        self.stream
            .set_read_timeout(timeout.not_zero().map(|left| *left))?;
        let input = self.buffers.input_append_buf();
        let amount = loop {
            match self.stream.read(input) {
                // A signal handler of the application ran; the timeout of the next round still bounds the wait.
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                result => break result.map_err(|error| timed_out(error, timeout))?,
            }
        };
        self.buffers.input_appended(amount);
        Ok(amount > 0)
    }

    fn is_open(&mut self) -> bool {
        self.probe().unwrap_or(false)
    }
}

impl fmt::Debug for SocketTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SocketTransport").finish_non_exhaustive()
    }
}

fn timed_out(error: io::Error, timeout: NextTimeout) -> ureq::Error {
    match error.kind() {
        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => ureq::Error::Timeout(timeout.reason),
        _ => ureq::Error::Io(error),
    }
}

/// There is no name to look up behind a unix socket.
#[derive(Debug)]
struct NoNames;

impl Resolver for NoNames {
    fn resolve(
        &self,
        _: &http::Uri,
        _: &Config,
        _: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let mut addresses = self.empty();
        addresses.push(([127, 0, 0, 1], 0).into());
        Ok(addresses)
    }
}
