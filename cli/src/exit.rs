//! Exit codes, and the one place that maps a problem to one.

use seatkeeper::wire::{Class, Code};
use std::process::ExitCode;

/// How a command ended; scripts rely on the numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// 0.
    Done,
    /// 1.
    Failed,
    /// 2.
    Usage,
    /// 3.
    NotFound,
    /// 4.
    NotPermitted,
    /// 5: refused by license terms, or no seat.
    Refused,
    /// 6.
    Unreachable,
    /// 7.
    Part,
    /// 8.
    TimedOut,
    /// The status of the command under `run`, or 125 to 127 of its own.
    Of(u8),
}

impl Exit {
    /// The number.
    pub(crate) fn number(self) -> u8 {
        match self {
            Exit::Done => 0,
            Exit::Failed => 1,
            Exit::Usage => 2,
            Exit::NotFound => 3,
            Exit::NotPermitted => 4,
            Exit::Refused => 5,
            Exit::Unreachable => 6,
            Exit::Part => 7,
            Exit::TimedOut => 8,
            Exit::Of(number) => number,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> ExitCode {
        ExitCode::from(exit.number())
    }
}

/// The exit of a refusal: by its code, for one that this version does not know by its class and HTTP status.
pub(crate) fn of(code: &Code, class: Class, status: u16) -> Exit {
    match code {
        Code::NotFound | Code::UnknownLease => Exit::NotFound,
        Code::Forbidden
        | Code::Unauthenticated
        | Code::SignInFailed
        | Code::CodeNotValid
        | Code::BrowserRefused => Exit::NotPermitted,
        Code::BadRequest | Code::BodyTooLarge => Exit::Usage,
        Code::RequestTimeout => Exit::TimedOut,
        Code::ServerStopping => Exit::Unreachable,
        Code::RequestExceedsTotal
        | Code::StorageLow
        | Code::NotDelegated
        | Code::ClockSkew
        | Code::LeaseEnded
        | Code::LeaseLapsed => Exit::Refused,
        _ => by_class(class, status),
    }
}

fn by_class(class: Class, status: u16) -> Exit {
    match (class, status) {
        (Class::Policy | Class::Capacity | Class::License, _) => Exit::Refused,
        (_, 404) => Exit::NotFound,
        (_, 401) => Exit::NotPermitted,
        (_, 408 | 504) => Exit::TimedOut,
        _ => Exit::Failed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(code: &Code) -> Exit {
        of(code, code.class(), code.status())
    }

    #[test]
    fn u4_every_no_of_the_rules_is_told_from_a_failure() {
        for code in Code::ALL {
            let judged = matches!(
                code.class(),
                Class::Policy | Class::Capacity | Class::License
            );
            assert!(!judged || known(code) == Exit::Refused, "{code}");
            assert_ne!(known(code), Exit::Done, "{code}");
        }
    }

    #[test]
    fn u4_exit_codes_by_code() {
        assert_eq!(known(&Code::NotFound).number(), 3);
        assert_eq!(known(&Code::Forbidden).number(), 4);
        assert_eq!(known(&Code::NoSeatFree).number(), 5);
        assert_eq!(known(&Code::ServerStopping).number(), 6);
        assert_eq!(known(&Code::RequestTimeout).number(), 8);
        assert_eq!(known(&Code::Internal).number(), 1);
        assert_eq!(known(&Code::WrongRevision).number(), 1);
    }

    #[test]
    fn u4_an_unknown_code_exits_by_its_class() {
        let code = Code::of("parity_of_moon");
        assert_eq!(of(&code, Class::License, 403), Exit::Refused);
        assert_eq!(of(&code, Class::Unknown, 404), Exit::NotFound);
        assert_eq!(of(&code, Class::Server, 500), Exit::Failed);
    }
}
