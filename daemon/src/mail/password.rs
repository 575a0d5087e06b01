//! The password for the SMTP server: from a file or the service manager, never from a setting.

use crate::config::MailSettings;
use crate::os::files::read_secret;
use crate::os::service::credential;
use zeroize::Zeroizing;

/// Bytes that it may have.
const BYTES: u64 = 4096;
/// The credential of the service manager that is taken where no file is named.
const CREDENTIAL: &str = "mail.password";

/// There is none: in words, with what to do.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NoPassword {
    /// What is wrong.
    pub text: String,
    /// What to do.
    pub remedy: String,
}

/// The password of `mail.user`; nothing where nobody signs in.
///
/// # Errors
/// It is not to be had, or others could read it.
pub fn password(settings: &MailSettings) -> Result<Option<Zeroizing<String>>, NoPassword> {
    if !settings.is_on() || settings.user.is_empty() {
        return Ok(None);
    }
    let named = Some(settings.password_file.clone()).filter(|path| !path.as_os_str().is_empty());
    let Some(path) = named.or_else(|| credential(CREDENTIAL)) else {
        return Err(NoPassword {
            text: "`mail.user` signs in, and there is no password for them".to_owned(),
            remedy: format!(
                "name a file in `mail.password_file`, or give the service `LoadCredential={CREDENTIAL}:FILE`"
            ),
        });
    };
    let shown = path.display();
    let bytes = read_secret(&path, BYTES).map_err(|why| NoPassword {
        text: format!("the password file {shown} {}", why.text),
        remedy: why.remedy,
    })?;
    let bytes = Zeroizing::new(bytes);
    let text = std::str::from_utf8(&bytes).unwrap_or_default();
    let text = text.strip_suffix('\n').unwrap_or(text);
    let text = text.strip_suffix('\r').unwrap_or(text);
    if text.is_empty() || text.chars().any(char::is_control) {
        return Err(NoPassword {
            text: format!("the password file {shown} does not hold a password on one line"),
            remedy: "write the password into it, and nothing else".to_owned(),
        });
    }
    Ok(Some(Zeroizing::new(text.to_owned())))
}
