//! The stable codes of a no, each with its class and the text behind `/problems/CODE` and `seatkeeper help CODE`.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;

/// What kind of no it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs)]
pub enum Class {
    Policy,
    Capacity,
    License,
    Request,
    Offline,
    Server,
    Environment,
    /// A class that this version does not know.
    #[serde(other)]
    Unknown,
}

macro_rules! codes {
    ($($variant:ident $text:literal $class:ident $status:literal $retry:literal: $title:literal, $about:literal, $remedy:literal;)*) => {
        /// A stable code. An unknown one is kept as text: applications stay in the field for ten years.
        #[derive(Clone, PartialEq, Eq, Debug)]
        #[non_exhaustive]
        pub enum Code {
            $(#[doc = $title] $variant,)*
            /// A code that this version does not know.
            Other(String),
        }

        impl Code {
            /// Every code that this version knows.
            pub const ALL: &[Code] = &[$(Code::$variant),*];

            /// The code as it stands on the wire.
            #[must_use]
            pub fn as_str(&self) -> &str {
                match self { $(Code::$variant => $text,)* Code::Other(text) => text }
            }

            /// The code behind a text.
            #[must_use]
            pub fn of(text: &str) -> Code {
                match text { $($text => Code::$variant,)* other => Code::Other(other.to_owned()) }
            }

            /// Its class.
            #[must_use]
            pub fn class(&self) -> Class {
                match self { $(Code::$variant => Class::$class,)* Code::Other(_) => Class::Unknown }
            }

            /// The HTTP status that goes with it.
            #[must_use]
            pub fn status(&self) -> u16 {
                match self { $(Code::$variant => $status,)* Code::Other(_) => 500 }
            }

            /// Asking again, unchanged, can help.
            #[must_use]
            pub fn retryable(&self) -> bool {
                match self { $(Code::$variant => $retry,)* Code::Other(_) => false }
            }

            /// A short sentence.
            #[must_use]
            pub fn title(&self) -> &str {
                match self { $(Code::$variant => $title,)* Code::Other(_) => "a code that this version does not know" }
            }

            /// What it means and when it comes.
            #[must_use]
            pub fn about(&self) -> &str {
                match self { $(Code::$variant => $about,)* Code::Other(_) => "" }
            }

            /// What to do next.
            #[must_use]
            pub fn remedy(&self) -> &str {
                match self { $(Code::$variant => $remedy,)* Code::Other(_) => "look the code up with a newer `seatkeeper help`" }
            }
        }
    };
}

codes! {
    // Capacity.
    NoSeatFree "no_seat_free" Capacity 409 true: "no seat is free",
        "Every seat of every pool that could serve you is in use (rule 9).",
        "wait for one, or ask an administrator, who sees with `seatkeeper seat list` who holds them and takes one back with `seatkeeper seat reclaim ID`";
    OverUserMax "over_user_max" Policy 409 true: "the limit for one user is reached",
        "An assignment limits the seats of each user whom it covers, or of this one (rule 10).",
        "give a seat back, or ask an administrator, who sees the limit with `seatkeeper license assignments`";
    OverGroupMax "over_group_max" Policy 409 true: "the limit for the group is reached",
        "An assignment limits the seats of all members of a group together (rule 10).",
        "wait until a member gives one back, or ask an administrator, who sees the limit with `seatkeeper license assignments`";
    OverUnitMax "over_unit_max" Policy 409 true: "the limit for the unit is reached",
        "An assignment limits the seats of everyone in a unit together (rule 10).",
        "wait until somebody of the unit gives one back, or ask an administrator, who sees the limit with `seatkeeper license assignments`";
    ReservedForOthers "reserved_for_others" Capacity 409 true: "what is free is kept for others",
        "Seats are free, and assignments reserve them for whom they cover and who have not taken them yet (rule 11). Nobody else gets one while that leaves too few, and no wait brings more than there are beside what is reserved (rule 13).",
        "wait for one, unless rule 13 is named: then ask for fewer; or ask an administrator, who sees with `seatkeeper license assignments` what is reserved for whom and how much of it is filled";
    TooSoon "too_soon" Policy 409 true: "the named seat is bound to its owner for a while",
        "The vendor binds a named seat to the user or machine that has it for a time after it was given (`named_min_s`, rule 7): nobody else gets it before that.",
        "ask again later: the answer says when";
    TooManyRegistrations "too_many_registrations" Capacity 409 true: "too many people wait to be let in",
        "A site holds 1,000 registrations that wait at most: anybody may ask (rule 1).",
        "ask again later; an administrator answers those that wait: `seatkeeper registration list`";
    StorageLow "storage_low" Server 503 true: "the daemon's disk is nearly full",
        "Below `disk_reserve` nothing new is granted; renewals and releases go on.",
        "free space on the disk of the state directory, or lower `disk_reserve`";
    Quarantine "quarantine" Server 503 true: "the daemon's state was restored, cloned or lost",
        "A client showed a lease that the daemon's journal does not know, or an exported site key is in use without its state. Until one longest hold has passed nothing new is granted; who shows a lease that lives keeps its seat (rule 21).",
        "wait: it ends by itself, and `seatkeeper status` says when; an administrator finds out which copy of the state is the right one, and stops any other";
    ShowDelegation "show_delegation" Server 409 true: "the daemon asks for the delegation of the lease that was shown",
        "The lease was signed by a lease key that the daemon does not know; its delegation tells whether that was a key of this site (rule 21).",
        "repeat the call with `delegation`: the SDK does by itself";
    NotDelegated "not_delegated" Server 503 true: "the daemon may not sign seats now",
        "The site key is kept elsewhere, and what it signed for this daemon's lease key (a delegation, for 90 days at most) has ended, has not begun or is missing. Without it no seat is given and none is renewed; seats go on until their leases end.",
        "an administrator has a new delegation signed where the site key is: `seatkeeper site key delegate`, then here `seatkeeper site key accept FILE`";
    SiteKeyElsewhere "site_key_elsewhere" Server 409 false: "the site key is kept elsewhere",
        "License requests, anchors of the audit log and an export of the key need the site key itself, and this daemon has a delegation instead (`keys/site.pub.pem` stands for the key).",
        "put the key back into the state directory as keys/site.key (the daemon's own, mode 0600) and restart the daemon; afterwards take it away and restart again: seats are kept over it";
    RequestExceedsTotal "request_exceeds_total" Request 403 false: "more seats asked for than there can ever be",
        "A checkout takes its seats from one pool: none has so many even when it is empty, or a limit of an assignment lets nobody have so many (rules 8, 10, 13).",
        "ask for fewer seats; an administrator can raise the limit of an assignment (`seatkeeper license change`), and a license has more seats when more are bought";
    // Policy.
    NotAssigned "not_assigned" Policy 403 false: "the license is not assigned to you",
        "The license is installed, but no assignment covers this user (rule 4).",
        "an administrator can run `seatkeeper license assign LICENSE --user NAME` or `--everyone`";
    UnknownUser "unknown_user" Policy 403 false: "this user is not known here",
        "The daemon does not make users at first sight (`unknown_users = \"refuse\"`), or no such login exists.",
        "ask to come in (`seatkeeper register --help`), or an administrator for `seatkeeper user add LOGIN`; the setting `unknown_users = \"create\"` makes users at first sight";
    UserNotActive "user_not_active" Policy 403 false: "this user is not active",
        "The user was invited, waits for approval or is suspended, or was a guest until a day that is over (rule 4).",
        "ask an administrator: `seatkeeper user list` shows the status, `seatkeeper user activate LOGIN` changes it";
    Excluded "excluded" Policy 403 false: "an assignment keeps this user out",
        "An assignment of the license refuses whom it covers, and wins over all others (rule 10).",
        "ask an administrator: `seatkeeper why USER FEATURE` names the assignment, `seatkeeper license assignments` shows it";
    TermsNotAccepted "terms_not_accepted" Policy 403 false: "the terms of service are not accepted",
        "The site gives new seats only to who has accepted the terms of service in force (`terms_block_checkout`, rule 4). Each person accepts for themselves; a new version asks anew. Seats that are held go on.",
        "read them with `seatkeeper terms show`, then `seatkeeper terms accept`";
    CoolDown "cool_down" Policy 409 true: "the seat was taken back; a pause is running",
        "After a reclaim this user gets no seat of the feature on this machine until the cool-down is over (rule 16).",
        "wait, or ask again on the user's own request (SDK `.asked_by_user()`, CLI `--interactive`)";
    // License.
    NotLicensed "not_licensed" License 403 false: "no license of this product is installed",
        "No license at all, or none of the product that was named. The application may run as a demo.",
        "an administrator makes the file for the vendor with `seatkeeper license request`, and installs the answer with `seatkeeper license install FILE`";
    UnknownFeature "unknown_feature" License 403 false: "no installed license has this feature",
        "The product is licensed, this feature is not; or no product was named, and none that is licensed has it.",
        "check the name (an administrator sees them with `seatkeeper license list`), or buy it";
    VersionTooNew "version_too_new" License 403 false: "the license does not cover this version",
        "The requested version is above the license's limit, or none was named where there is a limit (rule 12).",
        "use the version that the license covers, or renew the maintenance";
    LicenseExpired "license_expired" License 403 false: "the license has ended",
        "Its last day is over, or less than 10 s are left (rule 16).",
        "ask the vendor for a renewal: `seatkeeper license request`";
    NotStarted "not_started" License 403 false: "the license is not valid yet",
        "It waits and begins by itself on its first day, or the time of dates was put back before that day; until then it gives nothing (rule 17).",
        "wait for that day; if it is past, is the clock right? `seatkeeper clock show`";
    RevokedLicense "revoked_license" License 403 false: "the vendor has withdrawn this license",
        "A newer issuer token of the same vendor revokes the key that signed it or asks for a higher serial.",
        "ask the vendor for a replacement";
    WrongVendor "wrong_vendor" License 403 false: "the license is of another vendor",
        "No trusted vendor root stands above the license, or the application carries other roots than the installed license (S5, rule 9).",
        "`seatkeeper vendor trust FILE` with the root key from the vendor's package; compare the thumbprint with the vendor";
    BadSignature "bad_signature" License 422 false: "the signature does not match",
        "The token was altered or forged, or signed by a key that is not the one it names (S1-S6).",
        "take the file as the vendor sent it, unchanged, or ask for it again";
    BadSyntax "bad_syntax" License 422 false: "not a well-formed license",
        "A token in the file is not of the strict form that its kind has: size, header, claims or their values (S1, S2).",
        "take the file as the vendor sent it, unchanged, or ask for it again";
    WrongServerHost "wrong_server_host" License 403 false: "the license is for another site",
        "It is bound to another site key than this daemon's.",
        "send this site's request (`seatkeeper license request`) to the vendor";
    Superseded "superseded" License 409 false: "a newer license has taken its place",
        "A serial that is not higher than the one in force is refused; a seat under terms that are no longer in force is ending (rule 17).",
        "install the newest file; an application checks out anew";
    ClockSkew "clock_skew" Environment 403 false: "the license was signed in the future",
        "Its signing date lies more than 31 days ahead of this machine's clock.",
        "set the clock; if it is right, `seatkeeper license install FILE --accept-date`";
    // Leases.
    LeaseEnded "lease_ended" Request 409 false: "the seat was given back or taken back",
        "It was released, reclaimed or lost its right, and is not renewed any more (rule 16).",
        "check out anew";
    LeaseLapsed "lease_lapsed" Request 409 false: "the seat was not renewed in time",
        "Its hold was over, so the seat went to the next in need (rule 15).",
        "check out anew; the SDK does so by itself";
    UnknownLease "unknown_lease" Request 404 false: "no such seat",
        "Nothing is remembered of this id.",
        "check out anew";
    // Requests.
    BadRequest "bad_request" Request 400 false: "the request is not well-formed",
        "A member is missing, of the wrong form or out of its bounds.",
        "correct what the message names, and ask again";
    BodyTooLarge "body_too_large" Request 413 false: "the body is too large",
        "Bodies have 64 KiB at most, license files 256 KiB.",
        "send less";
    Forbidden "forbidden" Request 403 false: "not permitted",
        "The caller lacks the permission, or the seat belongs to another credential, machine or instance (rule 20).",
        "ask an administrator: uid 0 and the OS group that the setting `admin_group` names (`seatkeeper` where nothing else is set) administer this daemon";
    Unauthenticated "unauthenticated" Request 401 false: "nobody knows who asks",
        "The caller's uid is the overflow uid 65534 (a user namespace without mapping), or cannot be read (S16); or a token was presented that stands for nobody: wrong, over, taken back, or of somebody who may not sit.",
        "call from an account that this machine knows, and with a token that lives: `seatkeeper token list`";
    SignInFailed "sign_in_failed" Request 401 false: "the login or the password is wrong",
        "Nobody has this login with this password. Of a login that nobody has the same is told.",
        "type both again; who forgot the password asks for a code: `seatkeeper forgot LOGIN`";
    TooManyAttempts "too_many_attempts" Request 429 true: "too many attempts",
        "To sign in, ten that failed within 15 minutes are taken of one account of a machine, and ten for one login of accounts that never signed in by it. For another mail address ten codes may be asked for in that time, one in an hour by who waits to be let in and has no password, and five people may have one on its way to the same address.",
        "wait a quarter of an hour, for a code that is on its way an hour; an administrator helps meanwhile: `seatkeeper user reset-link LOGIN` makes a code for a password, `seatkeeper user address LOGIN ADDRESS` gives an address";
    CodeNotValid "code_not_valid" Request 403 false: "the code is good for nothing",
        "It was used, it is over (an invitation after seven days, a reset after an hour), a newer one took its place, or there never was such a code.",
        "look whether a newer one came; else ask for another: for a password `seatkeeper forgot LOGIN`, or an administrator; for a mail address `seatkeeper address ADDRESS`";
    IdentityMismatch "identity_mismatch" Request 409 false: "another live process has this instance id",
        "An instance id names one life of one process; it was presented by a second one (rule 6).",
        "make a new instance id in each process; the SDK does so, after fork too";
    BrowserRefused "browser_refused" Request 403 false: "this address is not for browsers",
        "The application API refuses requests with `Origin` or `Sec-Fetch-*` (S12).",
        "use the SDK or the CLI";
    NotFound "not_found" Request 404 false: "no such thing",
        "Nothing has this id, or the caller may not see it.",
        "look the name or id up where it is listed, a seat with `seatkeeper seat list`";
    Pruned "pruned" Request 410 false: "these events were pruned",
        "Events older than `retention_days` leave the journal in whole files; an anchor that the site key signed stands for them.",
        "ask without `after` (or `Last-Event-ID`), which begins at the first event that is kept; those before it stand in exports that were made in time (`seatkeeper audit export`)";
    MethodNotAllowed "method_not_allowed" Request 405 false: "this address does not take this method",
        "The path exists, the method does not.",
        "see `/openapi.json`";
    Conflict "conflict" Request 409 false: "it contradicts what is there",
        "The same id was used with other terms or another body (rule 20); a root belongs to another vendor already; a renewal is for another customer, or a vendor still has licenses here (rule 17). Or somebody who asks to come in is a user or waits already, somebody who is invited has a password, or somebody else changed the mail address in the same moment (rule 1).",
        "use a new id, do what the message names first, or look what it is by now and ask again";
    NameTaken "name_taken" Request 409 false: "the name is taken",
        "Something else in the same place has it, whatever the case: units below one unit, groups, logins and the tokens of one user each have names of their own (rules 1, 2), and a mail address is one user's alone. Whose it is is not said.",
        "take another name, or an address of your own; where a mail address is yours and somebody else has it, an administrator finds out: `seatkeeper user address LOGIN none` takes it from them";
    NotEmpty "not_empty" Request 409 false: "something is in it still, or hangs on it",
        "A unit is taken away, or an account moved below another, only when nothing is in it and nothing is bound to it (rule 1).",
        "move or take away first what the message names";
    Cycle "cycle" Request 409 false: "it would hold itself",
        "Groups hold groups and units stand below units, and none of them itself, at any depth (rules 1, 2).",
        "take another group or unit";
    OneLine "one_line" Request 409 false: "two units of a user would lie in one line",
        "A user is in no two units of which one is above the other, also after a move (rule 1).",
        "take the users who are named out of one of the two units first";
    MixedKinds "mixed_kinds" Request 409 false: "a user would be in accounts of two kinds",
        "All units of a user are in accounts of one kind: producer, partner or customer (rule 1).",
        "place the users who are named in accounts of one kind, or make another user";
    LastUnit "last_unit" Request 409 false: "a user is in one unit at least",
        "The last one is not taken away (rule 1).",
        "move the user to another unit, or take the user away";
    LastAdministrator "last_administrator" Request 409 false: "an account with people in it keeps somebody who gives roles",
        "Nobody else in the account could give a role after this change (rule 1).",
        "give another user the role first: `seatkeeper role give administrator USER --unit ACCOUNT`";
    OverPromised "over_promised" Request 409 false: "more would be promised than there is",
        "What assignments reserve of a feature is at most its seats, and of those whom a max covers at most that max (rule 11).",
        "reserve less, or raise what the message names; `seatkeeper license assignments` shows both";
    WrongRevision "wrong_revision" Request 412 false: "somebody changed it meanwhile",
        "The revision in If-Match is not the present one.",
        "read it again, and repeat the change if it still makes sense";
    // Failures: something broke, nothing was judged.
    NameServiceDown "name_service_down" Server 503 true: "the machine cannot say who you are",
        "Looking the uid up failed, and no name was known for it before.",
        "check the machine's name service (sssd, nscd, LDAP)";
    ServerBusy "server_busy" Server 503 true: "the daemon has too much to do",
        "Its queue, or this caller's share of it, or the connections of this uid are full; or the caller gave up 4,096 checkouts within 15 minutes that never had a seat (rule 20).",
        "try again in a moment";
    MailOff "mail_off" Server 409 false: "this daemon sends no mail",
        "No mail server is configured (`[mail]` in the configuration), so whatever would be mailed is given to whoever caused it instead, and nobody can show by a mail that an address is theirs.",
        "a mail address is given by an administrator: `seatkeeper user address LOGIN ADDRESS`; a license request you carry yourself: `seatkeeper license request --out FILE` writes the file; who operates the daemon sets `server` and `from` under `[mail]`";
    ServerStopping "server_stopping" Server 503 true: "the daemon is stopping",
        "It takes no new requests; seats are kept over a restart (rule 19).",
        "try again in a moment";
    RequestTimeout "request_timeout" Request 408 true: "the request did not arrive in time",
        "Headers and body have 5 s each.",
        "try again";
    Internal "internal" Server 500 true: "something broke in the daemon",
        "It is no judgement about your seat. The trace id finds it in the log.",
        "tell an administrator the trace id";
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for Code {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Code {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        Ok(Code::of(&std::borrow::Cow::<'de, str>::deserialize(d)?))
    }
}

#[cfg(feature = "openapi")]
mod schema {
    use super::Code;
    use utoipa::openapi::{ObjectBuilder, RefOr, Schema, Type};

    impl utoipa::PartialSchema for Code {
        fn schema() -> RefOr<Schema> {
            ObjectBuilder::new()
                .schema_type(Type::String)
                .description(Some(
                    "A stable code; new ones may appear. `/problems/CODE` explains it.",
                ))
                .examples(Code::ALL.iter().map(Code::as_str))
                .into()
        }
    }

    impl utoipa::ToSchema for Code {}
}
