//! A license request on its way to a vendor's support: whose address it is, and in whose name it goes (L14, D17).

use super::Desk;
use super::directory::mail_address;
use super::parse::{self, bad};
use crate::authorize::{Caller, Permission};
use crate::licenses::claims_of;
use crate::problem::Refused;
use seatkeeper::wire::{LicenseRequestBody, LicenseRequestMail};
use seatkeeper_engine::State;
use std::collections::BTreeMap;

/// The member of a license's `info` that names the vendor's support.
const SUPPORT: &str = "support";

/// A license request, and what a mail says beside it.
#[derive(Clone, Debug)]
pub struct RequestToMail {
    /// The `.req` token.
    pub request: String,
    /// What else should be done now, in sentences.
    pub warnings: Vec<String>,
    /// The address that gets it.
    pub to: String,
    /// Who asks, by name.
    pub person: String,
    /// Their mail address, where one is known.
    pub address: Option<String>,
    /// The site's name.
    pub site: String,
}

impl Desk {
    /// `POST /v1/license-request/mail`, as far as it is not the mail's.
    ///
    /// # Errors
    /// `forbidden`, a member that is not well-formed, or nobody to send it to.
    pub fn license_request_to_mail(
        &self,
        caller: &Caller,
        body: &LicenseRequestMail,
    ) -> Result<RequestToMail, Refused> {
        self.authorize(caller, Permission::LicenseInstall, self.unit)?;
        let snapshot = self.keeper.snapshot();
        let state = &snapshot.state;
        let to = match &body.to {
            Some(to) => mail_address("to", to).map(|()| to.clone())?,
            None => support(state, body.vendor.as_deref())?,
        };
        let asked = LicenseRequestBody {
            account: body.account.clone(),
            product_version: body.product_version.clone(),
            order: body.order.clone(),
        };
        let made = self.license_request(caller, &asked)?;
        let person = caller.person(state);
        Ok(RequestToMail {
            request: made.request,
            warnings: made.warnings,
            to,
            person: person.map_or_else(
                || caller.login.name.clone(),
                |person| self.user_name(person),
            ),
            address: person.and_then(|person| self.mail_address(state, person)),
            site: self.settings.site_name.clone(),
        })
    }
}

/// The support address that the licenses of this vendor name, or those of the only vendor who names one. The newest
/// license of a vendor wins.
fn support(state: &State, vendor: Option<&str>) -> Result<String, Refused> {
    if let Some(vendor) = vendor {
        parse::name("vendor", vendor)?;
    }
    let mut newest = BTreeMap::new();
    for license in state.licenses.values() {
        let terms = &license.terms;
        if vendor.is_some_and(|vendor| *terms.id.vendor != *vendor) {
            continue;
        }
        let claims = claims_of(state, terms);
        let named = claims.as_ref().and_then(|claims| claims.info.get(SUPPORT));
        if let Some(address) = named.and_then(|address| address.as_str()) {
            let known = newest
                .entry(&terms.id.vendor)
                .or_insert((terms.signed.iat, address.to_owned()));
            if known.0 <= terms.signed.iat {
                *known = (terms.signed.iat, address.to_owned());
            }
        }
    }
    let mut found = newest.into_iter();
    match (found.next(), found.next()) {
        (Some((vendor, (_, address))), None) => match mail_address("to", &address) {
            Ok(()) => Ok(address),
            Err(_) => {
                let why = format!(
                    "the licenses of {vendor} name {address:?} as their support, which is no mail address"
                );
                Err(hinted(&why, "name the address: `--to ADDRESS`"))
            }
        },
        (Some((one, _)), Some((other, _))) => {
            let why = format!("several vendors name a support address: {one}, {other}");
            Err(hinted(
                &why,
                "say whose support is meant: `--vendor NAME`, or `--to ADDRESS`",
            ))
        }
        (None, _) => {
            let whose = vendor.map_or_else(
                || "no installed license names".to_owned(),
                |vendor| format!("no installed license of {vendor} names"),
            );
            let why = format!("{whose} a support address (`info.support`)");
            Err(hinted(
                &why,
                "name the address: `--to ADDRESS`; or carry the file yourself: `seatkeeper license request --out FILE`",
            ))
        }
    }
}

fn hinted(why: &str, hint: &str) -> Refused {
    let mut refused = bad("to", why);
    refused.hint = hint.to_owned();
    refused
}
