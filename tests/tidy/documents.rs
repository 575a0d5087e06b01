//! Documents hold what they promise: links lead somewhere, cited rules and claims exist, no path of a machine.

use super::{files, none, short, text, top};

/// Text between two marks, everywhere.
fn between<'a>(text: &'a str, open: &str, close: char) -> Vec<&'a str> {
    text.split(open)
        .skip(1)
        .filter_map(|rest| rest.split(close).next())
        .collect()
}

#[test]
fn links_between_documents_lead_somewhere() {
    let mut found = Vec::new();
    for path in files(&top(), ".md") {
        for link in between(&text(&path), "](", ')') {
            let file = link.split('#').next().unwrap_or_default();
            if file.is_empty() || file.contains("://") {
                continue;
            }
            let at = path.parent().expect("a file has a folder").join(file);
            if !at.exists() {
                found.push(format!("{}: {link}", short(&path)));
            }
        }
    }
    none("links to nowhere", &found);
}

#[test]
fn the_product_carries_every_rule_under_its_number() {
    let rules = text(&top().join("packaging/doc/rules.md"));
    let missing: Vec<_> = (1..=22)
        .filter(|n| !rules.contains(&format!("\n**{n} ")))
        .map(|n| format!("rule {n}"))
        .collect();
    none(
        "rules that a denial may cite and the product does not carry",
        &missing,
    );
}

/// Rules, and the lines of each part of what was asked for: a test is named after one of them.
const LINES: [(char, u32); 8] = [
    ('r', 22),
    ('u', 8),
    ('h', 16),
    ('f', 19),
    ('c', 21),
    ('b', 18),
    ('l', 22),
    ('d', 18),
];

/// Whether the product carries this: `r9`, `S16`, `I4`, `f4`. Of what is none of these it is not asked.
fn exists(claims: &str, id: &str) -> bool {
    let mut chars = id.chars();
    let kind = chars.next().unwrap_or_default();
    let Ok(number) = chars.as_str().parse::<u32>() else {
        return true;
    };
    match kind {
        'S' | 's' => claims.contains(&format!("| S{number} |")),
        'I' | 'i' => claims.contains(&format!("**I{number}**")),
        _ => {
            let lines = LINES.iter().find(|(line, _)| *line == kind);
            lines.is_none_or(|(_, last)| (1..=*last).contains(&number))
        }
    }
}

/// The ids with which the names of functions begin: `f4_f5_two_units` is of two.
fn named(line: &str) -> Vec<String> {
    let names = line.split("fn ").skip(1);
    let names = names.map(|rest| rest.split(['(', '<']).next().unwrap_or_default());
    let ids = names.flat_map(|name| {
        let words = name.split('_');
        words.take_while(|word| {
            let number = word.get(1..).unwrap_or_default();
            word.starts_with(|c: char| c.is_ascii_lowercase()) && number.parse::<u32>().is_ok()
        })
    });
    ids.map(str::to_owned).collect()
}

/// What a line cites: `rule 9`, `rules 1, 2 and 4 to 7`, `S16`, `I4`.
fn cited(line: &str) -> Vec<String> {
    let mut ids = Vec::new();
    for open in ["rule ", "rules "] {
        for (at, _) in line.match_indices(open) {
            let digits = |c: char| c.is_ascii_digit();
            let mut rest = &line[at + open.len()..];
            while let Some(end) = rest.find(|c| !digits(c)).or(Some(rest.len())) {
                let (number, after) = rest.split_at(end);
                if number.is_empty() {
                    break;
                }
                ids.push(format!("r{number}"));
                let next = [", and ", ", ", " and ", " to "];
                let next = next.iter().find_map(|between| after.strip_prefix(between));
                match next {
                    Some(next) if open == "rules " => rest = next,
                    _ => break,
                }
            }
        }
    }
    let words = line.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    ids.extend(
        words
            .filter(|word| word.starts_with(['S', 'I']))
            .map(str::to_owned),
    );
    ids
}

#[test]
fn cited_rules_and_claims_exist() {
    let claims = text(&top().join("packaging/doc/claims.md"));
    let mut found = Vec::new();
    for path in files(&top(), ".rs").iter().chain(&files(&top(), ".md")) {
        // The other half of this test cites what there is not.
        if short(path) == "tests/tidy/documents.rs" {
            continue;
        }
        for (n, line) in text(path).lines().enumerate() {
            let ids = named(line).into_iter().chain(cited(line));
            let unknown = ids.filter(|id| !exists(&claims, id));
            found.extend(unknown.map(|id| format!("{}:{} {id}", short(path), n + 1)));
        }
    }
    for path in files(&top().join("daemon/engine/testscripts"), ".txt") {
        let name = path.file_stem().and_then(|name| name.to_str());
        let ids = named(&format!("fn {}", name.unwrap_or_default()));
        let unknown = ids.into_iter().filter(|id| !exists(&claims, id));
        found.extend(unknown.map(|id| format!("{}: {id}", short(&path))));
    }
    none("rules, claims and lines that there are not", &found);
}

#[test]
fn a_rule_or_claim_that_there_is_not_is_seen() {
    let claims = "| S16 | x |\n- **I4** y";
    let wrong = |line: &str| {
        let ids = named(line).into_iter().chain(cited(line));
        let unknown = ids.filter(|id| !exists(claims, id));
        unknown.collect::<Vec<_>>()
    };
    assert_eq!(wrong("fn r9_f4_s16_i4_all_is_well() {}"), [""; 0]);
    assert_eq!(
        wrong("/// As rules 1, 2 and 22 say (rule 9, S16, I4)."),
        [""; 0]
    );
    assert_eq!(wrong("fn r23_h17_no() {}"), ["r23", "h17"]);
    assert_eq!(wrong("// rules 4 and 23, rule 99"), ["r99", "r23"]);
    assert_eq!(wrong("//! Nobody says so (S27, I16)."), ["S27", "I16"]);
}

#[test]
fn no_path_of_a_machine_is_committed() {
    let homes = [
        concat!("/wo", "rk/"),
        concat!("/ro", "ot/"),
        concat!("/ho", "me/"),
    ];
    let mut found = Vec::new();
    for end in [".rs", ".md", ".toml", ".txt", ".json", "run"] {
        for path in files(&top(), end) {
            for (n, line) in text(&path).lines().enumerate() {
                if homes.iter().any(|home| line.contains(home)) {
                    found.push(format!("{}:{} {}", short(&path), n + 1, line.trim()));
                }
            }
        }
    }
    none("paths of somebody's machine", &found);
}

#[test]
fn comments_cite_documents_that_the_repository_has() {
    let beside = ["design", "house", "peers", "requirements"].map(|name| format!("{name}.md"));
    let mut found = Vec::new();
    for path in files(&top(), ".rs") {
        for (n, line) in text(&path).lines().enumerate() {
            if beside.iter().any(|document| line.contains(document)) {
                found.push(format!("{}:{} {}", short(&path), n + 1, line.trim()));
            }
        }
    }
    none(
        "cited, and not here (rules.md, claims.md, ARCHITECTURE.md are)",
        &found,
    );
}

/// Names of the test programs of a package: a file or a folder below its `tests`.
fn test_programs(package: &std::path::Path) -> Vec<String> {
    let entries = std::fs::read_dir(package.join("tests"));
    let paths = entries.into_iter().flatten().flatten().map(|e| e.path());
    paths
        .filter(|path| path.join("main.rs").exists() || path.extension().is_some_and(|e| e == "rs"))
        .filter_map(|path| Some(path.file_stem()?.to_str()?.to_owned()))
        .collect()
}

#[test]
fn tests_run_runs_every_test_program() {
    let script = text(&top().join("tests/run"));
    let asked: Vec<_> = script
        .split("--test ")
        .skip(1)
        .filter_map(|rest| rest.split_whitespace().next())
        .map(|name| name.trim_matches('\''))
        .collect();
    let runs = |name: &str| {
        let by = |asked: &&str| match asked.strip_suffix('*') {
            Some(start) => name.starts_with(start),
            None => name == *asked,
        };
        asked.iter().any(by)
    };
    let mut found = Vec::new();
    for manifest in files(&top(), "Cargo.toml") {
        let package = manifest.parent().expect("a file has a folder");
        let programs = test_programs(package).into_iter();
        let left = programs.filter(|name| name != "benches" && !runs(name));
        found.extend(left.map(|name| format!("{}: {name}", short(package))));
    }
    none("test programs that no group of tests/run runs", &found);
}
