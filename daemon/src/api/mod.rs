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
use axum::Router;
use axum::http::{Method, Uri};
use exchange::Desks;
use listener::Server;
use refusal::Refusal;
use resources::{Resources, Shared};
use seatkeeper::wire::{Code, ConfigEntry};
use seatkeeper_core::desk::Desk;
use std::sync::Arc;
use tokio::net::UnixListener;
use tokio::sync::watch;
use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

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
    let (routes, document) = routes(parts.dev.is_some());
    let shared = Arc::new(Shared {
        desk: parts.desk,
        watch: parts.watch,
        metrics: parts.metrics.clone(),
        follow: parts.follow,
        mail: parts.mail,
        config: parts.config,
        stop: stop.clone(),
        jobs: jobs::Jobs::new(),
        document: document::Document::new(&document),
        dev: parts.dev.clone(),
    });
    let desks = Desks {
        router: routes.with_state(shared.clone()),
        leases: Some(shared),
        dev: parts.dev,
    };
    let server = Server::new(desks, parts.names, parts.limits);
    parts.metrics.count_connections(server.connections());
    server.serve(listener, stop).await;
}

fn routes(dev: bool) -> (Router<Resources>, utoipa::openapi::OpenApi) {
    let mut router = OpenApiRouter::with_openapi(document::Head::openapi())
        .routes(routes!(seats::explain))
        .routes(routes!(licenses::vendors, licenses::trust))
        .routes(routes!(removal::vendor))
        .routes(routes!(
            licenses::licenses,
            licenses::install,
            removal::all_licenses
        ))
        .routes(routes!(licenses::license, removal::license))
        .routes(routes!(licenses::request))
        .routes(routes!(mails::request))
        .routes(routes!(mails::test))
        .routes(routes!(mails::list))
        .routes(routes!(mails::one))
        .routes(routes!(licenses::site_key))
        .routes(routes!(licenses::export))
        .routes(routes!(licenses::delegation))
        .routes(routes!(assignments::list, assignments::assign))
        .routes(routes!(
            assignments::one,
            assignments::change,
            assignments::unassign
        ))
        .routes(routes!(units::list, units::make))
        .routes(routes!(units::one, units::change, units::remove))
        .routes(routes!(groups::list, groups::make))
        .routes(routes!(groups::one, groups::change, groups::remove))
        .routes(routes!(groups::members, groups::change_members))
        .routes(routes!(users::list, users::make))
        .routes(routes!(users::one, users::change, users::remove))
        .routes(routes!(roles::give))
        .routes(routes!(roles::list))
        .routes(routes!(roles::one, roles::define, roles::remove))
        .routes(routes!(registrations::list, registrations::make))
        .routes(routes!(registrations::one, registrations::refuse))
        .routes(routes!(registrations::approve))
        .routes(routes!(registrations::verify))
        .routes(routes!(registrations::let_in, registrations::drop_domain))
        .routes(routes!(terms::show, terms::publish))
        .routes(routes!(terms::accept))
        .routes(routes!(terms::acceptances))
        .merge(credentials::routes())
        .routes(routes!(seats::pools))
        .routes(routes!(seats::seats))
        .routes(routes!(seats::reclaim))
        .routes(routes!(events::events))
        .routes(routes!(audit::audit))
        .routes(routes!(audit::anchor))
        .routes(routes!(audit::pruned))
        .routes(routes!(status::status))
        .routes(routes!(dates::clock))
        .routes(routes!(dates::accept))
        .routes(routes!(status::config))
        .routes(routes!(status::metrics))
        .routes(routes!(health::healthz))
        .routes(routes!(health::readyz))
        .routes(routes!(health::problem))
        .routes(routes!(document::openapi));
    if dev {
        router = router
            .routes(routes!(dev::fault, dev::set_fault))
            .routes(routes!(dev::pass));
    }
    let (router, document) = router.split_for_parts();
    let router = router
        .fallback(no_such_path)
        .method_not_allowed_fallback(no_such_method);
    (router, document)
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
