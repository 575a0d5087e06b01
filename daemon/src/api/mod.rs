//! The HTTP API: who may connect, who asks, one file per resource. It decides nothing; the desk does.

mod assignments;
mod audit;
mod blank;
mod credentials;
mod dates;
mod dev;
mod document;
mod events;
mod exchange;
mod extract;
mod failing;
mod follow;
mod groups;
mod health;
mod identity;
mod jobs;
mod leases;
mod lent;
mod licenses;
mod limits;
mod listener;
mod mails;
mod metrics;
mod own_address;
mod permits;
mod pieces;
mod refusal;
mod registrations;
mod removal;
mod resources;
mod roles;
mod routes;
mod seats;
mod seldom;
mod sessions;
mod status;
mod stream;
mod terms;
mod timer;
mod tokens;
mod trace;
mod units;
mod users;
mod within;

#[cfg(test)]
mod house_tests;
#[cfg(test)]
mod listener_tests;
#[cfg(test)]
mod matrix_tests;
#[cfg(test)]
mod resource_tests;
#[cfg(test)]
mod turn_tests;

pub use dev::Dev;
pub use follow::Follow;
pub use identity::{Account, NameServiceDown, Names};
pub use limits::{BLOCKING, Limits};
pub use metrics::{Metrics, Timed};

use crate::mail::Outbox;
use crate::os::watch::Watch;
use axum::http::{Method, Uri};
use exchange::Desks;
use listener::Server;
use refusal::Refusal;
use resources::Shared;
use routes::{Routes, handlers};
use seatkeeper::wire::{Code, ConfigEntry};
use seatkeeper_core::desk::Desk;
use std::sync::Arc;
use tokio::net::UnixListener;
use tokio::sync::watch;

/// What the API is made of.
pub struct Parts {
    /// The desk that answers.
    pub desk: Arc<Desk>,
    /// Who a uid is.
    pub names: Arc<dyn Names>,
    /// The watch over holders' processes.
    pub watch: Arc<Watch>,
    /// What is counted.
    pub metrics: Arc<Metrics>,
    /// Where the keeper publishes what it recorded.
    pub follow: Follow,
    /// The outbox.
    pub mail: Outbox,
    /// Every setting, for `/v1/config`.
    pub config: Vec<ConfigEntry>,
    /// What a caller may cost.
    pub limits: Limits,
    /// What only `dev` serves.
    pub dev: Option<Arc<Dev>>,
}

/// Serves until `stop` becomes true, and then until the requests in flight are answered.
pub async fn serve(parts: Parts, listener: UnixListener, stop: watch::Receiver<bool>) {
    let (router, described) = routes(parts.dev.is_some()).split();
    let router = router
        .fallback(no_such_path)
        .method_not_allowed_fallback(no_such_method);
    let shared = Arc::new(Shared {
        desk: parts.desk,
        watch: parts.watch,
        metrics: parts.metrics.clone(),
        follow: parts.follow,
        mail: parts.mail,
        config: parts.config,
        stop: stop.clone(),
        jobs: jobs::Jobs::new(),
        document: document::Document::of(described),
        dev: parts.dev.clone(),
    });
    let desks = Desks {
        router: router.with_state(shared.clone()),
        leases: Some(shared),
        dev: parts.dev,
    };
    let server = Server::new(desks, parts.names, parts.limits);
    parts.metrics.count_connections(server.connections());
    server.serve(listener, stop).await;
}

fn routes(dev: bool) -> Routes {
    let mut routes = Routes::default()
        .with(handlers!(seats::explain))
        .with(handlers!(licenses::vendors, licenses::trust))
        .with(handlers!(removal::vendor))
        .with(handlers!(
            licenses::licenses,
            licenses::install,
            removal::all_licenses
        ))
        .with(handlers!(licenses::license, removal::license))
        .with(handlers!(licenses::request))
        .with(handlers!(mails::request))
        .with(handlers!(mails::test))
        .with(handlers!(mails::list))
        .with(handlers!(mails::one))
        .with(handlers!(licenses::site_key))
        .with(handlers!(licenses::export))
        .with(handlers!(licenses::delegation))
        .with(handlers!(assignments::list, assignments::assign))
        .with(handlers!(
            assignments::one,
            assignments::change,
            assignments::unassign
        ))
        .with(handlers!(units::list, units::make))
        .with(handlers!(units::one, units::change, units::remove))
        .with(handlers!(groups::list, groups::make))
        .with(handlers!(groups::one, groups::change, groups::remove))
        .with(handlers!(groups::members, groups::change_members))
        .with(handlers!(users::list, users::make))
        .with(handlers!(users::one, users::change, users::remove))
        .with(handlers!(roles::give))
        .with(handlers!(roles::list))
        .with(handlers!(roles::one, roles::define, roles::remove))
        .with(handlers!(registrations::list, registrations::make))
        .with(handlers!(registrations::one, registrations::refuse))
        .with(handlers!(registrations::approve))
        .with(handlers!(registrations::verify))
        .with(handlers!(registrations::let_in, registrations::drop_domain))
        .with(handlers!(terms::show, terms::publish))
        .with(handlers!(terms::accept))
        .with(handlers!(terms::acceptances))
        .merge(credentials::routes())
        .with(handlers!(seats::pools))
        .with(handlers!(seats::seats))
        .with(handlers!(seats::reclaim))
        .with(handlers!(events::events))
        .with(handlers!(audit::audit))
        .with(handlers!(audit::anchor))
        .with(handlers!(audit::pruned))
        .with(handlers!(status::status))
        .with(handlers!(dates::clock))
        .with(handlers!(dates::accept))
        .with(handlers!(status::config))
        .with(handlers!(status::metrics))
        .with(handlers!(health::healthz))
        .with(handlers!(health::readyz))
        .with(handlers!(health::problem))
        .with(handlers!(document::openapi));
    if dev {
        routes = routes
            .with(handlers!(dev::fault, dev::set_fault))
            .with(handlers!(dev::pass));
    }
    routes
}

async fn no_such_path(uri: Uri) -> Refusal {
    Refusal::new(Code::NotFound, format!("there is no {}", uri.path()))
}

async fn no_such_method(method: Method, uri: Uri) -> Refusal {
    wrong_method(&method, &uri)
}

fn wrong_method(method: &Method, uri: &Uri) -> Refusal {
    let detail = format!("{} does not take {method}", uri.path());
    Refusal::new(Code::MethodNotAllowed, detail)
}
