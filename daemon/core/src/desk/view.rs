//! What lists and pages show: the snapshot in the words of the wire.

mod audit;
mod journal;
mod licenses;
mod seats;

pub use audit::AuditFilter;
pub(super) use audit::Followed;
pub(super) use licenses::{status as license_status, vendor, waiting_status};

use super::parse::bad;
use crate::problem::Refused;
use seatkeeper::wire::Page;
use seatkeeper_engine::ids::PoolId;
use std::ops::Bound;
use std::str::FromStr;

/// Rows on a page, where the caller does not say.
pub const PAGE: usize = 200;
/// Rows on a page, at most.
pub const PAGE_MOST: usize = 1000;

/// Which page of a list.
#[derive(Clone, Debug, Default)]
pub struct Cursor {
    /// The `next` of the page before.
    pub after: Option<String>,
    /// Rows wanted.
    pub limit: Option<usize>,
}

impl Cursor {
    /// Where a list that goes by ids begins.
    pub(super) fn after_id<T: FromStr>(&self) -> Result<(Bound<T>, Bound<T>), Refused> {
        let after = self.after.as_deref().map(str::parse).transpose();
        let after = after.map_err(|_| bad("after", "not a cursor of this list"))?;
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        Ok((from, Bound::Unbounded))
    }

    pub(super) fn limit(&self) -> Result<usize, Refused> {
        match self.limit {
            Some(0) => Err(bad("limit", "is 0")),
            Some(limit) => Ok(limit.min(PAGE_MOST)),
            None => Ok(PAGE),
        }
    }
}

/// `vendor/license/feature`.
#[must_use]
pub fn pool_text(pool: &PoolId) -> String {
    pool.to_string()
}

/// A page of rows that come in the order of their keys, after the cursor's.
pub(super) fn page<T>(rows: impl Iterator<Item = (String, T)>, limit: usize) -> Page<T> {
    let mut items = Vec::new();
    let mut last = None;
    for (key, row) in rows {
        if items.len() == limit {
            return Page { items, next: last };
        }
        items.push(row);
        last = Some(key);
    }
    Page { items, next: None }
}
