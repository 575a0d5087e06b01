//! `run`: any program under a seat.

use super::signals::{Caught, Signals};
use super::{dev, holding};
use crate::args::RunArgs;
use crate::clock;
use crate::daemon::Daemon;
use crate::exit::Exit;
use crate::failure::{Failure, Outcome};
use crate::printer::Printer;
use rustix::process::{Pid, PidfdFlags, Signal, getpid, pidfd_open, pidfd_send_signal};
use seatkeeper::{EventKind, LostReason};
use std::ffi::OsString;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Command, ExitStatus};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::time::Duration;

/// What `run` waits for.
enum News {
    Signal(Caught),
    Seat(EventKind),
    Ended(io::Result<ExitStatus>),
}

/// How far the program is on its way out, with the moment of the next step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Running,
    /// The seat lapsed and may come back.
    Waiting(Duration),
    /// SIGTERM was sent.
    Asked(Duration),
    /// SIGKILL was sent.
    Killed,
}

/// What is to be done to the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Act {
    Nothing,
    Send(Signal),
}

/// A seat that lapsed (a machine that slept, a daemon that was away) has so long to come back.
const REGAIN: Duration = Duration::from_secs(30);
/// A program that was asked to end has so long to do it.
const LAST: Duration = Duration::from_secs(10);

/// Takes the seat and runs the program; 125 where there is no seat.
pub(crate) fn run(daemon: &Daemon<'_>, args: &RunArgs, printer: &Printer) -> Exit {
    under_seat(daemon, args, printer).unwrap_or_else(|failure| {
        printer.failure(&failure);
        Exit::Of(125)
    })
}

fn under_seat(daemon: &Daemon<'_>, args: &RunArgs, printer: &Printer) -> Outcome<Exit> {
    // Before the SDK's thread begins: it inherits the mask.
    let signals = Signals::block()?;
    let (to, news) = mpsc::channel();
    let events = to.clone();
    let seat = holding::sit(daemon, &args.feature, &args.taking, printer, move |event| {
        drop(events.send(News::Seat(event.kind.clone())));
    })?;
    // A program dies with the thread that started it: this one, which lives as long as `run`.
    let child = start(&args.command)?;
    let handle = handle(&child)?;
    signals.watch(to.clone(), News::Signal);
    wait(child, to);
    let on_purpose = || dev::on_purpose(daemon);
    let (status, stage) = supervise(&news, &handle, printer, &on_purpose)?;
    // The program is gone, and so is the seat when this process ends; a failure costs nothing.
    drop(seat.release());
    if matches!(stage, Stage::Asked(_) | Stage::Killed) {
        printer.note("seatkeeper: the program was ended, because its seat is lost");
        return Ok(Exit::Of(125));
    }
    Ok(of_program(status))
}

fn start(command: &[OsString]) -> Outcome<Child> {
    let started = std::env::current_exe().and_then(|own| {
        let parent = getpid().as_raw_nonzero().to_string();
        Command::new(own)
            .args(["child", &parent, "--"])
            .args(command)
            .spawn()
    });
    started.map_err(|error| broken(&error))
}

fn handle(child: &Child) -> Outcome<OwnedFd> {
    let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
    let pid = pid.ok_or_else(|| broken(&io::Error::other("it has no pid")))?;
    pidfd_open(pid, PidfdFlags::empty()).map_err(|error| broken(&error.into()))
}

fn broken(error: &io::Error) -> Failure {
    Failure::new(
        Exit::Failed,
        format!("the program cannot be started: {error}"),
        "",
    )
}

fn wait(mut child: Child, to: Sender<News>) {
    std::thread::spawn(move || drop(to.send(News::Ended(child.wait()))));
}

/// Passes signals on, tells what happens to the seat, and ends the program where the seat is lost.
fn supervise(
    news: &Receiver<News>,
    program: &OwnedFd,
    printer: &Printer,
    on_purpose: &dyn Fn() -> Option<String>,
) -> Outcome<(ExitStatus, Stage)> {
    let mut stage = Stage::Running;
    loop {
        let act = match next(news, stage) {
            Ok(News::Ended(status)) => {
                return status.map(|status| (status, stage)).map_err(|e| broken(&e));
            }
            Ok(News::Signal(signal)) => forwarded(signal),
            Ok(News::Seat(kind)) => {
                printer.note(&format!("seatkeeper: {}", holding::told(&kind)));
                let silent = matches!(
                    kind,
                    EventKind::Grace(_) | EventKind::Lost(LostReason::Lapsed)
                );
                if let Some(why) = silent.then(on_purpose).flatten() {
                    printer.note(&format!("seatkeeper: {why}"));
                }
                stage.seat(&kind, clock::since_boot())
            }
            Err(RecvTimeoutError::Timeout) => stage.due(clock::since_boot()),
            Err(RecvTimeoutError::Disconnected) => {
                return Err(broken(&io::Error::other("nobody waits for it")));
            }
        };
        if let Act::Send(signal) = act {
            // It may be gone already; its end is on its way here.
            let _ = pidfd_send_signal(program, signal);
        }
    }
}

fn next(news: &Receiver<News>, stage: Stage) -> Result<News, RecvTimeoutError> {
    match stage {
        Stage::Waiting(at) | Stage::Asked(at) => {
            news.recv_timeout(at.saturating_sub(clock::since_boot()))
        }
        Stage::Running | Stage::Killed => news.recv().map_err(|_| RecvTimeoutError::Disconnected),
    }
}

/// What the terminal sends, it sends to the program, too.
fn forwarded(signal: Caught) -> Act {
    match Signal::from_named_raw(signal.number) {
        Some(number) if !signal.by_terminal => Act::Send(number),
        _ => Act::Nothing,
    }
}

impl Stage {
    /// The seat changed.
    fn seat(&mut self, kind: &EventKind, now: Duration) -> Act {
        match (kind, *self) {
            (EventKind::Regained, Stage::Waiting(_)) => {
                *self = Stage::Running;
                Act::Nothing
            }
            (EventKind::Lost(LostReason::Lapsed | LostReason::Superseded), Stage::Running) => {
                *self = Stage::Waiting(now + REGAIN);
                Act::Nothing
            }
            (EventKind::Lost(LostReason::Lapsed | LostReason::Superseded), _) => Act::Nothing,
            (EventKind::Lost(_), Stage::Running | Stage::Waiting(_)) => self.ask(now),
            _ => Act::Nothing,
        }
    }

    /// Time has passed.
    fn due(&mut self, now: Duration) -> Act {
        match *self {
            Stage::Waiting(at) if at <= now => self.ask(now),
            Stage::Asked(at) if at <= now => {
                *self = Stage::Killed;
                Act::Send(Signal::KILL)
            }
            _ => Act::Nothing,
        }
    }

    fn ask(&mut self, now: Duration) -> Act {
        *self = Stage::Asked(now + LAST);
        Act::Send(Signal::TERM)
    }
}

/// The shells' way: the code, or 128 and the signal.
fn of_program(status: ExitStatus) -> Exit {
    let number = status
        .code()
        .or_else(|| status.signal().map(|signal| 128 + signal))
        .unwrap_or(125);
    Exit::Of(u8::try_from(number).unwrap_or(125))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Duration = Duration::from_secs(1_000);

    /// A real program, supervised while `tell` is what happens.
    fn supervised(script: &str, tell: Vec<News>) -> (ExitStatus, Stage) {
        use std::io::{BufRead, BufReader};
        let mut command = Command::new("sh");
        let mut child = command
            .args(["-c", script])
            .stdout(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        let mut said = String::new();
        // Its traps stand once it has said so.
        BufReader::new(child.stdout.take().unwrap())
            .read_line(&mut said)
            .unwrap();
        let (to, news) = mpsc::channel();
        let program = handle(&child).unwrap();
        tell.into_iter().for_each(|one| to.send(one).unwrap());
        wait(child, to);
        supervise(
            &news,
            &program,
            &Printer::new(crate::printer::Format::Table),
            &|| None,
        )
        .unwrap()
    }

    #[test]
    fn u4_the_program_gets_the_signals_of_run() {
        let script = "trap 'exit 42' USR1; echo up; while :; do sleep 0.05; done";
        let signal = News::Signal(Caught {
            number: Signal::USR1.as_raw(),
            by_terminal: false,
        });
        let (status, stage) = supervised(script, vec![signal]);
        assert_eq!((of_program(status), stage), (Exit::Of(42), Stage::Running));
    }

    #[test]
    fn r16_the_program_of_a_reclaimed_seat_is_asked_to_end() {
        let script = "trap 'exit 0' TERM; echo up; while :; do sleep 0.05; done";
        let (status, stage) = supervised(
            script,
            vec![News::Seat(EventKind::Lost(LostReason::Reclaimed))],
        );
        assert_eq!(of_program(status), Exit::Of(0));
        assert!(matches!(stage, Stage::Asked(_)));
    }

    #[test]
    fn r15_a_lapsed_seat_may_come_back_before_the_program_is_asked_to_end() {
        let mut stage = Stage::Running;
        assert_eq!(
            stage.seat(&EventKind::Lost(LostReason::Lapsed), NOW),
            Act::Nothing
        );
        assert_eq!(stage.due(NOW + REGAIN / 2), Act::Nothing);
        assert_eq!(stage.seat(&EventKind::Regained, NOW), Act::Nothing);
        assert_eq!(stage, Stage::Running);
        stage.seat(&EventKind::Lost(LostReason::Lapsed), NOW);
        assert_eq!(stage.due(NOW + REGAIN), Act::Send(Signal::TERM));
        assert_eq!(stage.due(NOW + REGAIN + LAST), Act::Send(Signal::KILL));
        assert_eq!(stage, Stage::Killed);
    }

    #[test]
    fn r16_a_seat_that_was_taken_back_ends_the_program_at_its_end() {
        let mut stage = Stage::Running;
        assert_eq!(
            stage.seat(&EventKind::Lost(LostReason::Reclaimed), NOW),
            Act::Send(Signal::TERM)
        );
        assert_eq!(
            stage.seat(&EventKind::Lost(LostReason::Reclaimed), NOW),
            Act::Nothing
        );
        assert_eq!(stage.due(NOW + LAST), Act::Send(Signal::KILL));
    }

    #[test]
    fn u4_the_status_is_the_programs() {
        assert_eq!(of_program(ExitStatus::from_raw(3 << 8)), Exit::Of(3));
        assert_eq!(of_program(ExitStatus::from_raw(15)), Exit::Of(143));
    }

    #[test]
    fn u4_the_terminal_tells_the_program_itself() {
        assert_eq!(
            forwarded(Caught {
                number: 2,
                by_terminal: true
            }),
            Act::Nothing
        );
        assert_eq!(
            forwarded(Caught {
                number: 15,
                by_terminal: false
            }),
            Act::Send(Signal::TERM)
        );
    }
}
