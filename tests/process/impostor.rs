//! Somebody else's daemon behind the socket: the application believes signatures, not whoever answers (S5, S17).

use seatkeeper_tests::wire::Wire;
use seatkeeper_tests::{Application, Site, Vendor};
use serde_json::{Value, json};
use std::io::Write;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};

/// What the one in the middle does with a checkout and with its answer.
type Twist = Box<dyn FnMut(&mut Value) + Send>;

/// Listens beside the daemon's socket and passes everything on, twisted; lives as long as the test's process.
fn between(daemon: &Site, mut asked: Twist, mut answered: Twist) -> PathBuf {
    let path = daemon.path("run/between.sock");
    let listener = UnixListener::bind(&path).expect("a socket");
    let behind = daemon.socket();
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            // An application that hangs up, or a daemon that does, ends that connection alone.
            let _ = pass_on(stream, &behind, &mut asked, &mut answered);
        }
    });
    path
}

fn pass_on(
    stream: UnixStream,
    behind: &Path,
    asked: &mut Twist,
    answered: &mut Twist,
) -> std::io::Result<()> {
    let mut out = stream.try_clone()?;
    let mut application = Wire::over(stream);
    let mut daemon = Wire::connect(behind)?;
    loop {
        let (head, body) = application.message()?;
        let mut words = head.split(' ');
        let (method, path) = (words.next().unwrap_or(""), words.next().unwrap_or(""));
        let mut body: Option<Value> = serde_json::from_slice(&body).ok();
        body.iter_mut().for_each(&mut *asked);
        let mut answer = daemon.exchange(method, path, body.as_ref())?;
        answered(&mut answer.body);
        let text = answer.body.to_string();
        write!(
            out,
            "HTTP/1.1 {} Told\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{text}",
            answer.status,
            text.len()
        )?;
    }
}

fn root_file(site: &Site, vendor: &Vendor) -> PathBuf {
    let path = site.path("root.pem");
    std::fs::write(&path, vendor.root.public().to_pem()).expect("it is written");
    path
}

/// The first try is the proof that the one in the middle is not what is refused.
#[test]
fn s17_a_daemon_with_another_site_key_gets_no_seat_accepted() {
    let (site, vendor) = Site::with_seats(4);
    let root = root_file(&site, &vendor);
    let honest = between(&site, Box::new(|_| {}), Box::new(|_| {}));
    let mut app = Application::with(&honest, &root, "cad/modeler", &[]);
    assert!(app.said["slots"].is_array(), "{}", app.said);
    assert_eq!(app.end(), Some(0));

    // The impostor runs our daemon with a vendor of its own, and shows the license that was issued for the real site.
    let mut impostor = Site::new();
    impostor.start();
    let forger = Vendor::new("acme", 66);
    impostor.install(
        &forger,
        &forger.file(&forger.license("L-1", 1, 4, &impostor.site_key())),
    );
    let genuine = vendor.file(&vendor.license("L-1", 1, 4, &site.site_key()));
    let tokens: Vec<String> = genuine
        .lines()
        .filter(|line| line.contains('.'))
        .map(str::to_owned)
        .collect();
    let asked = forger.roots();
    let shown = tokens.clone();
    let socket = between(
        &impostor,
        Box::new(move |body| body["roots"] = json!(asked)),
        Box::new(move |body| {
            if body["chain"].is_object() {
                (body["chain"]["issuer"], body["chain"]["license"]) =
                    (json!(shown[0]), json!(shown[1]));
            }
        }),
    );
    let mut app = Application::with(&socket, &root, "cad/modeler", &[]);
    assert!(app.said["code"].is_string(), "no seat: {}", app.said);
    assert_eq!(app.end(), Some(1));
    assert_ne!(
        app.said["code"], "no_seat_free",
        "the impostor granted: {}",
        app.said
    );
}

/// The same with the forger's own chain, whole and well signed: its root is not the application's.
#[test]
fn s5_a_whole_chain_under_another_root_gets_no_seat_accepted() {
    let (impostor, forger) = Site::with_seats(4);
    let vendor = Vendor::new("acme", 67);
    let root = root_file(&impostor, &vendor);
    let asked = forger.roots();
    let socket = between(
        &impostor,
        Box::new(move |body| body["roots"] = json!(asked)),
        Box::new(|_| {}),
    );
    let mut app = Application::with(&socket, &root, "cad/modeler", &[]);
    assert_eq!(app.said["code"], "wrong_vendor", "{}", app.said);
    assert_eq!(app.end(), Some(1));
}

/// A recorded answer is refused in every other call: the nonce is not this call's.
#[test]
fn s18_a_recorded_answer_is_refused_in_another_call() {
    let (site, vendor) = Site::with_seats(4);
    let root = root_file(&site, &vendor);
    let mut recorded: Option<Value> = None;
    let replay = move |body: &mut Value| {
        if body["lease"].is_string() {
            *body = recorded.get_or_insert_with(|| body.clone()).clone();
        }
    };
    let socket = between(&site, Box::new(|_| {}), Box::new(replay));
    let mut first = Application::with(&socket, &root, "cad/modeler", &[]);
    assert!(first.said["slots"].is_array(), "{}", first.said);
    assert_eq!(first.end(), Some(0));
    let mut second = Application::with(&socket, &root, "cad/modeler", &[]);
    assert!(second.said["code"].is_string(), "{}", second.said);
    assert_eq!(second.end(), Some(1));
}
