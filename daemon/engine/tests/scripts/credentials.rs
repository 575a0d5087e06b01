//! What a script says of passwords, codes and of who is signed in.

use crate::stage::Stage;
use crate::words::{Words, address, id, mail_address};
use seatkeeper_engine::Command;
use seatkeeper_engine::command::{Credential, SignsIn};
use seatkeeper_engine::event::Recorded;
use seatkeeper_engine::ids::{BearerHash, BearerId, CodeHash, LoginHash, PasswordId};
use seatkeeper_engine::state::Purpose;

impl Stage {
    /// Plays a line about a credential; false where it is none.
    pub(crate) fn credential(&mut self, words: &Words) -> Result<bool, String> {
        let change = match words.at(0)? {
            "login" => Credential::Bind {
                user: self.named(words.at(1)?),
                what: SignsIn::Account(login(words.after("as")?)),
                by: password(words, "password")?,
            },
            "session" => Credential::Bind {
                user: self.named(words.at(1)?),
                what: session(words.get("id").ok_or("id= is missing")?),
                by: password(words, "password")?,
            },
            "logout" => Credential::Unbind {
                login: login(words.at(1)?),
            },
            "password" => Credential::ChangePassword {
                user: self.named(words.at(1)?),
                was: password(words, "was")?,
                password: password(words, "new")?,
                keeps: words.get("keeps").map(login),
                session: words.get("session").map(bearer),
            },
            "invite" => self.code(words, Purpose::Invitation)?,
            "reset" => self.code(words, Purpose::Reset)?,
            "ask-address" => self.code(words, Purpose::Address)?,
            "redeem" => Credential::Redeem {
                code: CodeHash(id("code", words.at(1)?)),
                password: password(words, "password")?,
                signs_in: match words.get("session") {
                    Some(called) => Some(session(called)),
                    None => words.get("as").map(login).map(SignsIn::Account),
                },
                own: !words.flag("other"),
            },
            "prove" => Credential::ProveAddress {
                user: self.named(words.at(1)?),
                code: CodeHash(id("code", words.get("code").ok_or("code= is missing")?)),
                was: words.get("was").map(address),
                address: mail_address(words.get("is").ok_or("is= is missing")?),
            },
            "token" => Credential::MakeBearer {
                user: self.named(words.at(1)?),
                bearer: bearer(words.get("id").ok_or("id= is missing")?),
                hash: presented(words.get("id").unwrap_or_default()),
                until: self.date(words, "until")?,
                own: !words.flag("other"),
            },
            "revoke" | "end-session" => Credential::RevokeBearer {
                bearer: bearer(words.at(1)?),
                if_match: None,
            },
            "presents" => return self.presents(words.at(1)?).map(|()| true),
            "forgot" => Credential::AskReset {
                user: self.named(words.at(1)?),
            },
            "no-reset" => Credential::DropReset {
                user: self.named(words.at(1)?),
                if_match: None,
            },
            "who" => return self.who(words.at(1)?).map(|()| true),
            "whose" => return self.whose(words.at(1)?).map(|()| true),
            "credentials" => return self.credentials().map(|()| true),
            _ => return Ok(false),
        };
        self.answer(Command::Credential(change))?;
        Ok(true)
    }

    fn code(&mut self, words: &Words, purpose: Purpose) -> Result<Credential, String> {
        let if_match = words.get("if_match").map(str::parse).transpose();
        Ok(Credential::MakeCode {
            user: self.named(words.at(1)?),
            purpose,
            code: CodeHash(id("code", words.get("code").ok_or("code= is missing")?)),
            mailed: words.get("mailed").map(address),
            if_match: if_match.map_err(|_| "if_match= is no number")?,
        })
    }

    /// As whom a login is signed in.
    fn who(&mut self, called: &str) -> Result<(), String> {
        let bound = &self.engine.state().credentials.bound;
        let user = bound.get(&login(called)).copied();
        let user = user.map_or_else(|| "nobody".to_owned(), |user| self.name(user));
        self.line(&format!("  {called} is {user}"));
        Ok(())
    }

    /// Whose a mail address is, and by what.
    fn whose(&mut self, called: &str) -> Result<(), String> {
        let state = self.engine.state();
        let hash = address(called);
        let told: Vec<_> = state.claimers(hash).map(|user| self.name(user)).collect();
        let shown = state.credentials.verified.contains(&hash);
        let known = state.logins.get(&hash).map(|user| self.name(*user));
        let text = match known {
            Some(user) if shown => format!("known to be that of {user}"),
            Some(user) => format!("given to {user}"),
            None => "nobody's".to_owned(),
        };
        let told = match told.is_empty() {
            true => String::new(),
            false => format!(", and told by {}", told.join(" and ")),
        };
        self.line(&format!("  {called} is {text}{told}"));
        Ok(())
    }

    /// Whom a token stands for.
    fn presents(&mut self, called: &str) -> Result<(), String> {
        let state = self.engine.state();
        let known = state.presented(&presented(called), self.now());
        let user = known.map_or_else(|| "nobody".to_owned(), |(_, known)| self.name(known.user));
        self.line(&format!("  {called} is {user}"));
        Ok(())
    }

    /// How much is kept.
    fn credentials(&mut self) -> Result<(), String> {
        let all = &self.engine.state().credentials;
        let passwords = all.of.values().filter(|of| of.password.is_some()).count();
        let listed: usize = all.of.values().map(|of| of.codes.len()).sum();
        let signed_in: usize = all.of.values().map(|of| of.bound.len()).sum();
        let tokens: usize = all.of.values().map(|of| of.bearers.len()).sum();
        let kept = (all.codes.len(), all.bound.len(), all.bearers.len());
        if (listed, signed_in, tokens) != kept || tokens != all.bearer_hashes.len() {
            return Err("what is kept is not what people have".to_owned());
        }
        let tokens = match tokens {
            0 => String::new(),
            more => format!(", {more} tokens"),
        };
        let sessions = all.bearers.values().filter(|one| one.is_session()).count();
        let sessions = match sessions {
            0 => String::new(),
            more => format!(", {more} of them sessions"),
        };
        let line = format!(
            "  {passwords} passwords, {listed} codes, {signed_in} signed in, {} ask for a code{tokens}{sessions}",
            all.resets.len()
        );
        self.line(&line);
        Ok(())
    }

    /// The line of an event of a credential.
    pub(crate) fn told_of_credentials(&self, event: &Recorded) -> Option<String> {
        Some(match event {
            Recorded::CodeMade { of, .. } => {
                let purpose = format!("{:?}", of.purpose).to_lowercase();
                format!("CodeMade {} {purpose}", self.name(of.user))
            }
            Recorded::CodeUsed { user, .. } => format!("CodeUsed {}", self.name(*user)),
            Recorded::CodesDropped { user, codes } => {
                format!("CodesDropped {} of {}", codes.len(), self.name(*user))
            }
            Recorded::AddressProved { user, .. } => format!("AddressProved {}", self.name(*user)),
            Recorded::PasswordSet { user, .. } => format!("PasswordSet {}", self.name(*user)),
            Recorded::LoginBound { user, .. } => format!("LoginBound {}", self.name(*user)),
            Recorded::LoginUnbound { user, .. } => format!("LoginUnbound {}", self.name(*user)),
            Recorded::ResetAsked { user, .. } => format!("ResetAsked {}", self.name(*user)),
            Recorded::TokenMade { user, .. } => format!("TokenMade {}", self.name(*user)),
            Recorded::TokensRevoked { user, tokens } => {
                format!("TokensRevoked {} of {}", tokens.len(), self.name(*user))
            }
            Recorded::AddressChanged { user, .. } => {
                format!("AddressChanged {}", self.name(*user))
            }
            Recorded::SessionMade { user, .. } => format!("SessionMade {}", self.name(*user)),
            Recorded::SessionsEnded { user, sessions } => {
                format!("SessionsEnded {} of {}", sessions.len(), self.name(*user))
            }
            Recorded::ResetDropped { user } => format!("ResetDropped {}", self.name(*user)),
            _ => return None,
        })
    }
}

fn login(called: &str) -> LoginHash {
    LoginHash(id("bound", called))
}

fn bearer(called: &str) -> BearerId {
    BearerId(id("bearer", called))
}

fn session(called: &str) -> SignsIn {
    SignsIn::Session {
        id: bearer(called),
        hash: presented(called),
    }
}

fn presented(called: &str) -> BearerHash {
    BearerHash(id("presented", called))
}

fn password(words: &Words, pair: &str) -> Result<PasswordId, String> {
    let called = words
        .get(pair)
        .ok_or_else(|| format!("{pair}= is missing"))?;
    Ok(PasswordId(id("password", called)))
}
