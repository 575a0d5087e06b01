//! `login`, `logout`, `whoami`, `password`, `forgot`: who one is here.

use super::{role, session};
use crate::args::{AddressArgs, LoginArgs};
use crate::daemon::Daemon;
use crate::exit::Exit;
use crate::failure::{Failure, Outcome};
use crate::passphrase::secret;
use crate::printer::Printer;
use crate::words;
use seatkeeper::wire::{
    AddressAsk, AddressAsked, AddressProve, AddressProved, Forgot, PasswordChange, Redeem, SignIn,
    Whoami,
};
use serde_json::Value;

/// Signs the calling account in, or makes a session. Whatever is presented elsewhere is not: who signs in proves it here.
pub(crate) fn login(daemon: &Daemon<'_>, args: &LoginArgs, printer: &Printer) -> Outcome {
    if let Some(login) = args.login.as_ref().filter(|_| args.code) {
        return Err(Failure::new(
            Exit::Usage,
            format!("{login} is not named with --code: the code knows whose it is"),
            "`seatkeeper login --code` asks for the code",
        ));
    }
    let daemon = &daemon.presenting(None);
    if let Some(file) = &args.session {
        return session::open(daemon, (args, file), printer);
    }
    let accept_terms = args.accept_terms.clone();
    let mut let_in = "";
    let who: Whoami = match args.code {
        true => {
            let body = Redeem {
                code: secret("the code", false)?,
                password: secret("your new password, 12 characters at least", true)?,
                accept_terms,
            };
            let before = daemon.get("/v1/whoami")?;
            let who = daemon.post("/v1/login/code", &body)?;
            let_in = comes_in(&before, &who);
            who
        }
        false => {
            let login = named(daemon, args)?;
            let password = secret(&format!("the password of {login}"), false)?;
            let body = SignIn {
                login,
                password,
                accept_terms,
            };
            daemon.post("/v1/login", &body)?
        }
    };
    tell(&who, printer)?;
    printer.record(&who, |who| {
        let user = who.user.as_deref().unwrap_or("nobody");
        let set = if args.code {
            "the password is set; "
        } else {
            ""
        };
        format!(
            "{let_in}{set}{} is signed in as {user}; `seatkeeper logout` ends it",
            account(who)
        )
    })
}

/// Whoever waited, and waits no more: the account that they asked for lets in the domain of their address.
pub(super) fn comes_in(before: &Whoami, after: &Whoami) -> &'static str {
    let same = before.id.is_some() && before.id == after.id;
    match (same, before.status.as_str(), after.status.as_str()) {
        (true, "pending", "active") => {
            "you are let in: the address is shown to be yours, and your account lets in its domain; "
        }
        _ => "",
    }
}

/// Who signs in.
pub(super) fn named(daemon: &Daemon<'_>, args: &LoginArgs) -> Outcome<String> {
    match &args.login {
        Some(login) => Ok(login.clone()),
        None => Ok(daemon.get::<Whoami>("/v1/whoami")?.account),
    }
}

/// The calling account is itself again; or the session that is presented is over.
pub(crate) fn logout(daemon: &Daemon<'_>, printer: &Printer) -> Outcome {
    let before: Whoami = daemon.get("/v1/whoami")?;
    let who: Whoami = daemon.post("/v1/logout", &Value::Object(serde_json::Map::new()))?;
    if !["signed_in", "session"].contains(&before.known_by.as_str()) {
        printer.note(
            "nobody was signed in by this account; a session that a file holds ends by `SEATKEEPER_TOKEN_FILE=FILE seatkeeper logout`",
        );
    }
    printer.record(&who, |who| match &who.user {
        Some(user) => format!("{} is {user} again", account(who)),
        None => format!("{} is nobody's account here now", account(who)),
    })
}

/// Who one is.
pub(crate) fn whoami(daemon: &Daemon<'_>, printer: &Printer) -> Outcome {
    let who: Whoami = daemon.get("/v1/whoami")?;
    tell(&who, printer)?;
    printer.record(&who, text)
}

/// Takes another password for the old one.
pub(crate) fn password(daemon: &Daemon<'_>, printer: &Printer) -> Outcome {
    let body = PasswordChange {
        old: secret("the old password", false)?,
        new: secret("the new password, 12 characters at least", true)?,
    };
    daemon.put_done("/v1/password", &body)?;
    printer.note(
        "the password is another one now; whoever else was signed in by the old one is so no more",
    );
    Ok(())
}

/// Asks for another mail address, or shows by a code that it is one's own.
pub(crate) fn address(daemon: &Daemon<'_>, args: &AddressArgs, printer: &Printer) -> Outcome {
    if args.code {
        let body = AddressProve {
            address: args.address.clone(),
            code: secret("the code", false)?,
        };
        let before = daemon.get("/v1/whoami")?;
        let proved: AddressProved = daemon.post("/v1/address/code", &body)?;
        let let_in = comes_in(&before, &daemon.get("/v1/whoami")?);
        return printer.record(&proved, |of| match of.address == of.login {
            true => format!(
                "{let_in}{} is your login and your mail address now",
                of.address
            ),
            false => format!(
                "{let_in}{} is the mail address of {} now",
                of.address, of.login
            ),
        });
    }
    let who: Whoami = daemon.get("/v1/whoami")?;
    let body = AddressAsk {
        address: args.address.clone(),
        password: match who.password {
            true => Some(secret("your password", false)?),
            false => None,
        },
    };
    let asked: AddressAsked = daemon.post("/v1/address", &body)?;
    printer.record(&asked, |of| {
        format!(
            "a code is on its way to {0}, good until {1} or until you ask for a newer one: `seatkeeper address {0} --code` reads it, and \
             makes the address yours; until then nothing is changed. If the address is somebody else's, they are told instead",
            of.address,
            words::date(of.until)
        )
    })
}

/// Says that somebody cannot get in.
pub(crate) fn forgot(daemon: &Daemon<'_>, login: &str, printer: &Printer) -> Outcome {
    let body = Forgot {
        login: login.to_owned(),
    };
    daemon.post_done("/v1/forgot", &body)?;
    printer.note(&format!(
        "if {login} is a user here, a code is on its way to their mail address; where none is known, or this site sends no mail, the \
         administrators see that one is asked for (`seatkeeper user resets`), and give it to whom they know. `seatkeeper login --code` reads \
         it"
    ));
    Ok(())
}

/// What is missing, beside the data.
fn tell(who: &Whoami, printer: &Printer) -> Outcome {
    if let Some(hint) = &who.hint {
        printer.note(hint);
    }
    Ok(())
}

fn text(who: &Whoami) -> String {
    let known = match who.known_by.as_str() {
        "token" => "by the token that SEATKEEPER_TOKEN_FILE names",
        "session" => "by the session that SEATKEEPER_TOKEN_FILE names; `seatkeeper logout` ends it",
        "signed_in" => "signed in; `seatkeeper logout` ends it",
        "full_login" => "by the login ACCOUNT@MACHINE",
        "login" => "by the name of the account",
        _ => "not known",
    };
    let administers = match who.administers {
        true => ", which administers this daemon",
        false => "",
    };
    let until = who.known_until.map(words::moment);
    let until = until.map_or_else(String::new, |until| format!(", until {until}"));
    let mut lines = vec![
        who.user.clone().unwrap_or_else(|| "nobody here".to_owned()),
        format!("account   {} (uid {}){administers}", account(who), who.uid),
        format!("known     {known}{until}"),
    ];
    if who.user.is_some() {
        let status = words::standing(&who.status, who.until, who.over);
        let password = if who.password { "yes" } else { "none" };
        let login = who.user.as_deref().unwrap_or_default();
        let (address, is) = (who.address.as_deref(), who.address_is.as_deref());
        let address = words::address_of(login, address, is);
        lines.extend(address.map(|text| format!("address   {text}")));
        lines.extend([
            format!("status    {status}"),
            format!("password  {password}"),
            format!("accounts  {}", who.accounts.join(", ")),
            format!("units     {}", who.units.join(", ")),
            format!("roles     {}", role::said(&who.roles)),
        ]);
    }
    lines.join("\n")
}

fn account(who: &Whoami) -> String {
    format!("{}@{}", who.account, who.machine)
}
