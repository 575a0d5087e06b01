//! What can be asked of passwords, of codes that set one, and of who is signed in. Passwords and codes themselves come to
//! no command: whoever gives one has checked the password, or has its hash.

use crate::ids::{BearerHash, BearerId, CodeHash, LoginHash, PasswordId, UserId};
use crate::state::{MailAddress, Purpose};
use crate::time::Date;

/// What is signed in once somebody has proved who they are.
#[derive(Clone, Copy, Debug)]
pub enum SignsIn {
    /// An account of a machine, by its login `name@machine`: nobody else is signed in by it.
    Account(LoginHash),
    /// Whoever presents this, for a while.
    Session {
        /// Its id.
        id: BearerId,
        /// Of what is presented.
        hash: BearerHash,
    },
}

/// A change of how people prove who they are.
#[derive(Clone, Debug)]
pub enum Credential {
    /// Signs in as somebody whose password was told.
    Bind {
        /// As whom.
        user: UserId,
        /// What is signed in.
        what: SignsIn,
        /// The password that was told; it must be theirs still.
        by: PasswordId,
    },
    /// Signs a login `name@machine` out.
    Unbind {
        /// Who.
        login: LoginHash,
    },
    /// Takes another password in the place of the one that was told.
    ChangePassword {
        /// Whose.
        user: UserId,
        /// The one that was told; it must be theirs still.
        was: PasswordId,
        /// The new one.
        password: PasswordId,
        /// The login that stays signed in.
        keeps: Option<LoginHash>,
        /// The session that goes on: the one in which it is changed.
        session: Option<BearerId>,
    },
    /// Makes a code, in the place of an earlier one for the same purpose.
    MakeCode {
        /// For whom.
        user: UserId,
        /// What for.
        purpose: Purpose,
        /// Its hash.
        code: CodeHash,
        /// The mail address that it is sent to.
        mailed: Option<LoginHash>,
        /// Refused unless the user still has this revision.
        if_match: Option<u64>,
    },
    /// Uses a code: sets the password, lets in who was invited, and signs in.
    Redeem {
        /// The code's hash.
        code: CodeHash,
        /// The new password.
        password: PasswordId,
        /// What is signed in by it.
        signs_in: Option<SignsIn>,
        /// Whoever uses it is known to be the person without it.
        own: bool,
    },
    /// Uses a code that was mailed to an address: it is theirs from now on.
    ProveAddress {
        /// Who uses it, and is known to be that without it.
        user: UserId,
        /// The code's hash.
        code: CodeHash,
        /// Which of their logins their address was, where they had one.
        was: Option<LoginHash>,
        /// The address.
        address: MailAddress,
    },
    /// Somebody cannot get in, and asks for a code.
    AskReset {
        /// Who.
        user: UserId,
    },
    /// They get none: what they asked is taken off the list.
    DropReset {
        /// Who.
        user: UserId,
        /// Refused unless what they asked still has this revision.
        if_match: Option<u64>,
    },
    /// Makes a token that stands for a person. The same id and hash is the same one.
    MakeBearer {
        /// For whom.
        user: UserId,
        /// Its id.
        bearer: BearerId,
        /// Of what is presented.
        hash: BearerHash,
        /// It is over from this date on.
        until: Option<Date>,
        /// They make it themselves.
        own: bool,
    },
    /// Takes a token back, or ends a session.
    RevokeBearer {
        /// Which.
        bearer: BearerId,
        /// Refused unless it has this revision.
        if_match: Option<u64>,
    },
}
