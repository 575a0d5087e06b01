//! A client that speaks the wire and nothing more: no retries, no verification, so that a test decides every byte.

use rustix::process::Uid;
use serde_json::{Value, json};
use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// An answer: status and body.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The body as JSON, or null where there is none.
    pub body: Value,
}

impl Answer {
    /// A text member of the body, or nothing.
    #[must_use]
    pub fn text(&self, member: &str) -> &str {
        self.body[member].as_str().unwrap_or_default()
    }
}

/// One connection.
pub struct Wire(UnixStream);

impl Wire {
    /// Connects as whoever runs the test.
    ///
    /// # Errors
    /// Nobody listens.
    pub fn connect(socket: &Path) -> io::Result<Self> {
        let stream = UnixStream::connect(socket)?;
        stream.set_read_timeout(Some(Duration::from_secs(30)))?;
        Ok(Wire(stream))
    }

    /// Connects as another uid; the kernel notes the thread's effective uid at connect. Root only.
    ///
    /// # Errors
    /// Nobody listens, or the caller is not root.
    pub fn connect_as(socket: &Path, uid: u32) -> io::Result<Self> {
        rustix::thread::set_thread_res_uid(Uid::ROOT, Uid::from_raw(uid), Uid::ROOT)?;
        let wire = Self::connect(socket);
        rustix::thread::set_thread_res_uid(Uid::ROOT, Uid::ROOT, Uid::ROOT)?;
        wire
    }

    /// An accepted connection, for a test that answers.
    #[must_use]
    pub fn over(stream: UnixStream) -> Self {
        Wire(stream)
    }

    /// One exchange.
    ///
    /// # Errors
    /// The connection broke before the answer was whole.
    pub fn exchange(
        &mut self,
        method: &str,
        path: &str,
        body: Option<&Value>,
    ) -> io::Result<Answer> {
        let body = body.map(Value::to_string).unwrap_or_default();
        let head = format!(
            "{method} {path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        self.0.write_all((head + &body).as_bytes())?;
        self.answer()
    }

    /// Sends raw bytes.
    ///
    /// # Errors
    /// The connection broke.
    pub fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.0.write_all(bytes)
    }

    /// Reads one answer.
    ///
    /// # Errors
    /// The connection broke before the answer was whole.
    pub fn answer(&mut self) -> io::Result<Answer> {
        let (head, body) = self.message()?;
        let status = head
            .get(9..12)
            .and_then(|s| s.parse().ok())
            .unwrap_or_default();
        let body = serde_json::from_slice(&body).unwrap_or(Value::Null);
        Ok(Answer { status, body })
    }

    /// Reads one message, answer or request: its head and its body.
    ///
    /// # Errors
    /// The connection broke before the message was whole.
    pub fn message(&mut self) -> io::Result<(String, Vec<u8>)> {
        let mut read = Vec::new();
        let end = loop {
            if let Some(end) = read.windows(4).position(|w| w == b"\r\n\r\n") {
                break end + 4;
            }
            self.more(&mut read)?;
        };
        let head = String::from_utf8_lossy(&read[..end]).into_owned();
        let lower = head.to_ascii_lowercase();
        let length: usize = lower
            .split("\r\ncontent-length:")
            .nth(1)
            .and_then(|rest| rest.lines().next())
            .and_then(|n| n.trim().parse().ok())
            .unwrap_or_default();
        while read.len() < end + length {
            self.more(&mut read)?;
        }
        Ok((head, read[end..end + length].to_vec()))
    }

    fn more(&mut self, read: &mut Vec<u8>) -> io::Result<()> {
        let mut chunk = [0; 4096];
        loop {
            match self.0.read(&mut chunk) {
                Ok(0) => {
                    let why = "the server hung up";
                    return Err(io::Error::new(io::ErrorKind::UnexpectedEof, why));
                }
                Ok(n) => {
                    read.extend_from_slice(&chunk[..n]);
                    return Ok(());
                }
                // A child was stopped, or ended: a signal is no answer.
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => return Err(e),
            }
        }
    }
}

/// A checkout that can be sent again, letter for letter but for its nonce.
#[derive(Clone, Debug)]
pub struct Ask {
    /// The checkout's id.
    pub checkout_id: String,
    /// The process's id.
    pub instance: String,
    body: Value,
}

impl Ask {
    /// A new checkout of one seat under a new instance.
    #[must_use]
    pub fn new(product: &str, feature: &str, roots: &[String]) -> Self {
        let (checkout_id, instance) = (hex(), hex());
        let body = json!({
            "checkout_id": checkout_id, "instance": instance, "product": product,
            "items": [{"feature": feature, "version": "1.0", "n": 1}], "roots": roots,
        });
        Ask {
            checkout_id,
            instance,
            body,
        }
    }

    /// The same with a member changed.
    #[must_use]
    pub fn with(mut self, member: &str, value: Value) -> Self {
        self.body[member] = value;
        self
    }

    /// The body of the next attempt, under a new nonce.
    #[must_use]
    pub fn body(&self) -> Value {
        let mut body = self.body.clone();
        body["nonce"] = nonce().into();
        body
    }

    /// Checks out.
    ///
    /// # Errors
    /// The connection broke.
    pub fn checkout(&self, wire: &mut Wire) -> io::Result<Answer> {
        wire.exchange("POST", "/v1/leases", Some(&self.body()))
    }

    /// Renews a holder.
    ///
    /// # Errors
    /// The connection broke.
    pub fn renew(&self, wire: &mut Wire, id: &str) -> io::Result<Answer> {
        let body = json!({"instance": self.instance, "nonce": nonce()});
        wire.exchange("PUT", &format!("/v1/leases/{id}"), Some(&body))
    }

    /// Releases a holder or a checkout.
    ///
    /// # Errors
    /// The connection broke.
    pub fn release(&self, wire: &mut Wire, id: &str) -> io::Result<Answer> {
        wire.exchange(
            "DELETE",
            &format!("/v1/leases/{id}?instance={}", self.instance),
            None,
        )
    }
}

static COUNT: AtomicU64 = AtomicU64::new(1);

/// 32 hex digits that no other call of any test process got.
#[must_use]
pub fn hex() -> String {
    let n = COUNT.fetch_add(1, Ordering::Relaxed);
    let boot = u64::from(std::process::id());
    let mixed = (n ^ boot << 40).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    format!("{boot:08x}{n:08x}{mixed:016x}")
}

/// A nonce of 16 bytes.
#[must_use]
pub fn nonce() -> String {
    format!("{}A", &hex()[11..32])
}
