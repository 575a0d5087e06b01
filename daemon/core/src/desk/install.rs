//! Vendors, license files and license requests: what an administrator, or an inbox, brings to the site.

use super::Desk;
use super::directory::Wanted;
use super::parse;
use super::refusal::Subject;
use crate::authorize::{Caller, Permission};
use crate::keeper::{Answer, Failure};
use crate::licenses::verify::other_customer;
use crate::licenses::{Against, Plan, request, roots_of, vendor_of, verify};
use crate::problem::{Refused, internal};
use crate::random;
use seatkeeper::wire::{
    Finding, InstallBody, Installed, InstalledLicense, LicenseRequestBody, LicenseRequestReply,
    TrustBody, Vendor,
};
use seatkeeper_engine::command::IssuerSeen;
use seatkeeper_engine::denial::{Code as DenialCode, Denial};
use seatkeeper_engine::ids::AssignmentId;
use seatkeeper_engine::state::{AssignmentTerms, LicenseTerms, Target};
use seatkeeper_engine::time::Date;
use seatkeeper_engine::{Actor, Command, Order, Origin, State, Verdict};

/// Who brings something: a caller, or an inbox.
#[derive(Clone, Copy)]
pub(super) enum Bringer<'a> {
    Caller(&'a Caller),
    Inbox,
}

impl Desk {
    /// `POST /v1/vendors`: trusts a vendor's roots. Blocks.
    ///
    /// # Errors
    /// `forbidden`, keys that are refused, or a root that belongs to another vendor.
    pub fn trust(&self, caller: &Caller, body: &TrustBody) -> Result<Vendor, Refused> {
        self.authorize(caller, Permission::VendorTrust, self.unit)?;
        let done = self.trust_by(Bringer::Caller(caller), &body.name, &body.pem);
        self.traced(caller, done)
    }

    /// A file that lies in `vendors.d`; its name without `.pem` is the vendor's. What it says of it stands in `status`.
    pub fn trust_from_inbox(&self, file: &str, pem: &str) -> Result<Vendor, Refused> {
        let name = file.strip_suffix(".pem").unwrap_or(file);
        let done = self.trust_unless_removed(name, pem);
        self.remarks.note(
            file,
            done.as_ref().err().map(|refused| finding(file, refused)),
        );
        done
    }

    /// `POST /v1/licenses`: installs a license file, or only verifies it. Blocks. A file is verified as a whole before
    /// anything is changed.
    ///
    /// # Errors
    /// `forbidden`, or the refusal of the first token that fails; it says what was done before it, if anything was.
    pub fn install(&self, caller: &Caller, body: &InstallBody) -> Result<Installed, Refused> {
        self.traced(caller, self.install_of(caller, body))
    }

    fn install_of(&self, caller: &Caller, body: &InstallBody) -> Result<Installed, Refused> {
        let snapshot = self.keeper.snapshot();
        let account = self.account_wanted(&snapshot, caller, body.account.as_deref())?;
        let how = (account, body.assign_everyone);
        self.installs_for(&snapshot, caller, how)?;
        if body.verify_only {
            return self.verify_file(body);
        }
        let (by, text) = (Bringer::Caller(caller), body.text.as_bytes());
        self.install_by(by, text, body.accept_date, how)
    }

    /// A file that lies in `licenses.d`. Known or lower serials are noted; what it says of it stands in `status`.
    pub fn install_from_inbox(&self, file: &str, bytes: &[u8]) -> Result<Installed, Refused> {
        let done = self.install_by(Bringer::Inbox, bytes, false, (Wanted::Alias, false));
        self.remarks.note(
            file,
            done.as_ref().err().map(|refused| finding(file, refused)),
        );
        done
    }

    /// `POST /v1/license-request`.
    ///
    /// # Errors
    /// `forbidden`, or a member that is not well-formed.
    pub fn license_request(
        &self,
        caller: &Caller,
        body: &LicenseRequestBody,
    ) -> Result<LicenseRequestReply, Refused> {
        self.authorize(caller, Permission::LicenseInstall, self.unit)?;
        self.traced(caller, self.request_of(caller, body))
    }

    fn request_of(
        &self,
        caller: &Caller,
        body: &LicenseRequestBody,
    ) -> Result<LicenseRequestReply, Refused> {
        let text = |member, text: Option<&str>| {
            text.map_or(Ok(()), |text| {
                parse::one_line(member, text, parse::TEXT_BYTES)
            })
        };
        text("account", Some(&body.account))?;
        text("product_version", body.product_version.as_deref())?;
        text("order", body.order.as_deref())?;
        let asked = request::Asked {
            account: &body.account,
            product_version: body.product_version.as_deref(),
            order: body.order.as_deref(),
            site: &self.settings.site_name,
            daemon: &self.settings.version,
        };
        let key = self.site_signing(caller, "a license request cannot be made here")?;
        let snapshot = self.keeper.snapshot();
        let request = request::sign(&asked, key, &snapshot.state, self.now().j)
            .map_err(|e| internal("the request cannot be signed", &e))?;
        let mut warnings = Vec::new();
        if !self.keys.exported() {
            warnings.push(super::site_key::EXPORT.to_owned());
        }
        warnings.extend(super::dates::told_to_vendor(&snapshot.state.clock));
        Ok(LicenseRequestReply { request, warnings })
    }

    /// A vendor whom an administrator took away is not brought back by a file that was left behind.
    fn trust_unless_removed(&self, name: &str, pem: &str) -> Result<Vendor, Refused> {
        let roots = roots_of(name, pem)?;
        let removed = &self.keeper.snapshot().state.distrusted;
        if let Some((root, _)) = roots.iter().find(|(root, _)| removed.contains(root)) {
            let mut refused = crate::problem::problem(
                seatkeeper::wire::Code::Forbidden,
                format!("the vendor of {root} was removed here, and a file does not bring it back"),
            );
            refused.hint = format!(
                "take the file out of vendors.d; `seatkeeper vendor trust FILE --name {name}` trusts it again"
            );
            return Err(refused);
        }
        self.trust_by(Bringer::Inbox, name, pem)
    }

    fn trust_by(&self, by: Bringer<'_>, name: &str, pem: &str) -> Result<Vendor, Refused> {
        let vendor = parse::name("name", name)?;
        let roots = roots_of(name, pem)?;
        let refused = &self.settings.refused_roots;
        if let Some((root, _)) = roots.iter().find(|(root, _)| refused.contains(root)) {
            return Err(published(root));
        }
        let root = roots
            .first()
            .map(|(root, _)| root.to_string())
            .unwrap_or_default();
        let answer = self.bring(
            by,
            Command::TrustVendor {
                vendor: vendor.clone(),
                roots,
            },
        )?;
        if let Verdict::Denied(denial) = &answer.verdict {
            let what = format!("the root {root} of {name}");
            let mut refused = self.brought_denied(by, denial, &what, &answer);
            let state = &answer.snapshot.state;
            let whose = denial.roots.first().and_then(|root| vendor_of(state, root));
            refused.hint = format!(
                "a root belongs to one vendor, and this one is trusted already as a root of {}: `seatkeeper vendor list`",
                whose.map_or("another", |vendor| vendor)
            );
            return Err(refused);
        }
        answer
            .snapshot
            .state
            .vendors
            .get(&vendor)
            .map(|known| super::view::vendor(&vendor, known))
            .ok_or_else(|| internal("a vendor that was trusted is not there", &vendor))
    }

    /// Says what installing would do.
    fn verify_file(&self, body: &InstallBody) -> Result<Installed, Refused> {
        let snapshot = self.keeper.snapshot();
        let against = self.against(&snapshot.state, body.accept_date);
        let plan = verify(body.text.as_bytes(), &against)?;
        plan.foresee(&against)?;
        let licenses = plan
            .licenses
            .iter()
            .map(|terms| {
                let new = !plan.known(terms, &against);
                let waits = against.waits(terms).filter(|_| new);
                row(terms, new, body.assign_everyone, waits, Vec::new())
            })
            .collect();
        let mut warnings = plan.warnings;
        warnings.extend(no_license(&plan.licenses, &plan.issuers, &snapshot.state));
        Ok(Installed {
            licenses,
            warnings,
            changed: false,
        })
    }

    fn install_by(
        &self,
        by: Bringer<'_>,
        bytes: &[u8],
        accept_date: bool,
        how: (Wanted, bool),
    ) -> Result<Installed, Refused> {
        let snapshot = self.keeper.snapshot();
        let against = self.against(&snapshot.state, accept_date);
        let mut plan = verify(bytes, &against)?;
        // A file with a newer issuer is listened to even where a license in it is refused: it may withdraw that license.
        let mut changed = false;
        for issuer in plan.issuers.clone() {
            changed |= newer(&issuer, &self.keeper.snapshot().state);
            let see = || Command::SeeIssuer(Box::new(issuer.clone()));
            self.installing(by, how, |by| self.bring_judged(by, see()))?;
        }
        plan.warnings
            .extend(no_license(&plan.licenses, &plan.issuers, &snapshot.state));
        plan.foresee(&self.against(&self.keeper.snapshot().state, accept_date))?;
        let mut installed = Installed {
            licenses: Vec::new(),
            warnings: std::mem::take(&mut plan.warnings),
            changed,
        };
        for terms in &plan.licenses {
            match self.installing(by, how, |by| self.install_one(by, (terms, &plan), how)) {
                Ok((row, said)) => {
                    installed.changed |= row.new;
                    installed.licenses.push(row);
                    installed.warnings.extend(said);
                }
                Err(refused) => return Err(half_done(refused, &installed)),
            }
        }
        for row in &installed.licenses {
            if row.new && self.assigned_to_nobody(row) {
                installed.warnings.push(format!(
                    "license {id} is assigned to nobody: `seatkeeper license assign {id} --everyone`, or `--user NAME`",
                    id = row.id
                ));
            }
        }
        Ok(installed)
    }

    fn install_one(
        &self,
        by: Bringer<'_>,
        (terms, of): (&LicenseTerms, &Plan),
        (account, everyone): (Wanted, bool),
    ) -> Result<(InstalledLicense, Vec<String>), Refused> {
        let snapshot = self.keeper.snapshot();
        let state = &snapshot.state;
        if everyone {
            self.assigns_to_all(by, state, terms)?;
        }
        let first = !state.installed(&terms.id) && terms.replaces.is_none();
        let everyone = everyone || first && self.settings.assign_new_to_everyone;
        let assign = everyone.then(assignment_id).transpose()?;
        let mut known = state.licenses.get(&terms.id).into_iter();
        let mut known = known.by_ref().chain(state.waits(&terms.id));
        let same = known.any(|known| known.terms.signed.hash == terms.signed.hash);
        // The same file again is no mistake; a lower serial by hand is (rule 17).
        let note_known = same || of.replaces(terms, state) || matches!(by, Bringer::Inbox);
        let (answer, said) = self.bring_license(by, terms, account, (assign, note_known))?;
        let state = &answer.snapshot.state;
        match &answer.verdict {
            Verdict::Installed {
                new, ending, waits, ..
            } => {
                // What an administrator removed is noted of an inbox, and is nobody's.
                let everyone = everyone && state.installed(&terms.id);
                if let (false, Some(id)) = (*new, assign.filter(|_| everyone)) {
                    let account = state.account_for(&terms.id);
                    let target = Target::Unit(account.unwrap_or(self.unit));
                    let license = terms.id.clone();
                    let terms = AssignmentTerms::default();
                    let assign = Command::Assign {
                        id,
                        license,
                        target,
                        terms,
                    };
                    self.bring_judged(by, assign)?;
                }
                let ending = ending.iter().map(ToString::to_string).collect();
                let account = state.account_for(&terms.id);
                let account = account.filter(|unit| *unit != self.unit);
                let row = InstalledLicense {
                    account: account.map(|unit| self.unit_name(state, unit)),
                    ..row(terms, *new, everyone, *waits, ending)
                };
                Ok((row, said))
            }
            Verdict::Denied(denial) => {
                let refused = self.account_denied(state, terms, denial);
                Err(refused.unwrap_or_else(|| self.license_denied(by, terms, denial, &answer)))
            }
            other => Err(internal(
                "an answer to an install",
                &format_args!("{other:?}"),
            )),
        }
    }

    fn license_denied(
        &self,
        by: Bringer<'_>,
        terms: &LicenseTerms,
        denial: &Denial,
        answer: &Answer,
    ) -> Refused {
        if denial.code == DenialCode::Conflict {
            return other_customer(terms, denial.limit.as_deref());
        }
        let what = format!("license {} serial {}", terms.id.id, terms.serial);
        self.brought_denied(by, denial, &what, answer)
    }

    fn against<'a>(&'a self, state: &'a State, accept_date: bool) -> Against<'a> {
        Against {
            state,
            now: self.now().j,
            wall_s: self.wall_s(),
            site: self.keys.site_thumbprint(),
            accept_date,
        }
    }

    pub(super) fn bring(&self, by: Bringer<'_>, command: Command) -> Result<Answer, Refused> {
        match by {
            Bringer::Caller(caller) => self
                .ask(self.order(caller, command), caller.trace.clone())
                .map_err(|e| self.fail(caller, e)),
            Bringer::Inbox => self
                .ask(
                    Order {
                        actor: Actor::Daemon,
                        origin: Origin::Inbox,
                        command,
                    },
                    None,
                )
                .map_err(super::failed),
        }
    }

    /// Brings what is nothing new, mostly; refuses it where rights were changed meanwhile.
    fn bring_judged(&self, by: Bringer<'_>, command: Command) -> Result<(), Refused> {
        let answer = self.bring(by, command)?;
        match &answer.verdict {
            Verdict::Denied(denial) if denial.code == DenialCode::WrongRevision => {
                Err(self.brought_denied(by, denial, "the file", &answer))
            }
            _ => Ok(()),
        }
    }

    /// A write to another store failed: the keeper ends before this is answered.
    pub(super) fn brought_broken(&self, by: Bringer<'_>, why: &dyn std::fmt::Display) -> Refused {
        self.keeper.fail(why);
        match by {
            Bringer::Caller(caller) => self.fail(caller, Failure::Stopped),
            Bringer::Inbox => super::failed(Failure::Stopped),
        }
    }

    fn brought_denied(
        &self,
        by: Bringer<'_>,
        denial: &Denial,
        what: &str,
        answer: &Answer,
    ) -> Refused {
        match by {
            Bringer::Caller(caller) => self.refuse(
                denial,
                Subject {
                    caller,
                    user: &caller.login.name,
                    what,
                    version: None,
                },
                &answer.snapshot,
            ),
            Bringer::Inbox => super::refusal::of_inbox(denial, what),
        }
    }

    fn assigned_to_nobody(&self, row: &InstalledLicense) -> bool {
        let snapshot = self.keeper.snapshot();
        !snapshot
            .state
            .assignments
            .values()
            .any(|a| *a.license.vendor == *row.vendor && *a.license.id == *row.id)
    }
}

/// The engine will remember it: it is newer than the one known of its root.
fn newer(issuer: &IssuerSeen, state: &State) -> bool {
    let known = state.issuers.get(&issuer.root);
    known.is_none_or(|known| known.iat < issuer.iat)
}

/// What to say of a file in which there is no license: whoever brought it meant another one, mostly.
fn no_license(licenses: &[LicenseTerms], issuers: &[IssuerSeen], state: &State) -> Option<String> {
    let newest = issuers.last().filter(|_| licenses.is_empty())?;
    let vendor = vendor_of(state, &newest.root).map_or("a vendor", |vendor| vendor);
    let news = if newer(newest, state) {
        "it is newer than the one known here, and what it withdraws is withdrawn"
    } else {
        "that one, or a newer one, is known here already"
    };
    Some(format!(
        "holds no license, only the issuer token of {vendor}; {news}. A license comes from `seatkeeper vendor issue`, at the vendor's"
    ))
}

fn assignment_id() -> Result<AssignmentId, Refused> {
    random::bytes()
        .map(AssignmentId)
        .map_err(|e| internal("no random id", &e))
}

fn row(
    terms: &LicenseTerms,
    new: bool,
    everyone: bool,
    waits: Option<Date>,
    ending: Vec<String>,
) -> InstalledLicense {
    InstalledLicense {
        vendor: terms.id.vendor.to_string(),
        id: terms.id.id.to_string(),
        serial: terms.serial,
        account: None,
        new,
        assigned_to_everyone: everyone,
        ending,
        waits_until: waits.map(|day| day.0),
    }
}

fn published(root: &str) -> Refused {
    let mut refused = crate::problem::problem(
        seatkeeper::wire::Code::Forbidden,
        format!(
            "{root} is the development root, whose private key is published: anybody can sign licenses under it"
        ),
    );
    refused.hint = "take the root key from the vendor's package; development licenses work in `seatkeeperd dev`".to_owned();
    refused
}

fn half_done(mut refused: Refused, installed: &Installed) -> Refused {
    if !installed.licenses.is_empty() {
        let done: Vec<_> = installed
            .licenses
            .iter()
            .map(|row| format!("{} serial {}", row.id, row.serial))
            .collect();
        refused.detail = format!(
            "{}. Installed before it: {}",
            refused.detail,
            done.join(", ")
        );
    }
    refused
}

fn finding(file: &str, refused: &Refused) -> Finding {
    Finding {
        level: "error".to_owned(),
        about: "inbox".to_owned(),
        text: format!("{file}: {}", refused.detail),
        remedy: refused.hint.clone(),
        code: Some(refused.code.clone()),
        file: Some(file.to_owned()),
    }
}
