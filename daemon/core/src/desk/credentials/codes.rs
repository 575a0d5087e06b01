//! Codes: made for somebody, told once, used once; those that set a password (D9, D15).

use super::guesser;
use super::passwords::Password;
use crate::authorize::{Caller, Permission, forbidden, not_by_token};
use crate::desk::Desk;
use crate::desk::directory::address_hash;
use crate::keeper::Answer;
use crate::problem::{Refused, internal, problem};
use crate::random;
use crate::side::Kind;
use seatkeeper::wire::{self, CodeMade, Redeem, Secret, Whoami};
use seatkeeper_engine::command::{Credential, SignsIn};
use seatkeeper_engine::denial;
use seatkeeper_engine::ids::{CodeHash, UserId};
use seatkeeper_engine::state::Purpose;
use seatkeeper_engine::{Command, Verdict};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

/// Digits and capital letters that no one takes for each other (Crockford's base 32).
const LETTERS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
/// Letters of a code: 140 random bits.
const CODE_LETTERS: usize = 28;
/// Letters of a group.
const GROUP: usize = 4;
/// Bytes of a code, as it is typed.
const TYPED_BYTES: usize = 256;

/// Whether the mail with a code waits or was handed over. Of a daemon that ended nothing is known.
pub type IsOut<'a> = &'a dyn Fn(CodeHash) -> bool;

/// What a code is known by, and its mail.
#[must_use]
pub fn code_hash(code: &Secret) -> Option<CodeHash> {
    Code::typed(code).map(|code| code.hash())
}

/// A code, in capital letters without anything between them.
pub(super) struct Code(Zeroizing<String>);

impl Code {
    fn random() -> Result<Code, Refused> {
        let bytes: Zeroizing<[u8; CODE_LETTERS]> =
            Zeroizing::new(random::bytes().map_err(|e| internal("no random code", &e))?);
        let letters = bytes.iter().map(|byte| LETTERS[usize::from(byte % 32)]);
        Ok(Code(Zeroizing::new(letters.map(char::from).collect())))
    }

    /// As somebody typed it: in any case, with whatever between the groups, and with O for 0, I and L for 1.
    pub(super) fn typed(text: &Secret) -> Option<Code> {
        if text.reveal().len() > TYPED_BYTES {
            return None;
        }
        let mut code = Zeroizing::new(String::with_capacity(CODE_LETTERS));
        for c in text.reveal().chars() {
            match c.to_ascii_uppercase() {
                '-' | ' ' | '\t' | '\r' | '\n' => {}
                'O' => code.push('0'),
                'I' | 'L' => code.push('1'),
                c if c.is_ascii() && LETTERS.contains(&(c as u8)) => code.push(c),
                _ => return None,
            }
        }
        (code.len() == CODE_LETTERS).then_some(Code(code))
    }

    pub(super) fn hash(&self) -> CodeHash {
        let sum = Sha256::new().chain_update("seatkeeper code\0");
        CodeHash(sum.chain_update(self.0.as_bytes()).finalize().into())
    }

    /// In groups that are easy to type.
    fn shown(&self) -> Secret {
        let groups = self.0.as_bytes().chunks(GROUP);
        let groups: Vec<_> = groups
            .map(|group| str::from_utf8(group).unwrap_or_default())
            .collect();
        Secret::new(groups.join("-"))
    }
}

impl Desk {
    /// `POST /v1/users/{user}/invitation`: a code for the first password of somebody who is to come. Where
    /// it `mails`, and they have an address, the caller sends it there: whoever uses it has shown that it is theirs. Blocks.
    ///
    /// # Errors
    /// `forbidden`, `wrong_revision`, `conflict` of who has a password, or the denial.
    pub fn invite(
        &self,
        caller: &Caller,
        user: &str,
        (if_match, mails): (Option<u64>, bool),
    ) -> Result<CodeMade, Refused> {
        let asked = (Purpose::Invitation, if_match, mails);
        self.by_rights_of_now(caller, |caller| self.code_for(caller, user, asked))
    }

    /// `POST /v1/users/{user}/reset`: a code for another password of somebody who cannot get in. Blocks.
    ///
    /// # Errors
    /// `forbidden`, `wrong_revision`, or the denial.
    pub fn reset(
        &self,
        caller: &Caller,
        user: &str,
        (if_match, mails): (Option<u64>, bool),
    ) -> Result<CodeMade, Refused> {
        let asked = (Purpose::Reset, if_match, mails);
        self.by_rights_of_now(caller, |caller| self.code_for(caller, user, asked))
    }

    /// `POST /v1/login/code`: sets a password, lets in who was invited, and signs the calling account in. Takes a moment
    /// and memory, and blocks.
    ///
    /// # Errors
    /// `code_not_valid`, `too_many_attempts`, `terms_not_accepted` (the code is good still), or `bad_request` of a password
    /// that is too short.
    pub fn redeem(&self, caller: &Caller, body: &Redeem) -> Result<Whoami, Refused> {
        self.traced(caller, self.redeem_of(caller, body))
    }

    fn code_for(
        &self,
        caller: &Caller,
        user: &str,
        (purpose, if_match, mails): (Purpose, Option<u64>, bool),
    ) -> Result<CodeMade, Refused> {
        not_by_token(caller, "makes no code")?;
        let snapshot = &self.keeper.snapshot();
        let id = self.user_seen(snapshot, caller, user)?;
        if !caller.administers && caller.person(&snapshot.state) == Some(id) {
            let mut refused = forbidden(caller, Permission::UserManage);
            refused.detail = "nobody makes a code for themselves".to_owned();
            refused.hint =
                "who knows the old password sets another: `seatkeeper password`".to_owned();
            return Err(refused);
        }
        let caller = &self.user_managed(snapshot, caller, id)?;
        let login = self.user_name(id);
        let to = self.mail_address(&snapshot.state, id).filter(|_| mails);
        let told = snapshot.state.users.get(&id);
        let told = told.filter(|known| mails && known.claimed.is_some());
        let not_proved = told.and_then(|_| self.address_of(&snapshot.state, id));
        let (answer, made) = self.make_code(caller, (id, if_match), purpose, to)?;
        match &answer.verdict {
            Verdict::Done => Ok(CodeMade { not_proved, ..made }),
            Verdict::Denied(denial) if denial.code == denial::Code::Conflict => {
                let detail = format!("{login} has a password already, and is not invited again");
                let mut refused = problem(wire::Code::Conflict, detail);
                refused.rule = Some(denial.rule);
                refused.hint = format!("`seatkeeper user reset-link {login}` sets another one");
                Err(refused)
            }
            _ => Err(self.not_done(caller, &format!("user {login}"), &answer)),
        }
    }

    /// Makes a code, as it is judged.
    pub(super) fn make_code(
        &self,
        caller: &Caller,
        (user, if_match): (UserId, Option<u64>),
        purpose: Purpose,
        to: Option<String>,
    ) -> Result<(Answer, CodeMade), Refused> {
        let code = Code::random()?;
        let mailed = to.as_ref().map(|to| address_hash(self.keys.salt(), to));
        let make = Credential::MakeCode {
            user,
            purpose,
            code: code.hash(),
            mailed,
            if_match,
        };
        let answer = self.asked(caller, Command::Credential(make))?;
        let made = CodeMade {
            login: self.user_name(user),
            purpose: spelled(purpose).to_owned(),
            code: Some(code.shown()),
            mailed_to: to,
            not_proved: None,
            until: answer.now.j.0 + purpose.lasts_ms() / 1000,
        };
        Ok((answer, made))
    }

    fn redeem_of(&self, caller: &Caller, body: &Redeem) -> Result<Whoami, Refused> {
        let account = SignsIn::Account(caller.login.full_hash);
        let (_, answer) = self.redeemed(caller, body, account)?;
        Ok(self.as_known(&answer.snapshot, caller))
    }

    /// Whoever used this code, and what is signed in by it.
    pub(super) fn redeemed(
        &self,
        caller: &Caller,
        body: &Redeem,
        what: SignsIn,
    ) -> Result<(UserId, Answer), Refused> {
        let new = Password::new("password", &body.password)?;
        let now = self.now();
        self.attempts.begin(guesser(caller), None, now.lease)?;
        let code = Code::typed(&body.code).map(|code| code.hash());
        let before = self.keeper.recorded();
        // Looked up first: a password is stretched for those alone who have a code.
        let of = code.and_then(|code| Some((code, *before.state.code(&code, now)?)));
        let of = of.filter(|(_, of)| of.purpose != Purpose::Address);
        let Some((code, of)) = of else {
            return Err(not_valid());
        };
        let met = self.terms_met(caller, of.user, body.accept_terms.as_deref());
        let met = met.and_then(|()| self.has_room(caller, "a password"));
        met.inspect_err(|_| self.attempts.succeeded(guesser(caller), None))?;
        let password = self.kept(caller, &new)?;
        let redeem = Credential::Redeem {
            code,
            password,
            signs_in: Some(what),
            own: caller.person(&before.state) == Some(of.user),
        };
        let answer = self.asked(caller, Command::Credential(redeem))?;
        match &answer.verdict {
            Verdict::User(_) => {
                self.attempts.succeeded(guesser(caller), None);
                self.forget_password(&before.state, of.user);
                self.erase_claims(&before.state, &answer.snapshot.state);
                Ok((of.user, answer))
            }
            _ => {
                self.erase_name(Kind::Password, password.0);
                Err(not_valid())
            }
        }
    }
}

fn spelled(purpose: Purpose) -> &'static str {
    match purpose {
        Purpose::Invitation => "invitation",
        Purpose::Reset => "reset",
        Purpose::Address => "address",
    }
}

/// The same of every code that is good for nothing.
fn not_valid() -> Refused {
    good_for_nothing("this code sets no password: it was used, is over, or never was one")
}

pub(super) fn good_for_nothing(detail: &str) -> Refused {
    let mut refused = problem(wire::Code::CodeNotValid, detail);
    refused.rule = Some(1);
    refused
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn d9_a_code_has_140_random_bits_in_groups_that_are_easy_to_type() {
        let (one, other) = (
            Code::random().expect("a code"),
            Code::random().expect("two"),
        );
        assert_ne!(*one.0, *other.0);
        let shown = one.shown();
        let groups: Vec<_> = shown.reveal().split('-').collect();
        assert_eq!(groups.len(), 7, "{}", shown.reveal());
        assert!(groups.iter().all(|group| group.len() == 4));
        let typed = |text: &str| Code::typed(&Secret::new(text)).map(|code| code.hash());
        assert_eq!(typed(shown.reveal()), Some(one.hash()));
        let loose = shown.reveal().to_lowercase().replace('-', " \t");
        assert_eq!(typed(&loose), Some(one.hash()));
        assert_eq!(
            typed("o00o-ilLI-2222-3333-4444-5555-6666"),
            typed("0000-1111-2222-3333-4444-5555-6666")
        );
        for none in [
            "",
            "0000",
            "0000-1111-2222-3333-4444-5555-66667",
            "0000-1111-2222-3333-4444-5555-666u",
            "0000-1111-2222-3333-4444-5555-666\u{e9}",
            &"0".repeat(300),
        ] {
            assert_eq!(typed(none), None, "{none}");
        }
    }
}
