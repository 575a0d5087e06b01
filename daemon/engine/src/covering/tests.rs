//! What is kept of where users stand, and for how long.

use crate::command::{Arrange, Checkout, Process, Release, Released, Signed};
use crate::denial::Code;
use crate::ids::*;
use crate::state::{
    AssignmentTerms, CountingUnit, Feature, LicenseTerms, Limit, Model, Place, Target,
};
use crate::time::{Date, LeaseTime, Now};
use crate::{Command, Engine, Verdict};

const HOME: UnitId = UnitId([1; 16]);
/// More than are kept of nobody who has a seat.
const CAME: u32 = 1_100;

fn id(n: u32) -> [u8; 16] {
    let mut id = [7; 16];
    id[..4].copy_from_slice(&n.to_be_bytes());
    id
}

fn give(engine: &mut Engine, command: Command) -> Verdict {
    let now = Now {
        lease: LeaseTime(0),
        j: Date(1_000),
    };
    engine.apply(now, command).1
}

fn pool() -> PoolId {
    PoolId {
        license: LicenseId {
            vendor: "acme".into(),
            id: "L".into(),
        },
        feature: "modeler".into(),
    }
}

/// A site with a license for everyone, of which they may have three seats together.
fn site() -> Engine {
    let mut engine = Engine::new();
    let feature = Feature {
        name: pool().feature,
        seats: Some(u64::from(CAME)),
        overdraft: 0,
        model: Model::Floating,
        unit: CountingUnit::Process,
        version: None,
        ttl_s: 900,
        grace_s: 0,
        save_s: 300,
        cool_down_s: 0,
        share_max: None,
        linger_s: 0,
        named_min_s: 0,
        policies: Vec::new(),
        optional: Vec::new(),
    };
    let terms = LicenseTerms {
        id: pool().license,
        serial: 1,
        replaces: None,
        product: "cad".into(),
        customer: "C".into(),
        root: "root".into(),
        kid: "kid".into(),
        signed: Signed {
            hash: TokenHash([7; 32]),
            iat: Date(1_000),
        },
        nbf: Date(0),
        exp: None,
        features: vec![feature],
        token: "license".into(),
        issuer: "issuer".into(),
    };
    let max = Limit {
        feature: Some(pool().feature),
        max: Some(3),
        ..Limit::default()
    };
    for command in [
        Command::FoundSite {
            unit: HOME,
            machine: MachineId([0; 16]),
        },
        Command::StartRun {
            run: RunId([1; 16]),
        },
        Command::TrustVendor {
            vendor: "acme".into(),
            roots: vec![("root".into(), "PEM".into())],
        },
        Command::InstallLicense {
            terms: Box::new(terms),
            account: None,
            assign_everyone: None,
            note_known: false,
        },
        Command::Assign {
            id: AssignmentId([9; 16]),
            license: pool().license,
            target: Target::Unit(HOME),
            terms: AssignmentTerms {
                limits: vec![max],
                ..AssignmentTerms::default()
            },
        },
    ] {
        let verdict = give(&mut engine, command);
        assert!(!matches!(verdict, Verdict::Denied(_)), "{verdict:?}");
    }
    engine
}

fn process(n: u32) -> Process {
    Process {
        machine: MachineId([0; 16]),
        attested_by: MachineId([0; 16]),
        uid: n,
        boot: BootId([0; 16]),
        instance: InstanceId(id(n)),
    }
}

fn checkout(engine: &mut Engine, n: u32) -> Result<HolderId, Code> {
    let mut login = [7; 32];
    login[..16].copy_from_slice(&id(n));
    let (user, login) = (UserId(id(n)), LoginHash(login));
    give(engine, Command::MeetUser { user, login });
    let asked = Checkout {
        checkout_id: CheckoutId(id(n)),
        process: process(n),
        pid: None,
        user,
        product: "cad".into(),
        feature: pool().feature,
        version: None,
        n: 1,
        roots: vec!["root".into()],
        wait_s: 0,
        interactive: false,
        needs_terms: false,
        shown: None,
    };
    match give(engine, Command::Checkout(Box::new(asked))) {
        Verdict::Leased(lease) => Ok(lease.holder),
        Verdict::Denied(denial) => Err(denial.code),
        other => panic!("{other:?}"),
    }
}

/// Who came and left is forgotten by a later count, and what is kept of who stays counts on.
#[test]
fn r10_of_who_left_nothing_is_kept_for_long() {
    let mut engine = site();
    checkout(&mut engine, CAME).expect("a seat that stays");
    for n in 0..CAME {
        let holder = checkout(&mut engine, n).expect("a seat");
        let release = Release {
            what: Released::Holder(holder),
            process: process(n),
        };
        give(&mut engine, Command::Release(release));
    }
    let kept = |engine: &Engine| {
        let pool = &engine.state().pools[&pool()];
        pool.stands.as_ref().map_or(0, |stands| stands.of.len())
    };
    assert!((1_024..CAME as usize).contains(&kept(&engine)));
    let unit = Arrange::MakeUnit {
        unit: UnitId([2; 16]),
        name: NameHash([2; 32]),
        place: Place::Below(HOME),
    };
    give(&mut engine, Command::Arrange(unit));
    checkout(&mut engine, CAME + 1).expect("the second");
    assert_eq!(kept(&engine), 2);
    checkout(&mut engine, CAME + 2).expect("the third");
    assert_eq!(
        checkout(&mut engine, CAME + 3),
        Err(Code::OverUnitMax),
        "counted anew"
    );
}
