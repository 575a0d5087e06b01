//! `why … --if-…`: what is supposed.

use crate::names::LicenseName;
use clap::Args;
use seatkeeper::wire::{Assignment, Suppose, SupposedMember, SupposedPlace, SupposedSeats};
use std::str::FromStr;

/// What is taken as so, for the answer alone.
#[derive(Args, Debug, Default)]
#[command(
    next_help_heading = "Suppose (for the answer alone: nothing is changed, nothing is recorded)"
)]
pub(crate) struct Supposing {
    /// What if LICENSE were assigned to USER; or to WHOM: user:NAME, group:GROUP, unit:UNIT, everyone
    #[arg(long = "if-assigned", value_name = "LICENSE[=WHOM]")]
    pub assigned: Vec<IfAssigned>,
    /// What if LICENSE had N seats of FEATURE
    #[arg(long = "if-seats", value_name = "LICENSE=N")]
    pub seats: Vec<IfSeats>,
    /// What if USER were in this unit and in no other; once for each where there are several
    #[arg(long = "if-in-unit", value_name = "UNIT")]
    pub units: Vec<String>,
    /// What if USER were in this group, too
    #[arg(long = "if-in-group", value_name = "GROUP")]
    pub groups: Vec<String>,
}

/// `LICENSE`, or `LICENSE=WHOM`.
#[derive(Clone, Debug)]
pub(crate) struct IfAssigned {
    license: LicenseName,
    whom: Option<Whom>,
}

#[derive(Clone, Debug)]
enum Whom {
    User(String),
    Group(String),
    Unit(String),
    Everyone,
}

/// `LICENSE=N`.
#[derive(Clone, Debug)]
pub(crate) struct IfSeats {
    license: LicenseName,
    seats: u64,
}

impl Supposing {
    /// As it is asked: where people are first, then what is there, then who may use it.
    pub(crate) fn asked(&self) -> Vec<Suppose> {
        let place = (!self.units.is_empty()).then(|| {
            Suppose::Place(SupposedPlace {
                user: None,
                units: self.units.clone(),
            })
        });
        let groups = self.groups.iter().map(|group| {
            Suppose::Join(SupposedMember {
                user: None,
                group: group.clone(),
            })
        });
        let seats = self.seats.iter().map(IfSeats::asked);
        let assigned = self.assigned.iter().map(IfAssigned::asked);
        place
            .into_iter()
            .chain(groups)
            .chain(seats)
            .chain(assigned)
            .collect()
    }
}

impl IfAssigned {
    fn asked(&self) -> Suppose {
        let (vendor, license) = self.license.parts();
        let mut asked = Assignment {
            vendor,
            license,
            ..Assignment::default()
        };
        match self.whom.clone() {
            None => {}
            Some(Whom::User(name)) => asked.user = Some(name),
            Some(Whom::Group(name)) => asked.group = Some(name),
            Some(Whom::Unit(name)) => asked.unit = Some(name),
            Some(Whom::Everyone) => asked.everyone = true,
        }
        Suppose::Assign(Box::new(asked))
    }
}

impl IfSeats {
    fn asked(&self) -> Suppose {
        let (vendor, license) = self.license.parts();
        Suppose::Seats(SupposedSeats {
            vendor,
            license,
            feature: None,
            seats: self.seats,
        })
    }
}

impl FromStr for IfAssigned {
    type Err = String;

    fn from_str(text: &str) -> Result<IfAssigned, String> {
        let Some((license, whom)) = text.split_once('=') else {
            let license = text.parse()?;
            return Ok(IfAssigned {
                license,
                whom: None,
            });
        };
        let whom = match whom.split_once(':') {
            Some(("user", name)) => Whom::User(name.to_owned()),
            Some(("group", name)) => Whom::Group(name.to_owned()),
            Some(("unit", name)) => Whom::Unit(name.to_owned()),
            None if whom == "everyone" => Whom::Everyone,
            _ => {
                return Err(
                    "expected user:NAME, group:GROUP, unit:UNIT or everyone after =".to_owned(),
                );
            }
        };
        Ok(IfAssigned {
            license: license.parse()?,
            whom: Some(whom),
        })
    }
}

impl FromStr for IfSeats {
    type Err = String;

    fn from_str(text: &str) -> Result<IfSeats, String> {
        let form = || "expected LICENSE=N, as L-1=20".to_owned();
        let (license, seats) = text.split_once('=').ok_or_else(form)?;
        Ok(IfSeats {
            license: license.parse()?,
            seats: seats.parse().map_err(|_| form())?,
        })
    }
}
