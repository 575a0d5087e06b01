//! The vectors for clients in other languages (packaging/doc/PROTOCOL.md): what stands there is what the SDK does.
//!
//! `UPDATE=1 cargo test -p seatkeeper --test token_vectors` writes them anew.
#![allow(clippy::unwrap_used, reason = "a test fails loudly")]

mod tokens;
mod vectors;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;
use vectors::{Book, judge, make, text_of};

/// Every vector is judged as it says: this fails where the SDK and the files part, whichever of them changed.
#[test]
fn s1_to_s6_every_vector_is_judged_as_it_says() {
    let (mut refused, mut accepted, mut wrong) = (0, 0, Vec::new());
    for vector in books().iter().flat_map(Book::whole) {
        let expected = text_of(&vector, "expected");
        let check = vector.get("check").and_then(|check| check.as_str());
        match (judge(&vector), expected) {
            (Err(no), "refused") if no.checks.contains(&check.unwrap()) => refused += 1,
            (Ok(()), "accepted") => accepted += 1,
            (judged, _) => wrong.push(format!(
                "{} ({}) should be {expected} by {check:?}: {:?}",
                text_of(&vector, "id"),
                text_of(&vector, "reason"),
                judged.map_err(|no| no.text)
            )),
        }
    }
    println!("{refused} refused and {accepted} accepted");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(refused >= 300 && accepted >= 24, "{refused} and {accepted}");
}

/// The files are what this program makes: nobody edits a vector by hand.
#[test]
fn the_files_are_what_this_test_makes() {
    for (made, read) in make().iter().zip(books()) {
        let name = &made.name;
        assert!(
            made == read,
            "{name} has changed: if it should, run with UPDATE=1 and read the difference"
        );
    }
}

#[test]
fn every_vector_has_an_id_of_its_own() {
    let mut seen = BTreeMap::new();
    for book in books() {
        for vector in &book.vectors {
            let id = text_of(vector, "id").to_owned();
            let before = seen.insert(id.clone(), book.name.clone());
            assert_eq!(before, None, "{id} stands twice, in {} too", book.name);
        }
    }
}

/// Each check of the specification has a vector that it refuses, and no vector names another.
#[test]
fn every_check_of_the_specification_has_its_vectors() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../packaging/doc/PROTOCOL.md");
    let text = std::fs::read_to_string(path).unwrap();
    let is_check = |word: &&str| {
        let (letter, number) = word.split_at(1);
        ["T", "K", "C", "A"].contains(&letter) && number.parse::<u8>().is_ok()
    };
    let checks: BTreeSet<String> = text
        .split("**")
        .filter(|word| word.is_ascii() && word.len() > 1)
        .filter(is_check)
        .map(str::to_owned)
        .collect();
    let named: BTreeSet<String> = books()
        .iter()
        .flat_map(|book| book.vectors.clone())
        .filter_map(|vector| Some(vector.get("check")?.as_str()?.to_owned()))
        .collect();
    assert_eq!(named, checks);
}

/// The files, written anew first where that is wanted.
fn books() -> &'static [Book] {
    static BOOKS: LazyLock<Vec<Book>> = LazyLock::new(|| {
        let made = make();
        if std::env::var_os("UPDATE").is_some() {
            made.iter().for_each(Book::write);
        }
        made.iter().map(|book| Book::read(&book.name)).collect()
    });
    &BOOKS
}
