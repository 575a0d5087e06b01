//! `jose` from npm beside our verifier: a stock library takes our tokens, and refuses what only looks like them.

use crate::{here, not_run};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use seatkeeper_tests::Site;
use seatkeeper_tests::binaries::{Said, run};
use seatkeeper_tests::wire::{Ask, Wire};
use serde_json::json;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The folder in which `node_modules/jose` lies, as tests/run has made it.
fn folder() -> Option<PathBuf> {
    let folder = std::env::var_os("SEATKEEPER_NODE").map(PathBuf::from);
    if folder.is_none() {
        not_run("node with jose");
    }
    folder
}

/// A module finds `jose` from where it lies.
fn node(folder: &Path, args: &[&Path]) -> Said {
    let script = folder.join("jose.mjs");
    std::fs::copy(here("jose.mjs"), &script).expect("the script is copied");
    run(Command::new("node").arg(script).args(args))
}

#[test]
fn s1_to_s6_jose_judges_the_vectors_of_form_chain_and_answer_alike() {
    let Some(folder) = folder() else { return };
    let said = node(&folder, &[Path::new("vectors"), &here("vectors")]);
    println!("jose: {}", said.out.trim());
    assert_eq!(said.code, 0, "{}{}", said.out, said.err);
}

#[test]
fn s5_jose_verifies_a_seat_of_a_running_daemon() {
    let Some(folder) = folder() else { return };
    let (site, vendor) = Site::with_seats(1);
    let ask = Ask::new("cad", "modeler", &vendor.roots());
    let body = ask.body();
    let mut wire = Wire::connect(&site.socket()).expect("the daemon listens");
    let answer = wire
        .exchange("POST", "/v1/leases", Some(&body))
        .expect("the daemon answers");
    assert_eq!(answer.status, 201, "{answer:?}");
    let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").expect("a boot id");
    let chain = &answer.body["chain"];
    let nonce = URL_SAFE_NO_PAD
        .decode(body["nonce"].as_str().expect("a nonce"))
        .map(|raw| URL_SAFE_NO_PAD.encode(raw));
    let asked = json!({
        "roots": [vendor.root.public().to_x()], "issuer": chain["issuer"], "license": chain["license"],
        "delegation": chain["delegation"], "lease": answer.body["lease"], "nonce": nonce.expect("base64url"),
        "boot_id": boot.trim().replace('-', ""), "product": "cad", "feature": "modeler", "version": "1.0", "n": 1,
        "renewal": false,
    });
    let path = site.path("answer.json");
    for (good, asked) in [
        (true, asked.clone()),
        (false, {
            let mut other = asked;
            other["nonce"] = "AAAAAAAAAAAAAAAAAAAAAA".into();
            other
        }),
    ] {
        std::fs::write(&path, asked.to_string()).expect("it is written");
        let said = node(&folder, &[Path::new("answer"), &path]);
        assert_eq!(said.code == 0, good, "{}{}", said.out, said.err);
    }
}
