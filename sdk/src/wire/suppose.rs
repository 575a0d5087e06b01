//! What may be supposed in a `why`: the answer is given as if it were so, and nothing of it is done (rule 22).

use super::{Assignment, Problem};
use serde::{Deserialize, Serialize};

/// One thing that is not so today.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Suppose {
    /// This assignment, as `POST /v1/assignments` would make it. Where it names neither user, group nor unit and not
    /// everyone, it is for the user whom the `why` is about.
    Assign(Box<Assignment>),
    /// A license with so many seats of a feature.
    Seats(SupposedSeats),
    /// A user in exactly these units.
    Place(SupposedPlace),
    /// A user in one more group.
    Join(SupposedMember),
}

/// A license with so many seats of a feature, as its vendor would sign it anew.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SupposedSeats {
    /// The vendor; may be empty where one license only has this id.
    #[serde(default)]
    pub vendor: String,
    /// The license's id.
    pub license: String,
    /// The feature; that of the `why` where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub feature: Option<String>,
    /// Its seats, from 1 on.
    pub seats: u64,
}

/// A user in exactly these units.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SupposedPlace {
    /// The user, by login or id; whom the `why` is about where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// The units, by path, name or id.
    pub units: Vec<String>,
}

/// A user in one more group.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SupposedMember {
    /// The user, by login or id; whom the `why` is about where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// The group, by name or id.
    pub group: String,
}

/// What is so today, beside an answer to what is supposed.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Today {
    /// A seat would be given.
    pub granted: bool,
    /// One sentence: the seat that it would get, or the no.
    pub summary: String,
    /// The no, as the application would get it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub denial: Option<Problem>,
}
