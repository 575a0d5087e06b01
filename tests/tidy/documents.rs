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

#[test]
fn cited_rules_and_claims_exist() {
    let claims = text(&top().join("packaging/doc/claims.md"));
    let mut found = Vec::new();
    for path in files(&top(), ".rs") {
        for (n, line) in text(&path).lines().enumerate() {
            for rest in line.split("fn ").skip(1) {
                let name = rest.split('(').next().unwrap_or_default();
                let Some((id, _)) = name.split_once('_') else {
                    continue;
                };
                let (kind, number) = id.split_at(id.len().min(1));
                let Ok(number) = number.parse::<u32>() else {
                    continue;
                };
                let known = match kind {
                    "r" => (1..=22).contains(&number),
                    "s" => claims.contains(&format!("| S{number} |")),
                    "i" => claims.contains(&format!("**I{number}**")),
                    _ => true,
                };
                if !known {
                    found.push(format!("{}:{} {name}", short(&path), n + 1));
                }
            }
        }
    }
    none(
        "tests named after a rule or claim that the product does not carry",
        &found,
    );
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
