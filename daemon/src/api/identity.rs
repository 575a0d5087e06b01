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
use tokio::sync::{Semaphore, watch};

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

    /// Whether this uid administers by its number alone, whatever its groups are.
    fn administers_by_uid(&self, uid: u32) -> bool {
        uid == 0
    }
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

/// A look-up under way, for all of its uid that wait for it.
type Answered = watch::Receiver<Option<Result<Account, NameServiceDown>>>;

/// The names of this machine with what they last were. Clones share it.
#[derive(Clone)]
pub(super) struct Register {
    names: Arc<dyn Names>,
    last: Arc<Mutex<BTreeMap<u32, Arc<Known>>>>,
    failing: Seldom,
    asked: Arc<Mutex<BTreeMap<u32, Answered>>>,
    room: Arc<Semaphore>,
    patience: Duration,
}

impl Register {
    pub(super) fn new(names: Arc<dyn Names>, patience: Duration) -> Self {
        Register {
            names,
            last: Arc::default(),
            failing: Seldom::new(),
            asked: Arc::default(),
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

    /// The account now; where the name service fails or is too slow the last name known, without the rights of groups
    /// that nobody can look up: a right is never guessed.
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
                let known = last.get(&uid).map(|known| self.without_groups(uid, known));
                if let Some(unsaid) = self.failing.says(uid) {
                    tracing::warn!(uid, %why, known = known.is_some(), unsaid, "the name service failed; the last known name counts");
                }
                known
            }
        }
    }

    fn without_groups(&self, uid: u32, known: &Arc<Known>) -> Arc<Known> {
        if !known.account.administers || self.names.administers_by_uid(uid) {
            return known.clone();
        }
        Arc::new(Known {
            account: Account {
                administers: false,
                ..known.account.clone()
            },
            login: known.login.clone(),
        })
    }

    /// One look-up of a uid at a time: whoever comes meanwhile waits for the same, so that however many connections one
    /// uid opens, others get their turn.
    async fn look_up(&self, uid: u32) -> Result<Account, NameServiceDown> {
        let mut answered = self.under_way(uid);
        let answer = answered.wait_for(Option::is_some).await;
        let answer = answer.map_err(|why| down(&why))?.clone();
        answer.unwrap_or_else(|| Err(down(&"no answer")))
    }

    fn under_way(&self, uid: u32) -> Answered {
        let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(under_way) = asked.get(&uid) {
            return under_way.clone();
        }
        let (tell, answered) = watch::channel(None);
        asked.insert(uid, answered.clone());
        let register = self.clone();
        // A task of its own: whoever asked first may hang up.
        tokio::spawn(async move {
            let found = register.ask(uid).await;
            let mut asked = register
                .asked
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            asked.remove(&uid);
            drop(asked);
            // Where nobody waits any more nobody is told.
            let _ = tell.send(Some(found));
        });
        answered
    }

    /// Off the runtime's threads: a name service may take its time.
    async fn ask(&self, uid: u32) -> Result<Account, NameServiceDown> {
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

fn down(why: &dyn fmt::Display) -> NameServiceDown {
    NameServiceDown(why.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::mpsc::{Receiver, channel};

    const LONG: Duration = Duration::from_secs(20);

    /// A name service that answers nothing about uid 7 before it is let go.
    struct Hangs {
        asked: AtomicUsize,
        go_on: Mutex<Receiver<()>>,
    }

    impl Names for Hangs {
        fn account(&self, uid: u32) -> Result<Account, NameServiceDown> {
            if uid == 7 {
                self.asked.fetch_add(1, Ordering::SeqCst);
                let go_on = self.go_on.lock().unwrap_or_else(PoisonError::into_inner);
                let _ = go_on.recv_timeout(LONG);
            }
            Ok(Account {
                name: format!("name-of-{uid}"),
                administers: false,
            })
        }
    }

    #[tokio::test]
    async fn s24_look_ups_of_one_uid_leave_room_for_those_of_others() {
        let (go_on, wait) = channel();
        let names = Arc::new(Hangs {
            asked: AtomicUsize::new(0),
            go_on: Mutex::new(wait),
        });
        let register = Register::new(names.clone(), LONG);
        let flood: Vec<_> = (0..4 * LOOK_UPS)
            .map(|_| {
                let register = register.clone();
                tokio::spawn(
                    async move { register.account(7).await.map(|k| k.account.name.clone()) },
                )
            })
            .collect();
        let other = register.account(8).await.expect("an account");
        assert_eq!(other.account.name, "name-of-8");
        drop(go_on);
        for asked in flood {
            assert_eq!(asked.await.expect("no panic").as_deref(), Some("name-of-7"));
        }
        assert_eq!(names.asked.load(Ordering::SeqCst), 1);
    }

    /// A name service that can be unplugged; everyone administers.
    #[derive(Default)]
    struct Unplugged(std::sync::atomic::AtomicBool);

    impl Names for Unplugged {
        fn account(&self, uid: u32) -> Result<Account, NameServiceDown> {
            if self.0.load(Ordering::SeqCst) {
                return Err(NameServiceDown("unplugged".to_owned()));
            }
            Ok(Account {
                name: format!("name-of-{uid}"),
                administers: true,
            })
        }
    }

    #[tokio::test]
    async fn s16_a_name_service_that_fails_leaves_the_name_and_takes_the_rights_of_groups() {
        let names = Arc::new(Unplugged::default());
        let register = Register::new(names.clone(), LONG);
        for down in [false, true, false] {
            names.0.store(down, Ordering::SeqCst);
            for uid in [0, 1000] {
                let known = register.account(uid).await.expect("a known name");
                assert_eq!(known.account.name, format!("name-of-{uid}"));
                assert_eq!(known.account.administers, uid == 0 || !down);
            }
        }
    }
}
