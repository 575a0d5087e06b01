//! Ids: random 128-bit names of things, and the numbered ids of grants and holders.

use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest, Sha256};
use std::marker::PhantomData;
use std::{fmt, str::FromStr, sync::Arc};

/// A short text from a signed token or a request: a vendor, product, license or feature name.
pub type Name = Arc<str>;

/// A text that is not an id of the wanted kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BadId;

impl fmt::Display for BadId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not an id of this kind")
    }
}

impl std::error::Error for BadId {}

fn hex_to<const N: usize>(text: &str) -> Result<[u8; N], BadId> {
    let bytes = text.as_bytes();
    if bytes.len() != 2 * N {
        return Err(BadId);
    }
    let nibble = |c: u8| match c {
        b'0'..=b'9' => Ok(c - b'0'),
        b'a'..=b'f' => Ok(c - b'a' + 10),
        _ => Err(BadId),
    };
    let mut out = [0; N];
    for (i, pair) in bytes.chunks_exact(2).enumerate() {
        out[i] = nibble(pair[0])? << 4 | nibble(pair[1])?;
    }
    Ok(out)
}

fn digit(nibble: u8) -> u8 {
    b"0123456789abcdef"[usize::from(nibble)]
}

fn ascii(digits: &[u8]) -> &str {
    str::from_utf8(digits).expect("hex digits are ASCII")
}

/// Takes so many bytes at once: a serde array is taken one by one, and a checkpoint has millions of ids.
struct Bytes<const N: usize>;

impl<const N: usize> Visitor<'_> for Bytes<N> {
    type Value = [u8; N];

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{N} bytes")
    }

    fn visit_bytes<E: Error>(self, bytes: &[u8]) -> Result<[u8; N], E> {
        let taken = bytes.try_into();
        taken.map_err(|_| E::invalid_length(bytes.len(), &self))
    }
}

/// Takes the text of an id, without a copy of it: a journal has millions, too.
struct Text<T>(PhantomData<T>);

impl<T: FromStr<Err = BadId>> Visitor<'_> for Text<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the text of an id")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<T, E> {
        text.parse().map_err(E::custom)
    }
}

macro_rules! bytes_id {
    ($($(#[$doc:meta])* $name:ident[$n:literal];)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub [u8; $n]);

        impl $name {
            /// As text: hex digits, without a detour by a formatter (every event has several).
            fn hex(&self) -> [u8; 2 * $n] {
                let mut out = [0; 2 * $n];
                for (byte, pair) in self.0.iter().zip(out.chunks_exact_mut(2)) {
                    pair.copy_from_slice(&[digit(byte >> 4), digit(byte & 15)]);
                }
                out
            }
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(ascii(&self.hex()))
            }
        }
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }
        impl FromStr for $name {
            type Err = BadId;
            fn from_str(text: &str) -> Result<Self, BadId> {
                hex_to(text).map($name)
            }
        }
        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
                if s.is_human_readable() {
                    s.serialize_str(ascii(&self.hex()))
                } else {
                    s.serialize_bytes(&self.0)
                }
            }
        }
        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
                if d.is_human_readable() {
                    d.deserialize_str(Text(PhantomData))
                } else {
                    d.deserialize_bytes(Bytes).map($name)
                }
            }
        }
    )*};
}

/// The first 8 bytes of a SHA-256: what stands for a longer key in an index. A sum, because parts of the key come from
/// clients, who must not be able to make many that are found together.
pub(crate) fn short(sum: Sha256) -> u64 {
    let sum: [u8; 32] = sum.finalize().into();
    let (first, _) = sum.split_first_chunk().expect("32 bytes have 8");
    u64::from_be_bytes(*first)
}

bytes_id! {
    /// A user of the directory.
    UserId[16];
    /// A unit of the organisation tree; the root unit of an account stands for everyone in it.
    UnitId[16];
    /// A group of users and groups.
    GroupId[16];
    /// An assignment of a license.
    AssignmentId[16];
    /// A machine: this one, or later an enrolled one.
    MachineId[16];
    /// One boot of a machine (`/proc/sys/kernel/random/boot_id`).
    BootId[16];
    /// One life of a process, made by the SDK, new after fork.
    InstanceId[16];
    /// One checkout, made by the client and repeated by its retries (rule 20).
    CheckoutId[16];
    /// One run of the daemon, random at each start (rule 21).
    RunId[16];
    /// A password, random: its hash is kept in the side store under it.
    PasswordId[16];
    /// SHA-256 of a code that sets a password.
    CodeHash[32];
    /// A token that stands for a person, random: what lists and the audit log call it by.
    BearerId[16];
    /// SHA-256 of such a token.
    BearerHash[32];
    /// Keyed hash of a lower-case login, `name` or `name@machine`.
    LoginHash[32];
    /// Keyed hash of the lower-case name of a unit or group.
    NameHash[32];
    /// SHA-256 of a token.
    TokenHash[32];
    /// SHA-256 of a checkpoint.
    CheckpointHash[32];
    /// SHA-256 of a text that is kept elsewhere.
    TextHash[32];
}

/// The id of a grant: the epoch that opened it and its number in that epoch. Written `E.N`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Gid {
    /// The run's epoch.
    pub epoch: u64,
    /// The grant's number, from 1.
    pub n: u64,
}

/// The id of a holder: its grant and its number in it, from 1. Written `E.N.H`; the lease's `jti`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HolderId {
    /// The grant under which it sits.
    pub gid: Gid,
    /// Its number in the grant.
    pub h: u32,
}

impl Gid {
    fn numbers(self) -> (u64, u64) {
        (self.epoch, self.n)
    }

    fn of_numbers((epoch, n): (u64, u64)) -> Self {
        Gid { epoch, n }
    }
}

impl HolderId {
    fn numbers(self) -> (Gid, u32) {
        (self.gid, self.h)
    }

    fn of_numbers((gid, h): (Gid, u32)) -> Self {
        HolderId { gid, h }
    }
}

impl fmt::Display for Gid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.epoch, self.n)
    }
}

impl fmt::Display for HolderId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.gid, self.h)
    }
}

/// A decimal number without sign or leading zeros, so that one id has one spelling.
fn number<T: FromStr>(text: Option<&str>) -> Result<T, BadId> {
    let text = text.ok_or(BadId)?;
    let plain = text.bytes().all(|b| b.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
    if plain {
        text.parse().map_err(|_| BadId)
    } else {
        Err(BadId)
    }
}

impl FromStr for Gid {
    type Err = BadId;
    fn from_str(text: &str) -> Result<Self, BadId> {
        let mut parts = text.split('.');
        let gid = Gid {
            epoch: number(parts.next())?,
            n: number(parts.next())?,
        };
        if parts.next().is_some() {
            Err(BadId)
        } else {
            Ok(gid)
        }
    }
}

impl FromStr for HolderId {
    type Err = BadId;
    fn from_str(text: &str) -> Result<Self, BadId> {
        let (gid, h) = text.rsplit_once('.').ok_or(BadId)?;
        Ok(HolderId {
            gid: gid.parse()?,
            h: number(Some(h))?,
        })
    }
}

macro_rules! text_serde {
    ($($name:ident),*) => {$(
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }
        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
                if s.is_human_readable() {
                    s.collect_str(self)
                } else {
                    self.numbers().serialize(s)
                }
            }
        }
        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
                if d.is_human_readable() {
                    d.deserialize_str(Text(PhantomData))
                } else {
                    Deserialize::deserialize(d).map($name::of_numbers)
                }
            }
        }
    )*};
}
text_serde!(Gid, HolderId);

/// A license as vendors name it: ids are unique per vendor only.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, Deserialize)]
pub struct LicenseId {
    /// The vendor's name, as trusted by this site.
    pub vendor: Name,
    /// The license id in the token (`sub`).
    pub id: Name,
}

/// A pool: the seats of one feature of one license.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, Deserialize)]
pub struct PoolId {
    /// The license.
    pub license: LicenseId,
    /// The feature's name within the license's product.
    pub feature: Name,
}

impl fmt::Display for LicenseId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.vendor, self.id)
    }
}

impl fmt::Display for PoolId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.license, self.feature)
    }
}
