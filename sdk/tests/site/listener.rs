//! A scripted daemon behind a real unix socket.

use super::Site;
use seatkeeper::testing::{Request, Transport};
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// How a listener treats a connection.
#[derive(Clone, Copy)]
pub enum Manner {
    /// Serves until the peer hangs up.
    Serve,
    /// Serves one request, promises to stay, and hangs up when the next has arrived.
    HangUpOnSecond,
    /// Never answers.
    Hang,
    /// Answers this.
    Say(&'static [u8]),
    /// Answers a head, and then a body without end.
    Flood,
}

pub struct Listener {
    pub path: PathBuf,
    _folder: tempfile::TempDir,
    pub connections: Arc<AtomicUsize>,
}

pub fn listen(site: &Site, manner: Manner) -> Listener {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s.sock");
    let (listener, connections) = (
        UnixListener::bind(&path).unwrap(),
        Arc::new(AtomicUsize::new(0)),
    );
    let (site, counter) = (site.clone(), connections.clone());
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            counter.fetch_add(1, Ordering::SeqCst);
            let site = site.clone();
            std::thread::spawn(move || serve(&site, &stream, manner));
        }
    });
    Listener {
        path,
        _folder: folder,
        connections,
    }
}

fn serve(site: &Site, stream: &UnixStream, manner: Manner) {
    let mut reader = BufReader::new(stream);
    let mut writer = stream;
    for served in 0.. {
        let Some(request) = read(&mut reader) else {
            return;
        };
        match manner {
            Manner::HangUpOnSecond if served == 1 => return,
            Manner::Hang => drop(reader.read(&mut [0])),
            Manner::Say(bytes) => return drop(writer.write_all(bytes)),
            Manner::Flood => {
                drop(writer.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 999999999999\r\n\r\n"));
                while writer.write_all(&[b' '; 65_536]).is_ok() {}
                return;
            }
            Manner::Serve | Manner::HangUpOnSecond => {
                let reply = site.exchange(&request, Duration::ZERO).unwrap();
                let head = format!(
                    "HTTP/1.1 {} X\r\ncontent-length: {}\r\n\r\n",
                    reply.status,
                    reply.body.len()
                );
                let length = if reply.status == 204 {
                    "HTTP/1.1 204 X\r\n\r\n"
                } else {
                    &head
                };
                writer.write_all(length.as_bytes()).unwrap();
                writer.write_all(&reply.body).unwrap();
            }
        }
    }
}

fn read(reader: &mut impl BufRead) -> Option<Request> {
    let mut line = String::new();
    reader.read_line(&mut line).ok().filter(|read| *read > 0)?;
    let mut parts = line.split(' ');
    let (method, path) = (parts.next()?.to_owned(), parts.next()?.to_owned());
    let mut length = 0;
    loop {
        let mut header = String::new();
        reader.read_line(&mut header).ok()?;
        if let Some(value) = header.to_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().ok()?;
        }
        if header.trim().is_empty() {
            break;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some(Request {
        method,
        path,
        headers: vec![],
        body: (length > 0).then_some(body),
    })
}
