//! Reads what can be read of a document that only undoes, and passes over the rest.

use std::str::FromStr;

use jiff::Timestamp;
use toml::{Table, Value};

use super::PolicyError;

/// The document as a table. Its size is bounded by the bundle that brought it.
pub(super) fn table(bytes: &[u8]) -> Result<Table, PolicyError> {
    let text = std::str::from_utf8(bytes).map_err(|_| PolicyError::NotText)?;
    text.parse().map_err(|error: toml::de::Error| PolicyError::Field(error.to_string().trim_end().to_owned()))
}

/// What can be read of an array of tables, and how many of its entries can't.
pub(super) fn entries<T>(table: &Table, field: &str, read: impl Fn(&Table) -> Option<T>) -> (Vec<T>, usize) {
    let all = match table.get(field) {
        None => return (Vec::new(), 0),
        Some(Value::Array(entries)) => entries,
        Some(_) => return (Vec::new(), 1),
    };
    let entries: Vec<T> = all.iter().filter_map(Value::as_table).filter_map(read).collect();
    let missed = all.len() - entries.len();
    (entries, missed)
}

/// A text.
pub(super) fn text<'t>(table: &'t Table, field: &str) -> Option<&'t str> {
    table.get(field)?.as_str()
}

/// A whole number that is not negative.
pub(super) fn whole(table: &Table, field: &str) -> Option<u64> {
    table.get(field)?.as_integer().and_then(|number| u64::try_from(number).ok())
}

/// A moment, as a text or as TOML writes it.
pub(super) fn moment(table: &Table, field: &str) -> Option<Timestamp> {
    let value = table.get(field)?;
    let written = value.as_datetime().map(ToString::to_string);
    written.as_deref().or(value.as_str())?.parse().ok()
}

/// A name.
pub(super) fn parsed<T: FromStr<Err = String>>(table: &Table, field: &str) -> Result<T, PolicyError> {
    let text = text(table, field).ok_or_else(|| missing(field))?;
    text.parse().map_err(|problem| PolicyError::Document { place: field.to_owned(), problem })
}

/// That a field without which nothing is said can't be read.
pub(super) fn missing(field: &str) -> PolicyError {
    PolicyError::Document { place: field.to_owned(), problem: "it is missing, or can't be read".to_owned() }
}
