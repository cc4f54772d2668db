//! Names that appear in policies and requests. Each is a type of its own that can't be made from a bad text.

use std::{borrow::Cow, fmt, str::FromStr};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

/// Declares a text type with a rule for its characters; the rule is told in the error and in the JSON Schema.
macro_rules! name {
    ($(#[$doc:meta])* $name:ident, $valid:path, $pattern:literal, $remedy:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = String;

            fn from_str(text: &str) -> Result<Self, String> {
                if $valid(text) { Ok(Self(text.to_owned())) } else { Err(format!("`{text}`: {}", $remedy)) }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                Cow::<'de, str>::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
            }
        }

        impl JsonSchema for $name {
            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({ "type": "string", "pattern": $pattern })
            }
        }
    };
}

name!(
    /// Names a policy through all its versions: `no-tiktok`. It is also a file's name, so its characters are few.
    PolicyId, is_id, "^[a-z0-9][a-z0-9-]{0,63}$",
    "write 1 to 64 small letters, digits and hyphens, starting with a letter or digit, such as no-tiktok"
);
name!(
    /// Names a rule within its policy: `tiktok`.
    RuleId, is_id, "^[a-z0-9][a-z0-9-]{0,63}$",
    "write 1 to 64 small letters, digits and hyphens, starting with a letter or digit, such as tiktok"
);
name!(
    /// Names a group of devices, which each was put into when it enrolled: `pilot`.
    Group, is_id, "^[a-z0-9][a-z0-9-]{0,63}$",
    "write 1 to 64 small letters, digits and hyphens, starting with a letter or digit, such as pilot"
);
name!(
    /// A mail domain in small letters: `corp.example`. It stands for that domain alone, not for those below it.
    Domain, is_domain, r"^[a-z0-9-]+(\.[a-z0-9-]+)+$",
    "write the part of the address after the @, in small letters, such as corp.example"
);
name!(
    /// A language by its BCP 47 tag's first subtag: `en`, `de`.
    Language, is_language, "^[a-z]{2,3}$",
    "write a language code of two or three small letters, such as en"
);
name!(
    /// What a device or a token is called: `device-0123456789ab`, `grafana`. It is a part of addresses, shown on terminals
    /// and kept in a database; these characters are themselves in all of them.
    Name, is_name, "^[A-Za-z0-9][A-Za-z0-9._@-]{0,63}$",
    "write 1 to 64 letters without accents, digits, dots, underscores, @ and hyphens, starting with a letter or digit, such as grafana"
);

impl Language {
    /// The fallback.
    pub fn english() -> Self {
        Self("en".to_owned())
    }
}

fn is_id(text: &str) -> bool {
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    (1..=64).contains(&text.len()) && text.chars().all(allowed) && !text.starts_with('-')
}

fn is_domain(text: &str) -> bool {
    let label = |l: &str| !l.is_empty() && l.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
    text.len() <= 253 && text.contains('.') && text.split('.').all(label)
}

fn is_name(text: &str) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "._@-".contains(c);
    (1..=64).contains(&text.len()) && text.chars().all(allowed) && text.starts_with(|c: char| c.is_ascii_alphanumeric())
}

fn is_language(text: &str) -> bool {
    (2..=3).contains(&text.len()) && text.chars().all(|c| c.is_ascii_lowercase())
}
