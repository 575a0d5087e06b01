//! What is told to those who watch the daemon: the log. Levels go by who must wake up.
//!
//! `error`: somebody must act now. `warn`: somebody should look soon. `info`: what happened. `debug` and `trace` are for
//! those who search. What other crates have to say comes from `warn` up.

mod journald;

use crate::config::{LogFormat, LogLevel};
use journald::Prioritised;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::fmt::format::{Format, Full, format};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Layer, Registry, fmt};

/// What the targets of our own crates start with.
const OURS: &str = "seatkeeper";

/// Starts the log on stderr; the service manager keeps it. A second call changes nothing.
pub fn start(level: LogLevel, format: LogFormat) {
    let level = filter(level);
    let targets = Targets::new()
        .with_default(level.min(LevelFilter::WARN))
        .with_target(OURS, level);
    let log = tracing_subscriber::registry().with(lines(format).with_filter(targets));
    // Only `run` and `dev` start a log, and a process is one of them.
    let _ = log.try_init();
}

fn lines(format: LogFormat) -> Box<dyn Layer<Registry> + Send + Sync> {
    let lines = fmt::layer()
        .with_writer(std::io::stderr)
        .with_target(false)
        .with_ansi(false);
    let managed = std::env::var_os("JOURNAL_STREAM").is_some();
    match (format, managed) {
        (LogFormat::Json, _) => lines.json().boxed(),
        (LogFormat::Text, true) => lines.event_format(Prioritised(plain())).boxed(),
        (LogFormat::Text, false) => lines.boxed(),
    }
}

/// A line without time and place.
fn plain() -> Format<Full, ()> {
    format().with_target(false).without_time()
}

fn filter(level: LogLevel) -> LevelFilter {
    match level {
        LogLevel::Error => LevelFilter::ERROR,
        LogLevel::Warn => LevelFilter::WARN,
        LogLevel::Info => LevelFilter::INFO,
        LogLevel::Debug => LevelFilter::DEBUG,
        LogLevel::Trace => LevelFilter::TRACE,
    }
}
