//! By whom an Android app is signed.

use std::{borrow::Cow, fmt, str::FromStr};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

/// SHA-256 of an app's signing certificate: 64 small hexadecimal digits. Colons between bytes and capital letters, as
/// `apksigner` and app stores print them, are read.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct Certificate(String);

impl Certificate {
    /// The digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Certificate {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let digits: String = text.chars().filter(|c| *c != ':').collect::<String>().to_ascii_lowercase();
        let bytes: Vec<&str> = text.split(':').collect();
        let evenly = bytes.len() == 1 || bytes.iter().all(|byte| byte.len() == 2);
        if digits.len() == 64 && digits.bytes().all(|digit| digit.is_ascii_hexdigit()) && evenly {
            return Ok(Self(digits));
        }
        Err(format!("`{text}`: write the SHA-256 of the signing certificate, 64 hexadecimal digits"))
    }
}

impl fmt::Display for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Certificate {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Cow::<'de, str>::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for Certificate {
    fn schema_name() -> Cow<'static, str> {
        "Certificate".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "pattern": "^([0-9A-Fa-f]{64}|[0-9A-Fa-f]{2}(:[0-9A-Fa-f]{2}){31})$" })
    }
}
