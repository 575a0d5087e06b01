//! The table of what holds what: each line of the mission that it tells of is held by a test of its name.

use crate::{files, none, short, text, top};
use std::collections::BTreeSet;

/// Held by what is no test: the two commands of the README.
const NO_TEST: [&str; 1] = ["U8"];

/// The ids in the first cells of the first table: `F4–F6, D2 (rule 1)` are F4, F5, F6 and D2.
fn told(readme: &str) -> Vec<String> {
    let rows = readme
        .lines()
        .skip_while(|line| !line.starts_with("| line |"));
    let rows = rows.skip(2).take_while(|line| line.starts_with('|'));
    let cells = rows.filter_map(|row| row.split('|').nth(1));
    let mut all = Vec::new();
    for word in cells.flat_map(|cell| cell.split([',', ' ', '(', ')'])) {
        let mut ends = word.split('–').filter_map(id);
        let Some((letter, first)) = ends.next() else {
            continue;
        };
        let last = ends.next().map_or(first, |(_, last)| last);
        all.extend((first..=last).map(|n| format!("{letter}{n}")));
    }
    all
}

fn id(word: &str) -> Option<(char, u32)> {
    let letter = word.chars().next().filter(|c| "UHFCBLDSI".contains(*c))?;
    Some((letter, word[1..].parse().ok()?))
}

/// What the names of tests, and of golden scripts, say that they hold.
fn held() -> BTreeSet<String> {
    let mut held = BTreeSet::new();
    let mut add = |name: &str| {
        for part in name.split('_') {
            let upper = part.to_uppercase();
            held.extend(id(&upper).map(|(letter, n)| format!("{letter}{n}")));
        }
    };
    for file in files(&top(), ".rs") {
        for rest in text(&file)
            .split("\nfn ")
            .chain(text(&file).split("    fn "))
            .skip(1)
        {
            add(rest.split(['(', '<']).next().unwrap_or_default());
        }
    }
    for file in files(&top(), ".txt") {
        let path = short(&file);
        let name = path.rsplit('/').next().unwrap_or_default();
        add(name.trim_end_matches(".txt"));
    }
    held
}

#[test]
fn each_line_of_the_mission_in_the_table_is_in_the_name_of_a_test() {
    let told = told(&text(&top().join("tests/README.md")));
    assert!(told.len() > 100, "{told:?}");
    let held = held();
    let bare = told
        .into_iter()
        .filter(|line| !held.contains(line) && !NO_TEST.contains(&&**line));
    none(
        "lines of tests/README.md that no test is named after",
        &bare.collect::<Vec<_>>(),
    );
}
