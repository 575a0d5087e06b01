//! A site in the test's process: a real socket, a real desk over a memory journal, and a document that every answer is held
//! against.

use super::identity::{Account, NameServiceDown, Names};
use super::{Dev, Follow, Limits, Metrics, Parts, serve};
use crate::dev::vendor::{self, Times};
use crate::mail::Outbox;
use crate::os::watch::Watch;
use seatkeeper::token::keys::PublicKey;
use seatkeeper_core::clock::{Clock, ManualClock};
use seatkeeper_core::desk::{self, Desk};
use seatkeeper_core::journal::MemoryJournal;
use seatkeeper_core::keeper::{self, Keeper};
use seatkeeper_core::keys::Keys;
use seatkeeper_core::side::Side;
use seatkeeper_core::storage::Guard;
use seatkeeper_engine::event::Recorded;
use seatkeeper_engine::ids::BootId;
use seatkeeper_engine::time::Date;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::watch as flag;

pub(super) const PATIENCE: Duration = Duration::from_secs(20);
pub(super) const NOW: u64 = 1_800_000_000;

/// A site in this process.
pub(super) struct House {
    pub(super) folder: tempfile::TempDir,
    _keeper: Keeper,
    pub(super) desk: Arc<Desk>,
    pub(super) watch: Arc<Watch>,
    pub(super) gate: Gate,
    pub(super) administers: Arc<AtomicBool>,
    /// How who connects is called.
    pub(super) name: Arc<Mutex<String>>,
    _stop: flag::Sender<bool>,
}

/// How a test stops the keeper between a commit and its reply.
pub(super) type Gate = Arc<Mutex<Option<(mpsc::Sender<()>, mpsc::Receiver<()>)>>>;

/// Whoever connects is called so, and administers or not.
struct Book {
    name: Arc<Mutex<String>>,
    administers: Arc<AtomicBool>,
}

impl Names for Book {
    fn account(&self, _: u32) -> Result<Account, NameServiceDown> {
        Ok(Account {
            name: self
                .name
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .clone(),
            administers: self.administers.load(Ordering::SeqCst),
        })
    }
}

/// An answer.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) head: String,
    pub(super) text: String,
}

impl Answer {
    pub(super) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or(Value::Null)
    }

    pub(super) fn code(&self) -> String {
        self.json()["code"].as_str().unwrap_or_default().to_owned()
    }

    pub(super) fn header(&self, name: &str) -> Option<String> {
        let lines = self.head.lines().filter_map(|line| line.split_once(": "));
        let mut found = lines.filter(|(key, _)| key.eq_ignore_ascii_case(name));
        found.next().map(|(_, value)| value.to_owned())
    }
}

impl House {
    pub(super) fn open() -> House {
        House::open_with(false)
    }

    /// As `dev` opens it, or as `run` does.
    pub(super) fn open_with(dev: bool) -> House {
        House::with_mail(dev, Outbox::stuck())
    }

    /// As it is where no mail server is configured.
    pub(super) fn without_mail() -> House {
        House::with_mail(false, Outbox::off())
    }

    pub(super) fn with_mail(dev: bool, mail: Outbox) -> House {
        let manual = Arc::new(ManualClock::at(NOW));
        let clock: Arc<dyn Clock> = manual.clone();
        let side = Arc::new(Side::memory().expect("a side store"));
        let (follow, metrics) = (Follow::default(), Arc::new(Metrics::new()));
        let (publish, gate) = (follow.clone(), Gate::default());
        let held = gate.clone();
        let keeper = keeper::start(keeper::Parts {
            journal: Arc::new(MemoryJournal::new()),
            side: side.clone(),
            clock: clock.clone(),
            checkpoints: None,
            clock_file: None,
            storage: Guard::none(),
            copied_key: false,
            host: "ws1".to_owned(),
            on_events: Some(Box::new(move |batch| {
                publish.publish(batch);
                let taken = |e: &keeper::PublishedEvent| matches!(e.what, Recorded::SeatTaken(_));
                let gate = held.lock().unwrap_or_else(PoisonError::into_inner);
                if let (true, Some((arrived, go_on))) = (batch.events.iter().any(taken), &*gate) {
                    arrived.send(()).expect("the test waits");
                    go_on
                        .recv_timeout(PATIENCE)
                        .expect("the test lets it go on");
                }
            })),
            on_fatal: Box::new(|why| panic!("{why}")),
        })
        .expect("a keeper");
        let settings = desk::Settings {
            site_name: "Test".to_owned(),
            machine: "ws1".to_owned(),
            boot: BootId([1; 16]),
            administrators: "root".into(),
            create_users: true,
            refused_roots: Vec::new(),
            assign_new_to_everyone: false,
            terms_block_checkout: false,
            disk_reserve: 0,
            retention_days: seatkeeper_core::side::RETENTION_DAYS,
            version: "0".to_owned(),
        };
        let desk = Arc::new(
            Desk::new(desk::Parts {
                keeper: keeper.handle(),
                side,
                keys: Keys::memory(Date(NOW)).expect("keys"),
                clock,
                space: Box::new(|| Ok(1 << 40)),
                settings,
            })
            .expect("a desk"),
        );
        let folder = tempfile::tempdir().expect("a folder");
        let listener = UnixListener::bind(folder.path().join("s")).expect("a socket");
        let watch = Arc::new(Watch::start(Box::new(drop)).expect("a watch"));
        let administers = Arc::new(AtomicBool::new(true));
        let name = Arc::new(Mutex::new("ana".to_owned()));
        let (stop, stopped) = flag::channel(false);
        let parts = Parts {
            desk: desk.clone(),
            names: Arc::new(Book {
                name: name.clone(),
                administers: administers.clone(),
            }),
            watch: watch.clone(),
            metrics,
            follow,
            mail,
            config: vec![seatkeeper::wire::ConfigEntry {
                key: "socket".to_owned(),
                value: "\"s\"".to_owned(),
                origin: "default".to_owned(),
            }],
            // Most of what is asked here fails on purpose.
            limits: Limits {
                failures_per_s: u32::MAX,
                ..Limits::default()
            },
            dev: dev.then(|| Arc::new(Dev::new(Some(manual)))),
        };
        tokio::spawn(serve(parts, listener, stopped));
        House {
            folder,
            _keeper: keeper,
            desk,
            watch,
            gate,
            administers,
            name,
            _stop: stop,
        }
    }

    pub(super) async fn ask(&self, method: &str, path: &str, body: Option<Value>) -> Answer {
        self.ask_with(method, path, body, "").await
    }

    pub(super) async fn ask_with(
        &self,
        method: &str,
        path: &str,
        body: Option<Value>,
        more: &str,
    ) -> Answer {
        let body = body.map(|body| body.to_string()).unwrap_or_default();
        let request = format!(
            "{method} {path} HTTP/1.1\r\nhost: s\r\nconnection: close\r\n{more}content-length: {}\r\n\r\n{body}",
            body.len()
        );
        let mut stream = self.connect().await;
        stream.write_all(request.as_bytes()).await.expect("written");
        let mut bytes = Vec::new();
        let read = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut bytes)).await;
        read.expect("an answer in time").expect("read");
        let text = String::from_utf8(bytes).expect("text");
        let (head, text) = text.split_once("\r\n\r\n").expect("a head");
        Answer {
            status: head[9..12].parse().expect("a status"),
            head: head.to_owned(),
            text: text.to_owned(),
        }
    }

    pub(super) async fn connect(&self) -> UnixStream {
        let path = self.folder.path().join("s");
        UnixStream::connect(path)
            .await
            .expect("the socket takes connections")
    }

    /// A vendor is trusted, and its license installed and assigned to everyone.
    pub(super) async fn with_license(self) -> House {
        let trusted = self
            .ask("POST", "/v1/vendors", Some(json!(vendor::trust())))
            .await;
        assert_eq!(trusted.status, 201, "{trusted:?}");
        let installed = self
            .ask("POST", "/v1/licenses", Some(self.install_body().await))
            .await;
        assert_eq!(installed.status, 201, "{installed:?}");
        self
    }

    pub(super) async fn install_body(&self) -> Value {
        let key = self.ask("GET", "/v1/site-key", None).await.json();
        let pem = key["pem"].as_str().expect("a key");
        let site = PublicKey::from_pem(pem).expect("a key");
        let text = vendor::license_file(&site, NOW, Times::default()).expect("a license");
        json!({"text": text, "assign_everyone": true})
    }

    pub(super) fn checkout(&self, n: u8) -> Value {
        let roots: Vec<_> = self
            .desk
            .snapshot()
            .state
            .vendors
            .values()
            .flat_map(|v| v.roots.keys().cloned())
            .collect();
        json!({
            "checkout_id": format!("{n:032x}"), "instance": format!("{:032x}", u32::from(n) + 1000),
            "nonce": "AAAAAAAAAAAAAAAAAAAAAA", "product": vendor::PRODUCT,
            "items": [{"feature": vendor::FEATURE}], "roots": roots,
        })
    }
}

/// Checks an answer against the document: the status is listed, the body is what the schema says.
pub(super) struct Document {
    whole: Value,
    used: BTreeSet<(String, String)>,
}

impl Document {
    pub(super) async fn of(house: &House) -> Document {
        Document {
            whole: house.ask("GET", "/openapi.json", None).await.json(),
            used: BTreeSet::new(),
        }
    }

    pub(super) fn check(&mut self, method: &str, path: &str, answer: &Answer) {
        let method = method.to_lowercase();
        self.used.insert((path.to_owned(), method.clone()));
        let responses = &self.whole["paths"][path][&method]["responses"];
        let listed = &responses[answer.status.to_string()];
        let response = if listed.is_null() {
            &responses["default"]
        } else {
            listed
        };
        assert!(
            !response.is_null(),
            "{method} {path}: {} is not in the document",
            answer.status
        );
        let Some(content) = response["content"].as_object() else {
            assert_eq!(
                answer.text, "",
                "{method} {path}: a body that the document does not know"
            );
            return;
        };
        let kind = answer.header("content-type").unwrap_or_default();
        let kind = kind.split(';').next().unwrap_or_default();
        let schema = &content
            .get(kind)
            .unwrap_or_else(|| panic!("{method} {path}: {kind} is not in the document"))["schema"];
        if kind.ends_with("json") {
            let mut schema = schema.clone();
            schema["components"] = self.whole["components"].clone();
            let validator = jsonschema::draft202012::new(&schema).expect("a schema");
            let body = answer.json();
            let errors: Vec<_> = validator
                .iter_errors(&body)
                .map(|e| format!("{} at {}", e, e.instance_path()))
                .collect();
            assert!(errors.is_empty(), "{method} {path}: {errors:?}\n{body:#}");
        }
        assert!(
            answer
                .header("x-trace-id")
                .is_some_and(|trace| !trace.is_empty())
        );
    }

    pub(super) fn all_were_used(&self) {
        let paths = self.whole["paths"].as_object().expect("paths");
        for (path, methods) in paths {
            for method in methods.as_object().expect("methods").keys() {
                assert!(
                    self.used.contains(&(path.clone(), method.clone())),
                    "{method} {path} was not called"
                );
            }
        }
    }
}

/// A house whose every answer is held against its document.
pub(super) struct Walk {
    pub(super) house: House,
    pub(super) document: Document,
}

impl Walk {
    pub(super) async fn begin() -> Walk {
        let house = House::open_with(true);
        let document = Document::of(&house).await;
        Walk { house, document }
    }

    /// Asks for `real`, which the document knows as `path`.
    pub(super) async fn at(
        &mut self,
        method: &str,
        path: &str,
        real: &str,
        body: Option<Value>,
    ) -> Answer {
        let answer = self.house.ask(method, real, body).await;
        self.document.check(method, path, &answer);
        answer
    }

    pub(super) async fn get(&mut self, path: &str, status: u16) -> Value {
        self.get_at(path, path, status).await
    }

    pub(super) async fn get_at(&mut self, path: &str, real: &str, status: u16) -> Value {
        let answer = self.at("GET", path, real, None).await;
        assert_eq!(answer.status, status, "GET {real}: {}", answer.text);
        answer.json()
    }

    pub(super) async fn post(&mut self, path: &str, body: Value, status: u16) -> Value {
        let answer = self.at("POST", path, path, Some(body)).await;
        assert_eq!(answer.status, status, "POST {path}: {}", answer.text);
        answer.json()
    }
}
