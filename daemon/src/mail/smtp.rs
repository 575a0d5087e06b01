//! The way to the SMTP server (RFC 5321): one connection for each mail, by lettre, over rustls where TLS is wanted.

use super::book::{Failed, Fault, Stage};
use super::outbox::{Carried, Carrier};
use super::password::password;
use super::render::Letter;
use crate::config::{MailSettings, Tls};
use lettre::transport::smtp::authentication::{Credentials, DEFAULT_MECHANISMS};
use lettre::transport::smtp::client::{AsyncSmtpConnection, TlsParameters};
use lettre::transport::smtp::commands::{Data, Mail, Rcpt};
use lettre::transport::smtp::extension::{
    ClientId, Extension, MailBodyParameter, MailParameter, ServerInfo,
};
use lettre::transport::smtp::{Error, response::Severity};
use std::error::Error as _;
use std::sync::Arc;
use std::time::Duration;

/// For the letter and the answer to it (RFC 5321, 4.5.3.2.6): a server that takes it late has taken it, and who hangs up
/// before would send it twice.
const ANSWER: Duration = Duration::from_secs(600);
/// For the good-bye: the mail is with the server already.
const QUIT: Duration = Duration::from_secs(2);
/// Characters of what a server said that are told on.
const SAID_CHARS: usize = 500;

/// The way.
#[derive(Clone, Debug)]
pub(super) struct Smtp {
    settings: Arc<MailSettings>,
    hello: ClientId,
}

/// What is read from the disk before the call.
struct Prepared {
    tls: Option<TlsParameters>,
    credentials: Option<Credentials>,
}

impl Smtp {
    /// To the server of these settings; the machine says its name there.
    pub(super) fn new(settings: MailSettings, machine: &str) -> Smtp {
        let label = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'.';
        let hello = match machine {
            "" => ClientId::default(),
            name if name.bytes().all(label) => ClientId::Domain(name.to_owned()),
            _ => ClientId::default(),
        };
        Smtp {
            settings: Arc::new(settings),
            hello,
        }
    }

    /// Hands a letter over. Once it is taken nothing that fails afterwards matters: it would be sent twice.
    async fn hand_over(self, letter: Arc<Letter>) -> Result<String, Failed> {
        let patience = Duration::from_secs(self.settings.timeout_s);
        let mut stage = Stage::Call;
        let under_way = self.announce(&letter, &mut stage);
        let done = match tokio::time::timeout(patience, under_way).await {
            Ok(done) => done,
            Err(_) => {
                let why = format!("no answer within {} s", self.settings.timeout_s);
                let fault = unanswered(stage);
                return Err(Failed { stage, fault, why });
            }
        };
        let mut connection = done?;
        let handed = tokio::time::timeout(ANSWER, connection.message(&letter.bytes)).await;
        let answer = handed.map_err(|_| Failed {
            stage,
            fault: Fault::Mail,
            why: format!("no answer within {} s of the letter", ANSWER.as_secs()),
        })?;
        let answer = answer.map_err(|why| failed(stage, &why))?;
        let _ = tokio::time::timeout(QUIT, connection.quit()).await;
        let words: Vec<_> = answer.message().collect();
        let said = format!("{} {}", answer.code(), words.join(" "));
        Ok(plain(said.trim()))
    }

    /// All up to the letter itself.
    async fn announce(
        &self,
        letter: &Letter,
        stage: &mut Stage,
    ) -> Result<AsyncSmtpConnection, Failed> {
        let Prepared { tls, credentials } = self.prepared().await?;
        let (wrapped, asked) = match self.settings.tls {
            Tls::Wrapped => (tls, None),
            Tls::StartTls => (None, tls),
            Tls::None | Tls::Insecure => (None, None),
        };
        let server = (self.settings.server.as_str(), self.settings.port());
        let called =
            AsyncSmtpConnection::connect_tokio1(server, None, &self.hello, wrapped, None).await;
        let mut connection = called.map_err(|why| failed(Stage::Call, &why))?;
        if let Some(tls) = asked {
            *stage = Stage::Tls;
            let protected = connection.starttls(tls, &self.hello).await;
            protected.map_err(|why| failed(Stage::Tls, &why))?;
        }
        if let Some(credentials) = credentials {
            *stage = Stage::SignIn;
            let signed_in = connection.auth(DEFAULT_MECHANISMS, &credentials).await;
            signed_in.map_err(|why| failed(Stage::SignIn, &why))?;
        }
        *stage = Stage::HandOver;
        for line in envelope(letter, connection.server_info())? {
            let answer = connection.command(line).await;
            answer.map_err(|why| failed(Stage::HandOver, &why))?;
        }
        Ok(connection)
    }

    /// Reads certificates and password, on a thread for it; anew each time, so that neither needs a restart.
    async fn prepared(&self) -> Result<Prepared, Failed> {
        let settings = self.settings.clone();
        let read = tokio::task::spawn_blocking(move || prepare(&settings)).await;
        read.unwrap_or_else(|why| {
            Err(Failed {
                stage: Stage::Call,
                fault: Fault::Server,
                why: format!("the daemon is stopping: {why}"),
            })
        })
    }
}

/// What is said before a letter, as lettre's own `send` says it: that has one patience for all.
fn envelope(letter: &Letter, server: &ServerInfo) -> Result<Vec<String>, Failed> {
    let envelope = &letter.envelope;
    let addresses = envelope.from().into_iter().chain(envelope.to());
    let needs = |extension, missing: &str| match server.supports_feature(extension) {
        true => Ok(()),
        false => Err(Failed {
            stage: Stage::HandOver,
            fault: Fault::Refused,
            why: format!("the server takes no {missing}"),
        }),
    };
    let mut parameters = Vec::new();
    let ascii = |address: &lettre::Address| AsRef::<str>::as_ref(address).is_ascii();
    if !addresses.into_iter().all(ascii) {
        needs(Extension::SmtpUtfEight, "address beyond ASCII (SMTPUTF8)")?;
        parameters.push(MailParameter::SmtpUtfEight);
    }
    if !letter.bytes.is_ascii() {
        needs(Extension::EightBitMime, "letter beyond ASCII (8BITMIME)")?;
        parameters.push(MailParameter::Body(MailBodyParameter::EightBitMime));
    }
    let from = Mail::new(envelope.from().cloned(), parameters).to_string();
    let to = envelope.to().iter();
    let to = to.map(|to| Rcpt::new(to.clone(), Vec::new()).to_string());
    let lines = std::iter::once(from).chain(to);
    Ok(lines.chain([Data.to_string()]).collect())
}

impl Carrier for Smtp {
    fn carry(&self, letter: Arc<Letter>) -> Carried {
        Box::pin(self.clone().hand_over(letter))
    }
}

fn prepare(settings: &MailSettings) -> Result<Prepared, Failed> {
    let tls = match settings.tls {
        Tls::None | Tls::Insecure => None,
        Tls::StartTls | Tls::Wrapped => Some(
            TlsParameters::new(settings.server.clone()).map_err(|why| failed(Stage::Tls, &why))?,
        ),
    };
    let secret = password(settings).map_err(|why| Failed {
        stage: Stage::Password,
        fault: Fault::Server,
        why: why.text,
    })?;
    let credentials =
        secret.map(|secret| Credentials::new(settings.user.clone(), secret.to_string()));
    Ok(Prepared { tls, credentials })
}

/// Whose fault silence is: a mail on which a server hangs must not stand before all others.
fn unanswered(stage: Stage) -> Fault {
    match stage {
        Stage::HandOver => Fault::Mail,
        _ => Fault::Server,
    }
}

/// What a failure is: before the mail was spoken of it is nobody's mail's.
fn failed(stage: Stage, why: &Error) -> Failed {
    let stage = if why.is_tls() || speaks_no_tls(why) {
        Stage::Tls
    } else {
        stage
    };
    let severity = why.status().map(|code| code.severity);
    let fault = match (stage, severity) {
        (Stage::HandOver, Some(Severity::PermanentNegativeCompletion)) => Fault::Refused,
        // 421: it closes.
        (Stage::HandOver, Some(_))
            if why.status().is_some_and(|code| code.to_string() == "421") =>
        {
            Fault::Server
        }
        (Stage::HandOver, Some(_)) => Fault::Mail,
        (stage, _) => unanswered(stage),
    };
    Failed {
        stage,
        fault,
        why: plain(&why.to_string()),
    }
}

/// A handshake that failed: where TLS begins at once lettre counts it to the call.
fn speaks_no_tls(why: &Error) -> bool {
    let mut source = why.source();
    while let Some(cause) = source {
        let io = cause.downcast_ref::<std::io::Error>();
        if io.is_some_and(|io| io.kind() == std::io::ErrorKind::InvalidData) {
            return true;
        }
        source = cause.source();
    }
    false
}

/// What a server said, on one line and of a bounded length.
fn plain(text: &str) -> String {
    let one_line = text.chars().map(|c| if c.is_control() { ' ' } else { c });
    one_line.take(SAID_CHARS).collect()
}
