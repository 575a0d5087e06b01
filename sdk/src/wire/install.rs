//! Installs on the wire: a license file, for which account, and what came of it.

use serde::{Deserialize, Serialize};

/// Installs a license file, or says what that would do: `POST /v1/licenses`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct InstallBody {
    /// The license file, as text.
    pub text: String,
    /// The account that its licenses are for: its id or name, or `new` for one that is made for the license's customer
    /// where that has none yet. Absent: the customer's account, where an earlier license told it, else the home account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// Assign to everyone.
    #[serde(default)]
    pub assign_everyone: bool,
    /// Take a token whose `iat` lies more than 31 days ahead.
    #[serde(default)]
    pub accept_date: bool,
    /// Verify and say what would happen, change nothing.
    #[serde(default)]
    pub verify_only: bool,
}

/// What an install did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Installed {
    /// Licenses, one per token in the file.
    pub licenses: Vec<InstalledLicense>,
    /// Tokens of unknown kind that were skipped, what was made beside the licenses, and what else is worth knowing.
    pub warnings: Vec<String>,
    /// The site knows something that it did not before: a license, or a newer issuer token.
    #[serde(default)]
    pub changed: bool,
}

/// One installed license.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct InstalledLicense {
    /// Vendor name.
    pub vendor: String,
    /// License id.
    pub id: String,
    /// Serial.
    pub serial: u64,
    /// The account that it is installed for, by name; absent for the home account, and where nothing was installed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// False where this serial or a higher one was in force already.
    pub new: bool,
    /// Assigned to everyone.
    pub assigned_to_everyone: bool,
    /// Holders that are ending for it (rule 17).
    pub ending: Vec<String>,
    /// It waits until this date, its first day, and is in force from then on (rule 17).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waits_until: Option<u64>,
}
