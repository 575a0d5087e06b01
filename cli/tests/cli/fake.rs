//! A daemon on a unix socket of its own folder: prepared answers, and real leases where a test wants them.

use seatkeeper::testing::{Request, Transport};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::PathBuf;
use std::process::{Command, Output};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// What came in: method and path, `If-Match`, body.
pub(crate) type Asked = (String, Option<String>, Value);

/// The daemon; its thread ends with the test process.
pub(crate) struct Fake {
    folder: tempfile::TempDir,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Fake {
    /// Answers by method and path; what is not prepared is 404.
    pub(crate) fn new(answers: Vec<(&'static str, u16, Value)>) -> Fake {
        Fake::before(answers, None)
    }

    /// The same, and what is not prepared is asked of `behind`.
    pub(crate) fn before(
        answers: Vec<(&'static str, u16, Value)>,
        behind: Option<Arc<dyn Transport>>,
    ) -> Fake {
        let folder = tempfile::tempdir().unwrap();
        let listener = UnixListener::bind(folder.path().join("s")).unwrap();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let log = asked.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (answers, behind, log) = (answers.clone(), behind.clone(), log.clone());
                std::thread::spawn(move || serve(stream, &answers, behind.as_deref(), &log));
            }
        });
        Fake { folder, asked }
    }

    pub(crate) fn socket(&self) -> PathBuf {
        self.folder.path().join("s")
    }

    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }

    /// Runs the command line against it.
    pub(crate) fn run(&self, line: &str) -> Output {
        // What follows `--` is another program's.
        let (own, program) = line.split_once(" -- ").unwrap_or((line, ""));
        let mut command = seatkeeper(own);
        command.arg("--socket").arg(self.socket());
        if !program.is_empty() {
            command.arg("--").args(program.split(' '));
        }
        command.output().unwrap()
    }

    /// What a person sees of it: both streams, as they come.
    pub(crate) fn run_on_one_screen(&self, line: &str) -> String {
        let path = self.file("screen", "");
        let screen = std::fs::OpenOptions::new()
            .append(true)
            .open(&path)
            .unwrap();
        let mut command = seatkeeper(line);
        command.arg("--socket").arg(self.socket());
        command.stdout(screen.try_clone().unwrap()).stderr(screen);
        command.status().unwrap();
        std::fs::read_to_string(path).unwrap()
    }

    pub(crate) fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    }
}

/// The command line with these words.
pub(crate) fn seatkeeper(line: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_seatkeeper"));
    command
        .args(line.split(' '))
        .env_remove("SEATKEEPER_SOCKET");
    command
}

/// A problem document of this code.
pub(crate) fn problem(code: &str, status: u16) -> Value {
    let class = if matches!(code, "no_seat_free") {
        "capacity"
    } else {
        "request"
    };
    json!({ "type": format!("/problems/{code}"), "title": "a title", "status": status, "detail": "what happened",
        "code": code, "class": class, "retryable": true, "rule": 9, "in_use": 3, "total": 3, "hint": "what to do",
        "trace_id": "7f3a" })
}

/// A page of a list.
pub(crate) fn page(items: Value) -> Value {
    json!({ "items": items })
}

fn serve(
    stream: UnixStream,
    answers: &[(&'static str, u16, Value)],
    behind: Option<&dyn Transport>,
    log: &Mutex<Vec<Asked>>,
) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    while let Some(asked) = read(&mut reader) {
        let found = answers.iter().find(|(wanted, _, _)| *wanted == asked.0);
        let (status, body) = match (found, behind) {
            (Some((_, status, body)), _) => (*status, body.to_string()),
            (None, Some(behind)) => forward(behind, &asked),
            (None, None) => (404, problem("not_found", 404).to_string()),
        };
        log.lock().unwrap().push(asked);
        let head = format!(
            "HTTP/1.1 {status} X\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        if (&stream).write_all((head + &body).as_bytes()).is_err() {
            return;
        }
    }
}

fn forward(behind: &dyn Transport, (request, _, body): &Asked) -> (u16, String) {
    let (method, path) = request.split_once(' ').unwrap();
    let body = (!body.is_null()).then(|| body.to_string().into_bytes());
    let request = Request {
        method: method.to_owned(),
        path: path.to_owned(),
        headers: Vec::new(),
        body,
    };
    let reply = behind.exchange(&request, Duration::from_secs(10)).unwrap();
    // A 204 has no length; the client reads an empty 200 alike.
    (
        if reply.status == 204 {
            200
        } else {
            reply.status
        },
        String::from_utf8(reply.body).unwrap(),
    )
}

fn read(reader: &mut impl BufRead) -> Option<Asked> {
    let mut line = String::new();
    reader.read_line(&mut line).ok().filter(|n| *n > 0)?;
    let request = line.rsplit_once(' ')?.0.to_owned();
    let (mut length, mut revision) = (0, None);
    loop {
        let mut header = String::new();
        reader.read_line(&mut header).ok()?;
        let Some((name, value)) = header.trim_end().split_once(':') else {
            break;
        };
        match name.to_ascii_lowercase().as_str() {
            "content-length" => length = value.trim().parse().ok()?,
            "if-match" => revision = Some(value.trim().to_owned()),
            _ => {}
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some((
        request,
        revision,
        serde_json::from_slice(&body).unwrap_or(Value::Null),
    ))
}
