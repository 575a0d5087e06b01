//! Who asks: the uid that the kernel fixed when the connection was made, and the name that this machine gives it (S16).

use super::limits::LOOK_UPS;
use super::refusal::{Answer, Refusal};
use super::seldom::Seldom;
use super::stream::Shared;
use crate::os::peer::{self, PeerProcess};
use seatkeeper::wire::Code;
use seatkeeper_core::desk::{Login, Refused};
use std::collections::BTreeMap;
use std::fmt;
use std::os::fd::AsFd;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;
use tokio::net::UnixStream;
use tokio::sync::Semaphore;

/// The uid that the kernel shows for everyone whom this user namespace does not know.
const OVERFLOW_UID: u32 = 65534;
/// Names that are remembered for a name service that fails.
const REMEMBERED: usize = 65_536;

/// What this machine says about a uid.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Account {
    /// Its name; `uid-N` where it has none.
    pub name: String,
    /// It administers this daemon: uid 0, the daemon's group, and in `dev` whoever started it.
    pub administers: bool,
}

/// The name service could not answer: not the same as having no name.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NameServiceDown(pub String);

impl fmt::Display for NameServiceDown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Where names come from. A look-up may block for as long as the machine's name service does.
pub trait Names: Send + Sync + 'static {
    /// The account behind a uid.
    ///
    /// # Errors
    /// The name service failed.
    fn account(&self, uid: u32) -> Result<Account, NameServiceDown>;
}

/// The other end of a connection, for as long as it is open.
#[derive(Clone)]
pub(crate) struct Peer {
    /// Its uid.
    pub(crate) uid: u32,
    /// The connection, to ask the kernel about the process at its other end.
    pub(super) stream: Shared,
    known: Result<Arc<Known>, Nobody>,
    process: Arc<OnceLock<Option<PeerProcess>>>,
}

/// A uid's account, with the login that was made of it.
struct Known {
    account: Account,
    login: OnceLock<Arc<Login>>,
}

/// Why there is no account.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Nobody {
    Overflow,
    NamesDown,
}

impl Peer {
    /// The process at the other end, asked once per connection; `None` where the kernel has no handle on it (rule 14).
    pub(crate) fn process(&self) -> Option<&PeerProcess> {
        let ask = || {
            let found = peer::process(UnixStream::as_fd((*self.stream).as_ref()));
            found
                .inspect_err(|error| tracing::debug!(uid = self.uid, %error, "only holds count"))
                .ok()
        };
        self.process.get_or_init(ask).as_ref()
    }

    /// The account, or the no that its requests get.
    pub(crate) fn account(&self) -> Answer<&Account> {
        Ok(&self.known()?.account)
    }

    /// The login, made of the account's name where it was not yet.
    pub(crate) fn login(
        &self,
        make: impl FnOnce(&str) -> Result<Arc<Login>, Refused>,
    ) -> Answer<Arc<Login>> {
        let known = self.known()?;
        match known.login.get() {
            Some(login) => Ok(login.clone()),
            None => {
                let made = make(&known.account.name)?;
                Ok(known.login.get_or_init(|| made).clone())
            }
        }
    }

    fn known(&self) -> Answer<&Arc<Known>> {
        self.known.as_ref().map_err(|nobody| match nobody {
            Nobody::Overflow => Refusal::new(
                Code::Unauthenticated,
                format!(
                    "the kernel shows your uid as {OVERFLOW_UID}, which is everyone and nobody"
                ),
            ),
            Nobody::NamesDown => Refusal::new(
                Code::NameServiceDown,
                format!(
                    "this machine's name service does not say who uid {} is",
                    self.uid
                ),
            )
            .after(5),
        })
    }
}

/// The names of this machine with what they last were. Clones share it.
#[derive(Clone)]
pub(super) struct Register {
    names: Arc<dyn Names>,
    last: Arc<Mutex<BTreeMap<u32, Arc<Known>>>>,
    failing: Seldom,
    room: Arc<Semaphore>,
    patience: Duration,
}

impl Register {
    pub(super) fn new(names: Arc<dyn Names>, patience: Duration) -> Self {
        Register {
            names,
            last: Arc::default(),
            failing: Seldom::new(),
            room: Arc::new(Semaphore::new(LOOK_UPS)),
            patience,
        }
    }

    /// Says who is at the other end; once per connection.
    pub(super) async fn meet(&self, uid: u32, stream: Shared) -> Peer {
        let known = if uid == OVERFLOW_UID {
            Err(Nobody::Overflow)
        } else {
            self.account(uid).await.ok_or(Nobody::NamesDown)
        };
        Peer {
            uid,
            stream,
            known,
            process: Arc::default(),
        }
    }

    /// The account now; the last one known where the name service fails or is too slow.
    async fn account(&self, uid: u32) -> Option<Arc<Known>> {
        let found = match tokio::time::timeout(self.patience, self.look_up(uid)).await {
            Ok(found) => found,
            Err(_) => Err(NameServiceDown("it does not answer".to_owned())),
        };
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        match found {
            Ok(account) => {
                if let Some(known) = last.get(&uid).filter(|known| known.account == account) {
                    return Some(known.clone());
                }
                let known = Arc::new(Known {
                    account,
                    login: OnceLock::new(),
                });
                if last.len() < REMEMBERED || last.contains_key(&uid) {
                    last.insert(uid, known.clone());
                }
                Some(known)
            }
            Err(why) => {
                let known = last.get(&uid).cloned();
                if let Some(unsaid) = self.failing.says(uid) {
                    tracing::warn!(uid, %why, known = known.is_some(), unsaid, "the name service failed; the last known name counts");
                }
                known
            }
        }
    }

    /// Off the runtime's threads: a name service may take its time.
    async fn look_up(&self, uid: u32) -> Result<Account, NameServiceDown> {
        let down = |why: &dyn fmt::Display| NameServiceDown(why.to_string());
        let room = self
            .room
            .clone()
            .acquire_owned()
            .await
            .map_err(|e| down(&e))?;
        let names = self.names.clone();
        let looked = tokio::task::spawn_blocking(move || {
            let _room = room;
            names.account(uid)
        });
        looked.await.map_err(|e| down(&e))?
    }
}
