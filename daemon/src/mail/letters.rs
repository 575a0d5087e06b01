//! Every text that is mailed, in one place, and the form in which it is given to the outbox.

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
}

impl Kind {
    /// The word for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Kind::Test => "test",
            Kind::LicenseRequest => "license_request",
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
