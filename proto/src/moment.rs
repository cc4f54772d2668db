//! How the JSON Schemas say what the time library reads and writes.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

/// In the place of a moment: `2026-12-01T09:00:00Z`.
pub(crate) struct Moment;

/// In the place of a day: `2026-12-01`.
pub(crate) struct Day;

macro_rules! text {
    ($name:ident, $schema:tt) => {
        impl JsonSchema for $name {
            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }

            fn inline_schema() -> bool {
                true
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!($schema)
            }
        }
    };
}

text!(Moment, { "type": "string", "format": "date-time" });
text!(Day, { "type": "string", "format": "date", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$" });
