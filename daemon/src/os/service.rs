//! What the service manager is told (`sd_notify`): ready, stopping, still alive.

use seatkeeper_core::keys::SiteKeyFrom;
use std::io;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::path::PathBuf;

/// Tells the service manager; nothing where there is none.
///
/// # Errors
/// There is one, and it cannot be told.
pub fn tell(state: &str) -> io::Result<()> {
    let Some(path) = std::env::var_os("NOTIFY_SOCKET") else {
        return Ok(());
    };
    let address = match path.as_encoded_bytes().strip_prefix(b"@") {
        Some(name) => SocketAddr::from_abstract_name(name)?,
        None => SocketAddr::from_pathname(&path)?,
    };
    UnixDatagram::unbound()?.send_to_addr(state.as_bytes(), &address)?;
    Ok(())
}

/// Where the site key is: with `LoadCredential=site.key:…` the service manager gives it, and no copy lies in the state
/// directory.
pub fn site_key() -> SiteKeyFrom {
    credential("site.key").map_or(SiteKeyFrom::Folder, SiteKeyFrom::Credential)
}

/// The file of a credential that the service manager gives (`LoadCredential=NAME:…`).
#[must_use]
pub fn credential(name: &str) -> Option<PathBuf> {
    let credentials = std::env::var_os("CREDENTIALS_DIRECTORY").map(PathBuf::from);
    let given = credentials.map(|folder| folder.join(name));
    given.filter(|file| file.exists())
}
