//! A scripted daemon that signs genuine tokens: it answers as told, so that the client can be shown every answer.

#![allow(
    dead_code,
    unreachable_pub,
    reason = "each test binary uses a part of it"
)]
#![allow(
    clippy::unwrap_used,
    reason = "a scaffold of tests fails as loudly as a test"
)]

pub mod listener;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use seatkeeper::testing::{Broken, ManualClock, Request, Response, Transport};
use seatkeeper::token::claims::{
    Borrow, Count, Counting, Customer, Delegation, Feature, Info, Issuer, Last, Lease, License,
    Model, Slots, Term,
};
use seatkeeper::token::keys::SigningKey;
use seatkeeper::token::{delegation, hash, host_hash, issuer, lease, license};
use seatkeeper::wire::{Chain, CheckoutBody, Code, Item, LeaseReply, Problem, RenewBody};
use seatkeeper::{Builder, Client};
use std::collections::{BTreeMap, VecDeque};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

/// Seconds since 1970 at which everything is signed.
pub const NOW: u64 = 1_800_000_000;
pub const TTL: u64 = 90;
pub const GRACE: u64 = 30;

/// What happens to the next call, in turn; without a script it is served.
pub enum Script {
    /// Served, but the reply is lost on its way.
    LoseReply,
    /// The connection was kept too long: the call does not arrive.
    Stale,
    /// The call does not arrive.
    Away,
    /// Refused.
    Deny(Code),
    /// Too busy for so many seconds.
    Busy(u64),
    /// Served by a changed lease.
    Change(Change),
    /// Answered by these bytes instead.
    Replay(Vec<u8>),
}

/// What is changed in a lease before it is signed.
pub type Change = Box<dyn FnOnce(&mut Lease) + Send>;

/// The scripted daemon.
#[derive(Clone)]
pub struct Site {
    inner: Arc<Mutex<Inner>>,
    pub clock: ManualClock,
}

pub struct Inner {
    root: SigningKey,
    issuing: SigningKey,
    site: SigningKey,
    lease: SigningKey,
    pub license: License,
    chain: Chain,
    holders: BTreeMap<String, Holder>,
    by_checkout: BTreeMap<String, String>,
    script: VecDeque<Script>,
    pub away: bool,
    pub calls: Vec<(String, String)>,
    pub bodies: Vec<serde_json::Value>,
    /// How long each call may take.
    pub patience: Vec<Duration>,
    pub last_reply: Vec<u8>,
    numbers: u64,
}

#[derive(Clone)]
struct Holder {
    item: Item,
    slot: u64,
}

fn key(n: u8) -> SigningKey {
    SigningKey::generate(&zeroize::Zeroizing::new([n; 32]))
}

impl Site {
    /// Vendor keys come from `vendor`, site keys from `site`: two sites of one vendor, or one product of two vendors.
    pub fn new(vendor: u8, site: u8) -> Site {
        let [root, issuing, site, lease] = [key(vendor), key(vendor + 1), key(site), key(site + 1)];
        let license = claims(&site);
        let mut inner = Inner {
            root,
            issuing,
            site,
            lease,
            license,
            chain: Chain::default(),
            holders: BTreeMap::new(),
            by_checkout: BTreeMap::new(),
            script: VecDeque::new(),
            away: false,
            calls: Vec::new(),
            bodies: Vec::new(),
            patience: Vec::new(),
            last_reply: Vec::new(),
            numbers: 0,
        };
        inner.sign_chain();
        Site {
            inner: Arc::new(Mutex::new(inner)),
            clock: ManualClock::new(),
        }
    }

    pub fn builder(&self) -> Builder {
        self.socket_builder()
            .transport(Arc::new(self.clone()))
            .clock(self.clock.clone())
    }

    /// Without this as transport, and on the machine's clock.
    pub fn socket_builder(&self) -> Builder {
        Client::builder("cad").vendor_roots(&[&self.lock().root.public().to_pem()])
    }

    pub fn client(&self) -> Client {
        self.builder().build().unwrap()
    }

    pub fn next(&self, script: impl IntoIterator<Item = Script>) {
        self.lock().script.extend(script);
    }

    pub fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap()
    }

    /// Ids of holders that sit now.
    pub fn holders(&self) -> Vec<String> {
        self.lock().holders.keys().cloned().collect()
    }

    /// Methods and paths called so far, forgotten thereby.
    pub fn calls(&self) -> Vec<(String, String)> {
        std::mem::take(&mut self.lock().calls)
    }

    /// Time passes, awake: in steps that a heartbeat keeps up with.
    pub fn pass(&self, seconds: u64) {
        for _ in 0..seconds {
            self.clock.advance(Duration::from_secs(1));
        }
    }
}

fn claims(site: &SigningKey) -> License {
    License {
        iss: "acme".into(),
        sub: "lic-1".into(),
        iat: NOW - 1_000,
        serial: 1,
        replaces: None,
        product: "cad".into(),
        customer: Customer {
            id: "c1".into(),
            name: "Customer".into(),
            contact: "it@example.com".into(),
            managed_by: None,
        },
        nbf: NOW - 1_000,
        term: Term::Dated,
        exp: Some(NOW + 86_400 * 20),
        cnf: site.public().to_cnf(),
        features: ["modeler", "render"].map(feature).to_vec(),
        info: Info::new(),
    }
}

fn feature(name: &str) -> Feature {
    Feature {
        name: name.into(),
        seats: Count::Number(2),
        model: Model::Floating,
        counting: Counting::Process,
        version: None,
        ttl_s: TTL,
        grace_s: GRACE,
        save_s: 30,
        cool_down_s: 60,
        linger_s: 0,
        overdraft: 0,
        share_max: Count::Number(1),
        named_min_s: 0,
        borrow: None::<Borrow>,
        policies: vec!["view".into()],
        optional_policies: vec!["export-pdf".into()],
    }
}

impl Inner {
    pub fn sign_chain(&mut self) {
        let issuer = Issuer {
            iss: "acme".into(),
            sub: self.issuing.thumbprint().into(),
            jti: "i1".into(),
            iat: NOW - 2_000,
            nbf: NOW - 2_000,
            exp: NOW + 86_400 * 700,
            cnf: self.issuing.public().to_cnf(),
            products: vec!["cad".into(), "cam".into()],
            min_serial: 0,
            revoked_kids: vec![],
            info: Info::new(),
        };
        let delegation = Delegation {
            iss: self.site.thumbprint().into(),
            sub: self.lease.thumbprint().into(),
            jti: "d1".into(),
            iat: NOW - 500,
            nbf: NOW - 500,
            exp: NOW + 86_400 * 30,
            cnf: self.lease.public().to_cnf(),
            slots: serde_json::from_str::<Slots>("\"all\"").unwrap(),
            info: Info::new(),
        };
        self.chain = Chain {
            issuer: Some(issuer::sign(&issuer, &self.root).unwrap()),
            license: Some(license::sign(&self.license, &self.issuing).unwrap()),
            delegation: Some(delegation::sign(&delegation, &self.site).unwrap()),
        };
    }

    fn serve(&mut self, request: &Request, change: Option<Change>) -> Response {
        let path = request.path.split('?').next().unwrap().to_owned();
        let id = path.rsplit('/').next().unwrap().to_owned();
        let body = request.body.as_deref().unwrap_or_default();
        match request.method.as_str() {
            "POST" => {
                let body: CheckoutBody = serde_json::from_slice(body).unwrap();
                self.check_out(&body, change)
            }
            "PUT" => {
                let body: RenewBody = serde_json::from_slice(body).unwrap();
                match self.holders.get(&id).cloned() {
                    None => refuse(Code::UnknownLease),
                    Some(holder) => self.lease(&id, &holder, &body.nonce, Chain::default(), change),
                }
            }
            _ => {
                let id = self.by_checkout.get(&id).cloned().unwrap_or(id);
                self.holders.remove(&id);
                Response {
                    status: 204,
                    headers: vec![],
                    body: vec![],
                }
            }
        }
    }

    fn check_out(&mut self, body: &CheckoutBody, change: Option<Change>) -> Response {
        let known = self.by_checkout.get(&body.checkout_id).cloned();
        let id = match known {
            Some(id) => id,
            None => {
                let taken = |slot| {
                    self.holders
                        .values()
                        .any(|h| h.slot == slot && h.item.feature == body.items[0].feature)
                };
                let Some(slot) = (0..2).find(|slot| !taken(*slot)) else {
                    return refuse(Code::NoSeatFree);
                };
                self.numbers += 1;
                let id = format!("1.{}.1", self.numbers);
                self.holders.insert(
                    id.clone(),
                    Holder {
                        item: body.items[0].clone(),
                        slot,
                    },
                );
                self.by_checkout
                    .insert(body.checkout_id.clone(), id.clone());
                id
            }
        };
        let Some(holder) = self.holders.get(&id).cloned() else {
            return refuse(Code::LeaseEnded);
        };
        self.lease(&id, &holder, &body.nonce, self.chain.clone(), change)
    }

    fn lease(
        &mut self,
        id: &str,
        holder: &Holder,
        nonce: &str,
        chain: Chain,
        change: Option<Change>,
    ) -> Response {
        self.numbers += 1;
        let raw = URL_SAFE_NO_PAD.decode(nonce).unwrap();
        let mut claims = Lease {
            iss: self.lease.thumbprint().into(),
            sub: "ana@ws1".into(),
            jti: id.into(),
            license: hash(self.chain.license.as_ref().unwrap()),
            feature: holder.item.feature.clone(),
            version: holder.item.version.clone(),
            policies: vec!["view".into()],
            slots: vec![holder.slot],
            gid: id.rsplit_once('.').unwrap().0.into(),
            seq: self.numbers,
            epoch: 1,
            run_id: "00112233445566778899aabbccddeeff".into(),
            nonce: nonce.into(),
            iat: NOW,
            ttl_s: TTL,
            grace_s: GRACE,
            last: None,
            warning: vec![],
            host: host_hash(boot_id(), &raw),
            info: Info::new(),
        };
        if let Some(change) = change {
            change(&mut claims);
        }
        let token = lease::sign(&claims, &self.lease).unwrap();
        let reply = LeaseReply {
            id: claims.jti,
            lease: token,
            chain,
        };
        Response {
            status: 201,
            headers: vec![],
            body: serde_json::to_vec(&reply).unwrap(),
        }
    }
}

impl Transport for Site {
    fn exchange(&self, request: &Request, timeout: Duration) -> Result<Response, Broken> {
        let mut inner = self.lock();
        inner.patience.push(timeout);
        inner
            .calls
            .push((request.method.clone(), request.path.clone()));
        if let Some(body) = &request.body {
            let body = serde_json::from_slice(body).unwrap();
            inner.bodies.push(body);
        }
        if inner.away {
            return Err(Broken::TimedOut);
        }
        let reply = match inner.script.pop_front() {
            None => inner.serve(request, None),
            Some(Script::Change(change)) => inner.serve(request, Some(change)),
            Some(Script::Deny(code)) => {
                if matches!(code, Code::LeaseLapsed | Code::UnknownLease) {
                    inner.holders.clear();
                }
                refuse(code)
            }
            Some(Script::Busy(seconds)) => {
                let mut problem = Problem::new(Code::ServerBusy, "busy");
                problem.retry_after_s = Some(seconds);
                written(&problem)
            }
            Some(Script::Replay(body)) => Response {
                status: 201,
                headers: vec![],
                body,
            },
            Some(Script::Stale) => return Err(Broken::Stale),
            Some(Script::Away) => return Err(Broken::TimedOut),
            Some(Script::LoseReply) => {
                inner.serve(request, None);
                return Err(Broken::TimedOut);
            }
        };
        if reply.status == 201 {
            inner.last_reply = reply.body.clone();
        }
        Ok(reply)
    }

    fn endpoint(&self) -> Option<PathBuf> {
        None
    }
}

/// A lease that is the last, for this reason.
pub fn last(reason: Last) -> Script {
    Script::Change(Box::new(move |lease| {
        lease.last = Some(reason);
        lease.grace_s = 0;
        lease.ttl_s = 30;
    }))
}

fn refuse(code: Code) -> Response {
    let problem = Problem {
        kind: format!("/problems/{code}"),
        title: code.title().into(),
        status: if matches!(code, Code::Other(_)) {
            409
        } else {
            code.status()
        },
        detail: String::new(),
        class: code.class(),
        retryable: code.retryable(),
        rule: Some(9),
        assignment: None,
        pool: None,
        limit: None,
        in_use: None,
        total: None,
        reserved: None,
        retry_after_s: None,
        holders: vec![],
        hint: code.remedy().into(),
        trace_id: "t1".into(),
        code,
    };
    written(&problem)
}

fn written(problem: &Problem) -> Response {
    Response {
        status: problem.status,
        headers: vec![],
        body: serde_json::to_vec(problem).unwrap(),
    }
}

pub fn boot_id() -> [u8; 16] {
    let text = std::fs::read_to_string("/proc/sys/kernel/random/boot_id")
        .unwrap()
        .replace('-', "");
    u128::from_str_radix(text.trim(), 16).unwrap().to_be_bytes()
}
