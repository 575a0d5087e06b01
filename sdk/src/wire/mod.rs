//! Bodies of requests and replies, problem documents and their codes: the unsigned half of the contract.
//!
//! Claims are closed, bodies are open: a reader ignores members that it does not know, and keeps an unknown code as text.

mod access;
mod assignments;
mod audit;
mod bodies;
mod code;
mod credentials;
mod dates;
mod dev;
mod directory;
mod install;
mod mail;
mod problem;
mod registrations;
mod resources;
mod suppose;
mod terms;

pub use access::{Ended, GivenRole, Role, RoleDefine, RolesChange};
pub use assignments::{Assignment, AssignmentChange};
pub use audit::{AuditAnchor, AuditEvent};
pub use bodies::{
    Chain, CheckoutBody, ExplainBody, ExplainReply, ExplainStep, Item, LeaseReply, RenewBody,
};
pub use code::{Class, Code};
pub use credentials::{
    AddressAsk, AddressAsked, AddressProve, AddressProved, BEARER_CHARS, CodeMade, Forgot,
    PasswordChange, Redeem, ResetAsked, SESSION_PREFIX, SESSION_S, Secret, Session, SessionMade,
    SessionMake, SignIn, TOKEN_PREFIX, Token, TokenMade, TokenMake, Whoami,
};
pub use dates::{Clock, ClockAccept, ClockAccepted, ClockLast, ClockLicense};
pub use dev::{DevClock, DevFault};
pub use directory::{
    Changed, CustomerAlias, Group, GroupChange, GroupMake, Member, MembersChange, MembersChanged,
    Unit, UnitChange, UnitMake, User, UserChange, UserMake,
};
pub use install::{InstallBody, Installed, InstalledLicense};
pub use mail::{LicenseRequestMail, LicenseRequestMailed, MailState, MailStatus, MailTest};
pub use problem::Problem;
pub use registrations::{Registration, RegistrationApprove, RegistrationMake};
pub use resources::*;
pub use suppose::{Suppose, SupposedMember, SupposedPlace, SupposedSeats, Today};
pub use terms::{Terms, TermsAccept, TermsAcceptance, TermsPublish};
