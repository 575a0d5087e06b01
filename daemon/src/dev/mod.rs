//! `seatkeeperd dev`: a whole site in a scratch folder, to see a seat taken, held and freed within a minute.

pub mod app;
mod folder;
mod story;
pub mod vendor;

use crate::api::{Dev, Limits, Names};
use crate::config::{LogFormat, LogLevel, Settings};
use crate::observe;
use crate::os::{names::MachineNames, process};
use crate::run::config;
use crate::service::{Opening, Service, this_machine};
use crate::site::Plan;
use folder::Folder;
use seatkeeper::token::keys::PublicKey;
use seatkeeper::wire::{Assignment, GroupMake, InstallBody, MembersChange, UnitMake, UserChange};
use seatkeeper_core::authorize::Caller;
use seatkeeper_core::clock::{Clock, ManualClock, SystemClock};
use seatkeeper_core::desk::{self, Desk, Refused};
use seatkeeper_core::keys::SiteKeyFrom;
use std::ffi::OsStr;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, OnceLock};
use story::{Story, say};
use vendor::{FEATURE, PRODUCT, SEATS, Times};

/// Users of the story that nobody is logged in as.
const OTHERS: [&str; 2] = ["ana", "bob"];
/// A group and a unit of theirs.
const GROUP: &str = "designers";
const UNIT: &str = "Studio";
/// Where their uids would be; no account of a machine has these.
const FIRST_UID: u32 = u32::MAX - 16;

/// How it is played.
#[derive(Clone, Copy, Debug)]
pub struct Play {
    /// How long leases live.
    pub times: Times,
    /// Its clock stands until `seatkeeper dev clock` moves it.
    pub manual_clock: bool,
}

/// Runs until Ctrl-C, then removes everything.
///
/// # Errors
/// A text for people: what is wrong and what to do.
pub fn run(play: Play) -> Result<(), String> {
    observe::start(LogLevel::Warn, LogFormat::Text);
    let folder = Folder::open()?;
    let story: Arc<OnceLock<Story>> = Arc::default();
    let told = story.clone();
    let names = MachineNames {
        admin_group: String::new(),
        admin_uid: Some(process::uid()),
    };
    let me = names
        .account(process::uid())
        .map_err(|e| format!("the name service does not say who you are: {e}"))?;
    let machine =
        this_machine("dev").map_err(|e| format!("the kernel does not tell the boot id: {e}"))?;
    let manual = play
        .manual_clock
        .then(|| Arc::new(ManualClock::at(SystemClock.read().wall_s)));
    let clock: Arc<dyn Clock> = match &manual {
        Some(clock) => clock.clone(),
        None => Arc::new(SystemClock),
    };
    let service = Service::start(Opening {
        plan: Plan {
            state: folder.state(),
            site_key: SiteKeyFrom::Folder,
            checkpoint_events: Settings::default().checkpoint_events,
            desk: machine,
        },
        socket: folder.socket(),
        names,
        config: config(&Settings::default()),
        mail: Settings::default().mail,
        limits: Limits::default(),
        clock,
        dev: Some(Arc::new(Dev::new(manual))),
        on_gone: Arc::new(move |holders, took| {
            if let Some(story) = told.get() {
                story.gone(holders, took);
            }
        }),
    })
    .map_err(|e| e.to_string())?;
    let desk = service.site().desk.clone();
    furnish(&desk, &me.name, play.times)?;
    let story = story.get_or_init(|| Story::new(desk.clone()));
    let played = stage(&service, story, &folder, (&me.name, play.manual_clock));
    let stopped = service.stop();
    drop(folder);
    played?;
    stopped.map_err(|why| format!("the stop was not clean: {why}"))
}

/// Vendor, license, users, assignment.
fn furnish(desk: &Desk, me: &str, times: Times) -> Result<(), String> {
    let refused = |refused: Refused| format!("{}; {}", refused.detail, refused.hint);
    let admin = caller(desk, process::uid(), me, true).map_err(refused)?;
    desk.meet(&admin).map_err(refused)?;
    for (uid, name) in (FIRST_UID..).zip(OTHERS) {
        let other = caller(desk, uid, name, false).map_err(refused)?;
        desk.meet(&other).map_err(refused)?;
    }
    desk.trust(&admin, &vendor::trust()).map_err(refused)?;
    let key = desk.site_key(&admin).map_err(refused)?;
    let key = PublicKey::from_pem(&key.pem).map_err(|e| format!("the site key: {e}"))?;
    let text =
        vendor::license_file(&key, desk.snapshot().now.j.0, times).map_err(|e| e.to_string())?;
    let install = InstallBody {
        account: None,
        text,
        assign_everyone: true,
        accept_date: false,
        verify_only: false,
    };
    desk.install(&admin, &install).map_err(refused)?;
    people(desk, &admin, me).map_err(refused)
}

/// A group and a unit, so that a `why` has a route to tell: all of them have the license by everyone, and two by the group.
fn people(desk: &Desk, admin: &Caller, me: &str) -> Result<(), Refused> {
    let studio = UnitMake {
        name: UNIT.to_owned(),
        above: Some("home".to_owned()),
        ..UnitMake::default()
    };
    desk.make_unit(admin, &studio)?;
    let designers = GroupMake {
        name: GROUP.to_owned(),
        ..GroupMake::default()
    };
    desk.make_group(admin, &designers)?;
    let [ana, bob] = OTHERS;
    let members = MembersChange {
        add_users: vec![me.to_owned(), bob.to_owned()],
        ..MembersChange::default()
    };
    desk.change_members(admin, GROUP, &members, None)?;
    let placed = UserChange {
        units: Some(vec![UNIT.to_owned()]),
        ..UserChange::default()
    };
    for user in [ana, bob] {
        desk.change_user(admin, user, &placed, None)?;
    }
    let assignment = Assignment {
        license: vendor::LICENSE.to_owned(),
        group: Some(GROUP.to_owned()),
        ..Assignment::default()
    };
    desk.assign(admin, &assignment).map(drop)
}

fn caller(desk: &Desk, uid: u32, name: &str, administers: bool) -> Result<Caller, Refused> {
    let peer = desk::Peer {
        uid,
        pid: None,
        administers,
    };
    Ok(desk.caller(peer, desk.login(uid, name)?, None))
}

/// The application takes its seat, and then whatever happens is told.
fn stage(
    service: &Service,
    story: &Story,
    folder: &Folder,
    (me, manual_clock): (&str, bool),
) -> Result<(), String> {
    let signals = service.signals();
    let mut signals = signals.map_err(|e| format!("signals cannot be waited for: {e}"))?;
    let mut live = service.site().follow.subscribe();
    say(&format!(
        "Seatkeeper in {}: {PRODUCT}/{FEATURE}, {SEATS} seats, for everyone",
        folder.socket().display()
    ));
    let [ana, bob] = OTHERS;
    say(&format!(
        "users: you ({me}), {ana}, {bob}; group {GROUP} (you, {bob}); unit {UNIT} ({ana}, {bob})"
    ));
    let app = Application::start(&folder.socket())?;
    let seated = async {
        while let Ok(batch) = live.recv().await {
            if story.recorded(&batch) {
                return true;
            }
        }
        false
    };
    let seated = service
        .runtime()
        .block_on(async { tokio::time::timeout(app::PATIENCE, seated).await });
    if !seated.unwrap_or(false) {
        return Err(format!(
            "the example application (pid {}) took no seat; its words stand above",
            app.pid()
        ));
    }
    invite(app.pid(), &folder.socket(), manual_clock);
    let listener = async {
        loop {
            match live.recv().await {
                Ok(batch) => drop(story.recorded(&batch)),
                Err(tokio::sync::broadcast::error::RecvError::Lagged(_)) => {
                    say("(more happened than could be told)");
                }
                Err(tokio::sync::broadcast::error::RecvError::Closed) => return,
            }
        }
    };
    service.runtime().block_on(async {
        tokio::select! {
            () = listener => {}
            () = signals.come() => {}
        }
    });
    Ok(())
}

/// Three lines to paste, and how to let things go wrong.
fn invite(pid: u32, socket: &Path, manual_clock: bool) {
    let cli = cli();
    let at = elsewhere(std::env::var_os("SEATKEEPER_SOCKET").as_deref(), socket);
    say("");
    say("Paste into another terminal:");
    say(&format!("  {cli}{at} seat list"));
    say(&format!("  {cli}{at} why bob {FEATURE}"));
    say(&format!("  kill -9 {pid}"));
    if cli.starts_with("cargo ") {
        say(
            "(They work in the folder of the sources; the first one compiles the command line, a minute or two.)",
        );
    }
    say("To see how your own program takes a no, silence, delay, and dates:");
    say(&format!("  {cli}{at} dev fault deny no_seat_free"));
    say(&format!("  {cli}{at} dev fault drop 30s"));
    say(&format!("  {cli}{at} dev fault slow 2s"));
    if manual_clock {
        say(&format!("  {cli}{at} dev clock +8d"));
    } else {
        say("  (and with `seatkeeperd dev --clock manual`: dev clock +8d)");
    }
    say("Ctrl-C here ends it and removes everything. What happens to the seats:");
    say("");
}

/// Where the variable sends the command line to another daemon, what sends it to this one.
fn elsewhere(variable: Option<&OsStr>, socket: &Path) -> String {
    match variable {
        Some(set) if !set.is_empty() => format!(" --socket {}", quoted(socket)),
        _ => String::new(),
    }
}

/// As a shell takes it for one word.
fn quoted(path: &Path) -> String {
    if plain(path) {
        return path.display().to_string();
    }
    format!("'{}'", path.display().to_string().replace('\'', r"'\''"))
}

/// How to call the CLI: by its name, by its path beside this program, or through cargo.
fn cli() -> String {
    let name = "seatkeeper";
    let path = std::env::var_os("PATH").unwrap_or_default();
    if std::env::split_paths(&path).any(|folder| folder.join(name).is_file()) {
        return name.to_owned();
    }
    let beside = std::env::current_exe()
        .ok()
        .and_then(|exe| Some(exe.parent()?.join(name)));
    match beside.filter(|path| path.is_file()) {
        Some(path) => quoted(&path),
        None => "cargo run -q -p seatkeeper-cli --".to_owned(),
    }
}

/// It can be pasted without quotes.
fn plain(path: &Path) -> bool {
    let fine = |c: char| c.is_ascii_alphanumeric() || "/._-+".contains(c);
    path.to_str().is_some_and(|text| text.chars().all(fine))
}

/// The example application, a process of its own.
struct Application(Child);

impl Application {
    fn start(socket: &Path) -> Result<Application, String> {
        let told = |e: std::io::Error| format!("the example application does not start: {e}");
        let exe: PathBuf = std::env::current_exe().map_err(told)?;
        let child = Command::new(exe)
            .arg("dev-app")
            .arg(socket)
            .stdin(Stdio::piped())
            // Ctrl-C is for `dev`, which lets the application give its seat back.
            .process_group(0)
            .spawn();
        child.map(Application).map_err(told)
    }

    fn pid(&self) -> u32 {
        self.0.id()
    }
}

impl Drop for Application {
    /// Closes its stdin, on which it gives its seat back and ends; one that does not is of no use to anybody.
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        // It was killed by whoever pasted the third line, or ends by itself now.
        let _ = self.0.wait();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn u7_the_lines_to_paste_reach_this_daemon_where_the_variable_names_another() {
        let socket = Path::new("/run/user/1000/seatkeeper-dev-1000/seatkeeper.sock");
        let other = OsStr::new("/elsewhere/s");
        assert_eq!(
            elsewhere(Some(other), socket),
            format!(" --socket {}", socket.display())
        );
        let odd = Path::new("/it's here/s");
        assert_eq!(elsewhere(Some(other), odd), r" --socket '/it'\''s here/s'");
        for unset in [None, Some(OsStr::new(""))] {
            assert_eq!(elsewhere(unset, socket), "");
        }
    }
}
