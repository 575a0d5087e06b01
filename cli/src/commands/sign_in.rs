//! `login`, `logout`, `whoami`, `password`, `forgot`: who one is here.

use crate::args::LoginArgs;
use crate::daemon::Daemon;
use crate::failure::Outcome;
use crate::passphrase::secret;
use crate::printer::Printer;
use crate::words;
use seatkeeper::wire::{Forgot, PasswordChange, Redeem, SignIn, Whoami};
use serde_json::Value;

/// Signs the calling account in.
pub(crate) fn login(daemon: &Daemon<'_>, args: &LoginArgs, printer: &Printer) -> Outcome {
    let accept_terms = args.accept_terms.clone();
    let who: Whoami = match args.code {
        true => {
            let body = Redeem {
                code: secret("the code", false)?,
                password: secret("your new password, 12 characters at least", true)?,
                accept_terms,
            };
            daemon.post("/v1/login/code", &body)?
        }
        false => {
            let login = match &args.login {
                Some(login) => login.clone(),
                None => daemon.get::<Whoami>("/v1/whoami")?.account,
            };
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
            "{set}{} is signed in as {user}; `seatkeeper logout` ends it",
            account(who)
        )
    })
}

/// The calling account is itself again.
pub(crate) fn logout(daemon: &Daemon<'_>, printer: &Printer) -> Outcome {
    let who: Whoami = daemon.post("/v1/logout", &Value::Object(serde_json::Map::new()))?;
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
        "signed_in" => "signed in; `seatkeeper logout` ends it",
        "full_login" => "by the login ACCOUNT@MACHINE",
        "login" => "by the name of the account",
        _ => "not known",
    };
    let administers = match who.administers {
        true => ", which administers this daemon",
        false => "",
    };
    let mut lines = vec![
        who.user.clone().unwrap_or_else(|| "nobody here".to_owned()),
        format!("account   {} (uid {}){administers}", account(who), who.uid),
        format!("known     {known}"),
    ];
    if who.user.is_some() {
        let status = match who.until {
            Some(until) => format!("{}, a guest until {}", who.status, words::last_day(until)),
            None => who.status.clone(),
        };
        let roles = who.roles.iter();
        let roles: Vec<_> = roles
            .map(|given| format!("{} at {}", given.role, given.unit))
            .collect();
        let password = if who.password { "yes" } else { "none" };
        lines.extend(who.address.iter().map(|text| format!("address   {text}")));
        lines.extend([
            format!("status    {status}"),
            format!("password  {password}"),
            format!("accounts  {}", who.accounts.join(", ")),
            format!("units     {}", who.units.join(", ")),
            format!("roles     {}", or_none(&roles)),
        ]);
    }
    lines.join("\n")
}

fn or_none(list: &[String]) -> String {
    match list.is_empty() {
        true => "none".to_owned(),
        false => list.join(", "),
    }
}

fn account(who: &Whoami) -> String {
    format!("{}@{}", who.account, who.machine)
}
