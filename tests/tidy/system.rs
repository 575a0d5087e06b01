//! What belongs to one operating system stands in `os/`, and elsewhere only where it is listed here with its reason.

use super::{files, none, short, text, top};

/// By these a line is known to need this operating system.
const NEEDLES: [&str; 12] = [
    "std::os::",
    "rustix::",
    "nix::",
    "libc::",
    "tokio::net::unix",
    "tokio::net::Unix",
    "tokio::signal::unix",
    "cfg(unix",
    "cfg(not(unix",
    "cfg(target_os",
    "\"/proc/",
    "\"/sys/",
];

/// Where else what is used, and why it is there.
const ELSEWHERE: [(&str, &str, &str); 21] = [
    (
        "sdk/src/clock.rs",
        "rustix::time",
        "the clocks of a crate are read in one file",
    ),
    (
        "sdk/src/client/transport/unix.rs",
        "std::os::unix::net",
        "one transport of several, behind a trait",
    ),
    (
        "daemon/core/src/clock.rs",
        "rustix::",
        "the clocks of a crate are read in one file",
    ),
    (
        "daemon/core/src/random.rs",
        "rustix::",
        "randomness is the kernel's, in one file",
    ),
    (
        "daemon/core/src/storage.rs",
        "rustix::fs",
        "free and held space, in one file",
    ),
    (
        "daemon/core/src/state_dir.rs",
        "std::os::unix::fs",
        "modes of its files",
    ),
    (
        "daemon/core/src/checkpoint.rs",
        "std::os::unix::fs",
        "modes of its files",
    ),
    (
        "daemon/core/src/store.rs",
        "std::os::unix::fs",
        "modes of its files",
    ),
    (
        "daemon/core/src/keys/files.rs",
        "std::os::unix::fs",
        "modes of its files",
    ),
    (
        "daemon/core/src/journal/segment.rs",
        "std::os::unix::fs",
        "modes of its files",
    ),
    (
        "daemon/core/src/journal/archive.rs",
        "std::os::unix::fs",
        "modes of its files",
    ),
    (
        "daemon/src/inbox/mod.rs",
        "std::os::unix::fs",
        "whether a file is the one that was seen",
    ),
    (
        "daemon/src/dev/folder.rs",
        "std::os::unix::",
        "the folder of `dev`: its owner, mode and socket",
    ),
    (
        "daemon/src/dev/mod.rs",
        "std::os::unix::process",
        "the example application of `dev` in a group of its own",
    ),
    (
        "daemon/src/api/identity.rs",
        "std::os::fd",
        "the connection of a unix socket",
    ),
    (
        "daemon/src/api/identity.rs",
        "tokio::net::Unix",
        "the connection of a unix socket",
    ),
    (
        "daemon/src/api/mod.rs",
        "tokio::net::UnixListener",
        "the socket that it serves",
    ),
    (
        "daemon/src/api/stream.rs",
        "tokio::net::",
        "the connection of a unix socket",
    ),
    (
        "daemon/src/api/stream.rs",
        "rustix::net",
        "its half that is closed first",
    ),
    (
        "daemon/src/service.rs",
        "tokio::net::Unix",
        "the socket that it is given",
    ),
    (
        "daemon/src/service.rs",
        "tokio::signal::unix",
        "the signals that stop it",
    ),
];

/// The lines of a file that are built into what is shipped: comments are not, nor are tests at its end.
fn shipped(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let tests = text.find("#[cfg(test)]\nmod tests {");
    let lines = text[..tests.unwrap_or(text.len())].lines().enumerate();
    lines.filter(|(_, line)| !line.trim_start().starts_with("//"))
}

/// Whether the line holds this, and not as the end of another word.
fn holds(line: &str, needle: &str) -> bool {
    line.match_indices(needle).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        !before.is_some_and(|c| c.is_alphanumeric() || c == '_')
    })
}

/// The command line has no `os/`: it is a program of this system.
#[test]
fn operating_system_lives_in_os() {
    let (mut found, mut used) = (Vec::new(), Vec::new());
    for path in files(&top(), ".rs") {
        let name = short(&path);
        let rooms = ["sdk/src/", "sdk/testing/src/", "daemon/"];
        let tests = name.contains("/tests/") || name.ends_with("tests.rs");
        let os = name.contains("/os/") || name.ends_with("/os.rs");
        if !rooms.iter().any(|room| name.starts_with(room)) || tests || os {
            continue;
        }
        let text = text(&path);
        for (n, line) in shipped(&text) {
            if !NEEDLES.iter().any(|needle| holds(line, needle)) {
                continue;
            }
            let known = ELSEWHERE.iter();
            let known = known.filter(|(file, what, _)| *file == name && line.contains(what));
            let before = used.len();
            used.extend(known);
            if used.len() == before {
                found.push(format!("{name}:{} {}", n + 1, line.trim()));
            }
        }
    }
    none("needs an operating system outside of os/", &found);
    let unused = ELSEWHERE.iter().filter(|one| !used.contains(one));
    let unused: Vec<_> = unused
        .map(|(file, what, _)| format!("{file}: {what}"))
        .collect();
    none("allowed outside of os/, and not there any more", &unused);
}

#[test]
fn what_needs_an_operating_system_is_seen() {
    for line in [
        "use std::os::unix::fs::MetadataExt;",
        "use rustix::process::getpid;",
        "#[cfg(target_os = \"linux\")]",
        "    let told = read(\"/proc/self/status\");",
    ] {
        assert!(NEEDLES.iter().any(|needle| holds(line, needle)), "{line}");
    }
    let other = [
        "use tokio::net::TcpStream;",
        "seats::unix::x",
        "let phoenix::y = 1;",
    ];
    for line in other {
        assert!(!NEEDLES.iter().any(|needle| holds(line, needle)), "{line}");
    }
    let text = "// rustix::a\nuse b;\n#[cfg(test)]\nmod tests {\n    use rustix::c;\n}\n";
    assert_eq!(shipped(text).collect::<Vec<_>>(), [(1, "use b;")]);
}
