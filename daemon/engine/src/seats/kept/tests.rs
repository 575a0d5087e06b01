//! A large pool is looked at in parts, and others are served in between.

use super::AT_ONCE;
use crate::command::{
    Arrange, Checkout, Command, MoveTo, Process, Release, Released, Signed, UnitChange,
};
use crate::engine::{Engine, Verdict};
use crate::ids::*;
use crate::state::{
    AccountKind, AssignmentTerms, CountingUnit, Feature, LicenseTerms, Model, Target, UserStatus,
};
use crate::time::{Date, LeaseTime, Now};

const NOW: Now = Now {
    lease: LeaseTime(1_000),
    j: Date(1_000_000),
};
const HOME: UnitId = UnitId([1; 16]);
const TEAM: UnitId = UnitId([2; 16]);

fn id(n: usize) -> [u8; 16] {
    let mut id = [0; 16];
    id[..8].copy_from_slice(&(n as u64 + 1).to_be_bytes());
    id
}

fn give(engine: &mut Engine, command: Command) -> (usize, Verdict) {
    let (events, verdict) = engine.apply(NOW, command);
    assert!(!matches!(verdict, Verdict::Denied(_)), "{verdict:?}");
    (events.len(), verdict)
}

fn asks(user: usize, n: usize) -> Checkout {
    Checkout {
        checkout_id: CheckoutId(id(n)),
        process: Process {
            machine: MachineId([0; 16]),
            attested_by: MachineId([0; 16]),
            uid: 1,
            boot: BootId([0; 16]),
            instance: InstanceId(id(n)),
        },
        pid: None,
        user: UserId(id(user)),
        product: "cad".into(),
        feature: "modeler".into(),
        version: None,
        n: 1,
        roots: vec!["root".into()],
        wait_s: 0,
        interactive: false,
        needs_terms: false,
        shown: None,
    }
}

fn terms(seats: usize) -> LicenseTerms {
    LicenseTerms {
        id: license(),
        serial: 1,
        replaces: None,
        product: "cad".into(),
        customer: "".into(),
        root: "root".into(),
        kid: "kid".into(),
        signed: Signed {
            hash: TokenHash([1; 32]),
            iat: NOW.j,
        },
        nbf: Date(0),
        exp: None,
        features: vec![Feature {
            name: "modeler".into(),
            seats: Some(seats as u64),
            overdraft: 0,
            model: Model::Named,
            unit: CountingUnit::User,
            version: None,
            ttl_s: 60,
            grace_s: 0,
            save_s: 20,
            cool_down_s: 0,
            share_max: None,
            linger_s: 0,
            named_min_s: 0,
            policies: vec![],
            optional: vec![],
        }],
        token: "token".into(),
        issuer: "issuer".into(),
    }
}

fn license() -> LicenseId {
    LicenseId {
        vendor: "acme".into(),
        id: "L".into(),
    }
}

/// A site where so many users of a team have named seats, on none of which anybody sits.
fn owners(many: usize) -> Engine {
    let mut engine = Engine::new();
    let (unit, machine) = (HOME, MachineId([0; 16]));
    let mut all = vec![
        Command::FoundSite { unit, machine },
        Command::StartRun {
            run: RunId([1; 16]),
        },
        Command::TrustVendor {
            vendor: "acme".into(),
            roots: vec![("root".into(), "PEM".into())],
        },
        Command::InstallLicense {
            terms: Box::new(terms(many + 1)),
            account: None,
            assign_everyone: Some(AssignmentId([9; 16])),
            note_known: false,
        },
        Command::Arrange(Arrange::MakeUnit {
            unit: TEAM,
            name: NameHash([2; 32]),
            place: crate::state::Place::Below(HOME),
        }),
    ];
    for user in 0..=many {
        let mut login = [0; 32];
        login[..16].copy_from_slice(&id(user));
        all.push(Command::Arrange(Arrange::MakeUser {
            user: UserId(id(user)),
            login: LoginHash(login),
            address: None,
            // The last one is not of the team.
            units: vec![if user < many { TEAM } else { HOME }],
            status: UserStatus::Active,
            until: None,
        }));
    }
    for command in all {
        give(&mut engine, command);
    }
    for user in 0..many {
        let asked = asks(user, user);
        let process = asked.process.clone();
        let seat = give(&mut engine, Command::Checkout(Box::new(asked))).1;
        let Verdict::Leased(lease) = seat else {
            panic!("{seat:?}");
        };
        let what = Released::Holder(lease.holder);
        give(&mut engine, Command::Release(Release { what, process }));
    }
    engine
}

fn kept(engine: &Engine) -> usize {
    let pool = engine.state().pools.values().next().expect("a pool");
    pool.grants.values().filter(|grant| grant.kept()).count()
}

#[test]
fn r07_a_large_pool_is_looked_at_in_parts_and_others_are_served_in_between() {
    let many = AT_ONCE + 500;
    let mut engine = owners(many);
    give(&mut engine, Command::Tick);
    while engine.next_deadline() == Some(LeaseTime(0)) {
        give(&mut engine, Command::Expire);
    }
    assert_eq!(kept(&engine), many, "all have their right");
    // The whole team goes to another account, whose licenses these are not.
    give(
        &mut engine,
        Command::Arrange(Arrange::ChangeUnit {
            unit: TEAM,
            change: UnitChange::Move {
                to: MoveTo::Account(AccountKind::Customer),
                hard: false,
            },
            if_match: None,
        }),
    );
    let (events, _) = give(&mut engine, Command::Tick);
    assert_eq!((events, kept(&engine)), (0, many), "it is only begun");
    let mut parts = 0;
    while engine.next_deadline() == Some(LeaseTime(0)) {
        let (events, _) = give(&mut engine, Command::Expire);
        assert!(events <= AT_ONCE / 2, "{events} in one go");
        parts += 1;
        if parts == 1 {
            let seat = give(&mut engine, Command::Checkout(Box::new(asks(many, many))));
            assert!(matches!(seat.1, Verdict::Leased(_)), "{seat:?}");
        }
    }
    assert_eq!((kept(&engine), parts), (0, 4));
    // Nothing is due again until something changes.
    give(&mut engine, Command::Tick);
    assert!(engine.next_deadline() > Some(LeaseTime(0)));
}

#[test]
fn r07_unassigning_everyone_begins_it_too() {
    let many = AT_ONCE + 1;
    let mut engine = owners(many);
    let user = Target::User(UserId(id(3)));
    give(
        &mut engine,
        Command::Assign {
            id: AssignmentId([8; 16]),
            license: license(),
            target: user,
            terms: AssignmentTerms::default(),
        },
    );
    give(
        &mut engine,
        Command::Unassign {
            id: AssignmentId([9; 16]),
            hard: false,
            if_match: None,
        },
    );
    while engine.next_deadline() == Some(LeaseTime(0)) {
        give(&mut engine, Command::Expire);
    }
    assert_eq!(kept(&engine), 1, "one has another route");
}
