//! Mail by the built daemon over a real SMTP server of this machine, by the command line alone (D9, D17, L14).

use crate::organisation::done;
use seatkeeper_tests::site::{DAEMON_UID, is_root};
use seatkeeper_tests::smtp::{Manner, SmtpServer, Way};
use seatkeeper_tests::{Site, Vendor, vendor};
use serde_json::{Value, json};
use std::os::unix::fs::{PermissionsExt, chown};

/// A site that mails by this server, with a license that names its vendor's support.
fn mailing(server: &SmtpServer, more: &str) -> Site {
    let mut site = Site::new();
    site.configure(&format!(
        "[mail]\nserver = \"localhost\"\nport = {}\nfrom = \"Seats of Größe <seats@site.example>\"\n{more}",
        server.port()
    ));
    site.start();
    let vendor = Vendor::new("acme", 1);
    let mut claims = vendor.license("L-1", 1, 2, &site.site_key());
    claims
        .info
        .insert("support".to_owned(), json!("help@acme.example"));
    site.install(&vendor, &vendor.file(&claims));
    site
}

/// Asks until the answer is as wanted, or a minute of the file system's time is over.
fn until(site: &Site, args: &[&str], wanted: impl Fn(&Value) -> bool) -> Value {
    let end = vendor::now() + 60;
    loop {
        let said = site.cli(args);
        let told: Value = serde_json::from_str(&said.out).unwrap_or(Value::Null);
        if wanted(&told) {
            return told;
        }
        assert!(vendor::now() < end, "{args:?}: {said:?}\n{}", site.log());
    }
}

fn mail_findings(told: &Value) -> Vec<Value> {
    let all = told.as_array().cloned().unwrap_or_default();
    all.into_iter()
        .filter(|finding| finding["about"] == "mail")
        .collect()
}

const DOCTOR: &[&str] = &["doctor", "-o", "json"];

#[test]
fn d17_l14_a_license_request_is_mailed_to_the_vendors_support() {
    let server = SmtpServer::start(Way::Plain, None);
    let site = mailing(&server, "tls = \"none\"\n");
    let file = site.path("site.req");
    let line = format!(
        "license request --account 4711 --order PO-7 --mail --out {}",
        file.display()
    );
    let said = done(&site, &line);
    assert!(
        said.contains("mailed to help@acme.example; the server says: 250 2.0.0 taken as T1"),
        "{said}"
    );
    let mails = server.taken(1);
    assert_eq!(mails[0].to, ["help@acme.example"]);
    assert_eq!(mails[0].from, "seats@site.example");
    assert_eq!(
        mails[0].header("subject"),
        Some("License request: account 4711, order PO-7")
    );
    assert!(mails[0].text.is_ascii(), "{}", mails[0].text);
    for words in [
        "Account:         4711",
        "Order number:    PO-7",
        "Site:            test site",
    ] {
        assert!(mails[0].text.contains(words), "{words}: {}", mails[0].text);
    }
    let (name, attached) = mails[0].attachment();
    assert_eq!(name, "seatkeeper.req");
    assert_eq!(
        attached,
        std::fs::read(&file).expect("the file"),
        "byte by byte"
    );
    let arrived = site.path("arrived.req");
    std::fs::write(&arrived, &attached).expect("written");
    let told = done(&site, &format!("vendor inspect {}", arrived.display()));
    assert!(told.contains("4711") && told.contains("PO-7"), "{told}");
    let status = done(&site, "status");
    let server = format!(
        "mail      1 sent, 0 waiting, 0 failed, by localhost:{}",
        server.port()
    );
    assert!(status.contains(&server), "{status}");
    let list = done(&site, "mail list -o csv");
    assert!(
        list.contains("license_request,help@acme.example,sent,1"),
        "{list}"
    );
}

#[test]
fn d17_where_no_mail_is_configured_the_file_is_made_as_ever() {
    let (site, _) = Site::with_seats(1);
    let file = site.path("site.req");
    let path = file.display().to_string();
    let args = [
        "license",
        "request",
        "--account",
        "4711",
        "--mail",
        "--out",
        &path,
    ];
    let said = site.cli(&args);
    assert_eq!(said.code, 7, "{said:?}");
    assert!(
        said.err.contains("sends no mail") && said.err.contains("send") && file.exists(),
        "{said:?}"
    );
    done(&site, &format!("vendor inspect {path}"));
    let said = site.cli(&["mail", "test", "it@site.example"]);
    assert!(said.code != 0 && said.err.contains("mail_off"), "{said:?}");
    let status = done(&site, "status");
    assert!(!status.contains("mail "), "{status}");
}

#[test]
fn d9_a_server_that_is_away_is_told_in_doctor_and_the_mail_goes_when_it_is_back() {
    let server = SmtpServer::start(Way::Plain, None);
    let mut site = mailing(&server, "tls = \"none\"\n");
    server.becomes(Manner::HangsUp);
    let said = site.cli(&["license", "request", "--account", "4711", "--mail"]);
    assert_eq!(said.code, 7, "{said:?}");
    assert!(
        said.out.contains("waits in the outbox: ") && said.err.contains("seatkeeper doctor"),
        "{said:?}"
    );
    let told = until(&site, DOCTOR, |told| !mail_findings(told).is_empty());
    let finding = &mail_findings(&told)[0];
    assert_eq!(finding["level"], "warning");
    let text = finding["text"].as_str().expect("text");
    assert!(
        text.contains("1 wait") && text.contains("localhost:"),
        "{text}"
    );
    let test = site.cli(&["mail", "test", "it@site.example"]);
    assert!(
        test.code == 1 && test.out.contains("NOT mailed to it@site.example"),
        "{test:?}"
    );
    server.becomes(Manner::Takes);
    let mails = server.taken(1);
    assert_eq!(mails[0].to, ["help@acme.example"]);
    until(&site, DOCTOR, |told| {
        told.is_array() && mail_findings(told).is_empty()
    });
    // What waits at a stop is said to be gone.
    server.becomes(Manner::HangsUp);
    let said = site.cli(&["license", "request", "--account", "4711", "--mail"]);
    assert_eq!(said.code, 7, "{said:?}");
    assert_eq!(site.stop(), Some(0));
    assert!(site.log().contains("mails were not sent"), "{}", site.log());
}

#[test]
fn d9_a_server_that_hangs_keeps_neither_a_command_nor_a_stop_waiting() {
    let server = SmtpServer::start(Way::Plain, None);
    let mut site = mailing(&server, "tls = \"none\"\ntimeout_s = 1\n");
    server.becomes(Manner::Hangs);
    let test = site.cli(&["mail", "test", "it@site.example"]);
    assert!(
        test.code == 1 && test.out.contains("no answer within 1 s"),
        "{test:?}"
    );
    assert_eq!(site.stop(), Some(0));
}

#[test]
fn d9_a_server_that_answers_late_is_sent_a_mail_once() {
    let server = SmtpServer::start(Way::Plain, None);
    let site = mailing(&server, "tls = \"none\"\ntimeout_s = 1\n");
    server.becomes(Manner::TakesLate(2));
    let test = site.cli(&["mail", "test", "it@site.example"]);
    assert!(test.code == 0 && test.out.contains("taken as"), "{test:?}");
    assert_eq!(server.taken(1).len(), 1);
}

#[test]
fn d9_what_a_server_refuses_is_told_with_its_words() {
    let server = SmtpServer::start(Way::Plain, None);
    let site = mailing(&server, "tls = \"none\"\n");
    server.becomes(Manner::Says("550 5.1.1 no such user here"));
    let line = [
        "license",
        "request",
        "--account",
        "4711",
        "--mail",
        "--to",
        "gone@acme.example",
    ];
    let said = site.cli(&line);
    assert_eq!(said.code, 7, "{said:?}");
    assert!(
        said.out.contains("NOT mailed to gone@acme.example")
            && said.out.contains("no such user here"),
        "{said:?}"
    );
    let told = until(&site, DOCTOR, |told| !mail_findings(told).is_empty());
    let finding = mail_findings(&told)[0].to_string();
    assert!(finding.contains("gone@acme.example"), "{finding}");
    assert_eq!(server.calls(), 1, "it is not tried again");
    let test = site.cli(&["mail", "test", "gone@acme.example"]);
    assert!(
        test.code == 1 && test.out.contains("no such user here"),
        "{test:?}"
    );
}

/// Over TLS, to a server that wants a password; its certificate is of an authority that the daemon trusts, or not.
fn over_tls(way: Way, tls: &str) {
    let server = SmtpServer::start(way, Some(("seats", "hunter two")));
    let mut site = Site::new();
    let secret = site.path("password");
    std::fs::write(&secret, "hunter two\n").expect("written");
    std::fs::set_permissions(&secret, std::fs::Permissions::from_mode(0o600)).expect("mode");
    if is_root() {
        chown(&secret, Some(DAEMON_UID), Some(DAEMON_UID)).expect("root may give files away");
    }
    site.configure(&format!(
        "[mail]\nserver = \"localhost\"\nport = {}\ntls = \"{tls}\"\nfrom = \"seats@site.example\"\nuser = \"seats\"\npassword_file = \"{}\"\n",
        server.port(),
        secret.display()
    ));
    site.start();
    let test = site.cli(&["mail", "test", "it@site.example"]);
    assert!(
        test.code == 1 && test.err.contains("authority that the system trusts"),
        "a certificate of nobody's authority: {test:?}"
    );
    site.stop();
    let trusted = site.path("trusted.pem");
    std::fs::write(&trusted, server.certificate()).expect("written");
    site.with_env("SSL_CERT_FILE", &trusted.display().to_string());
    site.start();
    let said = done(&site, "mail test it@site.example");
    assert!(said.contains("250 2.0.0 taken"), "{said}");
    let mails = server.taken(1);
    assert!(
        mails[0].tls && mails[0].user.as_deref() == Some("seats"),
        "{mails:?}"
    );
    assert!(!mails[0].text.contains("hunter"), "{mails:?}");
    let shown = done(&site, "config show --origin");
    assert!(
        shown.contains("mail.password_file") && !shown.contains("hunter"),
        "{shown}"
    );
    std::fs::write(&secret, "hunter one\n").expect("written");
    let test = site.cli(&["mail", "test", "it@site.example"]);
    assert!(
        test.code == 1 && test.out.contains("not that password") && test.err.contains("mail.user"),
        "{test:?}"
    );
    assert!(!site.log().contains("hunter"), "{}", site.log());
}

#[test]
fn d9_mail_goes_over_starttls_with_a_password_from_a_file() {
    over_tls(Way::StartTls, "starttls");
}

#[test]
fn d9_mail_goes_over_tls_from_the_first_byte() {
    over_tls(Way::Tls, "tls");
}

#[test]
fn d9_a_server_without_starttls_gets_no_mail_in_the_clear() {
    let server = SmtpServer::start(Way::Plain, None);
    let site = mailing(&server, "tls = \"starttls\"\n");
    let test = site.cli(&["mail", "test", "it@site.example"]);
    assert!(
        test.code == 1 && test.out.contains("STARTTLS is not supported"),
        "{test:?}"
    );
    assert_eq!(server.calls(), 1);
}
