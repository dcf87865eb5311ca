//! How arguments and answers write their part of the contract while a handler is mounted.

use utoipa::ToSchema;
use utoipa::openapi::content::ContentBuilder;
use utoipa::openapi::path::{OperationBuilder, Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::request_body::RequestBodyBuilder;
use utoipa::openapi::response::ResponseBuilder;
use utoipa::openapi::schema::Schema;
use utoipa::openapi::{Ref, RefOr, Required};

use super::problem::{Problem, ProblemType};

/// What one operation says of itself.
#[derive(Default)]
pub struct Operation {
    operation: Option<utoipa::openapi::path::Operation>,
    schemas: Vec<(String, RefOr<Schema>)>,
}
impl Operation {
    /// Changes what has been said so far.
    pub fn with(&mut self, change: impl FnOnce(OperationBuilder) -> OperationBuilder) {
        let builder = self.operation.take().map_or_else(OperationBuilder::new, OperationBuilder::from);
        self.operation = Some(change(builder).build());
    }
    /// Names a schema and remembers it with those it mentions.
    pub fn schema<T: ToSchema>(&mut self) -> RefOr<Schema> {
        self.schemas.push((T::name().into_owned(), T::schema()));
        T::schemas(&mut self.schemas);
        RefOr::Ref(Ref::from_schema_name(T::name()))
    }
    /// Adds an answer.
    pub fn answer(&mut self, status: u16, description: &str, content: Option<(&str, RefOr<Schema>)>) {
        let mut response = ResponseBuilder::new().description(description);
        if let Some((media, schema)) = content {
            response = response.content(media, ContentBuilder::new().schema(Some(schema)).build());
        }
        self.with(|o| o.response(status.to_string(), response.build()));
    }
    /// Adds a problem as an answer; the first words for a status stay.
    pub fn problem(&mut self, kind: ProblemType, when: &str) {
        let known =
            self.operation.as_ref().is_some_and(|o| o.responses.responses.contains_key(&kind.status().to_string()));
        if !known {
            let schema = self.schema::<Problem>();
            self.answer(kind.status(), when, Some(("application/problem+json", schema)));
        }
    }
    /// Adds the body of the request.
    pub fn body<T: ToSchema>(&mut self, media: &str) {
        let schema = self.schema::<T>();
        let body = RequestBodyBuilder::new()
            .content(media, ContentBuilder::new().schema(Some(schema)).build())
            .required(Some(Required::True))
            .build();
        self.with(|o| o.request_body(Some(body)));
    }
    /// Adds parameters.
    pub fn parameters(&mut self, parameters: Vec<Parameter>) {
        self.with(|o| o.parameters(Some(parameters)));
    }
    /// Adds a header parameter.
    pub fn header(&mut self, name: &str, description: &str, schema: RefOr<Schema>) {
        let parameter = ParameterBuilder::new()
            .name(name)
            .parameter_in(ParameterIn::Header)
            .required(Required::True)
            .description(Some(description))
            .schema(Some(schema));
        self.with(|o| o.parameter(parameter.build()));
    }
    /// The finished operation and the schemas it mentions.
    #[must_use]
    pub fn finish(self) -> (utoipa::openapi::path::Operation, Vec<(String, RefOr<Schema>)>) {
        (self.operation.unwrap_or_default(), self.schemas)
    }
}

/// An argument or an answer that can describe itself.
pub trait Described {
    /// Writes its part.
    fn describe(operation: &mut Operation);
}
impl<T: Described, E: super::Refusals> Described for Result<T, E> {
    fn describe(operation: &mut Operation) {
        T::describe(operation);
        for (kind, when) in E::ANSWERS {
            operation.problem(*kind, when);
        }
    }
}
