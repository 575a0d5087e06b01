//! Somebody's own mail address: another one is theirs once they use a code that was mailed there, and that does nothing else.
//! Until then they have the old one; whose the new one is is not told to who asks for it (S11, D8).

use super::codes::{self, IsOut};
use super::in_session;
use super::passwords::Password;
use crate::authorize::{Caller, not_by_token};
use crate::desk::Desk;
use crate::desk::parse::bad;
use crate::login::hash;
use crate::problem::{Refused, problem};
use seatkeeper::wire::{AddressAsk, AddressAsked, AddressProve, AddressProved, Code, Secret};
use seatkeeper_engine::command::Credential;
use seatkeeper_engine::denial;
use seatkeeper_engine::ids::{CodeHash, LoginHash, UserId};
use seatkeeper_engine::state::Purpose;
use seatkeeper_engine::{Command, State, Verdict};

/// People with a code on its way to one address: many accounts of one person fill nobody's mailbox.
const TO_ONE_ADDRESS: usize = 5;

/// A code on its way to the address that it shows.
#[derive(Debug)]
pub struct AddressToShow {
    /// What who asked is told.
    pub asked: AddressAsked,
    /// Their login.
    pub login: String,
    /// The code; none where the address is somebody else's, who is told so: nobody sees from outside which it is.
    pub code: Option<Secret>,
    /// What its mail is known by, whoever gets it.
    pub hash: Option<CodeHash>,
}

/// Somebody's address, shown to be theirs, and the one that they had, where mail reached them.
#[derive(Debug)]
pub struct AddressShown {
    /// What who used the code is told.
    pub proved: AddressProved,
    /// The old one, where it is another.
    pub was: Option<String>,
}

impl Desk {
    /// `POST /v1/address`: the caller wants this mail address, and tells their password once more. The caller of this mails
    /// what it gives, and knows whether the mail with a code `is_out`. Takes a moment and memory, and blocks.
    ///
    /// # Errors
    /// `sign_in_failed` where the password is wrong, `too_many_attempts`, `unknown_user`, `forbidden` by a token, or
    /// `bad_request` that names the member.
    pub fn ask_address(
        &self,
        caller: &Caller,
        body: &AddressAsk,
        is_out: IsOut<'_>,
    ) -> Result<AddressToShow, Refused> {
        self.traced(caller, self.ask_address_of(caller, body, is_out))
    }

    /// `POST /v1/address/code`: the caller shows that they read what was mailed there. Blocks.
    ///
    /// # Errors
    /// `code_not_valid`, `name_taken`, `too_many_attempts`, `unknown_user`, `forbidden` by a token, or `bad_request` that names
    /// the member.
    pub fn prove_address(
        &self,
        caller: &Caller,
        body: &AddressProve,
    ) -> Result<AddressShown, Refused> {
        self.traced(caller, self.prove_address_of(caller, body))
    }

    fn ask_address_of(
        &self,
        caller: &Caller,
        body: &AddressAsk,
        is_out: IsOut<'_>,
    ) -> Result<AddressToShow, Refused> {
        not_by_token(caller, "changes no mail address")?;
        let address = self.own_address(&body.address)?;
        let new = address.hashed(self.keys.salt()).hash;
        let state = &self.keeper.recorded().state;
        let user = self.somebody(caller, state)?;
        let password = body.password.as_ref();
        self.may_ask(caller, state, (user, new), password, is_out)?;
        let own = self.address_login(state, user) == Some(new);
        if own && state.credentials.verified.contains(&new) {
            return Err(bad(
                "address",
                "is yours already, and known to be so: nothing is to be done",
            ));
        }
        if state.others_ask_for(new, user, self.now()) >= TO_ONE_ADDRESS {
            return Err(enough());
        }
        let of = hash(self.keys.salt(), &format!("\0address {user}"));
        self.attempts.ask(of, self.now().lease)?;
        let to = Some(address.text);
        let (answer, made) = self.make_code(caller, (user, None), Purpose::Address, to)?;
        if answer.verdict != Verdict::Done {
            return Err(self.not_done(caller, &self.user_name(user), &answer));
        }
        let taken = answer.snapshot.state.taken(new, user);
        Ok(AddressToShow {
            asked: AddressAsked {
                address: made.mailed_to.unwrap_or_default(),
                until: made.until,
            },
            login: made.login,
            hash: made.code.as_ref().and_then(codes::code_hash),
            code: made.code.filter(|_| !taken),
        })
    }

    /// Who has a password tells it. Who has none may show the address that they told when they asked to come in, or that an
    /// administrator gave them while they wait, and no other: whoever comes to their account for a moment gets nothing by it that stays. Anybody may ask to come in and tell
    /// whichever address, so that one code goes there in an hour; one whose mail was not taken, or is gone with a daemon that
    /// ended, is none.
    fn may_ask(
        &self,
        caller: &Caller,
        state: &State,
        (user, new): (UserId, LoginHash),
        password: Option<&Secret>,
        is_out: IsOut<'_>,
    ) -> Result<(), Refused> {
        let claimed = state.users.get(&user).and_then(|known| known.claimed);
        let waits = state.registrations.contains_key(&user);
        let given = self.address_login(state, user).filter(|_| waits);
        let noted = claimed.or(given);
        if state.password_of(user).is_none() && noted == Some(new) {
            let mut codes = state.codes_of(user, Purpose::Address, self.now());
            return match codes.any(|(code, _)| is_out(code)) {
                true => Err(on_its_way()),
                false => Ok(()),
            };
        }
        if state.password_of(user).is_none() && waits {
            return Err(bad(
                "password",
                waits_without(&self.user_name(user), noted.is_some()),
            ));
        }
        let none = Secret::default();
        let told = Password::told("password", password.unwrap_or(&none))?;
        self.proves_anew(caller, state, user, ("password", &told))
            .map(drop)
    }

    fn prove_address_of(
        &self,
        caller: &Caller,
        body: &AddressProve,
    ) -> Result<AddressShown, Refused> {
        not_by_token(caller, "changes no mail address")?;
        let address = self.own_address(&body.address)?;
        let before = self.keeper.recorded();
        let user = self.somebody(caller, &before.state)?;
        let (by, now) = (in_session(caller), self.now());
        self.attempts.begin(by, None, now.lease)?;
        let new = address.hashed(self.keys.salt());
        let code = codes::Code::typed(&body.code).map(|code| code.hash());
        let known = code.filter(|code| {
            let of = before.state.code(code, now);
            let shows = (Purpose::Address, user, Some(new.hash));
            of.is_some_and(|of| (of.purpose, of.user, of.mailed) == shows)
        });
        // Nothing is kept of an address for which nobody has a code.
        let code = known.ok_or_else(not_valid)?;
        let mailed = self.mail_address(&before.state, user);
        let answer = self.moves(caller, user, Some(&address), |was, _| {
            Command::Credential(Credential::ProveAddress {
                user,
                code,
                was,
                address: new,
            })
        })?;
        match &answer.verdict {
            Verdict::User(_) => {}
            Verdict::Denied(denial) if denial.code == denial::Code::NameTaken => {
                // The code was right.
                self.attempts.succeeded(by, None);
                let what = format!("address {}", address.text);
                let mut refused = self.not_done(caller, &what, &answer);
                // Whose it is is not said.
                refused.hint = "show another address to be yours: `seatkeeper address ADDRESS`; an administrator may know whose this one is".to_owned();
                return Err(refused);
            }
            _ => return Err(not_valid()),
        }
        self.attempts.succeeded(by, None);
        let proved = AddressProved {
            login: self.user_name(user),
            address: address.text,
        };
        let was = mailed.filter(|was| *was != proved.address);
        Ok(AddressShown { proved, was })
    }
}

/// A code for a password would be asked for in vain: nothing is mailed to who told no address, or only told one.
fn waits_without(name: &str, noted: bool) -> String {
    let only = match noted {
        true => ": by then they show the address that is noted of them, and no other",
        false => "",
    };
    format!(
        "{name} has no password yet and waits to be let in{only}; an administrator gives another one (`seatkeeper user address {name} \
         ADDRESS`), and `seatkeeper registration show` tells who lets {name} in"
    )
}

fn on_its_way() -> Refused {
    let detail = "a code is on its way there already, and another one goes there when that is over, after an hour";
    let mut refused = problem(Code::TooManyAttempts, detail);
    refused.hint = "look among the mails that were taken for advertisements; an administrator lets you in without it (`seatkeeper registration show` tells who)".to_owned();
    refused
}

fn enough() -> Refused {
    let detail = format!(
        "{TO_ONE_ADDRESS} people have a code on its way to this address, and each is good for an hour"
    );
    let mut refused = problem(Code::TooManyAttempts, detail);
    refused.hint = "ask again when one is over; an administrator gives an address without a code (`seatkeeper user address LOGIN ADDRESS`)".to_owned();
    refused
}

fn not_valid() -> Refused {
    codes::good_for_nothing(
        "this code shows no such address to be yours: it was used, is over, was mailed elsewhere or for something else, or never was one",
    )
}
