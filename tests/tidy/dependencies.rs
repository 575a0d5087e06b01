//! Forbidden dependencies, and the diet of the SDK.

use std::collections::BTreeSet;
use std::process::Command;

/// `name version` of all that a package pulls in, itself apart.
fn tree(package: &str, edges: &str) -> BTreeSet<String> {
    let out = Command::new(env!("CARGO"))
        .args([
            "tree", "--locked", "-p", package, "-e", edges, "--prefix", "none", "--format", "{p}",
        ])
        .current_dir(super::top())
        .output()
        .expect("cargo runs");
    assert!(
        out.status.success(),
        "cargo tree: {}",
        String::from_utf8_lossy(&out.stderr)
    );
    String::from_utf8_lossy(&out.stdout)
        .lines()
        .map(|line| line.split(' ').take(2).collect::<Vec<_>>().join(" "))
        .filter(|line| !line.is_empty() && !line.starts_with(&format!("{package} ")))
        .collect()
}

fn named<'a>(tree: &'a BTreeSet<String>, name: &str) -> Option<&'a String> {
    tree.iter()
        .find(|line| line.split(' ').next() == Some(name))
}

#[test]
fn engine_core_and_sdk_link_no_runtime() {
    for package in [
        "seatkeeper-engine",
        "seatkeeper-core",
        "seatkeeper",
        "seatkeeper-testing",
    ] {
        let tree = tree(package, "normal");
        for banned in ["tokio", "hyper", "axum", "async-std", "futures"] {
            assert_eq!(
                named(&tree, banned),
                None,
                "{package} must not link {banned}"
            );
        }
    }
}

#[test]
fn the_engine_touches_neither_disk_nor_network_nor_clock() {
    let tree = tree("seatkeeper-engine", "normal");
    for banned in [
        "rustix",
        "redb",
        "getrandom",
        "rand",
        "chrono",
        "time",
        "ureq",
        "seatkeeper",
        "libc",
    ] {
        assert_eq!(
            named(&tree, banned),
            None,
            "the engine must not link {banned}"
        );
    }
}

#[test]
fn an_application_pays_for_at_most_40_crates() {
    let tree = tree("seatkeeper", "normal");
    assert!(
        tree.len() <= 40,
        "{} crates behind the SDK: {tree:#?}",
        tree.len()
    );
}

#[test]
fn the_sdk_needs_no_c_compiler() {
    let tree = tree("seatkeeper", "normal,build");
    for banned in ["cc", "cmake", "bindgen", "pkg-config"] {
        assert_eq!(named(&tree, banned), None, "the SDK must not need {banned}");
    }
}

#[test]
fn nobody_links_what_the_chain_of_trust_forbids() {
    for package in ["seatkeeperd", "seatkeeper-cli"] {
        let tree = tree(package, "normal");
        for banned in ["jsonwebtoken", "openssl", "openssl-sys", "native-tls"] {
            assert_eq!(
                named(&tree, banned),
                None,
                "{package} must not link {banned}"
            );
        }
    }
}
