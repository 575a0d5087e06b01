//! What the kernel says of a process and of the disk.

use crate::clock::Stopwatch;
use std::io::Write;
use std::path::Path;

/// CPU seconds that a process has used, all threads.
pub(crate) fn cpu_s(pid: u32) -> f64 {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let fields: Vec<_> = stat
        .rsplit(')')
        .next()
        .unwrap_or_default()
        .split_whitespace()
        .collect();
    let ticks = |n: usize| {
        fields
            .get(n)
            .and_then(|f| f.parse::<f64>().ok())
            .unwrap_or_default()
    };
    (ticks(11) + ticks(12)) / 100.0
}

/// The highest number that names a file of this folder, ending in `.redb` or in nothing: of the journal's file that events
/// go into, or of the newest checkpoint.
pub(crate) fn newest(folder: &Path) -> u64 {
    let names = std::fs::read_dir(folder).into_iter().flatten().flatten();
    names
        .filter(|entry| entry.path().extension().is_none_or(|end| end == "redb"))
        .filter_map(|entry| entry.path().file_stem()?.to_str()?.parse().ok())
        .max()
        .unwrap_or_default()
}

/// Resident KiB of a process.
pub(crate) fn rss_kib(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))
        .and_then(|rest| rest.trim().trim_end_matches(" kB").parse().ok())
        .unwrap_or_default()
}

/// Microseconds of a small write with fdatasync in this folder: the median of 300.
pub(crate) fn fdatasync_us(folder: &Path) -> u64 {
    let path = folder.join("fdatasync");
    let mut file = std::fs::File::create(&path).expect("the folder is writable");
    let mut each: Vec<_> = (0..300)
        .map(|_| {
            let start = Stopwatch::start();
            file.write_all(&[7; 4096]).expect("the disk takes it");
            file.sync_data().expect("the disk takes it");
            u64::try_from(start.elapsed().as_micros()).unwrap_or(u64::MAX)
        })
        .collect();
    let _ = std::fs::remove_file(path);
    median(&mut each)
}

/// The middle one.
pub(crate) fn median<T: Copy + PartialOrd>(each: &mut [T]) -> T {
    each.sort_unstable_by(|a, b| a.partial_cmp(b).unwrap_or(std::cmp::Ordering::Equal));
    each[each.len() / 2]
}
