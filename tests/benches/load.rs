//! The load generator, one for all servers: so many connections of several uids, each asking as fast as it is answered.

use crate::clock::Stopwatch;
use rustix::process::Uid;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;

/// What the connections do.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Work {
    /// A checkout and its release, over and over.
    Pairs,
    /// One checkout, then renewals, then a release.
    Renewals,
}

/// What came of it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Outcome {
    /// Pairs or renewals per second.
    pub(crate) per_s: f64,
    /// Microseconds of one exchange: median and 99th percentile.
    pub(crate) p50_us: u64,
    pub(crate) p99_us: u64,
    /// Exchanges that were not answered as hoped.
    pub(crate) errors: u64,
}

/// The uids that connect: names of nobody, which the daemon calls `uid-N`.
pub(crate) const UIDS: [u32; 6] = [20001, 20002, 20003, 20004, 20005, 20006];

/// So many users ask at the same time while a site fills.
const AT_ONCE: u32 = 250;

/// Loads a server for so long.
pub(crate) fn run(
    socket: &Path,
    connections: usize,
    work: Work,
    time: Duration,
) -> std::io::Result<Outcome> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let mut tasks = Vec::new();
        let mut clients = Vec::new();
        for n in 0..connections {
            clients.push(Client::connect(socket, UIDS[n % UIDS.len()], n as u64 + 1)?);
        }
        let clock = Stopwatch::start();
        for client in clients {
            tasks.push(tokio::spawn(client.work(work, clock, time)));
        }
        let mut latencies = Vec::new();
        let mut errors = 0;
        for task in tasks {
            match task.await.map_err(std::io::Error::other)? {
                Ok(mut each) => latencies.append(&mut each),
                Err(error) => {
                    errors += 1;
                    if errors == 1 {
                        eprintln!("    {error}");
                    }
                }
            }
        }
        let seconds = clock.elapsed().as_secs_f64();
        Ok(outcome(latencies, errors, seconds, work))
    })
}

/// So many users take and keep so many seats in turn; each connects, asks and hangs up.
pub(crate) fn fill(socket: &Path, users: u32, seats: u32) -> tokio::runtime::Runtime {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        for from in (0..seats).step_by(AT_ONCE as usize) {
            let mut tasks = Vec::new();
            for n in from..seats.min(from + AT_ONCE) {
                let uid = 100_000 + n % users;
                let mut client = Client::connect(socket, uid, u64::from(n) + 1_000_000)
                    .expect("the daemon listens");
                tasks.push(tokio::spawn(
                    async move { client.checkout().await.map(|_| ()) },
                ));
            }
            for task in tasks {
                task.await.expect("a task ends").expect("a seat");
            }
        }
    });
    runtime
}

fn outcome(mut latencies: Vec<u32>, errors: u64, seconds: f64, work: Work) -> Outcome {
    latencies.sort_unstable();
    let at = |percent: usize| {
        let n = latencies.len() * percent / 100;
        latencies
            .get(n)
            .or(latencies.last())
            .copied()
            .unwrap_or_default()
            .into()
    };
    let exchanges = latencies.len() as f64;
    let done = if work == Work::Pairs {
        exchanges / 2.0
    } else {
        exchanges
    };
    Outcome {
        per_s: done / seconds,
        p50_us: at(50),
        p99_us: at(99),
        errors,
    }
}

/// One connection.
pub(crate) struct Client {
    stream: UnixStream,
    buffer: Vec<u8>,
    random: u64,
    instance: String,
    /// The lease of its newest checkout, which its renewals show.
    seen: String,
}

impl Client {
    /// Connects as a uid: the kernel notes the thread's effective uid at connect. Only root can.
    pub(crate) fn connect(socket: &Path, uid: u32, seed: u64) -> std::io::Result<Self> {
        let stream = as_uid(uid, || std::os::unix::net::UnixStream::connect(socket))?;
        stream.set_nonblocking(true)?;
        let mut client = Client {
            stream: UnixStream::from_std(stream)?,
            buffer: Vec::with_capacity(16 << 10),
            random: fresh(seed),
            instance: String::new(),
            seen: String::new(),
        };
        client.instance = client.hex();
        Ok(client)
    }

    async fn work(
        mut self,
        work: Work,
        clock: Stopwatch,
        time: Duration,
    ) -> std::io::Result<Vec<u32>> {
        let mut latencies = Vec::with_capacity(1 << 16);
        if work == Work::Renewals {
            let id = self.checkout().await?;
            while clock.elapsed() < time {
                let start = Stopwatch::start();
                self.renew(&id).await?;
                latencies.push(micros(start));
            }
            self.release(&id).await?;
            return Ok(latencies);
        }
        while clock.elapsed() < time {
            let start = Stopwatch::start();
            let id = self.checkout().await?;
            latencies.push(micros(start));
            let start = Stopwatch::start();
            self.release(&id).await?;
            latencies.push(micros(start));
        }
        Ok(latencies)
    }

    /// Takes a seat; returns its id.
    pub(crate) async fn checkout(&mut self) -> std::io::Result<String> {
        self.checkout_reply().await.map(|(id, _)| id)
    }

    /// Takes a seat; returns its id and the whole reply.
    pub(crate) async fn checkout_reply(&mut self) -> std::io::Result<(String, &str)> {
        // 22 letters of base64url are 16 bytes; hex digits are base64url letters.
        let (checkout_id, nonce) = (self.hex(), format!("{}A", &self.hex()[..21]));
        let body = format!(
            r#"{{"checkout_id":"{checkout_id}","instance":"{}","nonce":"{nonce}","product":"bench","items":[{{"feature":"seat","version":"1","n":1}}],"roots":["{}"]}}"#,
            self.instance,
            crate::site::root_thumbprint()
        );
        let (status, reply) = self.exchange("POST", "/v1/leases", &body).await?;
        if status != 201 {
            return Err(std::io::Error::other(format!(
                "checkout: {status} {}",
                String::from_utf8_lossy(reply)
            )));
        }
        let length = reply.len();
        // The reply is the end of the buffer.
        let reply = &self.buffer[self.buffer.len() - length..];
        let text = std::str::from_utf8(reply).map_err(std::io::Error::other)?;
        self.seen.clear();
        self.seen.push_str(lease_of(text));
        text.split(r#""id":""#)
            .nth(1)
            .and_then(|rest| rest.split('"').next())
            .map(|id| (id.to_owned(), text))
            .ok_or_else(|| std::io::Error::other("a reply without id"))
    }

    /// Keeps a seat; returns the length of the reply.
    pub(crate) async fn renew(&mut self, id: &str) -> std::io::Result<usize> {
        let nonce = format!("{}A", &self.hex()[..21]);
        let body = format!(
            r#"{{"instance":"{}","nonce":"{nonce}","seen":"{}"}}"#,
            self.instance, self.seen
        );
        let (status, reply) = self
            .exchange("PUT", &format!("/v1/leases/{id}"), &body)
            .await?;
        if status / 100 == 2 {
            Ok(reply.len())
        } else {
            Err(std::io::Error::other(format!(
                "renewal: {status} {}",
                String::from_utf8_lossy(reply)
            )))
        }
    }

    /// Gives a seat back.
    pub(crate) async fn release(&mut self, id: &str) -> std::io::Result<()> {
        let path = format!("/v1/leases/{id}?instance={}", self.instance);
        let (status, reply) = self.exchange("DELETE", &path, "").await?;
        if status / 100 == 2 {
            Ok(())
        } else {
            Err(std::io::Error::other(format!(
                "release: {status} {}",
                String::from_utf8_lossy(reply)
            )))
        }
    }

    /// One request on the kept connection; no more HTTP than both servers speak.
    pub(crate) async fn exchange(
        &mut self,
        method: &str,
        path: &str,
        body: &str,
    ) -> std::io::Result<(u16, &[u8])> {
        let request = format!(
            "{method} {path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        self.stream.write_all(request.as_bytes()).await?;
        self.buffer.clear();
        let head = loop {
            if self.stream.read_buf(&mut self.buffer).await? == 0 {
                return Err(std::io::Error::other("the server hung up"));
            }
            if let Some(end) = self.buffer.windows(4).position(|w| w == b"\r\n\r\n") {
                break end + 4;
            }
        };
        let text = std::str::from_utf8(&self.buffer[..head])
            .map_err(std::io::Error::other)?
            .to_ascii_lowercase();
        let status = text
            .get(9..12)
            .and_then(|s| s.parse().ok())
            .unwrap_or_default();
        let length: usize = text
            .split("content-length:")
            .nth(1)
            .and_then(|rest| rest.split('\r').next())
            .and_then(|n| n.trim().parse().ok())
            .unwrap_or_default();
        while self.buffer.len() < head + length {
            if self.stream.read_buf(&mut self.buffer).await? == 0 {
                return Err(std::io::Error::other("the server hung up in a body"));
            }
        }
        Ok((status, &self.buffer[head..head + length]))
    }

    /// 32 hex digits; unique is enough, nobody guesses here.
    fn hex(&mut self) -> String {
        let mut next = || {
            self.random ^= self.random << 13;
            self.random ^= self.random >> 7;
            self.random ^= self.random << 17;
            self.random
        };
        format!("{:016x}{:016x}", next(), next())
    }
}

/// The lease in a reply.
pub(crate) fn lease_of(reply: &str) -> &str {
    let after = reply.split(r#""lease":""#).nth(1);
    after
        .and_then(|rest| rest.split('"').next())
        .unwrap_or_default()
}

/// A start of the random numbers that no other connection of this process had: ids must not come twice.
fn fresh(seed: u64) -> u64 {
    static CONNECTIONS: AtomicU64 = AtomicU64::new(1);
    let count = CONNECTIONS.fetch_add(1, Ordering::Relaxed);
    (seed ^ count << 32 ^ u64::from(std::process::id()) << 20).wrapping_mul(0x9E37_79B9_7F4A_7C15)
        | 1
}

fn micros(start: Stopwatch) -> u32 {
    u32::try_from(start.elapsed().as_micros()).unwrap_or(u32::MAX)
}

/// Runs something with this thread's effective uid set.
pub(crate) fn as_uid<T>(uid: u32, what: impl FnOnce() -> std::io::Result<T>) -> std::io::Result<T> {
    let root = Uid::ROOT;
    rustix::thread::set_thread_res_uid(root, Uid::from_raw(uid), root)?;
    let result = what();
    rustix::thread::set_thread_res_uid(root, root, root)?;
    result
}
