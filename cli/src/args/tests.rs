//! Command lines are read as the help describes them, and refused where they contradict themselves.

use super::*;
use clap::CommandFactory;

fn parse(line: &str) -> Result<Cli, clap::Error> {
    Cli::try_parse_from(line.split(' '))
}

fn parsed(line: &str) -> Command {
    parse(line)
        .unwrap_or_else(|e| panic!("{line}: {e}"))
        .command
}

#[test]
fn u4_the_argument_tree_is_sound() {
    Cli::command().debug_assert();
}

#[test]
fn u4_the_manual_says_what_the_command_line_takes() {
    seatkeeper_tests::man::agree(Cli::command().bin_name("seatkeeper"), "1");
}

#[test]
fn u4_every_command_of_the_design_parses() {
    for line in [
        "status",
        "doctor",
        "license request --account 4711 --product-version 2026.2 --order A-1 --out site.req",
        "license install a.lic b.lic --assign everyone --accept-date",
        "license list",
        "license show acme/L-1",
        "license verify a.lic",
        "license assign L-1 --user ana",
        "license assign L-1 --everyone",
        "license unassign L-1 --everyone --hard",
        "license remove L-1 --hard --dry-run --backup gone.lic",
        "license remove acme/L-1 --waiting 3",
        "license remove --all --confirm=Acme",
        "vendor remove acme",
        "site key show",
        "site key show --lease-key lease.pub.pem",
        "site key delegate --key site.key --lease-key lease.pub.pem --out d --days 30",
        "site key delegate --from site.export --passphrase-file p --lease-key lease.pub.pem --out d",
        "site key accept site.delegation",
        "site key export --out key.pem",
        "seat list cad/modeler --user ana",
        "seat checkout modeler --version 2026.2 -n 2 --interactive",
        "seat release 1.2.1",
        "seat reclaim 1.2 --hard",
        "seat reclaim 1.2 --owner",
        "run cad/modeler -- sh -c true",
        "why bob modeler",
        "why bob modeler --if-assigned L-1",
        "why bob modeler --if-assigned acme/L-1=group:CAD --if-seats L-1=20 --if-in-unit East/Boston --if-in-group CAD",
        "config show --origin",
        "vendor trust acme.pem",
        "vendor list",
        "login",
        "login ana",
        "login --code",
        "login ana --accept-terms 2",
        "logout",
        "whoami",
        "password",
        "forgot ana@example.com",
        "token create laptop",
        "token create laptop --expires never",
        "token create laptop --expires 2027-01-31 --for ana",
        "token create ci --service --role auditor --role license-manager --in East",
        "token list",
        "token revoke laptop",
        "user add ana --address ana@example.com --invite",
        "user invite ana",
        "user reset-link ana",
        "user resets",
        "user drop-reset ana",
        "events",
        "audit list",
        "audit list --actor uid:0 --user ana --feature cad/modeler --kind SeatTaken --kind SeatEnded --since 30d --until 2027-01-31 --last 5",
        "audit list --all",
        "audit export day.jsonl --after yesterday.jsonl",
        "audit verify",
        "audit verify day.jsonl --anchor old.jsonl --from older.jsonl --site-key -k",
        "audit script",
        "audit script day.jsonl",
        "help no_seat_free",
        "help license install",
        "help",
    ] {
        parsed(&format!("seatkeeper {line}"));
    }
}

#[test]
fn u4_the_form_may_stand_anywhere() {
    assert_eq!(
        parse("seatkeeper -o json seat list").unwrap().output,
        Format::Json
    );
    assert_eq!(
        parse("seatkeeper seat list -o csv").unwrap().output,
        Format::Csv
    );
    assert_eq!(parse("seatkeeper seat list").unwrap().output, Format::Table);
}

#[test]
fn u4_what_contradicts_itself_is_a_usage_error() {
    for line in [
        "seatkeeper license assign L-1",
        "seatkeeper license assign L-1 --user ana --everyone",
        "seatkeeper license install",
        "seatkeeper license remove",
        "seatkeeper license remove --all",
        "seatkeeper license remove L-1 --all --confirm=Acme",
        "seatkeeper site key delegate --lease-key lease.pub.pem --out d",
        "seatkeeper site key delegate --key k --from e --lease-key lease.pub.pem --out d",
        "seatkeeper site key delegate --key k --lease-key lease.pub.pem --out d --days 91",
        "seatkeeper site key delegate --key k --lease-key lease.pub.pem --out d --days 0",
        "seatkeeper run modeler",
        "seatkeeper seat checkout modeler -n 0",
        "seatkeeper seat checkout a/b/c",
        "seatkeeper seat reclaim one",
        "seatkeeper seat list -o xml",
        "seatkeeper token create ci --role auditor",
        "seatkeeper token create ci --for ana --service",
        "seatkeeper token create ci --expires soon",
        "seatkeeper user add ana --invite --pending",
    ] {
        let error = parse(line).expect_err(line);
        assert_eq!(error.exit_code(), 2, "{line}");
    }
}

#[test]
fn u4_what_follows_the_dashes_belongs_to_the_program() {
    let Command::Run(run) = parsed("seatkeeper run modeler -- ls -o --socket x") else {
        panic!("not run")
    };
    assert_eq!(run.command, ["ls", "-o", "--socket", "x"]);
}
