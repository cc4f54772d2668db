//! Who somebody is on a device: a name that is never given again.

use std::{borrow::Cow, fmt, str::FromStr};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

/// A person on a device, by a name that the device drew at random when it first met them: `00c5f3a2917be604`.
///
/// Numbers and names of accounts are given again when an account goes; this is not. It says nothing about the person, and
/// is another one on each of their devices.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Person(u64);

impl Person {
    /// The first in order, and the last.
    pub(crate) const ENDS: [Self; 2] = [Self(u64::MIN), Self(u64::MAX)];

    /// The person of this name, of which 64 bits were drawn.
    pub const fn from_bits(bits: u64) -> Self {
        Self(bits)
    }
}

impl fmt::Display for Person {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl FromStr for Person {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let is_digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        let bits =
            if text.len() == 16 && text.bytes().all(is_digit) { u64::from_str_radix(text, 16).ok() } else { None };
        bits.map(Self).ok_or_else(|| format!("`{text}` is no person's name; one has 16 digits from 0 to f"))
    }
}

impl Serialize for Person {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Person {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

impl JsonSchema for Person {
    fn schema_name() -> Cow<'static, str> {
        "Person".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let description = "A person on a device, by a name that the device drew at random when it first met them.";
        json_schema!({ "type": "string", "pattern": "^[0-9a-f]{16}$", "description": description })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_comes_back_as_what_it_was_and_is_written_in_one_way() {
        for bits in [0, 1, 0x00c5_f3a2_917b_e604, u64::MAX] {
            let person = Person::from_bits(bits);
            assert_eq!(person.to_string().parse(), Ok(person));
        }
        for foreign in ["", "1000", "+0c5f3a2917be604", "00C5F3A2917BE604", "00c5f3a2917be6040"] {
            assert!(foreign.parse::<Person>().is_err(), "{foreign}");
        }
    }
}
