//! What can be asked about coming in (rule 1).

use crate::ids::{LicenseId, LoginHash, NameHash, UnitId, UserId};
use crate::state::MailAddress;

/// Coming in, and who is let in.
#[derive(Clone, Debug)]
pub enum Admission {
    /// Somebody who is nobody's user asks to come in. The same id and body is the same one (rule 20).
    Register(Box<Register>),
    /// Somebody who waits may come in.
    Approve {
        /// Who.
        user: UserId,
        /// Where they are from then on; nowhere is where they asked for.
        units: Vec<UnitId>,
        /// Refused unless the registration still has this revision.
        if_match: Option<u64>,
    },
    /// Somebody who waits may not: they are no user any more.
    Refuse {
        /// Who.
        user: UserId,
        /// Refused unless the registration still has this revision.
        if_match: Option<u64>,
    },
    /// The address of somebody who waits is known to be theirs.
    Verify {
        /// Who.
        user: UserId,
        /// Refused unless the registration still has this revision.
        if_match: Option<u64>,
    },
    /// An account lets in by itself who has a verified address in exactly this domain (B7), or does so no more.
    LetIn {
        /// The account.
        account: UnitId,
        /// Keyed hash of the domain.
        domain: NameHash,
        /// It does.
        on: bool,
        /// Refused unless the account still has this revision.
        if_match: Option<u64>,
    },
}

/// Who asks to come in.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Register {
    /// The id that they get.
    pub user: UserId,
    /// Their login, which nobody else has.
    pub login: LoginHash,
    /// Their mail address, which nobody else has.
    pub address: Option<MailAddress>,
    /// It is known to be theirs.
    pub verified: bool,
    /// What they ask for.
    pub want: Want,
}

/// What somebody asks for who wants to come in.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Want {
    /// An account of their company's name, made for them (F13).
    Company {
        /// Its id.
        unit: UnitId,
        /// Its name, which no other account has.
        name: NameHash,
    },
    /// To join this self-registered account (F14).
    Join(UnitId),
    /// To join the account of this license (F19).
    License(LicenseId),
    /// Access to this account (H3).
    Access(UnitId),
}
