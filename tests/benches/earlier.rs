//! The ratios of earlier days, as they stand in `RESULTS.md`: a figure says more beside those before it.

use std::collections::BTreeMap;

const RESULTS: &str = include_str!("RESULTS.md");
/// So many days are shown, newest first.
const DAYS: usize = 3;

/// The last two columns of every row, by work, server and connections: of (a), of (a′); newest day first.
pub(crate) struct Earlier {
    rows: BTreeMap<(String, String, String), Vec<String>>,
}

impl Earlier {
    pub(crate) fn read() -> Earlier {
        let mut rows: BTreeMap<_, Vec<String>> = BTreeMap::new();
        let (mut day, mut work) = (String::new(), String::new());
        for line in RESULTS.lines() {
            if let Some(title) = line.strip_prefix("## ") {
                day = title.split(':').next().unwrap_or(title).to_owned();
            }
            let cells: Vec<_> = line.trim_matches('|').split('|').map(str::trim).collect();
            // Later tables have a further column: this one.
            let [first, connections, _, _, _, _, of_a, of_committing, ..] = cells[..] else {
                continue;
            };
            if connections == "connections" {
                first.clone_into(&mut work);
            } else if connections.parse::<usize>().is_ok() && first.starts_with("daemon") {
                let key = (work.clone(), first.to_owned(), connections.to_owned());
                let ratios = format!("{of_a}, {of_committing} ({day})");
                rows.entry(key).or_default().push(ratios);
            }
        }
        Earlier { rows }
    }

    /// What stands beside a row.
    pub(crate) fn of(&self, work: &str, server: &str, connections: usize) -> String {
        let key = (work.to_owned(), server.to_owned(), connections.to_string());
        let days = self.rows.get(&key).map_or(&[][..], Vec::as_slice);
        days[..days.len().min(DAYS)].join("; ")
    }
}
