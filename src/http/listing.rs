//! Lists: one page as JSON with the key of the next, or the same rows as CSV for a spreadsheet.

use std::borrow::Cow;
use std::collections::BTreeSet;

use actix_web::body::BoxBody;
use actix_web::http::header::{ACCEPT, CONTENT_DISPOSITION, CONTENT_TYPE, LINK};
use actix_web::{HttpRequest, HttpResponse, Responder};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use utoipa::openapi::schema::{ArrayBuilder, ObjectBuilder, Schema, Type};
use utoipa::openapi::{Ref, RefOr};

use super::describe::{Described, Operation};

/// The most a page can hold.
pub const PAGE_MAX: i64 = 100;
/// The page a client gets that does not say.
const PAGE_DEFAULT: i64 = 25;

/// How many rows to fetch for a page: one more than asked for, to know whether there is a next.
#[must_use]
pub fn page_limit(limit: Option<u8>) -> i64 {
    limit.map_or(PAGE_DEFAULT, i64::from).clamp(1, PAGE_MAX)
}

/// One page of a list.
#[derive(Debug, Serialize)]
pub struct Listing<T> {
    /// The rows, in the order of their making unless the operation says otherwise.
    pub items: Vec<T>,
    /// Give this as `after` for the next page; absent on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}
impl<T> Listing<T> {
    /// Cuts what was fetched (`limit + 1` rows) to a page.
    #[must_use]
    pub fn cut(mut rows: Vec<T>, limit: i64, key: impl Fn(&T) -> String) -> Self {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let more = rows.len() > limit;
        rows.truncate(limit);
        let next = if more { rows.last().map(key) } else { None };
        Self { items: rows, next }
    }
    /// The same page of other rows.
    #[must_use]
    pub fn map<U>(self, change: impl FnMut(T) -> U) -> Listing<U> {
        Listing { items: self.items.into_iter().map(change).collect(), next: self.next }
    }
}

// By hand: the macro calls the pages of all lists by one name.
impl<T: ToSchema> utoipa::PartialSchema for Listing<T> {
    fn schema() -> RefOr<Schema> {
        let items = ArrayBuilder::new().items(Ref::from_schema_name(T::name()));
        let next = ObjectBuilder::new()
            .schema_type(Type::String)
            .description(Some("Give this as `after` for the next page; absent on the last."));
        ObjectBuilder::new().property("items", items).required("items").property("next", next).into()
    }
}
impl<T: ToSchema> ToSchema for Listing<T> {
    fn name() -> Cow<'static, str> {
        format!("ListingOf{}", T::name()).into()
    }
    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        schemas.push((T::name().into_owned(), T::schema()));
        T::schemas(schemas);
    }
}

fn flatten(prefix: &str, value: &Value, row: &mut Vec<(String, String)>) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                let name = if prefix.is_empty() { name.clone() } else { format!("{prefix}.{name}") };
                flatten(&name, value, row);
            }
        }
        Value::Array(items) => {
            let words: Vec<String> =
                items.iter().map(|item| item.as_str().map_or_else(|| item.to_string(), str::to_owned)).collect();
            row.push((prefix.to_owned(), words.join(" ")));
        }
        Value::Null => row.push((prefix.to_owned(), String::new())),
        Value::String(text) => row.push((prefix.to_owned(), text.clone())),
        other => row.push((prefix.to_owned(), other.to_string())),
    }
}
/// A cell that a spreadsheet would run as a formula gets an apostrophe (ASVS 1.2.10).
fn harmless(cell: &str) -> String {
    if cell.starts_with(['=', '+', '-', '@', '\t', '\r', '＝']) { format!("'{cell}") } else { cell.to_owned() }
}
/// Semicolons and a byte order mark, as spreadsheets in Belgium expect.
fn as_csv<T: Serialize>(items: &[T]) -> Option<Vec<u8>> {
    let mut rows = Vec::new();
    let mut columns = BTreeSet::new();
    for item in items {
        let mut row = Vec::new();
        flatten("", &serde_json::to_value(item).ok()?, &mut row);
        columns.extend(row.iter().map(|(name, _)| name.clone()));
        rows.push(row);
    }
    let mut writer = csv::WriterBuilder::new().delimiter(b';').from_writer("\u{FEFF}".as_bytes().to_vec());
    writer.write_record(&columns).ok()?;
    for row in rows {
        let cell =
            |name: &String| row.iter().find(|(n, _)| n == name).map_or_else(String::new, |(_, cell)| harmless(cell));
        writer.write_record(columns.iter().map(cell)).ok()?;
    }
    writer.into_inner().ok()
}

impl<T: Serialize> Responder for Listing<T> {
    type Body = BoxBody;
    fn respond_to(self, request: &HttpRequest) -> HttpResponse {
        let mut response = HttpResponse::Ok();
        if let Some(next) = &self.next {
            let kept = request
                .query_string()
                .split('&')
                .filter(|pair| !pair.is_empty() && !pair.starts_with("after="))
                .collect::<Vec<_>>();
            let query =
                kept.into_iter().map(str::to_owned).chain([format!("after={next}")]).collect::<Vec<_>>().join("&");
            response.insert_header((LINK, format!("<{}?{query}>; rel=\"next\"", request.path())));
        }
        let wants_csv = request
            .headers()
            .get(ACCEPT)
            .and_then(|value| value.to_str().ok())
            .is_some_and(|value| value.starts_with("text/csv"));
        match if wants_csv { as_csv(&self.items) } else { None } {
            Some(csv) => response
                .insert_header((CONTENT_TYPE, "text/csv; charset=utf-8"))
                .insert_header((CONTENT_DISPOSITION, "attachment; filename=\"export.csv\""))
                .body(csv),
            None => response.json(self),
        }
    }
}
impl<T: ToSchema> Described for Listing<T> {
    fn describe(operation: &mut Operation) {
        let schema = operation.schema::<Self>();
        operation.answer(
            200,
            "one page; the same rows as text/csv when `Accept` asks for it",
            Some(("application/json", schema)),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::{Listing, as_csv};

    #[test]
    fn a_spreadsheet_gets_no_formula() {
        let csv =
            String::from_utf8(as_csv(&[serde_json::json!({"a": "=1+1", "b": {"c": ["x", "y"]}, "d": null})]).unwrap())
                .unwrap();
        assert_eq!(csv, "\u{FEFF}a;b.c;d\n'=1+1;x y;\n");
    }
    #[test]
    fn only_a_full_page_has_a_next() {
        assert_eq!(Listing::cut(vec![1, 2, 3], 2, ToString::to_string).next.as_deref(), Some("2"));
        assert_eq!(Listing::cut(vec![1, 2], 2, ToString::to_string).next, None);
    }
}
