//! The OpenAPI document of the interface, made from the table of routes and the types that cross it.

use std::collections::BTreeMap;

use forewarn_proto::api::Role;
use schemars::{Schema, SchemaGenerator, generate::SchemaSettings, transform::RecursiveTransform};
use serde_json::{Map, Value, json};

use super::{
    guard::Who,
    routes::{Answer, Route, SchemaOf, Takes, routes},
};

/// The document, as it is checked in: docs/openapi.json.
pub fn openapi() -> String {
    let mut generator = generator();
    let mut paths = BTreeMap::<&str, Map<String, Value>>::new();
    for route in routes() {
        let method = route.method.as_str().to_ascii_lowercase();
        paths.entry(route.path).or_default().insert(method, operation(&route, &mut generator));
    }
    let document = json!({
        "openapi": "3.1.1",
        "info": {
            "title": "Forewarn server",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "What devices, admins and the company's mail server ask the server. Whoever is refused reads why, \
                in a JSON text for people. TLS 1.3 alone.",
            "license": { "name": "MIT OR Apache-2.0", "identifier": "MIT OR Apache-2.0" },
        },
        "servers": [{ "url": "https://forewarn.corp.example:7440" }],
        "paths": paths,
        "components": { "securitySchemes": security_schemes(), "schemas": generator.take_definitions(true) },
    });
    let mut text = serde_json::to_string_pretty(&document).unwrap_or_default();
    text.push('\n');
    text
}

fn generator() -> SchemaGenerator {
    let settings = SchemaSettings::draft2020_12().with(|settings| {
        settings.definitions_path = "/components/schemas".into();
        settings.meta_schema = None;
    });
    let settings = settings.with_transform(RecursiveTransform(limit_integers));
    settings.with_transform(RecursiveTransform(unlink)).into_generator()
}

/// A format such as `uint64` is only a hint; the numbers that it stands for are said as well.
fn limit_integers(schema: &mut Schema) {
    let limits: Option<(Value, Value)> = match schema.get("format").and_then(Value::as_str) {
        Some("uint64" | "uint") => Some((0.into(), u64::MAX.into())),
        Some("uint32") => Some((0.into(), u32::MAX.into())),
        Some("int64") => Some((i64::MIN.into(), i64::MAX.into())),
        _ => None,
    };
    if let Some((least, most)) = limits {
        for (limit, value) in [("minimum", least), ("maximum", most)] {
            if schema.get(limit).is_none() {
                schema.insert(limit.to_owned(), value);
            }
        }
    }
}

/// What rustdoc would make a link of is a word here: [`Draft`].
fn unlink(schema: &mut Schema) {
    if let Some(Value::String(text)) = schema.get_mut("description") {
        *text = text.replace("[`", "`").replace("`]", "`");
    }
}

fn operation(route: &Route, generator: &mut SchemaGenerator) -> Value {
    let mut operation = json!({
        "operationId": id(route),
        "summary": route.summary,
        "security": security(route.who),
        "responses": responses(route, generator),
    });
    if let Some(note) = note(route.who) {
        operation["description"] = note.into();
    }
    let parameters = parameters(route, generator);
    if !parameters.is_empty() {
        operation["parameters"] = parameters.into();
    }
    if let Some(takes) = &route.takes {
        let content = json_of(takes.schema, generator);
        let limit = format!("At most {} bytes.", takes.limit);
        operation["requestBody"] = json!({ "required": true, "description": limit, "content": content });
    }
    operation
}

/// `post-drafts-publish` for `POST /v1/drafts/{number}/publish`.
fn id(route: &Route) -> String {
    let words = route.path.split('/').filter(|word| !word.is_empty() && *word != "v1" && !word.starts_with('{'));
    let method = route.method.as_str().to_ascii_lowercase();
    [method.as_str()].into_iter().chain(words).collect::<Vec<_>>().join("-")
}

fn json_of(schema: SchemaOf, generator: &mut SchemaGenerator) -> Value {
    json!({ "application/json": { "schema": inlined(schema, generator) } })
}

/// A schema outside the definitions, to which the generator's transforms were not applied yet.
fn inlined(schema: SchemaOf, generator: &mut SchemaGenerator) -> Schema {
    let mut schema = schema(generator);
    generator.transforms_mut().for_each(|transform| transform.transform(&mut schema));
    schema
}

fn parameters(route: &Route, generator: &mut SchemaGenerator) -> Vec<Value> {
    let mut parameters = Vec::new();
    let name = route.path.split_once('{').and_then(|(_, rest)| rest.split_once('}')).map(|(name, _)| name);
    if let Some((name, schema)) = name.zip(route.named) {
        let schema = inlined(schema, generator);
        parameters.push(json!({ "name": name, "in": "path", "required": true, "schema": schema }));
    }
    if let Some(query) = route.query {
        parameters.extend(query_parameters(query, generator));
    }
    parameters
}

/// One for each field of a struct.
fn query_parameters(query: SchemaOf, generator: &mut SchemaGenerator) -> Vec<Value> {
    let mut object = query(generator).to_value();
    // A definition of its own would be left unused in the document.
    if let Some(name) = object.get("$ref").and_then(Value::as_str).and_then(|name| name.rsplit('/').next()) {
        object = generator.definitions_mut().remove(name).unwrap_or_default();
    }
    let mut object = Schema::try_from(object).unwrap_or_default();
    generator.transforms_mut().for_each(|transform| transform.transform(&mut object));
    let required = object.get("required").cloned().unwrap_or_default();
    let fields = object.get("properties").and_then(Value::as_object).cloned().unwrap_or_default();
    let is_required = |name: &str| required.as_array().is_some_and(|all| all.iter().any(|one| one == name));
    let parameter = |(name, schema): (String, Value)| json!({ "name": name, "in": "query", "required": is_required(&name), "schema": schema });
    fields.into_iter().map(parameter).collect()
}

fn responses(route: &Route, generator: &mut SchemaGenerator) -> BTreeMap<String, Value> {
    let (status, answer) = match route.answer {
        Answer::Nothing => (204, json!({ "description": "Done." })),
        Answer::Json(schema) => (200, json!({ "description": "The answer.", "content": json_of(schema, generator) })),
        Answer::Elsewhere => (307, elsewhere()),
    };
    let refusal = |(status, why): (u16, String)| {
        let content = json!({ "application/json": { "schema": { "type": "string" } } });
        (status.to_string(), json!({ "description": sentence(&why), "content": content }))
    };
    refusals(route).into_iter().map(refusal).chain([(status.to_string(), answer)]).collect()
}

fn elsewhere() -> Value {
    let location = json!({ "required": true, "schema": { "type": "string", "format": "uri" } });
    json!({ "description": "There. A device's certificate is needed for it.", "headers": { "Location": location } })
}

fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| format!("{}{}.", first.to_uppercase(), letters.as_str()))
}

/// Every refusal of a route, and when each comes. Where a route says itself what a status means there, that counts.
fn refusals(route: &Route) -> BTreeMap<u16, String> {
    let mut all = BTreeMap::from([(500, "the server failed; its log says why".to_owned())]);
    let mut add = |status: u16, why: &str| all.insert(status, why.to_owned());
    match route.who {
        Who::Anyone => {}
        Who::Device => {
            add(401, "there is no device certificate");
            add(403, "the device is no longer enrolled");
        }
        // Every token is at least a viewer's.
        Who::Role(Role::Viewer) => drop(add(401, NOBODY)),
        Who::Role(_) | Who::Founder(_) => {
            add(401, NOBODY);
            add(403, "this token may do less");
        }
        Who::Admin => {
            add(401, NOBODY);
            add(403, "a token is not enough");
        }
        Who::MailServer => drop(add(401, "the mail server's key is missing or wrong")),
    }
    if route.named.is_some() || route.query.is_some() {
        add(400, "the address can't be read");
    }
    if let Some(Takes { limit, is_typed, .. }) = route.takes {
        add(400, "the body is not JSON");
        add(408, "the body did not come in time");
        add(413, &format!("the body has more than {limit} bytes"));
        if is_typed {
            add(415, "the body's media type is not application/json");
            add(422, "the body is JSON, but not what is asked for");
        }
    }
    all.extend(route.refusals.iter().map(|(status, why)| (*status, (*why).to_owned())));
    all
}

const NOBODY: &str = "the request carries neither the signature of an admin nor a good token";

/// Any one of these will do.
fn security(who: Who) -> Value {
    match who {
        Who::Anyone => json!([]),
        Who::Device => json!([{ "certificate": [] }]),
        Who::Role(role) => json!([{ "token": [word(role)] }, { "signature": [] }]),
        Who::Admin => json!([{ "signature": [] }]),
        Who::Founder(role) => json!([{ "token": [word(role)] }, { "signature": [] }, { "founding": [] }]),
        Who::MailServer => json!([{ "mailServer": [] }]),
    }
}

fn word(role: Role) -> Value {
    serde_json::to_value(role).unwrap_or_default()
}

fn note(who: Who) -> Option<String> {
    let role = match who {
        Who::Role(role) | Who::Founder(role) => word(role),
        Who::Anyone | Who::Device | Who::Admin | Who::MailServer => return None,
    };
    let role = role.as_str().unwrap_or_default().to_owned();
    Some(format!(
        "For admins, and tokens whose role is `{role}` or may do more: viewer, author, approver, in this order."
    ))
}

fn security_schemes() -> Value {
    let header =
        |name: &str, text: &str| json!({ "type": "apiKey", "in": "header", "name": name, "description": text });
    json!({
        "certificate": { "type": "mutualTLS", "description": "The certificate that the device got when it enrolled." },
        "token": {
            "type": "http",
            "scheme": "bearer",
            "description": "A token's secret: `forewarn-admin tokens make`.",
        },
        "signature": header(
            "Authorization",
            "An admin's signature on the method, the address, the time and the body, as `forewarn-admin` makes it.",
        ),
        "founding": header(
            "Authorization",
            "`Founding ` and the code that the server printed at its first start; until there are admins.",
        ),
        "mailServer": header("X-API-Key", "What `gate_key` in server.toml says."),
    })
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, path::Path};

    use super::*;

    /// `FOREWARN_RECORD=1` writes it, which `cargo xtask schema` does.
    #[test]
    fn the_document_in_docs_is_the_one_that_this_program_makes() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/openapi.json");
        if std::env::var_os("FOREWARN_RECORD").is_some() {
            fs_err::write(&path, openapi()).unwrap();
        }
        let checked_in = fs_err::read_to_string(&path).unwrap();
        assert_eq!(checked_in, openapi(), "docs/openapi.json is old; write it anew with `cargo xtask schema`");
    }

    #[test]
    fn every_reference_leads_somewhere_and_no_schema_is_left_over() {
        let document: Value = serde_json::from_str(&openapi()).unwrap();
        let text = document.to_string();
        let schemas = document["components"]["schemas"].as_object().unwrap();
        let defined: BTreeSet<&str> = schemas.keys().map(String::as_str).collect();
        let uses = text.split("\"#/components/schemas/").skip(1).map(|rest| rest.split('"').next().unwrap());
        assert_eq!(defined, uses.collect());
    }

    #[test]
    fn operations_have_names_of_their_own_and_every_name_in_an_address_has_a_schema() {
        let ids: BTreeSet<String> = routes().iter().map(id).collect();
        assert_eq!(ids.len(), routes().len(), "{ids:?}");
        for route in routes() {
            assert_eq!(route.path.matches('{').count(), usize::from(route.named.is_some()), "{}", route.path);
        }
    }
}
