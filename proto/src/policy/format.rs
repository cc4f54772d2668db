//! The format of documents. Each says which one it has, so that an agent that is too old for one knows that, and does
//! nothing by it.

use serde::Deserialize;

use super::{MAX_POLICY_BYTES, PolicyError};

/// The newest format of documents that this version reads, and the one that it writes. A document without `format` has the
/// first.
pub const FORMAT: u32 = 1;

/// The first format.
pub(super) fn first() -> u32 {
    1
}

/// Fields that had another name before.
const RENAMED: [(&str, &str); 1] = [("seal", "lock")];

/// What can be read of a policy whatever its format.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Header {
    /// The document's format.
    #[serde(default = "first")]
    pub format: u32,
    /// The policy's version, where it has one.
    #[serde(default)]
    pub version: Option<u64>,
}

impl Header {
    /// Reads it from the bytes that were signed.
    ///
    /// # Errors
    /// When the text is not TOML, or says nothing that can be read.
    pub fn read(bytes: &[u8]) -> Result<Self, PolicyError> {
        toml::from_str(&text_of(bytes)?).map_err(|error| PolicyError::Field(error.to_string().trim_end().to_owned()))
    }
}

/// Reads a document of a format that is known here. Unknown fields are for the type to refuse.
pub(super) fn read_toml<T: for<'de> Deserialize<'de>>(bytes: &[u8]) -> Result<T, PolicyError> {
    if let Ok(Header { format, .. }) = Header::read(bytes)
        && !(first()..=FORMAT).contains(&format)
    {
        return Err(PolicyError::Format(format));
    }
    toml::from_str(&text_of(bytes)?).map_err(|error| PolicyError::Field(with_successor(error.to_string().trim_end())))
}

/// An editor of Windows ends lines with two characters, those of a message among them.
fn text_of(bytes: &[u8]) -> Result<String, PolicyError> {
    if bytes.len() > MAX_POLICY_BYTES {
        return Err(PolicyError::TooLarge(bytes.len()));
    }
    Ok(std::str::from_utf8(bytes).map_err(|_| PolicyError::NotText)?.replace("\r\n", "\n"))
}

fn with_successor(error: &str) -> String {
    let renamed = RENAMED.iter().find(|(old, _)| error.contains(&format!("unknown field `{old}`")));
    renamed.map_or_else(|| error.to_owned(), |(old, new)| format!("{error}\n`{old}` is now `{new}`"))
}
