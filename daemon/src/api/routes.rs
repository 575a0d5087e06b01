//! Handlers as they are declared: the router from the start, and what the OpenAPI document says of them once somebody asks.
//! Most daemons are never asked, and putting the document together costs some megabytes that no allocator gives back.

use super::resources::Resources;
use axum::Router;
use axum::routing::MethodRouter;
use utoipa::__dev::{SchemaReferences, Tags};
use utoipa::openapi::OpenApi;
use utoipa_axum::PathItemExt;

/// Adds one handler to the document.
pub(super) type Described = fn(&mut OpenApi);

/// Routes, and how each of them is described.
#[derive(Default)]
pub(super) struct Routes {
    router: Router<Resources>,
    described: Vec<Described>,
}

/// The handlers of one path.
#[derive(Default)]
pub(super) struct Handlers {
    path: String,
    methods: MethodRouter<Resources>,
    described: Vec<Described>,
}

/// Handlers of one path, each as `room::name` and declared by `#[utoipa::path]`.
macro_rules! handlers {
    ($($room:ident :: $name:ident),+ $(,)?) => {{
        let mut handlers = $crate::api::routes::Handlers::default();
        $(pastey::paste! { handlers.add::<$room::[<__path_ $name>]>(|methods, method| methods.on(method, $room::$name)); })+
        handlers
    }};
}
pub(super) use handlers;

impl Routes {
    pub(super) fn with(mut self, handlers: Handlers) -> Self {
        self.router = self.router.route(&handlers.path, handlers.methods);
        self.described.extend(handlers.described);
        self
    }

    pub(super) fn merge(mut self, other: Routes) -> Self {
        self.router = self.router.merge(other.router);
        self.described.extend(other.described);
        self
    }

    /// The router, and how each handler is described.
    pub(super) fn split(self) -> (Router<Resources>, Vec<Described>) {
        (self.router, self.described)
    }
}

impl Handlers {
    /// Adds a handler under its methods; `P` is what `#[utoipa::path]` made of it.
    pub(super) fn add<P>(
        &mut self,
        on: impl Fn(MethodRouter<Resources>, axum::routing::MethodFilter) -> MethodRouter<Resources>,
    ) where
        P: utoipa::Path + SchemaReferences + for<'t> Tags<'t>,
    {
        let path = P::path();
        assert!(
            self.described.is_empty() || self.path == path,
            "handlers of one path: {} and {path}",
            self.path
        );
        self.path = path;
        for method in P::methods() {
            let methods = std::mem::take(&mut self.methods);
            self.methods = on(methods, method.to_method_filter());
        }
        self.described.push(describe::<P>);
    }
}

fn describe<P>(document: &mut OpenApi)
where
    P: utoipa::Path + SchemaReferences + for<'t> Tags<'t>,
{
    let mut operation = P::operation();
    let tags = P::tags();
    if !tags.is_empty() {
        let tags = tags.into_iter().map(ToOwned::to_owned);
        operation.tags.get_or_insert_default().extend(tags);
    }
    document
        .paths
        .add_path_operation(P::path(), P::methods(), operation);
    let mut schemas = Vec::new();
    P::schemas(&mut schemas);
    let components = document.components.get_or_insert_default();
    components.schemas.extend(schemas);
}
