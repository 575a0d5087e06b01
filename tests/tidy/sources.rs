//! What may not stand in a source file, and how large files and functions may be.

use super::{files, none, short, text, top};
use std::path::PathBuf;
use syn::spanned::Spanned;
use syn::visit::Visit;

/// Lines that a file may have; tests tell long stories.
const FILE: usize = 500;
const TEST_FILE: usize = 800;
/// Lines that a function may have.
const FUNCTION: usize = 70;
const TEST_FUNCTION: usize = 120;

fn sources() -> Vec<PathBuf> {
    files(&top(), ".rs")
}

fn is_test(path: &std::path::Path) -> bool {
    let name = short(path);
    name.starts_with("tests/")
        || name.contains("/tests/")
        || name.ends_with("tests.rs")
        || name.contains("/benches/")
}

#[test]
fn files_are_of_bounded_size() {
    let long: Vec<_> = sources()
        .iter()
        .filter_map(|path| {
            let lines = text(path).lines().count();
            let most = if is_test(path) { TEST_FILE } else { FILE };
            (lines > most).then(|| format!("{} has {lines} lines, {most} at most", short(path)))
        })
        .collect();
    none("files that are no longer one room", &long);
}

#[test]
fn functions_are_of_bounded_size() {
    struct Long {
        file: String,
        most: usize,
        found: Vec<String>,
    }
    impl Long {
        fn look(&mut self, name: &syn::Ident, block: &syn::Block) {
            let (from, to) = (block.span().start().line, block.span().end().line);
            if to - from > self.most {
                self.found.push(format!(
                    "{}:{from} {name} has {} lines, {} at most",
                    self.file,
                    to - from,
                    self.most
                ));
            }
        }
    }
    impl<'a> Visit<'a> for Long {
        fn visit_item_fn(&mut self, f: &'a syn::ItemFn) {
            self.look(&f.sig.ident, &f.block);
            syn::visit::visit_item_fn(self, f);
        }
        fn visit_impl_item_fn(&mut self, f: &'a syn::ImplItemFn) {
            self.look(&f.sig.ident, &f.block);
            syn::visit::visit_impl_item_fn(self, f);
        }
    }
    let mut found = Vec::new();
    for path in sources() {
        let most = if is_test(&path) {
            TEST_FUNCTION
        } else {
            FUNCTION
        };
        let parsed =
            syn::parse_file(&text(&path)).unwrap_or_else(|e| panic!("{}: {e}", short(&path)));
        let mut long = Long {
            file: short(&path),
            most,
            found: Vec::new(),
        };
        long.visit_file(&parsed);
        found.append(&mut long.found);
    }
    none("functions that nobody reads to the end", &found);
}

#[test]
fn clocks_are_read_in_clock_rs_only() {
    let needles = [
        "SystemTime::now",
        "Instant::now",
        "clock_gettime",
        "UtcDateTime::now",
    ];
    let mut found = Vec::new();
    for path in sources() {
        if path.ends_with("clock.rs") || short(&path) == "tests/tidy/sources.rs" {
            continue;
        }
        for (n, line) in text(&path).lines().enumerate() {
            if needles.iter().any(|needle| line.contains(needle)) {
                found.push(format!("{}:{} {}", short(&path), n + 1, line.trim()));
            }
        }
    }
    none("clocks read outside the clock.rs of a crate", &found);
}

#[test]
fn nothing_is_left_behind() {
    let needles = [
        "todo!(",
        "unimplemented!(",
        "dbg!(",
        "FIXME",
        "XXX",
        "#[ignore",
        "unsafe {",
        "allow(unsafe_code",
    ];
    let mut found = Vec::new();
    for path in sources() {
        if short(&path) == "tests/tidy/sources.rs" {
            continue;
        }
        for (n, line) in text(&path).lines().enumerate() {
            if needles.iter().any(|needle| line.contains(needle)) {
                found.push(format!("{}:{} {}", short(&path), n + 1, line.trim()));
            }
        }
    }
    none("left behind", &found);
}

#[test]
fn s3_signatures_are_checked_strictly() {
    let mut found = Vec::new();
    for path in sources()
        .into_iter()
        .filter(|p| short(p).starts_with("sdk/src/token") || short(p).starts_with("daemon"))
    {
        for (n, line) in text(&path).lines().enumerate() {
            if line.contains("Verifier") || line.contains(".verify(") && line.contains("signature")
            {
                found.push(format!("{}:{} {}", short(&path), n + 1, line.trim()));
            }
        }
    }
    none("a lax signature check (only verify_strict)", &found);
}

#[test]
fn modules_open_with_a_sentence() {
    let found: Vec<_> = sources()
        .iter()
        .filter(|path| {
            !text(path)
                .lines()
                .take(3)
                .any(|line| line.starts_with("//!"))
        })
        .map(|path| short(path))
        .collect();
    none("modules that do not say what they are", &found);
}

#[test]
fn no_room_of_the_core_calls_back_into_the_desk() {
    let mut found = Vec::new();
    for path in sources() {
        let name = short(&path);
        if name.starts_with("daemon/core/src") && !name.starts_with("daemon/core/src/desk") {
            for (n, line) in text(&path).lines().enumerate() {
                if line.contains("crate::desk") {
                    found.push(format!("{name}:{} {}", n + 1, line.trim()));
                }
            }
        }
    }
    none(
        "rooms that the desk is built on, and that import from it",
        &found,
    );
}

/// Planted bugs are in builds that ask for them, and in no other: each stands behind the condition, which is no feature.
#[test]
fn planted_bugs_stand_behind_their_condition() {
    let mut found = Vec::new();
    for path in sources().iter().filter(|path| !is_test(path)) {
        let text = text(path);
        let lines: Vec<_> = text.lines().collect();
        for (n, _) in lines
            .iter()
            .enumerate()
            .filter(|(_, line)| line.contains("planted::is("))
        {
            let before = &lines[n.saturating_sub(3)..=n];
            if !before.iter().any(|line| line.trim() == "#[cfg(planted)]") {
                found.push(format!("{}:{}", short(path), n + 1));
            }
        }
    }
    for path in files(&top(), "Cargo.toml") {
        let features = text(&path);
        let features = features.split("[features]").nth(1).unwrap_or_default();
        if features
            .split("\n[")
            .next()
            .unwrap_or_default()
            .contains("planted")
        {
            found.push(short(&path));
        }
    }
    none("planted bugs that an ordinary build could hold", &found);
}
