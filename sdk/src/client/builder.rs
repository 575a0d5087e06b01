//! What a client is built from: the product, and the vendor roots that are compiled into the application.

use super::Client;
use super::error::{Error, Misused};
use super::event::Event;
use super::life::{Lives, OnEvent, Setup};
use super::transport::Transport;
use crate::clock::{BootClock, Clock};
use crate::token::keys::PublicKey;
use std::path::PathBuf;
use std::sync::Arc;

/// The root of `seatkeeperd dev`: its private key is published, so that it protects nothing.
#[cfg(feature = "testing")]
pub const DEV_ROOT: &str = include_str!("dev_root.pem");

/// Builds a client; nothing is sent or read.
#[must_use]
pub struct Builder {
    product: String,
    roots: Vec<String>,
    socket: Option<PathBuf>,
    transport: Option<Arc<dyn Transport>>,
    clock: Arc<dyn Clock>,
    on_event: Option<OnEvent>,
}

/// Longest name of a product, in bytes.
const MAX_NAME: usize = 128;

impl Builder {
    pub(super) fn new(product: &str) -> Builder {
        Builder {
            product: product.to_owned(),
            roots: Vec::new(),
            socket: None,
            transport: None,
            clock: Arc::new(BootClock),
            on_event: None,
        }
    }

    /// The vendor's root keys, the present and the next: PEM (`-----BEGIN PUBLIC KEY-----`) or base64url of the 32
    /// bytes. They belong in the source of the application: no file, argument or variable may name one (S5).
    pub fn vendor_roots(mut self, roots: &[&str]) -> Builder {
        self.roots
            .extend(roots.iter().map(|root| (*root).to_owned()));
        self
    }

    /// The daemon's socket, where it is not at one of the usual places.
    pub fn socket(mut self, path: impl Into<PathBuf>) -> Builder {
        self.socket = Some(path.into());
        self
    }

    /// Calls this on every event, on the client's own thread: be brief, and hand over to the application's.
    pub fn on_event(mut self, listener: impl Fn(&Event) + Send + Sync + 'static) -> Builder {
        self.on_event = Some(Box::new(listener));
        self
    }

    /// Takes licenses of `seatkeeperd dev`, too. Never in what is shipped: anybody can sign such a license.
    #[cfg(feature = "testing")]
    pub fn dev_root(self) -> Builder {
        self.vendor_roots(&[DEV_ROOT])
    }

    /// Reaches the daemon by something else than a socket.
    #[cfg(feature = "testing")]
    pub fn transport(mut self, transport: Arc<dyn Transport>) -> Builder {
        self.transport = Some(transport);
        self
    }

    /// Takes time from elsewhere.
    #[cfg(feature = "testing")]
    pub fn clock(mut self, clock: impl Clock) -> Builder {
        self.clock = Arc::new(clock);
        self
    }

    /// The client. It does no I/O: a daemon that is not there is told by the first checkout.
    ///
    /// # Errors
    /// `Misused`: no root, one that is no strong Ed25519 key, or a product without a name.
    pub fn build(self) -> Result<Client, Error> {
        if self.product.is_empty() || self.product.len() > MAX_NAME {
            return Err(
                Misused::new("the product has no name, or one of more than 128 bytes").into(),
            );
        }
        let roots = parse(&self.roots)?;
        let setup = Setup {
            product: self.product.into(),
            thumbprints: roots.iter().map(PublicKey::thumbprint).collect(),
            roots,
            socket: self.socket,
            transport: self.transport,
            clock: self.clock,
            on_event: self.on_event,
        };
        Ok(Client {
            setup: Arc::new(setup),
            lives: Arc::new(Lives::default()),
        })
    }
}

fn parse(texts: &[String]) -> Result<Vec<PublicKey>, Error> {
    let mut roots = Vec::new();
    for text in texts {
        let keys = if text.contains("-----BEGIN") {
            PublicKey::all_from_pem(text)
        } else {
            PublicKey::from_x(text.trim()).map(|key| vec![key])
        };
        roots.extend(keys.map_err(|e| Misused::new(format!("a vendor root is refused: {e}")))?);
    }
    if roots.is_empty() {
        return Err(Misused::new("a client needs at least one vendor root").into());
    }
    Ok(roots)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROOT: &str = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";

    #[test]
    fn s5_a_client_without_a_root_is_refused() {
        let Err(error) = Client::builder("cad").build() else {
            panic!("no root was accepted")
        };
        assert_eq!(error.code(), "misused");
        assert!(Client::builder("cad").vendor_roots(&[ROOT]).build().is_ok());
    }

    #[test]
    fn s3_a_weak_root_is_refused() {
        let identity = "AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
        assert!(
            Client::builder("cad")
                .vendor_roots(&[identity])
                .build()
                .is_err()
        );
        assert!(
            Client::builder("cad")
                .vendor_roots(&[ROOT, "no key"])
                .build()
                .is_err()
        );
    }
}
