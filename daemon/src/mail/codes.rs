//! Which mail a code goes by, and what becomes of one that cannot be mailed.

use super::letters::{self, Coded, Mail, Shown};
use super::{MailId, NotPosted, Outbox};
use seatkeeper::wire::{AddressAsked, AddressProved, CodeMade};
use seatkeeper_core::desk::{AddressShown, AddressToShow, Refused, code_hash};

/// On whose account mails with codes stand: nobody who asks for one sees how it does.
const CODES: &str = "codes";

/// Codes on their way out.
pub(crate) struct Codes<'a> {
    /// Where mails go.
    pub(crate) mail: &'a Outbox,
    /// The site's name for people.
    pub(crate) site: &'a str,
}

impl Codes<'_> {
    /// A code on its way: by mail, and the answer does not have it; where that cannot be, in the answer, as another code that
    /// was never mailed.
    pub(crate) fn told(
        &self,
        made: CodeMade,
        letter: impl FnOnce(&str, &Coded<'_>) -> Mail,
        again: impl FnOnce() -> Result<CodeMade, Refused>,
    ) -> Result<CodeMade, Refused> {
        match (&made.mailed_to, self.mailed(&made, letter)) {
            (None, _) => Ok(made),
            (Some(_), true) => Ok(CodeMade { code: None, ..made }),
            (Some(_), false) => again(),
        }
    }

    /// Gives the letter to the outbox, where there is an address.
    pub(crate) fn mailed(
        &self,
        made: &CodeMade,
        letter: impl FnOnce(&str, &Coded<'_>) -> Mail,
    ) -> bool {
        let (Some(to), Some(code)) = (&made.mailed_to, &made.code) else {
            return true;
        };
        let coded = Coded {
            site: self.site,
            login: &made.login,
            code,
            until: made.until,
            url: self.mail.url(),
        };
        let id = code_hash(code).map(MailId::of);
        self.mail.post(&letter(to, &coded), CODES, id).is_ok()
    }

    /// The code that shows an address goes there. Whose the address is already is told there that somebody asked, and who
    /// asked gets the same answer.
    pub(crate) fn to_address(&self, made: AddressToShow) -> Result<AddressAsked, NotPosted> {
        let to = &made.asked.address;
        let letter = match &made.code {
            Some(code) => {
                let coded = Coded {
                    site: self.site,
                    login: &made.login,
                    code,
                    until: made.asked.until,
                    url: None,
                };
                letters::address(to, &coded)
            }
            None => letters::address_of_another(to, self.site),
        };
        let id = made.hash.map(MailId::of);
        let posted = self.mail.post(&letter, &of_address(&made.login), id);
        posted.map(|_| made.asked)
    }

    /// Tells at an old address that it is another one now. Where no mail is sent that stands in the journal alone.
    pub(crate) fn to_old_address(&self, shown: &AddressShown) {
        let AddressProved { login, .. } = &shown.proved;
        let Some(was) = &shown.was else {
            return;
        };
        let told = Shown {
            site: self.site,
            login,
        };
        let letter = letters::address_changed(was, &told);
        match self.mail.post(&letter, &of_address(login), None) {
            Ok(_) | Err(NotPosted::Off) => {}
            Err(why) => tracing::warn!(
                ?why,
                "nobody is told at an old mail address that it is another one now"
            ),
        }
    }
}

/// On whose account they stand. Apart from those of others, and from what they see of their own: where it goes is not told.
fn of_address(login: &str) -> String {
    format!("the address of {login}")
}
