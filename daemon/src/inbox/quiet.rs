//! When a file that is being written may be read: after a while without a change, or at once where it came whole.

use super::File;
use std::collections::BTreeMap;
use std::time::Duration;

/// Files that changed, each with the moment from which it may be read.
pub(super) struct Quiet {
    pause: Duration,
    due: BTreeMap<File, Duration>,
}

impl Quiet {
    pub(super) fn new(pause: Duration) -> Self {
        Quiet {
            pause,
            due: BTreeMap::new(),
        }
    }

    /// A file changed; `whole` where it was renamed into its place.
    pub(super) fn touched(&mut self, file: File, now: Duration, whole: bool) {
        self.due
            .insert(file, if whole { now } else { now + self.pause });
    }

    /// When the first one may be read.
    pub(super) fn next(&self) -> Option<Duration> {
        self.due.values().min().copied()
    }

    /// Takes out what may be read.
    pub(super) fn due(&mut self, now: Duration) -> Vec<File> {
        let ready: Vec<_> = self
            .due
            .iter()
            .filter(|(_, due)| **due <= now)
            .map(|(file, _)| file.clone())
            .collect();
        ready.iter().for_each(|file| {
            self.due.remove(file);
        });
        ready
    }
}

#[cfg(test)]
mod tests {
    use super::super::Kind;
    use super::*;

    #[test]
    fn a_file_is_read_a_second_after_its_last_change_or_at_once_when_renamed() {
        let s = Duration::from_secs;
        let file = |name: &str| (Kind::Licenses, name.to_owned());
        let mut quiet = Quiet::new(s(1));
        quiet.touched(file("a.lic"), s(10), false);
        quiet.touched(file("a.lic"), s(11) - Duration::from_millis(1), false);
        assert_eq!(quiet.due(s(11)), Vec::new(), "it was written to meanwhile");
        quiet.touched(file("b.lic"), s(11), true);
        assert_eq!(quiet.due(s(11)), vec![file("b.lic")]);
        assert_eq!(quiet.next(), Some(s(12) - Duration::from_millis(1)));
        assert_eq!(quiet.due(s(12)), vec![file("a.lic")]);
        assert_eq!(quiet.next(), None);
    }
}
