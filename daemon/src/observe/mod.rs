//! What is told to those who watch the daemon: the log. Levels go by who must wake up.

use crate::config::{LogFormat, LogLevel};
use tracing_subscriber::filter::LevelFilter;

/// Starts the log on stderr; the service manager keeps it. A second call changes nothing.
pub fn start(level: LogLevel, format: LogFormat) {
    let level = match level {
        LogLevel::Error => LevelFilter::ERROR,
        LogLevel::Warn => LevelFilter::WARN,
        LogLevel::Info => LevelFilter::INFO,
        LogLevel::Debug => LevelFilter::DEBUG,
        LogLevel::Trace => LevelFilter::TRACE,
    };
    let log = tracing_subscriber::fmt()
        .with_max_level(level)
        .with_writer(std::io::stderr)
        .with_target(false)
        .with_ansi(false);
    // Under a service manager each line has its time already.
    let managed = std::env::var_os("JOURNAL_STREAM").is_some();
    let _ = match (format, managed) {
        (LogFormat::Json, _) => log.json().try_init(),
        (LogFormat::Text, true) => log.without_time().try_init(),
        (LogFormat::Text, false) => log.try_init(),
    };
}
