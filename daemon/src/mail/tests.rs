//! The outbox over a way that a test leads, with tokio's paused time; letters as they would go over the wire.

use super::Mail;
use super::book::{Failed, Fault, KEPT, MailId, Stage, TOLD, WAITING_PER_CALLER};
use super::letters::{self, Requested};
use super::outbox::{Carried, Carrier, Counts, NotPosted, Outbox, Parts};
use super::password::password;
use super::render::{Letter, letter, sender};
use crate::clock::moment;
use crate::config::Settings;
use seatkeeper::wire::Finding;
use seatkeeper_core::clock::ManualClock;
use std::collections::{BTreeMap, VecDeque};
use std::os::unix::fs::PermissionsExt;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::time::Instant;

/// Answers as it was told, and notes when it was asked.
#[derive(Clone, Default)]
struct Led {
    answers: Arc<Mutex<VecDeque<Result<String, Failed>>>>,
    asked: Arc<Mutex<Vec<(Duration, String)>>>,
    began: Option<Instant>,
}

/// Never answers.
struct Stuck;

type Said = Arc<Mutex<BTreeMap<String, Finding>>>;

impl Carrier for Led {
    fn carry(&self, letter: Arc<Letter>) -> Carried {
        let since = self.began.expect("set").elapsed();
        let to = letter.envelope.to()[0].to_string();
        self.asked.lock().unwrap().push((since, to));
        let next = self.answers.lock().unwrap().pop_front();
        Box::pin(async move { next.unwrap_or_else(|| Ok("250 taken".to_owned())) })
    }
}

impl Carrier for Stuck {
    fn carry(&self, _: Arc<Letter>) -> Carried {
        Box::pin(std::future::pending())
    }
}

fn parts(said: &Said) -> Parts {
    let mut settings = Settings::default().mail;
    settings.server = "mail.example".to_owned();
    settings.from = "Seatkeeper <seats@site.example>".to_owned();
    let said = said.clone();
    Parts {
        settings,
        machine: "ws1".to_owned(),
        clock: Arc::new(ManualClock::at(1_800_000_000)),
        counts: Counts::default(),
        tell: Box::new(move |subject, finding| {
            let mut said = said.lock().unwrap();
            match finding {
                Some(finding) => said.insert(subject.to_owned(), finding),
                None => said.remove(subject),
            };
        }),
    }
}

pub(super) fn stuck() -> Outbox {
    Outbox::over(parts(&Said::default()), Stuck)
}

fn outbox(answers: &[Result<String, Failed>]) -> (Outbox, Led, Said) {
    let led = Led {
        answers: Arc::new(Mutex::new(answers.iter().cloned().collect())),
        began: Some(moment()),
        ..Led::default()
    };
    let said = Said::default();
    (Outbox::over(parts(&said), led.clone()), led, said)
}

fn away() -> Result<String, Failed> {
    failed(Stage::Call, Fault::Server, "connection refused")
}

fn refused() -> Result<String, Failed> {
    failed(Stage::HandOver, Fault::Refused, "550 no such user")
}

fn later() -> Result<String, Failed> {
    failed(Stage::HandOver, Fault::Mail, "451 later")
}

fn failed(stage: Stage, fault: Fault, why: &str) -> Result<String, Failed> {
    Err(Failed {
        stage,
        fault,
        why: why.to_owned(),
    })
}

fn request(to: &str) -> Mail {
    letters::license_request(
        to,
        &Requested {
            site: "Harbor",
            account: "4711",
            product_version: None,
            order: Some("PO-7"),
            person: "ana",
            address: Some("ana@harbor.example"),
            request: "a.b.c",
        },
    )
}

/// So many seconds, and a half: nothing is due at that moment.
async fn pass(seconds: u64) {
    tokio::time::sleep(Duration::from_millis(1000 * seconds + 500)).await;
}

fn times(n: usize) -> Vec<Result<String, Failed>> {
    std::iter::repeat_with(away).take(n).collect()
}

impl Led {
    fn seconds(&self) -> Vec<u64> {
        let asked = self.asked.lock().unwrap();
        asked.iter().map(|(since, _)| since.as_secs()).collect()
    }
}

#[tokio::test(start_paused = true)]
async fn d9_a_server_that_is_away_is_asked_again_with_growing_pauses() {
    let (outbox, led, said) = outbox(&times(14));
    let first = outbox.post(&request("help@acme.example"), "ana@ws1", None);
    let first: MailId = first.expect("taken").id.parse().expect("an id");
    pass(3).await;
    let state = outbox.state(first).expect("known");
    assert_eq!((state.state.as_str(), state.tries), ("waiting", 3));
    assert_eq!(state.why.as_deref(), Some("connection refused"));
    assert!(state.next_try_s.is_some_and(|s| s <= 4), "{state:?}");
    let told = said.lock().unwrap()["mail"].clone();
    assert!(
        told.text.contains("mail.example:587") && told.text.contains("1 wait"),
        "{told:?}"
    );
    assert!(told.remedy.contains("mail.server"), "{told:?}");
    let second = outbox.post(&request("help@other.example"), "ana@ws1", None);
    let second = second.expect("taken");
    assert_eq!(
        second.why.as_deref(),
        Some("connection refused"),
        "told at once"
    );
    pass(10_000).await;
    let seconds = led.seconds();
    let pauses: Vec<_> = seconds.windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert_eq!(
        pauses[..14],
        [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900, 900, 900],
        "{pauses:?}"
    );
    assert_eq!(
        pauses.len(),
        15,
        "one server is asked once for all that wait"
    );
    assert_eq!(pauses[14], 0, "and is back for all of them");
    let status = outbox.status().expect("on");
    assert_eq!((status.sent, status.waiting, status.failed), (2, 0, 0));
    assert_eq!(status.failing, None);
    assert_eq!(
        outbox.state(first).expect("known").answer.as_deref(),
        Some("250 taken")
    );
    assert!(said.lock().unwrap().is_empty(), "nothing is left to say");
}

#[tokio::test(start_paused = true)]
async fn d9_what_the_server_refuses_is_told_and_not_tried_again() {
    let (outbox, led, said) = outbox(&[refused()]);
    let posted = outbox.post(&request("nobody@acme.example"), "ana@ws1", None);
    let id: MailId = posted.expect("taken").id.parse().expect("an id");
    let state = outbox
        .tried(id, Duration::from_secs(60))
        .await
        .expect("known");
    assert_eq!((state.state.as_str(), state.tries), ("failed", 1));
    assert_eq!(state.why.as_deref(), Some("550 no such user"));
    assert!(state.remedy.is_some());
    pass(3600).await;
    assert_eq!(led.seconds(), [0]);
    assert_eq!(outbox.status().map(|status| status.failed), Some(1));
    let told = said.lock().unwrap()["mail not sent"].clone();
    assert!(
        told.text.contains("license_request") && told.text.contains("nobody@acme.example"),
        "{told:?}"
    );
    pass(TOLD.as_secs()).await;
    assert!(said.lock().unwrap().is_empty(), "not for ever");
}

#[tokio::test(start_paused = true)]
async fn d9_what_was_told_is_taken_back_when_the_address_is_reached() {
    let (outbox, _, said) = outbox(&[refused()]);
    let mail = request("nobody@acme.example");
    outbox.post(&mail, "ana@ws1", None).expect("taken");
    pass(1).await;
    assert!(said.lock().unwrap().contains_key("mail not sent"));
    outbox.post(&mail, "ana@ws1", None).expect("taken");
    pass(1).await;
    assert!(said.lock().unwrap().is_empty());
}

#[tokio::test(start_paused = true)]
async fn d9_a_mail_is_given_up_after_a_day() {
    let (outbox, led, said) = outbox(&times(500));
    let posted = outbox.post(&request("help@acme.example"), "ana@ws1", None);
    let id: MailId = posted.expect("taken").id.parse().expect("an id");
    pass(KEPT.as_secs() + 3600).await;
    assert_eq!(outbox.state(id).expect("known").state, "failed");
    let last = *led.seconds().last().expect("asked");
    assert!(
        (KEPT.as_secs()..KEPT.as_secs() + 901).contains(&last),
        "{last}"
    );
    assert!(said.lock().unwrap().contains_key("mail not sent"));
}

#[tokio::test(start_paused = true)]
async fn d9_what_one_mail_meets_keeps_no_other_waiting() {
    let (outbox, led, _) = outbox(&[later()]);
    outbox
        .post(&request("grey@acme.example"), "ana@ws1", None)
        .expect("taken");
    outbox
        .post(&request("help@acme.example"), "ana@ws1", None)
        .expect("taken");
    pass(100).await;
    let asked = led.asked.lock().unwrap().clone();
    let asked: Vec<_> = asked
        .iter()
        .map(|(at, to)| (at.as_secs(), to.as_str()))
        .collect();
    let (grey, help) = ("grey@acme.example", "help@acme.example");
    assert_eq!(asked, [(0, grey), (0, help), (30, grey)]);
}

#[tokio::test(start_paused = true)]
async fn d9_a_test_goes_at_once_and_its_success_lets_all_go() {
    let (outbox, led, _) = outbox(&times(3));
    outbox
        .post(&request("help@acme.example"), "ana@ws1", None)
        .expect("taken");
    pass(4).await;
    assert_eq!(led.seconds(), [0, 1, 3]);
    let test = outbox.post(&letters::test("it@site.example", "Harbor"), "ana@ws1", None);
    let test = test.expect("taken");
    assert_eq!(
        test.why, None,
        "what keeps others waiting says nothing of a test"
    );
    pass(0).await;
    assert_eq!(led.seconds(), [0, 1, 3, 4, 4]);
    assert_eq!(outbox.status().map(|status| status.waiting), Some(0));
}

#[tokio::test(start_paused = true)]
async fn d9_a_test_that_fails_is_told_to_its_caller_alone() {
    let (outbox, led, said) = outbox(&[later()]);
    let test = outbox.post(&letters::test("it@site.example", "Harbor"), "ana@ws1", None);
    let id: MailId = test.expect("taken").id.parse().expect("an id");
    let state = outbox
        .tried(id, Duration::from_secs(60))
        .await
        .expect("known");
    assert_eq!(
        (state.state.as_str(), state.why.as_deref()),
        ("failed", Some("451 later"))
    );
    pass(3600).await;
    assert_eq!(led.seconds(), [0]);
    assert!(said.lock().unwrap().is_empty());
}

#[tokio::test(start_paused = true)]
async fn d9_the_outbox_has_room_for_so_many_of_one_caller() {
    let outbox = stuck();
    let mail = request("help@acme.example");
    for _ in 0..WAITING_PER_CALLER {
        outbox.post(&mail, "ana@ws1", None).expect("taken");
    }
    assert_eq!(outbox.post(&mail, "ana@ws1", None), Err(NotPosted::Full));
    assert!(outbox.post(&mail, "bob@ws1", None).is_ok());
    assert_eq!(
        outbox.close(Duration::from_secs(3)).await,
        WAITING_PER_CALLER + 1
    );
}

#[tokio::test(start_paused = true)]
async fn d9_all_that_is_remembered_has_a_bound() {
    let (outbox, ..) = outbox(&[]);
    for _ in 0..1000 {
        outbox
            .post(&request("help@acme.example"), "ana@ws1", None)
            .expect("taken");
        pass(1).await;
    }
    assert_eq!(outbox.status().map(|status| status.sent), Some(1000));
    assert_eq!(outbox.list().len(), 256);
}

#[tokio::test(start_paused = true)]
async fn d9_a_repetition_is_the_same_mail() {
    let (outbox, led, _) = outbox(&[]);
    let (mail, id) = (request("help@acme.example"), Some(MailId([7; 16])));
    let once = outbox.post(&mail, "ana@ws1", id).expect("taken");
    pass(1).await;
    let again = outbox.post(&mail, "ana@ws1", id).expect("the same");
    assert_eq!((once.id, again.state.as_str()), (again.id, "sent"));
    let other = outbox.post(&request("else@acme.example"), "ana@ws1", id);
    assert_eq!(other, Err(NotPosted::Conflict));
    assert_eq!(led.seconds(), [0]);
    assert!(outbox.is_by(MailId([7; 16]), "ana@ws1") && !outbox.is_by(MailId([7; 16]), "bob@ws1"));
}

#[tokio::test]
async fn d9_where_mail_is_off_whoever_causes_one_is_told() {
    let outbox = Outbox::off();
    let mail = request("help@acme.example");
    assert_eq!(outbox.post(&mail, "ana@ws1", None), Err(NotPosted::Off));
    assert!(outbox.status().is_none() && !outbox.is_on());
    assert_eq!(outbox.close(Duration::ZERO).await, 0);
}

fn written(mail: &Mail) -> Result<String, String> {
    let from = sender("Größe & Söhne <seats@site.example>").expect("a sender");
    let letter = letter(mail, MailId([1; 16]), &from, 1_800_000_000)?;
    Ok(String::from_utf8(letter.bytes).expect("ASCII"))
}

#[test]
fn d9_nothing_that_is_written_becomes_a_header() {
    let plain = request("help@acme.example");
    for (member, broken) in [
        (
            "to",
            Mail {
                to: "help@acme.example\r\nBcc: all@acme.example".to_owned(),
                ..plain.clone()
            },
        ),
        (
            "to",
            Mail {
                to: "help@acme.example, all@acme.example".to_owned(),
                ..plain.clone()
            },
        ),
        (
            "to",
            Mail {
                to: "help".to_owned(),
                ..plain.clone()
            },
        ),
        (
            "subject",
            Mail {
                subject: "a\nBcc: all@acme.example".to_owned(),
                ..plain.clone()
            },
        ),
        (
            "reply_to",
            Mail {
                reply_to: Some(("a\r\nBcc: b@c.example".to_owned(), "a@b.example".to_owned())),
                ..plain.clone()
            },
        ),
        (
            "reply_to",
            Mail {
                reply_to: Some((
                    "a".to_owned(),
                    "a@b.example>\r\nBcc: <b@c.example".to_owned(),
                )),
                ..plain.clone()
            },
        ),
    ] {
        let why = written(&broken).expect_err("refused");
        assert!(why.starts_with(&format!("{member}: ")), "{why}");
    }
    let quoted = Mail {
        reply_to: Some((
            "ana\" <all@acme.example>, \"b".to_owned(),
            "ana@b.example".to_owned(),
        )),
        body: "Bcc: all@acme.example\n.\nRCPT TO:<all@acme.example>\n".to_owned(),
        ..plain
    };
    let text = written(&quoted).expect("a mail");
    let head = text.split("\r\n\r\n").next().expect("a head");
    assert!(!head.contains("Bcc"), "{head}");
    let from = sender("a@b.example").expect("a sender");
    let made = letter(&quoted, MailId([1; 16]), &from, 0).expect("a mail");
    assert_eq!(made.envelope.to().len(), 1);
    assert_eq!(made.envelope.to()[0].to_string(), "help@acme.example");
}

#[test]
fn d9_names_in_any_script_go_as_ascii() {
    let mail = Mail {
        subject: "Ключ für Zoë".to_owned(),
        body: "Zoë\n".to_owned(),
        reply_to: Some(("Zoë Ångström".to_owned(), "zoe@b.example".to_owned())),
        ..letters::test("ana@b.example", "Größe")
    };
    let text = written(&mail).expect("a mail");
    assert!(text.is_ascii(), "{text}");
    for line in [
        "Subject: =?utf-8?",
        "From: =?utf-8?",
        "Reply-To: =?utf-8?",
        "Auto-Submitted: auto-generated",
        "Message-ID: <01010101010101010101010101010101@site.example>",
        "Date: Fri, 15 Jan 2027 08:00:00 +0000",
    ] {
        assert!(text.contains(line), "{line}: {text}");
    }
}

#[test]
fn d9_a_sender_is_one_mailbox_and_nothing_beside_it() {
    assert!(sender("a@b.example").is_some());
    assert!(sender("Seats <a@b.example>").is_some());
    for text in [
        "",
        "a",
        "a@b.example, c@d.example",
        "Seats <a@b.example> x",
        "a@b.example\r\nBcc: c@d.example",
    ] {
        assert!(sender(text).is_none(), "{text:?}");
    }
}

#[test]
fn d9_a_password_that_everyone_reads_is_not_taken() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("password");
    let mut settings = Settings::default().mail;
    assert_eq!(password(&settings), Ok(None));
    settings.server = "mail.example".to_owned();
    settings.user = "seats".to_owned();
    assert!(
        password(&settings)
            .expect_err("none")
            .remedy
            .contains("mail.password_file")
    );
    settings.password_file = path.clone();
    assert!(
        password(&settings)
            .expect_err("none")
            .text
            .contains("cannot be read")
    );
    let mode = |mode| {
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).expect("ours")
    };
    std::fs::write(&path, "pass word\n").expect("written");
    mode(0o644);
    let why = password(&settings).expect_err("everyone reads it");
    assert!(
        why.text.contains("by everyone") && !why.text.contains("pass word"),
        "{why:?}"
    );
    mode(0o600);
    let read = password(&settings).expect("read").expect("there");
    assert_eq!(read.as_str(), "pass word");
    std::fs::write(&path, "two\nlines\n").expect("written");
    assert!(
        password(&settings)
            .expect_err("no password")
            .text
            .contains("one line")
    );
}
