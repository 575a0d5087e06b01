//! An SMTP server of a test: speaks as much of RFC 5321 as a client that hands one mail over needs, keeps what it took,
//! and refuses, hangs or hangs up where a test says so.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How long a test waits for a mail before it fails; not a measure of anything.
const PATIENCE: Duration = Duration::from_secs(60);

/// What it does with whoever calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manner {
    /// Takes every mail.
    Takes,
    /// Says this instead of yes to every recipient: `550 5.1.1 no such user`.
    Says(&'static str),
    /// Takes every mail, and says so after this many seconds, where the client is there still.
    TakesLate(u64),
    /// Says nothing, not even a greeting.
    Hangs,
    /// Closes every connection at once.
    HangsUp,
}

/// How the way to it is protected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// Not at all.
    Plain,
    /// TLS where the client asks for it; without it no mail is taken.
    StartTls,
    /// TLS from the first byte.
    Tls,
}

/// A mail that was taken.
#[derive(Clone, Debug)]
pub struct Taken {
    /// The sender of the envelope.
    pub from: String,
    /// The recipients of the envelope.
    pub to: Vec<String>,
    /// Headers and body, dots unstuffed.
    pub text: String,
    /// It came over TLS.
    pub tls: bool,
    /// Who had signed in.
    pub user: Option<String>,
}

/// The server; its threads end with the test.
pub struct SmtpServer {
    port: u16,
    shared: Arc<Shared>,
    certificate: String,
}

struct Shared {
    state: Mutex<State>,
    news: Condvar,
    way: Way,
    tls: Arc<ServerConfig>,
    /// Who may sign in, and by which password; nobody has to where there is none.
    account: Option<(String, String)>,
}

struct State {
    manner: Manner,
    calls: usize,
    taken: Vec<Taken>,
}

/// Both kinds of connection.
trait Line: Read + Write {}
impl<T: Read + Write> Line for T {}

impl SmtpServer {
    /// Listens on a port of this machine that the kernel chose.
    ///
    /// # Panics
    /// Where it cannot.
    #[must_use]
    pub fn start(way: Way, account: Option<(&str, &str)>) -> SmtpServer {
        let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()])
            .expect("a certificate");
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(made.signing_key.serialize_der()));
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let tls = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("ring has them")
            .with_no_client_auth()
            .with_single_cert(vec![made.cert.der().clone()], key)
            .expect("the key is the certificate's");
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port");
        let port = listener.local_addr().expect("bound").port();
        let shared = Arc::new(Shared {
            state: Mutex::new(State {
                manner: Manner::Takes,
                calls: 0,
                taken: Vec::new(),
            }),
            news: Condvar::new(),
            way,
            tls: Arc::new(tls),
            account: account.map(|(user, password)| (user.to_owned(), password.to_owned())),
        });
        let served = shared.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let served = served.clone();
                // A client that goes away is no failure of the server.
                std::thread::spawn(move || served.serve(stream).ok());
            }
        });
        SmtpServer {
            port,
            shared,
            certificate: made.cert.pem(),
        }
    }

    /// Its port.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Its certificate (PEM), for `localhost`, signed by itself.
    #[must_use]
    pub fn certificate(&self) -> &str {
        &self.certificate
    }

    /// From now on it does so.
    pub fn becomes(&self, manner: Manner) {
        self.shared.lock().manner = manner;
    }

    /// How many have called.
    #[must_use]
    pub fn calls(&self) -> usize {
        self.shared.lock().calls
    }

    /// Waits until so many mails were taken.
    ///
    /// # Panics
    /// Where they do not come.
    #[must_use]
    pub fn taken(&self, count: usize) -> Vec<Taken> {
        let state = self.shared.lock();
        let waited = self
            .shared
            .news
            .wait_timeout_while(state, PATIENCE, |state| state.taken.len() < count);
        let (state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        assert!(
            state.taken.len() >= count,
            "{count} mails do not come, after {} calls: {:?}",
            state.calls,
            state.taken
        );
        state.taken.clone()
    }
}

impl Taken {
    /// The value of a header, where it stands on one line.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let head = self.text.split("\r\n\r\n").next()?;
        let mut lines = head.lines().filter_map(|line| line.split_once(": "));
        lines
            .find(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value)
    }

    /// The bytes of the file that came with it, and its name.
    ///
    /// # Panics
    /// Where none came, or not in base64.
    #[must_use]
    pub fn attachment(&self) -> (String, Vec<u8>) {
        let (_, part) = self
            .text
            .split_once("Content-Disposition: attachment; filename=\"")
            .unwrap_or_else(|| panic!("a file comes with it: {}", self.text));
        let (name, _) = part.split_once('"').expect("a name ends");
        let (_, body) = part.split_once("\r\n\r\n").expect("a part has a body");
        let body: String = body
            .split("\r\n--")
            .next()
            .unwrap_or_default()
            .split_whitespace()
            .collect();
        (name.to_owned(), STANDARD.decode(body).expect("base64"))
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn serve(&self, mut stream: TcpStream) -> std::io::Result<()> {
        let manner = {
            let mut state = self.lock();
            state.calls += 1;
            state.manner
        };
        match manner {
            Manner::HangsUp => return Ok(()),
            Manner::Hangs => {
                // Until the client has enough of it.
                let mut all = Vec::new();
                return stream.read_to_end(&mut all).map(drop);
            }
            Manner::TakesLate(s) => stream.set_read_timeout(Some(Duration::from_secs(s)))?,
            Manner::Takes | Manner::Says(_) => {}
        }
        if self.way == Way::Tls {
            let stream = self.protected(stream)?;
            let mut session = BufReader::new(stream);
            session.get_mut().write_all(GREETING)?;
            return self.talk(&mut session, manner, true).map(drop);
        }
        stream.write_all(GREETING)?;
        let mut session = BufReader::new(stream);
        if self.talk(&mut session, manner, false)? {
            let mut session = BufReader::new(self.protected(session.into_inner())?);
            self.talk(&mut session, manner, true)?;
        }
        Ok(())
    }

    fn protected(
        &self,
        stream: TcpStream,
    ) -> std::io::Result<StreamOwned<ServerConnection, TcpStream>> {
        let connection = ServerConnection::new(self.tls.clone()).map_err(std::io::Error::other)?;
        Ok(StreamOwned::new(connection, stream))
    }

    /// The talk; true where the client asks for TLS now.
    fn talk<S: Line>(
        &self,
        session: &mut BufReader<S>,
        manner: Manner,
        tls: bool,
    ) -> std::io::Result<bool> {
        let mut mail = Taken {
            from: String::new(),
            to: Vec::new(),
            text: String::new(),
            tls,
            user: None,
        };
        loop {
            let mut line = String::new();
            if session.read_line(&mut line)? == 0 {
                return Ok(false);
            }
            let line = line.trim_end();
            let upper = line.to_ascii_uppercase();
            let may_mail =
                (tls || self.way == Way::Plain) && (self.account.is_none() || mail.user.is_some());
            let answer = match upper.split([' ', ':']).next().unwrap_or_default() {
                "EHLO" => self.features(tls),
                "STARTTLS" if self.way == Way::StartTls && !tls => {
                    session.get_mut().write_all(b"220 go on\r\n")?;
                    return Ok(true);
                }
                "AUTH" => self.signed_in(line, &mut mail),
                "MAIL" if may_mail => {
                    mail.from = address(line);
                    "250 ok".to_owned()
                }
                "MAIL" => "530 5.7.0 sign in over TLS first".to_owned(),
                "RCPT" => match manner {
                    Manner::Says(words) => words.to_owned(),
                    _ => {
                        mail.to.push(address(line));
                        "250 ok".to_owned()
                    }
                },
                "DATA" if mail.to.is_empty() => "503 5.5.1 to whom?".to_owned(),
                "DATA" => {
                    session.get_mut().write_all(b"354 go on\r\n")?;
                    mail.text = data(session)?;
                    // Whoever waits says nothing meanwhile, and does not hang up.
                    let late = matches!(manner, Manner::TakesLate(_));
                    if late && session.read(&mut [0]).is_ok() {
                        return Ok(false);
                    }
                    self.lock().taken.push(mail.clone());
                    self.news.notify_all();
                    "250 2.0.0 taken as T1".to_owned()
                }
                "QUIT" => {
                    session.get_mut().write_all(b"221 bye\r\n")?;
                    return Ok(false);
                }
                _ => "502 5.5.2 not here".to_owned(),
            };
            session
                .get_mut()
                .write_all(format!("{answer}\r\n").as_bytes())?;
        }
    }

    fn features(&self, tls: bool) -> String {
        let mut lines = vec!["localhost".to_owned(), "8BITMIME".to_owned()];
        if self.way == Way::StartTls && !tls {
            lines.push("STARTTLS".to_owned());
        }
        if self.account.is_some() {
            lines.push("AUTH PLAIN".to_owned());
        }
        let last = lines.pop().expect("two at least");
        let more: String = lines.iter().map(|line| format!("250-{line}\r\n")).collect();
        format!("{more}250 {last}")
    }

    /// `AUTH PLAIN` with its initial response (RFC 4616).
    fn signed_in(&self, line: &str, mail: &mut Taken) -> String {
        let word = line.split(' ').nth(2).unwrap_or_default();
        let said = STANDARD.decode(word).unwrap_or_default();
        let said = String::from_utf8_lossy(&said).into_owned();
        let mut parts = said.split('\0').skip(1);
        let pair = (parts.next().unwrap_or_default(), parts.next());
        let known = self.account.as_ref();
        if known.is_some_and(|(user, word)| pair == (user, Some(word.as_str()))) {
            mail.user = Some(pair.0.to_owned());
            "235 2.7.0 welcome".to_owned()
        } else {
            "535 5.7.8 not that password".to_owned()
        }
    }
}

const GREETING: &[u8] = b"220 localhost ready\r\n";

/// What stands between the angles.
fn address(line: &str) -> String {
    let inner = line
        .split_once('<')
        .and_then(|(_, rest)| rest.split_once('>'));
    inner.map_or_else(String::new, |(address, _)| address.to_owned())
}

/// Lines until the one dot.
fn data(session: &mut impl BufRead) -> std::io::Result<String> {
    let mut text = String::new();
    loop {
        let mut line = String::new();
        if session.read_line(&mut line)? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        if line == ".\r\n" {
            return Ok(text);
        }
        text.push_str(line.strip_prefix('.').unwrap_or(&line));
    }
}
