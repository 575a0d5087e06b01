//! The one table of settings: name, default, what it means. Flags, environment, example file and help are made from it.

/// What a setting takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A text of at most so many characters.
    Text(usize),
    /// An absolute path.
    Path,
    /// An absolute path of a file that holds a secret, or none. What was written instead is never shown.
    SecretFile,
    /// One of these words.
    Choice(&'static [&'static str]),
    /// `true` or `false`.
    Switch,
    /// A whole number between these, both included.
    Number(u64, u64),
    /// A size: bytes as a number, or a text like `"256 MiB"`.
    Size,
}

/// One setting.
#[derive(Clone, Copy, Debug)]
pub struct Key {
    /// Its name in the file, `table.name` in a table; `SEATKEEPERD_NAME` in the environment, `--na-me` as a flag.
    pub name: &'static str,
    /// What it takes.
    pub kind: Kind,
    /// Its default, as it would stand in the file.
    pub default: &'static str,
    /// What it means: one or more sentences.
    pub about: &'static str,
}

impl Key {
    /// The name of its environment variable.
    #[must_use]
    pub fn variable(&self) -> String {
        format!(
            "{PREFIX}{}",
            self.name.replace('.', "_").to_ascii_uppercase()
        )
    }

    /// What it takes, where that is not any text: `one of: create, refuse`.
    #[must_use]
    pub fn values(&self) -> Option<String> {
        match self.kind {
            Kind::Text(_) => None,
            Kind::Path => Some("an absolute path".to_owned()),
            Kind::SecretFile => Some("an absolute path, or \"\" for none".to_owned()),
            Kind::Choice(words) => Some(format!("one of: {}", words.join(", "))),
            Kind::Switch => Some("true or false".to_owned()),
            Kind::Number(from, to) => Some(format!("a number from {from} to {to}")),
            Kind::Size => Some("bytes, or as \"256 MiB\"".to_owned()),
        }
    }

    /// Its flag, without the dashes.
    #[must_use]
    pub fn flag(&self) -> String {
        self.name.replace(['_', '.'], "-")
    }

    /// The table of the file that it stands in, where in one, and its name there.
    #[must_use]
    pub fn place(&self) -> (Option<&'static str>, &'static str) {
        match self.name.split_once('.') {
            Some((table, name)) => (Some(table), name),
            None => (None, self.name),
        }
    }
}

/// What environment variables start with.
pub(super) const PREFIX: &str = "SEATKEEPERD_";
/// Characters of a text.
const TEXT_CHARS: usize = 64;
/// Characters of a server's name (RFC 1035, 2.3.4).
const SERVER_CHARS: usize = 253;
/// Characters of an address with the name of whose it is.
const ADDRESS_CHARS: usize = 320;

/// Every setting there is.
pub const KEYS: &[Key] = &[
    Key {
        name: "state_dir",
        kind: Kind::Path,
        default: "\"/var/lib/seatkeeper\"",
        about: "The state directory: journal, keys, names. One daemon at a time; mode 0700.",
    },
    Key {
        name: "socket",
        kind: Kind::Path,
        default: "\"/run/seatkeeper/seatkeeper.sock\"",
        about: "The unix socket that applications and the CLI call. Its folder belongs to root or the daemon's user.",
    },
    Key {
        name: "vendors_dir",
        kind: Kind::Path,
        default: "\"/etc/seatkeeper/vendors.d\"",
        about: "Inbox of vendor root keys, NAME.pem. What is read is copied in; deleting a file removes nothing.",
    },
    Key {
        name: "licenses_dir",
        kind: Kind::Path,
        default: "\"/etc/seatkeeper/licenses.d\"",
        about: "Inbox of license files, *.lic. What is read is copied in; deleting a file removes nothing.",
    },
    Key {
        name: "site_name",
        kind: Kind::Text(TEXT_CHARS),
        default: "\"\"",
        about: "How people call this installation, at most 64 characters. Empty: the name of the machine.",
    },
    Key {
        name: "unknown_users",
        kind: Kind::Choice(&["create", "refuse"]),
        default: "\"create\"",
        about: "A local account that the directory does not know becomes a user at first sight, or is refused (unknown_user).",
    },
    Key {
        name: "assign_new_licenses",
        kind: Kind::Choice(&["nobody", "everyone"]),
        default: "\"nobody\"",
        about: "To whom a license is assigned when it is installed for the first time.",
    },
    Key {
        name: "terms_block_checkout",
        kind: Kind::Switch,
        default: "false",
        about: "Nobody gets a new seat who has not accepted the terms of service in force (terms_not_accepted). Seats that are held go on.",
    },
    Key {
        name: "admin_group",
        kind: Kind::Text(TEXT_CHARS),
        default: "\"seatkeeper\"",
        about: "The group of the operating system whose members administer this daemon, beside uid 0. Empty: uid 0 alone.",
    },
    Key {
        name: "disk_reserve",
        kind: Kind::Size,
        default: "\"256 MiB\"",
        about: "With less free space below the state directory no new seats are granted (storage_low); renewals and releases go on. Beside it 8 MiB are held as a file (journal/reserve), which the journal falls back on when the disk is full. 0 holds and reserves nothing.",
    },
    Key {
        name: "checkpoint_events",
        kind: Kind::Number(1_000, 1_000_000_000),
        default: "100000",
        about: "Events of the journal from one checkpoint to the next. A start reads the newest checkpoint and the events after it: fewer of them start sooner and write more. With more than 400,000 users and held seats together it is more of them, in proportion.",
    },
    Key {
        name: "retention_days",
        kind: Kind::Number(1, 36_500),
        default: "400",
        about: "How long events stay in the journal (the audit log) and hourly counts of denials in the side store. Events leave in whole files, each when all in it are older and no start needs it; an anchor of the site key stands for them.",
    },
    Key {
        name: "log_level",
        kind: Kind::Choice(&["error", "warn", "info", "debug", "trace"]),
        default: "\"info\"",
        about: "error: somebody must act now. warn: somebody should look soon. info: what happened. debug, trace: for those who search.",
    },
    Key {
        name: "log_format",
        kind: Kind::Choice(&["text", "json"]),
        default: "\"text\"",
        about: "How the log stands on stderr (the journal, under systemd).",
    },
    Key {
        name: "max_connections",
        kind: Kind::Number(1, 1_000_000),
        default: "4096",
        about: "Connections at a time on the socket. A number that the limit of open files does not allow is refused.",
    },
    Key {
        name: "max_connections_per_uid",
        kind: Kind::Number(1, 1_000_000),
        default: "1024",
        about: "Connections at a time of one uid, so that nobody keeps the others out.",
    },
    // The table [mail] stands last: in a file every line behind its head is of it.
    Key {
        name: "mail.server",
        kind: Kind::Text(SERVER_CHARS),
        default: "\"\"",
        about: "The SMTP server that mail is handed to, by name or address. Empty: none is sent, and what would be mailed is given to whoever caused it.",
    },
    Key {
        name: "mail.port",
        kind: Kind::Number(0, 65_535),
        default: "0",
        about: "Its port. 0 is the usual one: 587 for starttls, 465 for tls, 25 without.",
    },
    Key {
        name: "mail.tls",
        kind: Kind::Choice(&["starttls", "tls", "none", "insecure"]),
        default: "\"starttls\"",
        about: "starttls: TLS is asked for and has to come. tls: TLS from the first byte. none: without, to a server of this machine only. insecure: without, to any server; whoever is on the way reads the mails. Certificates are judged by the authorities that the system trusts.",
    },
    Key {
        name: "mail.from",
        kind: Kind::Text(ADDRESS_CHARS),
        default: "\"\"",
        about: "The sender: an address, or a name and an address as in \"Seatkeeper <licenses@example.com>\".",
    },
    Key {
        name: "mail.user",
        kind: Kind::Text(ADDRESS_CHARS),
        default: "\"\"",
        about: "Who signs in at the server. Empty: nobody does.",
    },
    Key {
        name: "mail.password_file",
        kind: Kind::SecretFile,
        default: "\"\"",
        about: "The file with that user's password, readable by the daemon's user alone; read at each delivery. Empty: the systemd credential mail.password (LoadCredential=mail.password:FILE). A password stands in no setting.",
    },
    Key {
        name: "mail.url",
        kind: Kind::Text(ADDRESS_CHARS),
        default: "\"\"",
        about: "Where people find the pages of this site, such as \"https://seats.example.com\": invitations and codes then also lead to /login and /set-password there. Empty: mails tell the command alone.",
    },
    Key {
        name: "mail.timeout_s",
        kind: Kind::Number(1, 600),
        default: "30",
        about: "Seconds for one delivery, from the connection to the letter itself; for the answer to that a server has ten minutes (RFC 5321).",
    },
];

/// There is a table of this name.
pub(super) fn is_table(name: &str) -> bool {
    KEYS.iter().any(|key| key.place().0 == Some(name))
}

/// The setting of this name.
pub(crate) fn find(name: &str) -> Option<&'static Key> {
    KEYS.iter().find(|key| key.name == name)
}

/// The name that was probably meant.
pub(crate) fn nearest(name: &str) -> Option<&'static str> {
    let plain = name.to_ascii_lowercase().replace(['-', '.'], "_");
    KEYS.iter()
        .map(|key| (distance(&plain, &key.name.replace('.', "_")), key.name))
        .min()
        .filter(|(away, meant)| *away <= meant.len() / 3)
        .map(|(_, meant)| meant)
}

/// Edits (insert, delete, replace) from one text to the other.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, ca) in a.chars().take(64).enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, cb) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(ca != *cb);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}
