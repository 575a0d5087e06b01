//! `why`: a checkout that is judged on a snapshot, step by step, by the function that decides it (rule 22); and on one in
//! which something is supposed.

use super::Desk;
use super::parse::{self, Asked, bad};
use super::refusal::{Subject, code_of};
use crate::authorize::{Caller, KnownBy, Permission, Sight, authorize};
use crate::keeper::Snapshot;
use crate::login;
use crate::problem::{Refused, internal, problem};
use crate::random;
use seatkeeper::wire::{Code, ExplainBody, ExplainReply, ExplainStep, Today};
use seatkeeper_engine::command::{Checkout, Process};
use seatkeeper_engine::denial::{self as engine, Step};
use seatkeeper_engine::ids::{
    AssignmentId, CheckoutId, HolderId, InstanceId, Name, PoolId, UserId,
};
use seatkeeper_engine::state::{Target, User};
use seatkeeper_engine::{Choice, State, explain};
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::sync::Arc;

/// Seats listed in an explanation.
const HOLDERS: usize = 100;

/// Whom an explanation is about.
pub(super) struct About {
    pub(super) login: String,
    pub(super) user: UserId,
    own: bool,
}

/// A checkout, and how it is told.
struct Question<'a> {
    caller: &'a Caller,
    about: &'a About,
    checkout: &'a Checkout,
    what: &'a str,
}

impl Desk {
    /// `POST /v1/explain`. Reads a snapshot; changes nothing and waits for nobody. `watched` tells whether a holder's
    /// process is watched (rule 14).
    ///
    /// # Errors
    /// `forbidden` where it is about somebody else or supposes something, `unknown_user`, `bad_request` that names the
    /// member, or the denial of what is supposed.
    pub fn explain(
        &self,
        caller: &Caller,
        body: &ExplainBody,
        watched: impl Fn(HolderId) -> bool,
    ) -> Result<ExplainReply, Refused> {
        self.authorize(caller, Permission::ExplainOwn, self.unit)?;
        self.traced(caller, self.explain_of(caller, body, watched))
    }

    fn explain_of(
        &self,
        caller: &Caller,
        body: &ExplainBody,
        watched: impl Fn(HolderId) -> bool,
    ) -> Result<ExplainReply, Refused> {
        let snapshot = self.keeper.snapshot();
        let mut state = snapshot.state.clone();
        // The keeper looks before it judges, and an idle one may have last looked a minute ago.
        state.storage_low = self.storage_low();
        let about = self.about(&snapshot, caller, body.user.as_deref(), &mut state)?;
        let asked = parse::item(&body.item)?;
        let product = match &body.product {
            Some(product) => parse::name("product", product)?,
            None => product_of(&state, &asked.feature)?,
        };
        let roots = match &body.roots {
            Some(roots) => parse::roots(roots)?,
            None => state
                .vendors
                .values()
                .flat_map(|vendor| vendor.roots.keys().cloned())
                .collect(),
        };
        let what = format!("{product}/{}", asked.feature);
        let feature = asked.feature.clone();
        let checkout = self.hypothetical(caller, body, &about, (product, asked, roots))?;
        let question = Question {
            caller,
            about: &about,
            checkout: &checkout,
            what: &what,
        };
        if body.suppose.is_empty() {
            return Ok(self.judged(&question, &state, &snapshot, watched));
        }
        let asked = (&about, &feature);
        let (then, supposed) = self.supposed(caller, (&snapshot, &state), asked, &body.suppose)?;
        let mut reply = self.judged(&question, &then, &snapshot, &watched);
        let now = self.judged(&question, &state, &snapshot, watched);
        reply.supposed = supposed;
        reply.today = Some(Today {
            granted: now.granted,
            summary: now.summary,
            denial: now.denial,
        });
        Ok(reply)
    }

    /// The judgement on a state, told. What the caller sees of others is what they see in the snapshot: nobody sees more
    /// by supposing something.
    fn judged(
        &self,
        question: &Question<'_>,
        state: &State,
        seen: &Snapshot,
        watched: impl Fn(HolderId) -> bool,
    ) -> ExplainReply {
        let Question {
            caller,
            about,
            checkout,
            what,
        } = *question;
        let (steps, judged) = explain(state, self.now(), checkout);
        let route = self.targets_seen(seen, caller);
        let told = |step| {
            let shows = |target| about.own || route.shows(target);
            self.step((seen, caller, about), (state, step), &shows)
        };
        let mut reply = ExplainReply {
            user: about.login.clone(),
            product: checkout.product.to_string(),
            granted: judged.is_ok(),
            summary: String::new(),
            denial: None,
            supposed: Vec::new(),
            today: None,
            steps: steps.into_iter().map(told).collect(),
            holders: Vec::new(),
        };
        if let Err(refused) = self.may_sign(caller) {
            // As a checkout is told, before anything of it is judged.
            reply.granted = false;
            reply.summary = format!("{} ({})", refused.detail, refused.code);
            reply.denial = Some(*refused);
            return reply;
        }
        match judged {
            Ok(choice) => reply.summary = granted(state, &about.login, what, &choice),
            Err(denial) => {
                let subject = Subject {
                    caller,
                    user: &about.login,
                    what,
                    version: checkout.version.as_deref(),
                };
                let refused = self.refuse(&denial, subject, seen);
                reply.summary = format!(
                    "{} ({}, rule {})",
                    refused.detail, refused.code, denial.rule
                );
                if let Some(pool) = &denial.pool {
                    let sight = Sight::of(seen, caller, Permission::SeatRead);
                    reply.holders = self.seats_of(seen, pool, (HOLDERS, &sight), watched);
                }
                reply.denial = Some(*refused);
            }
        }
        reply
    }

    /// Whom it is about; one who would be made at first sight is made in the copy.
    fn about(
        &self,
        snapshot: &Snapshot,
        caller: &Caller,
        login: Option<&str>,
        state: &mut State,
    ) -> Result<About, Refused> {
        let own_login = &caller.login;
        let person = caller.person(state);
        let of_account = |login: &str| {
            login.eq_ignore_ascii_case(&own_login.name)
                || login.eq_ignore_ascii_case(&own_login.full)
        };
        let named = login.map(|login| self.named(state, login));
        let own = match (login, named.flatten()) {
            (None, _) => true,
            (Some(login), None) => person.is_none() && of_account(login),
            (_, known) => known == person,
        };
        let (login, known, hash) = match login.filter(|_| !own) {
            Some(login) => {
                login::check(login).map_err(|why| bad("user", why))?;
                let sight = self.sight(snapshot, caller, Permission::ExplainOthers)?;
                let known = self.named(state, login);
                let known = known.filter(|known| sight.over(state, *known));
                if known.is_none() {
                    // Whom nobody has met yet would be in the home account; who is out of sight is told of alike.
                    authorize(snapshot, caller, Permission::ExplainOthers, &[self.unit])?;
                }
                let hash = login::hash(self.keys.salt(), login);
                (login.to_owned(), known, hash)
            }
            None => {
                // Whoever is somebody else than their account is told so.
                let login = match caller.known_by(state) {
                    Some((user, KnownBy::Token | KnownBy::Session | KnownBy::SignedIn)) => {
                        self.user_name(user)
                    }
                    _ => own_login.name.clone(),
                };
                (login, person, own_login.name_hash)
            }
        };
        if let Some(user) = known {
            return Ok(About { login, user, own });
        }
        let user = UserId(random::bytes().map_err(|e| internal("no random id", &e))?);
        if self.settings.create_users {
            state.logins.insert(hash, user);
            let met = User::met(hash, state.events);
            state.users.insert(user, Arc::new(met));
        }
        Ok(About { login, user, own })
    }

    /// A step for people; a right, or what withholds it, with its route (D1). What is kept for others names them to those
    /// who may see it.
    fn step(
        &self,
        (snapshot, caller, about): (&Snapshot, &Caller, &About),
        (state, step): (&State, Step),
        seen: &dyn Fn(Target) -> bool,
    ) -> ExplainStep {
        let of_others = step.denied == Some(engine::Code::ReservedForOthers);
        let shown = |id: &AssignmentId| !of_others || self.assignment_seen(snapshot, caller, *id);
        let named = step.assignment.filter(shown);
        let assignment = named.and_then(|id| state.assignments.get(&id));
        let route = assignment.map(|known| match known.target {
            // Who was made in the copy has no name anywhere else.
            Target::User(user) if user == about.user => format!("user {}", about.login),
            Target::Group(_) if !seen(known.target) => "a group".to_owned(),
            Target::Unit(_) if !seen(known.target) => "a unit".to_owned(),
            target => self.target_name(state, target),
        });
        let text = match route {
            Some(route) if of_others => format!("{}, the most for {route}", step.text),
            Some(route) => {
                let gives = step.pool.as_ref().zip(named);
                let gives = gives.filter(|_| step.rule == 4 && step.denied.is_none());
                let also = gives.map(|gives| self.also(state, about.user, gives, seen));
                let text = match named {
                    Some(id) if !snapshot.state.assignments.contains_key(&id) => {
                        let nobody_knows = format!("the assignment {id}");
                        step.text.replace(&nobody_knows, "the assignment")
                    }
                    _ => step.text,
                };
                format!("{text}, via {route}{}", also.unwrap_or_default())
            }
            None => step.text,
        };
        let told = |pool: &&PoolId| self.license_told(snapshot, caller, &pool.license);
        ExplainStep {
            pool: step.pool.as_ref().filter(told).map(ToString::to_string),
            rule: step.rule,
            denied: step.denied.map(code_of),
            text,
        }
    }

    /// By what else they have the same seat, and which optional policies all of that gives them (D1).
    fn also(
        &self,
        state: &State,
        user: UserId,
        (pool, own): (&PoolId, AssignmentId),
        seen: &dyn Fn(Target) -> bool,
    ) -> String {
        let all = || state.covering_of(&pool.license, user);
        let others = all().filter(|(id, known)| *id != own && seen(known.target));
        let mut routes: Vec<_> = others
            .map(|(_, known)| self.target_name(state, known.target))
            .collect();
        routes.dedup();
        let feature = state.feature(pool);
        let optional = feature.map_or(&[][..], |feature| &feature.optional);
        let given = all().flat_map(|(_, known)| &known.terms.policies);
        let policies: BTreeSet<_> = given.filter(|one| optional.contains(one)).collect();
        let mut out = String::new();
        if !routes.is_empty() {
            let _ = write!(out, ", and also via {}", routes.join(", "));
        }
        if !policies.is_empty() {
            let policies: Vec<_> = policies.into_iter().map(AsRef::as_ref).collect();
            let _ = write!(out, "; with {}", policies.join(", "));
        }
        out
    }

    /// The checkout that would be asked: by a new process of the user on this machine.
    fn hypothetical(
        &self,
        caller: &Caller,
        body: &ExplainBody,
        about: &About,
        (product, asked, roots): (Name, Asked, Vec<Name>),
    ) -> Result<Checkout, Refused> {
        let no_id = |e: std::io::Error| internal("no random id", &e);
        Ok(Checkout {
            checkout_id: CheckoutId(random::bytes().map_err(no_id)?),
            process: Process {
                machine: self.machine,
                attested_by: caller.attested_by,
                // Nobody's uid, where it is about somebody else: no retry can be found under it.
                uid: if about.own { caller.uid } else { u32::MAX },
                boot: self.settings.boot,
                instance: InstanceId(random::bytes().map_err(no_id)?),
            },
            pid: None,
            user: about.user,
            product,
            feature: asked.feature,
            version: asked.version,
            n: asked.n,
            roots,
            wait_s: 0,
            interactive: body.interactive,
            needs_terms: self.settings.terms_block_checkout,
            shown: None,
        })
    }
}

/// The one product that has the feature.
fn product_of(state: &State, feature: &Name) -> Result<Name, Refused> {
    let mut products: Vec<_> = state
        .features
        .keys()
        .filter(|(_, has)| has == feature)
        .map(|(product, _)| product.clone())
        .collect();
    match (products.pop(), products.len()) {
        (Some(product), 0) => Ok(product),
        (Some(product), _) => {
            products.push(product);
            let list: Vec<_> = products
                .iter()
                .map(|product| format!("{product}/{feature}"))
                .collect();
            Err(bad(
                "product",
                format_args!(
                    "several products have this feature, name one: {}",
                    list.join(", ")
                ),
            ))
        }
        (None, _) if state.features.is_empty() => Err(problem(
            Code::NotLicensed,
            format!("no license of {feature} is installed here, nor any other"),
        )),
        (None, _) => Err(problem(
            Code::UnknownFeature,
            format!("no installed license has the feature {feature}"),
        )),
    }
}

fn granted(state: &State, login: &str, what: &str, choice: &Choice) -> String {
    let kept = |pool, gid| {
        let grant = state.pools.get(pool).and_then(|pool| pool.grants.get(gid));
        grant.is_some_and(|grant| grant.kept())
    };
    match choice {
        Choice::Join(pool, gid) if kept(pool, gid) => {
            format!("{login} would sit on the kept seat {gid} of {what} (pool {pool}, rule 7)")
        }
        Choice::Join(pool, gid) => {
            format!("{login} would share the grant {gid} of {what} (pool {pool}, rule 6)")
        }
        Choice::Open(pool, slots) => {
            let slots: Vec<_> = slots.iter().map(ToString::to_string).collect();
            format!(
                "{login} would get slot {} of {what} (pool {pool}, rule 9)",
                slots.join(", ")
            )
        }
    }
}
