//! The bundle: all TUF metadata and targets of a repository in one container, so that one round trip brings a device
//! up to date.
//!
//! It is a JSON object whose keys are TUF file names and whose values are the files' text:
//! `{"timestamp.json": "{\"signed\":…}", "policies/no-tiktok.toml": "id = …"}`. Nothing in the container is trusted:
//! what a file says counts only after its signature or digest was verified.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::report::Refusal;

/// The largest bundle that is read, in bytes. Stops a hostile server from filling a device's memory or disk.
pub const MAX_BUNDLE_BYTES: usize = 4 * 1024 * 1024;
/// The most files in a bundle. See [`MAX_BUNDLE_BYTES`].
pub const MAX_BUNDLE_FILES: usize = 2000;

/// TUF file name to text.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Bundle {
    /// The files.
    pub files: BTreeMap<String, String>,
}

impl Bundle {
    /// Opens the container; says nothing about what is in it.
    ///
    /// # Errors
    /// When it is over a limit or not a JSON object of texts.
    pub fn parse(bytes: &[u8]) -> Result<Self, Refusal> {
        if bytes.len() > MAX_BUNDLE_BYTES {
            return Err(Refusal::TooLarge(format!("{} bytes, the limit is {MAX_BUNDLE_BYTES}", bytes.len()).into()));
        }
        let bundle: Self = serde_json::from_slice(bytes).map_err(|e| Refusal::Unreadable(e.to_string().into()))?;
        if bundle.files.len() > MAX_BUNDLE_FILES {
            return Err(Refusal::TooLarge(
                format!("{} files, the limit is {MAX_BUNDLE_FILES}", bundle.files.len()).into(),
            ));
        }
        Ok(bundle)
    }

    /// The container's bytes. The same files give the same bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        serde_json::to_vec(self).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bundle_survives_the_trip() {
        let bundle = Bundle { files: BTreeMap::from([("1.root.json".into(), "{\"a\":\"\u{e9}\"}\n".into())]) };
        assert_eq!(Bundle::parse(&bundle.to_bytes()).unwrap(), bundle);
    }

    #[test]
    fn what_is_over_a_limit_or_no_container_is_refused() {
        assert!(matches!(Bundle::parse(&vec![b' '; MAX_BUNDLE_BYTES + 1]), Err(Refusal::TooLarge(_))));
        let files = (0..=MAX_BUNDLE_FILES).map(|n| (n.to_string(), String::new())).collect();
        assert!(matches!(Bundle::parse(&Bundle { files }.to_bytes()), Err(Refusal::TooLarge(_))));
        assert!(matches!(Bundle::parse(b"[1]"), Err(Refusal::Unreadable(_))));
        assert!(matches!(Bundle::parse(b"{\"a\":1}"), Err(Refusal::Unreadable(_))));
    }
}
