//! The built daemon under other boot times, as after a reboot, a migration or a long sleep (S22). What a real
//! suspend does is not shown: no test puts the machine to sleep.

use seatkeeper_tests::wire::{Ask, Wire};
use seatkeeper_tests::{Site, not_run, vendor};
use std::io::{Read, Write};
use std::process::{Child, Command, Stdio};

/// A time namespace with another boot time, kept by a process that does nothing.
struct BootTime {
    keeper: Child,
    /// The process in it.
    inside: String,
}

impl BootTime {
    /// Seconds more, or less, since the boot; nothing where the kernel or the rights for it are missing.
    fn shifted(seconds: i64) -> Option<BootTime> {
        let keeper = Command::new("unshare")
            .args([
                "--time",
                "--fork",
                "--kill-child",
                "--boottime",
                &seconds.to_string(),
            ])
            .args(["cat"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .ok()?;
        let mut namespace = BootTime {
            keeper,
            inside: String::new(),
        };
        // It answers once it is in its namespace.
        let (stdin, stdout) = (&mut namespace.keeper.stdin, &mut namespace.keeper.stdout);
        stdin.as_mut()?.write_all(b"here\n").ok()?;
        stdout.as_mut()?.read_exact(&mut [0; 5]).ok()?;
        let pid = namespace.keeper.id();
        let children = std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).ok()?;
        children.trim().clone_into(&mut namespace.inside);
        Some(namespace)
    }
}

impl Drop for BootTime {
    fn drop(&mut self) {
        drop(self.keeper.stdin.take());
        let _ = self.keeper.kill();
        let _ = self.keeper.wait();
    }
}

/// Whole seconds since the boot.
fn uptime() -> i64 {
    let text = std::fs::read_to_string("/proc/uptime").expect("readable");
    let whole = text.split('.').next().and_then(|s| s.parse().ok());
    whole.expect("seconds")
}

/// Seats outlive starts at whatever time since the boot, and lease time is what the daemon ran, no more.
#[test]
fn d5_s22_the_daemon_starts_under_other_boot_times() {
    let (mut site, vendor) = Site::with_seats(1);
    let ask = Ask::new("cad", "modeler", &vendor.roots());
    let wire = |site: &Site| Wire::connect(&site.socket()).expect("the daemon listens");
    let seat = ask.checkout(&mut wire(&site)).expect("an answer");
    assert_eq!(seat.status, 201, "{seat:?}");
    let up = uptime();
    let decade = 10 * 365 * 86_400;
    for (round, shift) in [decade, 1 - up, 3600, -3600.max(1 - up), decade]
        .into_iter()
        .enumerate()
    {
        // After a clean stop, and after a crash.
        if round % 2 == 0 {
            site.stop();
        } else {
            site.kill();
        }
        let Some(namespace) = BootTime::shifted(shift) else {
            return not_run("needs root, and a kernel with time namespaces");
        };
        let time = format!("--time=/proc/{}/ns/time", namespace.inside);
        site.launch_by(&["nsenter", &time]);
        site.start();
        let kept = ask
            .renew(&mut wire(&site), seat.text("id"))
            .expect("an answer");
        assert_eq!(kept.status, 200, "boot time {shift:+} s: {kept:?}");
        let other = Ask::new("cad", "modeler", &vendor.roots());
        let refused = other.checkout(&mut wire(&site)).expect("an answer");
        assert_eq!(
            refused.text("code"),
            "no_seat_free",
            "boot time {shift:+} s"
        );
    }
}

/// A file that the daemon takes for the kernel's word for this boot.
const OTHER_BOOT: &str = "6b0c9a52-58f5-4b0e-8f0e-2f5d3c1c7a11\n";

/// Who sat here before a reboot is gone with it: their seats are free at the daemon's start, and not only when their holds
/// are over. A machine that has another boot and ran when the daemon last wrote is no reboot (rule 6).
#[test]
fn r06_seats_of_the_boot_before_are_free_after_a_reboot() {
    let (mut site, vendor) = Site::with_seats(1);
    let ask = Ask::new("cad", "modeler", &vendor.roots());
    let wire = |site: &Site| Wire::connect(&site.socket()).expect("the daemon listens");
    let seat = ask.checkout(&mut wire(&site)).expect("an answer");
    assert_eq!(seat.status, 201, "{seat:?}");
    let boot = site.path("boot_id");
    std::fs::write(&boot, OTHER_BOOT).expect("written");
    let bound = format!(
        "mount --bind '{}' /proc/sys/kernel/random/boot_id && exec \"$@\"",
        boot.display()
    );
    let by_boot = ["unshare", "--mount", "sh", "-c", &bound, "sh"];
    let other = Ask::new("cad", "modeler", &vendor.roots());

    // Another boot, begun long before the daemon last wrote: a state that was brought here.
    site.kill();
    site.launch_by(&by_boot);
    if site.try_start().is_err() {
        return not_run("needs root that may mount over /proc");
    }
    let kept = ask.renew(&mut wire(&site), seat.text("id"));
    assert_eq!(kept.expect("an answer").status, 200);
    let refused = other.checkout(&mut wire(&site)).expect("an answer");
    assert_eq!(refused.text("code"), "no_seat_free");

    // The same, begun after it. The boot time of a namespace cannot lie in the future, so this one has to be reached.
    site.kill();
    let written = vendor::now();
    while vendor::now() < written + 3 {
        std::thread::yield_now();
    }
    let Some(namespace) = BootTime::shifted(-uptime()) else {
        return not_run("needs root, and a kernel with time namespaces");
    };
    let time = format!("--time=/proc/{}/ns/time", namespace.inside);
    site.launch_by(&[&["nsenter", &time][..], &by_boot].concat());
    site.start();
    let end = vendor::now() + 60;
    // The sweep runs beside the daemon that serves already.
    while other.checkout(&mut wire(&site)).expect("an answer").status != 201 {
        assert!(vendor::now() < end, "the seat is not free: {}", site.log());
    }
}
