//! The configuration as files, variables and flags make it.

use super::*;
use std::fs;

fn at(dir: &tempfile::TempDir, text: &str) -> Sources {
    let path = dir.path().join("seatkeeper.toml");
    fs::write(&path, text).expect("write");
    Sources {
        file: Some(path),
        ..Sources::default()
    }
}

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().expect("a folder")
}

fn pairs(list: &[(&str, &str)]) -> Vec<(String, String)> {
    list.iter()
        .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
        .collect()
}

fn entry(loaded: &Loaded, key: &str) -> (String, String) {
    let found = loaded
        .settings
        .origins()
        .into_iter()
        .find(|e| e.key == key)
        .expect("every key is told");
    (found.value, found.origin.to_string())
}

fn faults(sources: &Sources) -> Vec<String> {
    load(sources)
        .expect_err("refused")
        .0
        .iter()
        .map(ToString::to_string)
        .collect()
}

#[test]
fn u5_defaults_hold_without_any_file() {
    let settings = Settings::default();
    assert_eq!(settings.state_dir, Path::new("/var/lib/seatkeeper"));
    assert_eq!(settings.disk_reserve, 256 << 20);
    assert_eq!(settings.max_connections, 4096);
    assert_eq!(settings.max_connections_per_uid, 1024);
    assert_eq!(settings.unknown_users, UnknownUsers::Create);
    assert_eq!(settings.assign_new_licenses, AssignNew::Nobody);
    assert_eq!(settings.origins().len(), KEYS.len());
    assert!(
        settings
            .origins()
            .iter()
            .all(|e| e.origin == Origin::Default)
    );
    for (entry, key) in settings.origins().iter().zip(KEYS) {
        assert_eq!(
            entry.value, key.default,
            "{}: shown as it stands in the example",
            key.name
        );
    }
}

#[test]
fn u5_the_last_word_wins_and_each_value_knows_its_place() {
    let dir = folder();
    let mut sources = at(
        &dir,
        "site_name = \"a\"\n\nretention_days = 1\nlog_level = \"warn\"\nadmin_group = \"it\"\n",
    );
    fs::create_dir(dir.path().join("conf.d")).expect("mkdir");
    fs::write(dir.path().join("conf.d/20-b.toml"), "site_name = \"c\"\n").expect("write");
    fs::write(
        dir.path().join("conf.d/10-a.toml"),
        "site_name = \"b\"\nretention_days = 2\n",
    )
    .expect("write");
    fs::write(dir.path().join("conf.d/.10-a.toml.swp.toml"), "nonsense").expect("write");
    fs::write(dir.path().join("conf.d/README"), "nonsense").expect("write");
    sources.environment = pairs(&[
        ("SEATKEEPERD_RETENTION_DAYS", "3"),
        ("SEATKEEPERD_LOG_LEVEL", "debug"),
        ("PATH", "/bin"),
    ]);
    sources.flags = pairs(&[("log_level", "error")]);
    let loaded = load(&sources).expect("valid");
    let shown = |name: &str| dir.path().join(name).display().to_string();
    assert_eq!(
        entry(&loaded, "site_name"),
        ("\"c\"".into(), format!("{}:1", shown("conf.d/20-b.toml")))
    );
    assert_eq!(
        entry(&loaded, "retention_days"),
        ("3".into(), "environment SEATKEEPERD_RETENTION_DAYS".into())
    );
    assert_eq!(
        entry(&loaded, "log_level"),
        ("\"error\"".into(), "flag".into())
    );
    assert_eq!(
        entry(&loaded, "admin_group"),
        ("\"it\"".into(), format!("{}:5", shown("seatkeeper.toml")))
    );
    assert_eq!(entry(&loaded, "socket").1, "default");
    assert_eq!(loaded.settings.log_level, LogLevel::Error);
    assert_eq!(loaded.files.len(), 3);
}

#[test]
fn an_unknown_key_is_an_error_with_file_line_and_the_likely_name() {
    let dir = folder();
    let mut sources = at(&dir, "\nsokcet = \"/run/x\"\n[upstream]\nurl = \"x\"\n");
    sources.environment = pairs(&[("SEATKEEPERD_SITE_NAM", "x")]);
    let found = faults(&sources);
    let file = sources.file.as_ref().expect("set").display().to_string();
    assert_eq!(found.len(), 3, "{found:#?}");
    assert_eq!(
        found[0],
        format!("{file}:2: there is no setting `sokcet`; did you mean `socket`?")
    );
    assert!(found[1].starts_with(&format!(
        "{file}:3: there is no setting `upstream`; the settings are: state_dir"
    )));
    assert_eq!(
        found[2],
        "environment SEATKEEPERD_SITE_NAM: there is no setting `SEATKEEPERD_SITE_NAM`; did you mean `SEATKEEPERD_SITE_NAME`?"
    );
}

#[test]
fn all_faults_are_told_at_once() {
    let dir = folder();
    let mut sources = at(
        &dir,
        "socket = 7\nretention_days = \"x\"\nretention_days_ = 1\nunknown_users = \"maybe\"\n\
         disk_reserve = \"5 parsecs\"\nstate_dir = \"relative\"\nmax_connections = 0\nlog_format = true\nsite_name = \"a\\nb\"\n",
    );
    sources.flags = pairs(&[("max_connections_per_uid", "many")]);
    let found = faults(&sources);
    assert_eq!(found.len(), 10, "{found:#?}");
    for (n, line) in found.iter().enumerate().take(9) {
        assert!(
            line.contains(&format!("seatkeeper.toml:{}: ", n + 1)),
            "{line}"
        );
    }
    assert!(
        found[3].contains(
            "`unknown_users` cannot be \"maybe\"; it takes one of \"create\", \"refuse\""
        )
    );
    assert!(found[9].starts_with("flag: `max_connections_per_uid` is a whole number"));
}

#[test]
fn broken_syntax_and_duplicates_have_their_line() {
    let dir = folder();
    let found = faults(&at(
        &dir,
        "site_name = \"a\"\nlog_level = \nsite_name = \"b\"\n",
    ));
    assert!(
        found.iter().any(|f| f.contains("seatkeeper.toml:2: ")),
        "{found:#?}"
    );
    assert!(
        found
            .iter()
            .any(|f| f.contains("seatkeeper.toml:3: ") && f.contains("duplicate")),
        "{found:#?}"
    );
}

#[test]
fn an_overridden_value_must_be_valid_too() {
    let dir = folder();
    let mut sources = at(&dir, "log_level = \"loud\"\n");
    sources.flags = pairs(&[("log_level", "info")]);
    assert_eq!(faults(&sources).len(), 1);
}

#[test]
fn sizes_are_exact() {
    let dir = folder();
    for (text, bytes) in [
        ("\"1 KiB\"", 1024),
        ("\"2GiB\"", 2 << 30),
        ("4096", 4096),
        ("\"0\"", 0),
        ("0", 0),
        ("\"17 B\"", 17),
    ] {
        let loaded = load(&at(&dir, &format!("disk_reserve = {text}\n"))).expect(text);
        assert_eq!(loaded.settings.disk_reserve, bytes, "{text}");
        let shown = entry(&loaded, "disk_reserve").0;
        let again = load(&at(&dir, &format!("disk_reserve = {shown}\n")))
            .expect("what is shown can be written");
        assert_eq!(again.settings.disk_reserve, bytes, "{shown}");
    }
    for text in [
        "\"\"",
        "\"MiB\"",
        "\"1 MB\"",
        "-1",
        "\"99999999 TiB\"",
        "1.5",
        "\"1 µB\"",
    ] {
        assert_eq!(
            faults(&at(&dir, &format!("disk_reserve = {text}\n"))).len(),
            1,
            "{text}"
        );
    }
}

#[test]
fn a_limit_above_the_open_files_is_refused() {
    let dir = folder();
    let mut sources = at(&dir, "max_connections = 1000\n");
    sources.open_files = Some(2 * 2064);
    assert!(load(&sources).is_ok());
    sources.open_files = Some(2 * 2064 - 1);
    let found = faults(&sources);
    assert!(
        found[0].contains("seatkeeper.toml:1: `max_connections` is 1000, but"),
        "{found:#?}"
    );
}

#[test]
fn places_that_contradict_each_other_are_refused() {
    let dir = folder();
    let long = format!("socket = \"/{}\"\n", "x".repeat(107));
    assert!(faults(&at(&dir, &long))[0].contains("107"));
    assert_eq!(
        faults(&at(&dir, "vendors_dir = \"/a\"\nlicenses_dir = \"/a\"\n")).len(),
        1
    );
    assert_eq!(
        faults(&at(&dir, "state_dir = \"/a\"\nsocket = \"/a/s\"\n")).len(),
        1
    );
    assert_eq!(faults(&at(&dir, "state_dir = \"/a/../b\"\n")).len(), 1);
}

#[test]
fn a_named_file_must_exist() {
    let sources = Sources {
        file: Some(folder().path().join("none.toml")),
        ..Sources::default()
    };
    assert!(faults(&sources)[0].contains("cannot be read"));
}

#[test]
fn the_shipped_example_names_every_key_with_its_default() {
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("../packaging/seatkeeper.toml");
    let shipped = fs::read_to_string(shipped).expect("the example is shipped");
    assert_eq!(
        shipped,
        example(),
        "write it anew: seatkeeperd check-config --example > packaging/seatkeeper.toml"
    );
    let dir = folder();
    let as_it_is = load(&at(&dir, &shipped)).expect("the example loads");
    assert!(
        as_it_is
            .settings
            .origins()
            .iter()
            .all(|e| e.origin == Origin::Default)
    );
    let set: String = shipped
        .lines()
        .map(|l| {
            l.strip_prefix('#')
                .filter(|l| !l.starts_with(' '))
                .unwrap_or("")
        })
        .fold(String::new(), |all, l| all + l + "\n");
    let set = load(&at(&dir, &set)).expect("and with every line taken in");
    for (entry, key) in set.settings.origins().iter().zip(KEYS) {
        assert_eq!((entry.key, entry.value.as_str()), (key.name, key.default));
        assert!(
            matches!(entry.origin, Origin::File(..)),
            "{} stands in the example",
            key.name
        );
    }
}

#[test]
fn d9_a_table_has_its_settings_each_with_its_line() {
    let dir = folder();
    let text = "site_name = \"a\"\n[mail]\nserver = \"smtp.example.com\"\nfrom = \"Seats <seats@example.com>\"\n";
    let mut sources = at(&dir, text);
    sources.environment = pairs(&[("SEATKEEPERD_MAIL_TIMEOUT_S", "7")]);
    sources.flags = pairs(&[("mail.tls", "tls")]);
    let loaded = load(&sources).expect("valid");
    let file = sources.file.as_ref().expect("set").display().to_string();
    assert_eq!(
        entry(&loaded, "mail.server"),
        ("\"smtp.example.com\"".into(), format!("{file}:3"))
    );
    assert_eq!(
        entry(&loaded, "mail.timeout_s"),
        ("7".into(), "environment SEATKEEPERD_MAIL_TIMEOUT_S".into())
    );
    let mail = &loaded.settings.mail;
    assert_eq!((mail.tls, mail.port()), (Tls::Wrapped, 465));
    assert!(mail.is_on() && !Settings::default().mail.is_on());
    let found = faults(&at(&dir, "\n[mail]\nservr = \"a\"\nserver = 7\n"));
    assert_eq!(
        found[0],
        format!("{file}:3: there is no setting `mail.servr`; did you mean `mail.server`?")
    );
    assert!(found[1].starts_with(&format!("{file}:4: `mail.server` is a text")));
    let found = faults(&at(&dir, "mail = \"a\"\n"));
    assert!(found[0].contains("write `[mail]`"), "{found:?}");
}

#[test]
fn d9_no_password_stands_in_a_setting_or_is_shown() {
    let dir = folder();
    for text in [
        "[mail]\npassword = \"hunter2\"\n",
        "[mail]\nserver = \"a.example\"\nfrom = \"a@b.example\"\nuser = \"a\"\npassword_file = \"hunter2\"\n",
    ] {
        let found = faults(&at(&dir, text));
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(!found[0].contains("hunter2"), "{found:?}");
        assert!(found[0].contains("password_file"), "{found:?}");
    }
    let mut sources = at(&dir, "");
    sources.environment = pairs(&[("SEATKEEPERD_MAIL_PASSWORD", "hunter2")]);
    let found = faults(&sources);
    assert!(
        found[0].contains("mail.password_file") && !found[0].contains("hunter2"),
        "{found:?}"
    );
}

#[test]
fn d9_faults_of_mail_are_named() {
    let dir = folder();
    let on = "[mail]\nserver = \"a.example\"\nfrom = \"a@b.example\"\n";
    for (text, key, words) in [
        (
            "[mail]\nserver = \"a.example\"\n".to_owned(),
            "mail.from",
            "is missing",
        ),
        (
            "[mail]\nfrom = \"a@b.example\"\n".to_owned(),
            "mail.from",
            "`mail.server` is not",
        ),
        (
            on.replace("a@b.example", "a"),
            "mail.from",
            "no mail address",
        ),
        (
            on.replace("a@b.example", "a@b.example, c@d.example"),
            "mail.from",
            "no mail address",
        ),
        (
            on.replace("a.example", "a.example:25"),
            "mail.server",
            "no name or address",
        ),
        (
            on.replace("a.example", "smtp://a.example"),
            "mail.server",
            "no name or address",
        ),
        (
            format!("{on}tls = \"none\"\n"),
            "mail.tls",
            "not this machine",
        ),
        (
            format!("{on}tls = \"insecure\"\nuser = \"a\"\n"),
            "mail.user",
            "without TLS",
        ),
        (
            format!("{on}password_file = \"/a/b\"\n"),
            "mail.password_file",
            "`mail.user` is not",
        ),
        (
            format!("{on}port = 65536\n"),
            "mail.port",
            "cannot be 65536",
        ),
        (
            "[mail]\nurl = \"https://a.example\"\n".to_owned(),
            "mail.url",
            "`mail.server` is not",
        ),
    ] {
        let found = faults(&at(&dir, &text));
        assert_eq!(found.len(), 1, "{text}: {found:?}");
        assert!(
            found[0].contains(&format!("`{key}`")) && found[0].contains(words),
            "{text}: {found:?}"
        );
    }
    for more in ["tls = \"insecure\"\n", "user = \"a\"\n"] {
        assert!(load(&at(&dir, &format!("{on}{more}"))).is_ok(), "{more}");
    }
    for (url, words) in [
        ("seats.a.example", "does not begin with https://"),
        ("ftp://a.example", "does not begin with https://"),
        ("http://a.example", "is http, and not this machine"),
        (
            "http://localhost.a.example/x",
            "is http, and not this machine",
        ),
        ("https:///seats", "names no host"),
        ("https://a.example:0", "names no host"),
        ("https://a.example:port", "names no host"),
        ("https://ana@a.example", "names no host"),
        ("https://a.example/x?y=", "has more than a host and a path"),
        ("https://a.example/#x", "has more than a host and a path"),
    ] {
        let found = faults(&at(&dir, &format!("{on}url = \"{url}\"\n")));
        assert_eq!(found.len(), 1, "{url}: {found:?}");
        assert!(
            found[0].contains("`mail.url`") && found[0].contains(words),
            "{url}: {found:?}"
        );
    }
    for url in [
        "https://a.example",
        "https://a.example:8443/seats/",
        "https://[2001:db8::1]/x",
        "http://localhost:8080",
        "http://[::1]:80/a-b_c.~d",
    ] {
        let good = load(&at(&dir, &format!("{on}url = \"{url}\"\n")));
        let url = url.trim_end_matches('/');
        assert_eq!(good.expect(url).settings.mail.url, url);
    }
    for here in ["localhost", "127.0.0.1", "::1"] {
        let text = format!("{}tls = \"none\"\n", on.replace("a.example", here));
        assert!(load(&at(&dir, &text)).is_ok(), "{here}");
    }
}
