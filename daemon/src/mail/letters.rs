//! Every text that is mailed, in one place, and the form in which it is given to the outbox.

use seatkeeper::token::dates;
use seatkeeper::wire::Secret;

/// A mail: what it is, to whom, and its words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mail {
    /// What it is.
    pub kind: Kind,
    /// The address of whoever gets it.
    pub to: String,
    /// One line.
    pub subject: String,
    /// Plain text; lines end with `\n`.
    pub body: String,
    /// Who is answered, where that is not the sender: their name and address.
    pub reply_to: Option<(String, String)>,
    /// A file that comes with it.
    pub attachment: Option<Attachment>,
}

/// A file that comes with a mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attachment {
    /// Its name.
    pub name: String,
    /// What is in it.
    pub bytes: Vec<u8>,
}

/// What a mail is, as lists and the log name it: they tell neither its words nor, in the log, to whom it goes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// An operator tries whether mail works.
    Test,
    /// A license request to a vendor.
    LicenseRequest,
    /// An invitation, with a code for the first password.
    Welcome,
    /// A code for another password.
    Reset,
    /// A mail address is to be somebody's, or was.
    Address,
}

impl Kind {
    /// The word for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Kind::Test => "test",
            Kind::LicenseRequest => "license_request",
            Kind::Welcome => "welcome",
            Kind::Reset => "reset",
            Kind::Address => "address",
        }
    }

    /// It is tried once, and at once: somebody looks on.
    #[must_use]
    pub fn is_tried_once(self) -> bool {
        self == Kind::Test
    }
}

/// What a license request says beside its file.
#[derive(Clone, Copy, Debug)]
pub struct Requested<'a> {
    /// The site's name.
    pub site: &'a str,
    /// The account id that the vendor gave.
    pub account: &'a str,
    /// The product version.
    pub product_version: Option<&'a str>,
    /// The order number.
    pub order: Option<&'a str>,
    /// Who asks, by name.
    pub person: &'a str,
    /// Their mail address, which is answered to.
    pub address: Option<&'a str>,
    /// The `.req` token.
    pub request: &'a str,
}

/// An operator tries whether mail works.
#[must_use]
pub fn test(to: &str, site: &str) -> Mail {
    Mail {
        kind: Kind::Test,
        to: to.to_owned(),
        subject: format!("Seatkeeper at {site}: mail works"),
        body: format!(
            "This mail was asked for with `seatkeeper mail test`.\n\n\
             The license daemon of {site} can send mail to this address. Nothing needs to be done.\n"
        ),
        reply_to: None,
        attachment: None,
    }
}

/// A license request to a vendor (L14, D17). The file is what `license request --out` writes.
#[must_use]
pub fn license_request(to: &str, asked: &Requested<'_>) -> Mail {
    let order = |words: &str| asked.order.map(|order| format!("{words}{order}"));
    let mut body = format!(
        "{} asks for a license file; the request is attached, signed by the site's key.\n\n",
        asked.person
    );
    let lines = [
        ("Account", Some(asked.account)),
        ("Order number", asked.order),
        ("Product version", asked.product_version),
        ("Site", Some(asked.site)),
        ("Asked for by", Some(asked.person)),
        ("Answer to", asked.address),
    ];
    for (name, value) in lines {
        if let Some(value) = value {
            body.push_str(&format!("{:<17}{value}\n", format!("{name}:")));
        }
    }
    body.push_str(
        "\nThe license file that answers it is installed with `seatkeeper license install FILE`.\n",
    );
    Mail {
        kind: Kind::LicenseRequest,
        to: to.to_owned(),
        subject: format!(
            "License request: account {}{}",
            asked.account,
            order(", order ").unwrap_or_default()
        ),
        body,
        reply_to: asked
            .address
            .map(|address| (asked.person.to_owned(), address.to_owned())),
        attachment: Some(Attachment {
            name: "seatkeeper.req".to_owned(),
            bytes: format!("{}\n", asked.request).into_bytes(),
        }),
    }
}

/// Somebody who gets a code, and what it opens.
#[derive(Clone, Copy, Debug)]
pub struct Coded<'a> {
    /// The site's name.
    pub site: &'a str,
    /// Their login.
    pub login: &'a str,
    /// The code, which this mail is for.
    pub code: &'a Secret,
    /// It is good until then (seconds since 1970).
    pub until: u64,
    /// Where this site has pages, without a slash at its end.
    pub url: Option<&'a str>,
}

/// An invitation, with what was registered (H12, H13).
#[must_use]
pub fn welcome(to: &str, asked: &Coded<'_>, units: &[String]) -> Mail {
    let body = format!(
        "You are a user of the licensed software at {site} now.\n\n\
         Login:           {login}\n\
         Address:         {to}\n\
         Units:           {}\n\n\
         {}",
        units.join(", "),
        how(asked),
        site = asked.site,
        login = asked.login,
    );
    coded(
        Kind::Welcome,
        to,
        format!("Welcome to {}", asked.site),
        body,
    )
}

/// A code for another password (B2, B13, D15).
#[must_use]
pub fn reset(to: &str, asked: &Coded<'_>) -> Mail {
    let body = format!(
        "Somebody asked for another password for {login} at {site}. If that was not you, or you did not expect it, nothing needs to \
         be done: the old password stays.\n\n{}",
        how(asked),
        site = asked.site,
        login = asked.login,
    );
    let subject = format!("A code for your password at {}", asked.site);
    coded(Kind::Reset, to, subject, body)
}

/// A code that shows that an address is somebody's, and does nothing else (S11).
#[must_use]
pub fn address(to: &str, asked: &Coded<'_>) -> Mail {
    let body = format!(
        "{login}, a user of the licensed software at {site}, asked to have this mail address. If that was not you, nothing needs to \
         be done, and give the code to nobody: with it the address is theirs there.\n\n\
         Your code is\n\n    {code}\n\n\
         On your computer, as {login}, type `seatkeeper address {to} --code`, then the code. The code is good once, until {}. It \
         sets no password and signs nobody in.\n",
        dates::format(asked.until),
        login = asked.login,
        site = asked.site,
        code = asked.code.reveal(),
    );
    let subject = format!("A code for your mail address at {}", asked.site);
    coded(Kind::Address, to, subject, body)
}

/// What is mailed instead to whose the address is already: nobody sees from outside which it was.
#[must_use]
pub fn address_of_another(to: &str, site: &str) -> Mail {
    let body = format!(
        "Somebody who uses the licensed software at {site} asked to have this mail address. It is yours there already, and \
         stays yours: nothing needs to be done, and they were told nothing of it.\n"
    );
    let subject = format!("Your mail address at {site}");
    coded(Kind::Address, to, subject, body)
}

/// Whose address is another one now.
#[derive(Clone, Copy, Debug)]
pub struct Shown<'a> {
    /// The site's name.
    pub site: &'a str,
    /// Their login.
    pub login: &'a str,
}

/// Told at the old address, which is nobody's from then on.
#[must_use]
pub fn address_changed(to: &str, of: &Shown<'_>) -> Mail {
    let Shown { site, login } = of;
    let body = format!(
        "The mail address of {login} at {site} is another one now, by their password and a code that was mailed to the new one. \
         Nothing more is mailed here, and nobody signs in by this address.\n\n\
         If that was not you, tell the administrators of {site} at once: they give you your address back \
         (`seatkeeper user address {login} {to}`) and a code for another password (`seatkeeper user reset-link {login}`).\n"
    );
    let subject = format!("Your mail address at {site} was changed");
    coded(Kind::Address, to, subject, body)
}

fn how(asked: &Coded<'_>) -> String {
    let code = asked.code.reveal();
    // Behind the #, which no browser sends: no log of a server or proxy has the code.
    let pages = asked.url.map(|url| {
        format!(
            "Set your password, 12 characters at least, on this page:\n\n    {url}/set-password#{code}\n\n\
             and sign in from then on here:\n\n    {url}/login\n\n"
        )
    });
    let type_it = match pages {
        Some(_) => "Or, on your computer, type",
        None => "On your computer, type",
    };
    format!(
        "Your code is\n\n    {code}\n\n{}\
         {type_it} `seatkeeper login --code`, then the code and a password of your choice, 12 characters at least. The \
         code is good once, until {}. Give it to nobody: who has it is you.\n",
        pages.unwrap_or_default(),
        dates::format(asked.until),
    )
}

fn coded(kind: Kind, to: &str, subject: String, body: String) -> Mail {
    Mail {
        kind,
        to: to.to_owned(),
        subject,
        body,
        reply_to: None,
        attachment: None,
    }
}
