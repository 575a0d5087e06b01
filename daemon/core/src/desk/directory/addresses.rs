//! Mail addresses and their domains: in one form, in which two are the same or are not (D7, D8).

use super::name_key;
use crate::authorize::Caller;
use crate::desk::Desk;
use crate::desk::parse::bad;
use crate::keeper::Answer;
use crate::keys::Salt;
use crate::login::{hash, unseen};
use crate::problem::Refused;
use crate::side::Kind;
use seatkeeper::wire::Code;
use seatkeeper_engine::command::Arrange;
use seatkeeper_engine::ids::{LoginHash, NameHash, UserId};
use seatkeeper_engine::state::MailAddress;
use seatkeeper_engine::{Command, State, Verdict};
use std::sync::PoisonError;
use unicode_normalization::UnicodeNormalization;

/// Bytes of an address: what a mail can carry (RFC 5321, 4.5.3.1.3).
const ADDRESS_BYTES: usize = 254;
/// Bytes of a domain, and of one of its labels (RFC 1035, 2.3.4).
const DOMAIN_BYTES: usize = 253;
const LABEL_BYTES: usize = 63;

/// A mail address, in small letters.
#[derive(Debug)]
pub(in crate::desk) struct Address {
    pub(in crate::desk) text: String,
    domain: String,
}

impl Address {
    /// Takes an address apart at its last `@`.
    pub(super) fn of(member: &str, text: &str) -> Result<Address, Refused> {
        if text.len() > ADDRESS_BYTES {
            return Err(bad(
                member,
                format_args!("has more than {ADDRESS_BYTES} bytes"),
            ));
        }
        let (local, of) = text.rsplit_once('@').unwrap_or(("", text));
        let odd = |c: char| c.is_control() || c.is_whitespace() || "@/\"\\,;<>()[]:".contains(c);
        if local.is_empty() || local.chars().any(odd) {
            return Err(bad(member, "is no mail address such as ana@example.com"));
        }
        if local.chars().any(unseen) {
            let why = "has a character that is not seen or turns the direction of writing";
            return Err(bad(member, why));
        }
        let local = local.nfc().collect::<String>().to_lowercase();
        let domain = domain(member, of)?;
        let text = format!("{local}@{domain}");
        Ok(Address { text, domain })
    }

    /// As the engine knows it.
    pub(in crate::desk) fn hashed(&self, salt: &Salt) -> MailAddress {
        MailAddress {
            hash: address_hash(salt, &self.text),
            domain: domain_hash(salt, &self.domain),
        }
    }
}

impl Desk {
    /// Gives somebody another mail address, or none, by the word of who may change them.
    pub(in crate::desk) fn readdress(
        &self,
        caller: &Caller,
        (user, if_match): (UserId, Option<u64>),
        text: Option<&str>,
    ) -> Result<Answer, Refused> {
        let address = text.map(|text| self.own_address(text)).transpose()?;
        let answer = self.moves(caller, user, address.as_ref(), |was, address| {
            Command::Arrange(Arrange::ChangeAddress {
                user,
                was,
                address,
                if_match,
            })
        })?;
        match &answer.verdict {
            Verdict::Denied(denial) => {
                let what = format!("address {}", text.unwrap_or("none"));
                let mut refused = self.stands_against(caller, &what, denial, &answer.snapshot);
                if refused.code == Code::NameTaken {
                    // Whose it is is not said.
                    refused.hint = "give an address that is nobody else's here".to_owned();
                }
                Err(refused)
            }
            _ => Ok(answer),
        }
    }

    /// Has it judged that somebody has another mail address. Its text is durable before it counts, and the old one's goes
    /// after. Whose login is their address, such as a license's contact, is called by the new one from then on.
    pub(in crate::desk) fn moves(
        &self,
        caller: &Caller,
        user: UserId,
        address: Option<&Address>,
        change: impl FnOnce(Option<LoginHash>, Option<MailAddress>) -> Command,
    ) -> Result<Answer, Refused> {
        self.has_room(caller, "an address")?;
        let hashed = address.map(|of| of.hashed(self.keys.salt()));
        let _one = self.naming.lock().unwrap_or_else(PoisonError::into_inner);
        let before = self.keeper.recorded();
        let was = self.address_login(&before.state, user);
        let key = hashed.map(|of| address_key(user, of.hash));
        let is_new = hashed.map(|of| of.hash) != was;
        if let (Some(key), Some(address), true) = (key, address, is_new) {
            let kept = self.side.put_name(Kind::User, key, &address.text);
            kept.map_err(|e| self.broken(caller, &e))?;
        }
        let answer = self.asked(caller, change(was, hashed))?;
        if let Verdict::Denied(_) = &answer.verdict {
            let known = answer.snapshot.state.users.get(&user);
            let told = known.and_then(|known| known.claimed);
            if let Some(key) = key.filter(|_| is_new && told != hashed.map(|of| of.hash)) {
                self.erase_name(Kind::User, key);
            }
            return Ok(answer);
        }
        self.erase_claims(&before.state, &answer.snapshot.state);
        if let Some(was) = was.filter(|_| is_new) {
            self.erase_name(Kind::User, address_key(user, was));
            let known = answer.snapshot.state.users.get(&user);
            let is_login = known.is_some_and(|known| known.logins.len() == 1);
            if let (Some(key), Some(address), true) = (key, address, is_login) {
                let called = self.side.put_name(Kind::User, user.0, &address.text);
                called.map_err(|e| self.broken(caller, &e))?;
                self.erase_name(Kind::User, key);
            }
        }
        Ok(answer)
    }

    /// The mail address of a user whose login is none; whose it is known to be is another question.
    pub(in crate::desk) fn address_of(&self, state: &State, user: UserId) -> Option<String> {
        let known = state.users.get(&user)?;
        let several = known.logins.len() > 1;
        let logins = known.logins.iter().filter(|_| several);
        let mut keys = logins
            .chain(known.claimed.iter())
            .map(|login| address_key(user, *login));
        keys.find_map(|key| self.side.name(Kind::User, key).ok()?)
    }

    /// How the address that is told of a user is known to be theirs: `proved` by a code that was mailed there, `given` by an
    /// administrator, or `not_proved`.
    pub(in crate::desk) fn address_is(&self, state: &State, user: UserId) -> Option<String> {
        let known = state.users.get(&user)?;
        let is = match (known.claimed, self.address_login(state, user)) {
            (Some(_), _) => "not_proved",
            (None, None) => return None,
            (None, Some(address)) if state.credentials.verified.contains(&address) => "proved",
            (None, Some(_)) => "given",
        };
        Some(is.to_owned())
    }

    /// Where mail reaches somebody: their address, or the login that is one. None that they only told: who reads what is sent
    /// there may be anybody.
    pub(in crate::desk) fn mail_address(&self, state: &State, user: UserId) -> Option<String> {
        let known = state.users.get(&user)?;
        let address = self.address_of(state, user);
        let address = address.filter(|_| known.claimed.is_none());
        address.or_else(|| {
            let login = self.user_name(user);
            let hash = address_hash(self.keys.salt(), &login);
            known.logins.contains(&hash).then_some(login)
        })
    }

    /// Nothing is kept of addresses that somebody told and that gave way.
    pub(in crate::desk) fn erase_claims(&self, before: &State, after: &State) {
        let (told, still) = (&before.credentials.claimed, &after.credentials.claimed);
        if told.ptr_eq(still) {
            return;
        }
        for (address, user) in told.iter().filter(|claim| !still.contains(*claim)) {
            let has = after.users.get(user);
            if !has.is_some_and(|known| known.logins.contains(address)) {
                self.erase_name(Kind::User, address_key(*user, *address));
            }
        }
    }

    /// A user's address: none of the form of a login `name@machine` of this machine, which is somebody else's name.
    pub(in crate::desk) fn own_address(&self, text: &str) -> Result<Address, Refused> {
        let address = Address::of("address", text)?;
        let machine = &self.settings.machine;
        if address.domain.eq_ignore_ascii_case(machine) {
            let why = format_args!(
                "an account of this machine has the login NAME@{machine}: give an address of another domain"
            );
            return Err(bad("address", why));
        }
        Ok(address)
    }

    /// Which of somebody's logins is their address: the one that stands beside their name, or their name, where it is one.
    pub(in crate::desk) fn address_login(&self, state: &State, user: UserId) -> Option<LoginHash> {
        let known = state.users.get(&user)?;
        let mut logins = known.logins.iter().copied();
        let kept = |login: &LoginHash| {
            let kept = self.side.name(Kind::User, address_key(user, *login));
            matches!(kept, Ok(Some(_)))
        };
        let beside = logins.clone().find(kept);
        let called = address_hash(self.keys.salt(), &self.user_name(user));
        beside.or_else(|| logins.find(|login| *login == called))
    }
}

/// The keys of all that is kept of a user as text: their name, and their addresses.
pub(in crate::desk) fn names_of(state: &State, user: UserId) -> Vec<[u8; 16]> {
    let known = state.users.get(&user);
    let several = known.filter(|known| known.logins.len() > 1);
    let logins = several.into_iter().flat_map(|known| known.logins.iter());
    let told = known.into_iter().flat_map(|known| known.claimed.iter());
    let addresses = logins.chain(told).map(|login| address_key(user, *login));
    std::iter::once(user.0).chain(addresses).collect()
}

/// The key that an address of a user is kept under.
pub(super) fn address_key(user: UserId, address: LoginHash) -> [u8; 16] {
    name_key(user.0, NameHash(address.0))
}

/// Refuses what is no mail address.
pub(in crate::desk) fn mail_address(member: &str, text: &str) -> Result<(), Refused> {
    Address::of(member, text).map(drop)
}

/// A domain in its ASCII form, in small letters. Others are refused, not converted: two that only look alike are never
/// the same here (D7).
pub(super) fn domain(member: &str, text: &str) -> Result<String, Refused> {
    if !text.is_ascii() {
        let why = "its domain has letters beyond ASCII: write its ASCII form (xn--…), and see that it is the one you mean";
        return Err(bad(member, why));
    }
    if text.ends_with('.') {
        return Err(bad(member, "its domain ends with a dot: leave it out"));
    }
    let letter = |b: u8| b.is_ascii_alphanumeric() || b == b'-';
    let good = |label: &str| {
        let size = (1..=LABEL_BYTES).contains(&label.len());
        size && label.bytes().all(letter) && !label.starts_with('-') && !label.ends_with('-')
    };
    if text.len() > DOMAIN_BYTES || !text.split('.').all(good) {
        return Err(bad(member, "its domain is none such as example.com"));
    }
    Ok(text.to_ascii_lowercase())
}

/// An address among the logins: no login has a control character, so that no login of a machine is ever an address.
pub(in crate::desk) fn address_hash(salt: &Salt, address: &str) -> LoginHash {
    hash(salt, &format!("\0{address}"))
}

/// A domain, apart from all names.
pub(super) fn domain_hash(salt: &Salt, domain: &str) -> NameHash {
    NameHash(hash(salt, &format!("\0@{domain}")).0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn d8_an_address_has_one_form_whatever_the_case() {
        let one = Address::of("address", "Ana.Maria@Example.COM").expect("an address");
        assert_eq!(one.text, "ana.maria@example.com");
        let accent = Address::of("address", "Jose\u{301}@x.example").expect("an address");
        assert_eq!(accent.text, "josé@x.example");
    }

    #[test]
    fn d7_what_only_looks_like_a_domain_is_refused() {
        for (text, why) in [
            ("ana@ex\u{430}mple.com", "beyond ASCII"),
            ("ana@example.com.", "ends with a dot"),
            ("ana@example\u{3002}com", "beyond ASCII"),
            ("ana@example..com", "none such as"),
            ("ana@-example.com", "none such as"),
            ("ana@exam ple.com", "none such as"),
            ("ana@\u{202e}moc.elpmaxe", "beyond ASCII"),
            ("an\u{202e}a@example.com", "turns the direction"),
            ("an\u{200d}a@example.com", "not seen"),
            ("a@b@example.com", "no mail address"),
            ("\"a@b\"@example.com", "no mail address"),
            ("ana", "no mail address"),
            ("@example.com", "no mail address"),
            ("ana@", "none such as"),
            (
                &*format!("{}@example.com", "x".repeat(250)),
                "more than 254",
            ),
            (&*format!("ana@{}.com", "x".repeat(64)), "none such as"),
        ] {
            let refused = Address::of("address", text).expect_err(text);
            assert!(refused.detail.contains(why), "{text}: {}", refused.detail);
        }
    }
}
