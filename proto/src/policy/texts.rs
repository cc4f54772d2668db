//! A text in several languages: a plain string, which is English, or a table by language.

use std::{borrow::Cow, collections::BTreeMap, fmt};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{
    Deserialize, Serialize, Serializer,
    de::{Deserializer, Error, MapAccess, Visitor, value::MapAccessDeserializer},
};

use super::Language;

/// `"TikTok must go"`, or `{ en = "TikTok must go", de = "TikTok muss weg" }`. English is always there.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Texts(BTreeMap<Language, String>);

impl Texts {
    /// The English text.
    pub fn english(&self) -> &str {
        self.best(&[])
    }

    /// The text in the first of `languages` that it is written in, else in English.
    pub fn best(&self, languages: &[Language]) -> &str {
        let wanted = languages.iter().chain([&Language::english()]).find_map(|language| self.0.get(language));
        wanted.map_or("", String::as_str)
    }

    /// Every text with its language.
    pub fn iter(&self) -> impl Iterator<Item = (&Language, &str)> {
        self.0.iter().map(|(language, text)| (language, text.as_str()))
    }

    /// Every text but the English one, with its language.
    pub fn translations(&self) -> impl Iterator<Item = (&Language, &str)> {
        self.iter().filter(|(language, _)| **language != Language::english())
    }
}

impl From<&str> for Texts {
    fn from(english: &str) -> Self {
        Self(BTreeMap::from([(Language::english(), english.to_owned())]))
    }
}

impl Serialize for Texts {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.0.len() == 1 { self.english().serialize(serializer) } else { self.0.serialize(serializer) }
    }
}

impl<'de> Deserialize<'de> for Texts {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Either)
    }
}

/// Reads a string or a table.
struct Either;

impl<'de> Visitor<'de> for Either {
    type Value = Texts;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text in quotes, or a table of texts by language")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Texts, E> {
        Ok(text.into())
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Texts, A::Error> {
        let texts: BTreeMap<Language, String> = Deserialize::deserialize(MapAccessDeserializer::new(map))?;
        if texts.contains_key(&Language::english()) {
            return Ok(Texts(texts));
        }
        Err(A::Error::custom("there is no `en`, which everyone gets whose own language is missing; add it"))
    }
}

impl JsonSchema for Texts {
    fn schema_name() -> Cow<'static, str> {
        "Texts".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let table = generator.subschema_for::<BTreeMap<Language, String>>();
        json_schema!({ "anyOf": [{ "type": "string" }, table] })
    }
}
