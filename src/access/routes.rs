//! The only door through which a handler is mounted. It takes handlers whose first argument says who may call them, asks
//! that gate before anything else is read, and writes the contract while it mounts.

use std::collections::BTreeMap;

use actix_web::http::Method;
use actix_web::web::{self, ServiceConfig};
use actix_web::{FromRequest, Handler, HttpRequest, Resource, Responder};
use utoipa::openapi::extensions::ExtensionsBuilder;
use utoipa::openapi::path::{HttpMethod, ParameterBuilder, ParameterIn, PathItem};
use utoipa::openapi::schema::{KnownFormat, ObjectBuilder, Schema, SchemaFormat, Type};
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{ComponentsBuilder, InfoBuilder, OpenApi, OpenApiBuilder, Paths, RefOr, Required};

use super::action::Action;
use super::link::{Link, Linked};
use super::permission::Permission;
use super::policy::{StepUp, row};
use super::proof::Authorized;
use super::public::{Open, Public};
use crate::http::Described;
use crate::http::Operation;
use crate::http::ProblemType;

/// Who may call a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Anybody; the name of the operation.
    Public(&'static str),
    /// Whoever has a signed link; the name of the operation.
    Linked(&'static str),
    /// Whoever holds a permission.
    Requires(Permission),
}
impl Access {
    /// The name of the operation.
    #[must_use]
    pub const fn operation(self) -> &'static str {
        match self {
            Self::Public(name) | Self::Linked(name) => name,
            Self::Requires(permission) => permission.as_str(),
        }
    }
}

impl<A: Action> Described for Authorized<A> {
    fn describe(operation: &mut Operation) {
        let (name, asked) = (A::PERMISSION.as_str(), row(A::PERMISSION));
        // Said in words: a second extension would stand in another order at every start.
        let step_up = match asked.step_up {
            StepUp::Never => None,
            StepUp::Always => Some("Asks for a fresh proof of identity (POST /api/v1/step-up, five minutes)."),
            StepUp::WhenSensitive => Some(
                "Asks for a fresh proof of identity (POST /api/v1/step-up, five minutes) when the message is urgent.",
            ),
        };
        operation.with(|o| {
            o.summary(Some(A::SUMMARY))
                .description(step_up)
                .operation_id(Some(name))
                .security(SecurityRequirement::new("bearer", Vec::<String>::new()))
                .extensions(Some(ExtensionsBuilder::new().add("x-permission", name).build()))
        });
        operation.problem(ProblemType::NotSignedIn, "no valid access token, or a fresh proof of identity is needed");
        operation.problem(ProblemType::Forbidden, "known but not allowed");
        operation.problem(ProblemType::NotFound, "absent, or out of sight");
        shared_problems(operation);
    }
}
impl<O: Open> Described for Public<O> {
    fn describe(operation: &mut Operation) {
        operation.with(|o| {
            o.summary(Some(O::SUMMARY))
                .operation_id(Some(O::NAME))
                .extensions(Some(ExtensionsBuilder::new().add("x-permission", "Public").build()))
        });
        shared_problems(operation);
    }
}
impl<L: Link> Described for Linked<L> {
    fn describe(operation: &mut Operation) {
        operation.with(|o| {
            o.summary(Some(L::SUMMARY))
                .operation_id(Some(L::NAME))
                .extensions(Some(ExtensionsBuilder::new().add("x-permission", "Linked").build()))
        });
        operation.problem(ProblemType::NotFound, "no such link");
        shared_problems(operation);
    }
}
fn shared_problems(operation: &mut Operation) {
    operation.problem(ProblemType::TooMany, "too many; Retry-After says when to go on");
    operation.problem(ProblemType::Internal, "our fault");
    operation.problem(ProblemType::Busy, "busy; Retry-After says when to try again");
}

mod sealed {
    pub trait Sealed {}
}
/// Argument lists that open with a statement of access.
///
/// ```compile_fail,E0277
/// use actix_web::{HttpResponse, web::{Path, ServiceConfig}};
/// use vigie::access::Routes;
/// async fn release(_id: Path<u64>) -> HttpResponse { HttpResponse::Ok().finish() }
/// fn routes(routes: &mut Routes<'_>) { routes.at("/x/{id}", |at| at.post(release)); }
/// ```
#[diagnostic::on_unimplemented(
    message = "this handler does not say who may call it",
    label = "the first argument must be `Authorized<SomeAction>`, `Linked<SomeLink>` or `Public<SomeOpen>`"
)]
pub trait Gated: sealed::Sealed {
    /// Who may call it.
    const ACCESS: Access;
    /// The gate, asked first.
    type Gate: FromRequest + 'static;
    /// Everything else, read only when the gate let the request in.
    type Rest: FromRequest + 'static;
    /// Puts the two together again.
    fn join(gate: Self::Gate, rest: Self::Rest) -> Self;
    /// Writes its part of the contract.
    fn describe(operation: &mut Operation);
}
macro_rules! gated { ($(($($t:ident),*)),+) => { $(
    gated!(@one Authorized<A>, A: Action, Access::Requires(A::PERMISSION), $($t),*);
    gated!(@one Public<O>, O: Open, Access::Public(O::NAME), $($t),*);
    gated!(@one Linked<L>, L: Link, Access::Linked(L::NAME), $($t),*);
)+ };
(@one $gate:ty, $g:ident : $bound:ident, $access:expr, $($t:ident),*) => {
    impl<$g: $bound, $($t: FromRequest + Described + 'static),*> sealed::Sealed for ($gate, $($t,)*) {}
    #[allow(non_snake_case, reason = "the names of the types serve as names of the values")]
    impl<$g: $bound, $($t: FromRequest + Described + 'static),*> Gated for ($gate, $($t,)*) {
        const ACCESS: Access = $access;
        type Gate = $gate;
        type Rest = ($($t,)*);
        fn join(gate: Self::Gate, ($($t,)*): Self::Rest) -> Self { (gate, $($t,)*) }
        fn describe(operation: &mut Operation) {
            <$gate as Described>::describe(operation);
            $($t::describe(operation);)*
        }
    }
} }
gated!((), (T1), (T1, T2), (T1, T2, T3));

/// One mounted route.
#[derive(Debug, Clone)]
pub struct Mounted {
    /// HTTP method.
    pub method: Method,
    /// Path pattern.
    pub path: &'static str,
    /// Who may call it.
    pub access: Access,
}
/// Everything that was mounted, and what it said of itself.
#[derive(Default)]
pub struct Contract {
    /// The table of routes.
    pub table: Vec<Mounted>,
    paths: BTreeMap<String, PathItem>,
    schemas: BTreeMap<String, RefOr<Schema>>,
    faults: Vec<String>,
}
impl std::fmt::Debug for Contract {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.table.fmt(f)
    }
}
impl Contract {
    /// The OpenAPI 3.1 document.
    ///
    /// # Errors
    /// Names what was mounted twice: a path, an operation, or two schemas of one name.
    pub fn openapi(self) -> Result<OpenApi, String> {
        let mut faults = self.faults;
        let mut names: Vec<_> = self.table.iter().map(|route| route.access.operation()).collect();
        names.sort_unstable();
        faults.extend(
            names
                .iter()
                .zip(names.iter().skip(1))
                .filter(|(a, b)| a == b)
                .map(|(a, _)| format!("operation {a} is mounted twice")),
        );
        if !faults.is_empty() {
            return Err(faults.join("; "));
        }
        let mut paths = Paths::new();
        paths.paths = self.paths.into_iter().collect();
        let mut components = ComponentsBuilder::new();
        for (name, schema) in self.schemas {
            components = components.schema(name, schema);
        }
        let components =
            components.security_scheme("bearer", SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer))).build();
        let description = include_str!("contract.md");
        let info =
            InfoBuilder::new().title("Vigie").version(env!("CARGO_PKG_VERSION")).description(Some(description)).build();
        Ok(OpenApiBuilder::new().info(info).paths(paths).components(Some(components)).build())
    }
}

/// The door.
pub struct Routes<'a> {
    config: &'a mut ServiceConfig,
    contract: Contract,
}
/// One path at the door.
pub struct At<'c> {
    path: &'static str,
    resource: Resource,
    contract: &'c mut Contract,
}
impl<'a> Routes<'a> {
    /// A door into an application.
    pub fn new(config: &'a mut ServiceConfig) -> Self {
        Self { config, contract: Contract::default() }
    }
    /// Mounts what can be done at a path.
    pub fn at(&mut self, path: &'static str, build: impl FnOnce(At<'_>) -> At<'_>) -> &mut Self {
        if self.contract.table.iter().any(|route| route.path == path) {
            self.contract.faults.push(format!("{path} is mounted twice"));
        }
        let resource = build(At { path, resource: web::resource(path), contract: &mut self.contract }).resource;
        self.config.service(resource);
        self
    }
    /// What was mounted.
    #[must_use]
    pub fn contract(self) -> Contract {
        self.contract
    }
}
macro_rules! verbs { ($($(#[$meta:meta])* $name:ident = $method:ident, $doc:ident;)+) => { impl At<'_> { $(
    $(#[$meta])*
    #[must_use]
    pub fn $name<F, Args>(self, handler: F) -> Self
    where
        F: Handler<Args>,
        Args: FromRequest + Gated + 'static,
        F::Output: Responder + Described + 'static,
    {
        self.on(Method::$method, HttpMethod::$doc, handler)
    }
)+ } } }
verbs! {
    /// Mounts a GET.
    get = GET, Get;
    /// Mounts a POST.
    post = POST, Post;
    /// Mounts a PUT.
    put = PUT, Put;
    /// Mounts a PATCH.
    patch = PATCH, Patch;
    /// Mounts a DELETE.
    delete = DELETE, Delete;
}
impl At<'_> {
    #[expect(clippy::disallowed_methods, reason = "the one place where handlers are mounted")]
    fn on<F, Args>(mut self, method: Method, doc: HttpMethod, handler: F) -> Self
    where
        F: Handler<Args>,
        Args: FromRequest + Gated + 'static,
        F::Output: Responder + Described + 'static,
    {
        let mut operation = Operation::default();
        Args::describe(&mut operation);
        F::Output::describe(&mut operation);
        if method == Method::POST && matches!(Args::ACCESS, Access::Requires(_)) {
            let schema = ObjectBuilder::new()
                .schema_type(Type::String)
                .min_length(Some(8))
                .max_length(Some(100))
                .pattern(Some("^[A-Za-z0-9_-]{8,100}$"));
            operation.header(
                "Idempotency-Key",
                "new for each intent; a repeat with the same key and body gets the first answer for seven days",
                schema.into(),
            );
            operation.problem(ProblemType::IdempotencyKeyMissing, "no Idempotency-Key, or the body cannot be read");
        }
        for name in self.path.split('{').skip(1).filter_map(|rest| rest.split('}').next()) {
            let text = ObjectBuilder::new().schema_type(Type::String);
            let schema = if name == "delivery" {
                ObjectBuilder::new().schema_type(Type::Integer)
            } else if matches!(name, "token" | "code" | "nis") {
                text
            } else {
                text.format(Some(SchemaFormat::KnownFormat(KnownFormat::Uuid)))
            };
            let parameter = ParameterBuilder::new()
                .name(name)
                .parameter_in(ParameterIn::Path)
                .required(Required::True)
                .schema(Some(schema))
                .build();
            operation.with(|o| o.parameter(parameter));
        }
        let (operation, schemas) = operation.finish();
        let item = PathItem::new(doc, operation);
        match self.contract.paths.get_mut(self.path) {
            Some(path) => path.merge_operations(item),
            None => {
                self.contract.paths.insert(self.path.to_owned(), item);
            }
        }
        for (name, schema) in schemas {
            let differs = self
                .contract
                .schemas
                .get(&name)
                .is_some_and(|known| serde_json::to_string(known).ok() != serde_json::to_string(&schema).ok());
            if differs {
                self.contract.faults.push(format!("two schemas are called {name}"));
            }
            self.contract.schemas.insert(name, schema);
        }
        self.contract.table.push(Mounted { method: method.clone(), path: self.path, access: Args::ACCESS });
        let gate_first = move |request: HttpRequest, body: web::Payload| {
            let handler = handler.clone();
            async move {
                let mut body = body.into_inner();
                let gate =
                    Args::Gate::from_request(&request, &mut actix_web::dev::Payload::None).await.map_err(Into::into)?;
                let rest = Args::Rest::from_request(&request, &mut body).await.map_err(Into::into)?;
                Ok::<_, actix_web::Error>(handler.call(Args::join(gate, rest)).await)
            }
        };
        self.resource = self.resource.route(web::method(method).to(gate_first));
        self
    }
}
