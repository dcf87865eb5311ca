//! Reads the contract: its operations, a body that fits each, and every way in which one field of it can be wrong.

use serde_json::{Map, Value, json};
use vigie::access::Contract;
use vigie::app;

/// Stands where a wrong value was sent; no answer may repeat it.
pub const CANARY: &str = "kanarievogel7731";
pub const CANARY_NUMBER: i64 = 918_273_645;
/// The field that no object has; it comes last in every body.
pub const UNKNOWN: &str = "zzz_kanarie_veld";

/// One operation of the contract.
#[derive(Debug, Clone)]
pub struct Operation {
    pub method: String,
    pub path: String,
    pub name: String,
    /// Media type and schema of the body.
    pub body: Option<(String, Value)>,
    pub query: Vec<Parameter>,
}
/// A parameter after the `?`.
#[derive(Debug, Clone)]
pub struct Parameter {
    pub name: String,
    pub required: bool,
    pub schema: Value,
}
/// A request that must be refused.
#[derive(Debug, Clone)]
pub struct Fault {
    pub what: &'static str,
    pub body: Value,
    /// Where the answer must point.
    pub pointer: String,
    /// Below this the body is read by a reader of its own (GeoJSON): a pointer anywhere in it will do.
    pub below: Option<String>,
}

pub struct Book {
    document: Value,
}
impl Book {
    /// The contract of this binary.
    pub fn open() -> Self {
        let document = app::contract().and_then(Contract::openapi).unwrap();
        Self { document: serde_json::to_value(document).unwrap() }
    }
    pub fn operations(&self) -> Vec<Operation> {
        let paths = self.document["paths"].as_object().unwrap();
        let mut operations = Vec::new();
        for (path, item) in paths {
            for (method, operation) in item.as_object().unwrap() {
                let body = operation["requestBody"]["content"].as_object().map(|content| {
                    let (media, described) = content.iter().next().unwrap();
                    (media.clone(), described["schema"].clone())
                });
                let query = operation["parameters"].as_array().into_iter().flatten();
                let query = query.filter(|parameter| parameter["in"] == "query").map(|parameter| Parameter {
                    name: parameter["name"].as_str().unwrap().to_owned(),
                    required: parameter["required"] == true,
                    schema: self.resolve(&parameter["schema"]),
                });
                operations.push(Operation {
                    method: method.to_uppercase(),
                    path: path.clone(),
                    name: operation["operationId"].as_str().unwrap().to_owned(),
                    body,
                    query: query.collect(),
                });
            }
        }
        operations
    }
    /// The schema itself: behind references, without the wrappers that hold a description, and without `null`.
    pub fn resolve(&self, schema: &Value) -> Value {
        if let Some(reference) = schema["$ref"].as_str() {
            let found = self.document.pointer(reference.trim_start_matches('#'));
            return self.resolve(found.unwrap_or_else(|| panic!("no {reference} in the contract")));
        }
        if let Some(parts) = schema["allOf"].as_array() {
            return self.resolve(&parts[0]);
        }
        if let Some(choices) = schema["oneOf"].as_array() {
            let real: Vec<_> = choices.iter().filter(|choice| choice["type"] != "null").collect();
            assert_eq!(real.len(), 1, "a body with a choice of shapes: teach this test about {schema}");
            return self.resolve(real[0]);
        }
        let mut schema = schema.clone();
        if let Some(types) = schema["type"].as_array() {
            schema["type"] = types.iter().find(|kind| **kind != "null").unwrap().clone();
        }
        schema
    }
    /// A value that fits.
    pub fn sample(&self, schema: &Value, at: &str) -> Value {
        let schema = self.resolve(schema);
        if let Some(choices) = schema["enum"].as_array() {
            return choices[0].clone();
        }
        match schema["type"].as_str() {
            Some("string") => json!(text(&schema, at)),
            Some("integer") => json!(schema["minimum"].as_i64().unwrap_or(1).max(1)),
            Some("number") => json!(4.5),
            Some("boolean") => json!(true),
            Some("array") => {
                let least = usize::try_from(schema["minItems"].as_u64().unwrap_or(0)).unwrap().max(1);
                Value::from(vec![self.sample(&schema["items"], &format!("{at}/0")); least])
            }
            Some("object") => {
                let empty = Map::new();
                let properties = schema["properties"].as_object().unwrap_or(&empty);
                let filled =
                    properties.iter().map(|(name, inner)| (name.clone(), self.sample(inner, &format!("{at}/{name}"))));
                Value::Object(filled.collect())
            }
            _ => panic!("{at}: teach this test about {schema}"),
        }
    }
    /// Every way in which one field of the body can be wrong.
    pub fn faults(&self, schema: &Value) -> Vec<Fault> {
        let whole = self.sample(schema, "");
        let mut faults = Vec::new();
        self.collect(&whole, schema, "", None, &mut faults);
        faults
    }
    fn collect(&self, whole: &Value, schema: &Value, at: &str, below: Option<&str>, faults: &mut Vec<Fault>) {
        let schema = self.resolve(schema);
        let mut wrong = |what, value: Value| {
            let mut body = whole.clone();
            *body.pointer_mut(at).unwrap() = value;
            faults.push(Fault { what, body, pointer: at.to_owned(), below: below.map(str::to_owned) });
        };
        for (what, value) in wrong_values(&schema) {
            wrong(what, value);
        }
        match schema["type"].as_str() {
            Some("array") => {
                if let Some(most) = schema["maxItems"].as_u64() {
                    let items = self.sample(&schema["items"], &format!("{at}/0"));
                    wrong("too many", Value::from(vec![items; usize::try_from(most).unwrap() + 1]));
                }
                if schema["minItems"].as_u64().is_some_and(|least| least > 0) {
                    wrong("too few", json!([]));
                }
                self.collect(whole, &schema["items"], &format!("{at}/0"), below, faults);
            }
            Some("object") => {
                let closed = schema["additionalProperties"] == false;
                assert!(
                    closed || below.is_some() || is_geometry(&schema),
                    "{at}: an object open to anything: {schema}"
                );
                let below = below.or_else(|| is_geometry(&schema).then_some(at));
                if closed {
                    let mut body = whole.clone();
                    body.pointer_mut(at).unwrap()[UNKNOWN] = json!(CANARY);
                    let pointer = format!("{at}/{UNKNOWN}");
                    faults.push(Fault { what: "unknown", body, pointer, below: below.map(str::to_owned) });
                }
                for name in schema["required"].as_array().into_iter().flatten() {
                    let name = name.as_str().unwrap();
                    let mut body = whole.clone();
                    body.pointer_mut(at).unwrap().as_object_mut().unwrap().remove(name).unwrap();
                    let pointer = format!("{at}/{name}");
                    faults.push(Fault { what: "missing", body, pointer, below: below.map(str::to_owned) });
                }
                let names: Vec<_> = schema["required"].as_array().into_iter().flatten().collect();
                if names.len() == schema["properties"].as_object().map_or(0, Map::len) {
                    // As a list of its fields, in the order in which they are declared.
                    let object = whole.pointer(at).unwrap();
                    let list = names.iter().map(|name| object[name.as_str().unwrap()].clone()).collect();
                    let mut body = whole.clone();
                    *body.pointer_mut(at).unwrap() = Value::Array(list);
                    let below = below.map(str::to_owned);
                    faults.push(Fault { what: "as a list", body, pointer: at.to_owned(), below });
                }
                for (name, inner) in schema["properties"].as_object().into_iter().flatten() {
                    self.collect(whole, inner, &format!("{at}/{name}"), below, faults);
                }
            }
            _ => {}
        }
    }
}
fn is_geometry(schema: &Value) -> bool {
    schema["properties"]["coordinates"].is_object()
}
/// Values of the wrong type, and of the right one outside its limits.
pub fn wrong_values(schema: &Value) -> Vec<(&'static str, Value)> {
    let mut wrong = Vec::new();
    match schema["type"].as_str() {
        Some("string") => {
            wrong.push(("wrong type", json!(CANARY_NUMBER)));
            wrong.push(("wrong type", json!({ CANARY: CANARY_NUMBER })));
            if let Some(most) = schema["maxLength"].as_u64() {
                let most = usize::try_from(most).unwrap();
                wrong.push(("too long", json!(CANARY.repeat(most / CANARY.len() + 1)[..].get(..=most).unwrap())));
            }
            if let Some(least) = schema["minLength"].as_u64().filter(|least| *least > 0) {
                wrong.push(("too short", json!("q".repeat(usize::try_from(least).unwrap() - 1))));
            }
            let narrow = ["enum", "format", "pattern"].iter().any(|word| !schema[*word].is_null());
            if narrow && schema["format"] != "password" {
                wrong.push(("not one of them", json!(CANARY)));
            }
        }
        Some("integer" | "number") => {
            wrong.push(("wrong type", json!(CANARY)));
            if let Some(most) = schema["maximum"].as_i64() {
                wrong.push(("too large", json!(most + 1)));
            }
            if let Some(least) = schema["minimum"].as_i64() {
                wrong.push(("too small", json!(least - 1)));
            }
            if schema["type"] == "integer" {
                wrong.push(("no such number", json!(u64::MAX)));
                wrong.push(("a fraction", json!(918.273)));
            }
        }
        Some("boolean") => wrong.push(("wrong type", json!(CANARY))),
        Some("array" | "object") => {
            wrong.push(("wrong type", json!(CANARY)));
            wrong.push(("wrong type", json!(CANARY_NUMBER)));
        }
        _ => panic!("teach this test about {schema}"),
    }
    wrong
}
fn text(schema: &Value, at: &str) -> String {
    let name = at.trim_end_matches("/0").rsplit('/').next().unwrap_or_default();
    match (schema["format"].as_str(), schema["pattern"].as_str()) {
        (Some("uuid"), _) => uuid::Uuid::from_bytes(vigie::storage::random_bytes()).to_string(),
        (Some("date-time"), _) if name == "until" => "2027-03-02T09:00:00Z".to_owned(),
        (Some("date-time"), _) if name == "valid_until" => "2027-03-02T09:00:00Z".to_owned(),
        (Some("date-time"), _) => "2026-02-27T09:00:00Z".to_owned(),
        (Some("date"), _) => "2026-02-27".to_owned(),
        (Some("email"), _) => "somebody@desk.example".to_owned(),
        (Some("password"), _) => super::stage::PASSWORD.to_owned(),
        (_, Some("^[0-9]{4}$")) => "4711".to_owned(),
        (_, Some("^(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$")) => {
            if name == "from" { "08:00" } else { "17:00" }.to_owned()
        }
        (Some(format), _) => panic!("{at}: teach this test about the format {format}"),
        (_, Some(pattern)) => panic!("{at}: teach this test about the pattern {pattern}"),
        _ if schema["description"].as_str().is_some_and(|said| said.starts_with("E.164")) => "+32470123456".to_owned(),
        _ if schema["minLength"] == 64 => "a".repeat(64),
        _ if matches!(name, "municipalities" | "municipality") => super::stage::HERE.to_owned(),
        _ => "woord".to_owned(),
    }
}
