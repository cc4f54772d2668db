//! Why a bundle, or a document in it, counts for nothing on a device.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::MAX_DETAIL_CHARS;
use crate::foreign::{Foreign, ONE_LINE, line};

/// A document in the bundle in force that this agent can't read. It does nothing by it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Unread {
    /// The document, as the bundle names it: `policies/no-tiktok.toml`.
    pub document: String,
    /// Why not.
    pub why: Misread,
}

impl Unread {
    /// The same as it is reported.
    #[must_use]
    pub fn told(mut self) -> Self {
        self.document = told(&self.document);
        if let Misread::Text(text) = &mut self.why {
            *text = told(text);
        }
        self
    }

    /// The document, and what was read in it, with their names in a report.
    pub(super) fn texts(&self) -> [(&'static str, &str); 2] {
        let text = match &self.why {
            Misread::Text(text) => text.as_str(),
            Misread::Format(_) | Misread::Folder => "",
        };
        [("unread.document", self.document.as_str()), ("unread.why", text)]
    }
}

/// Why an agent can't read a document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, thiserror::Error)]
#[serde(rename_all = "snake_case", tag = "kind", content = "detail")]
pub enum Misread {
    /// It has a newer format than the agent knows.
    #[error("its format {0} is newer than this agent")]
    Format(u32),
    /// It does not parse; the beginning of why.
    #[error("it does not parse: {0}")]
    Text(String),
    /// The agent does not know what documents of its folder are for.
    #[error("its folder is newer than this agent")]
    Folder,
}

/// Why a bundle is not in force. The former one stays.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, thiserror::Error)]
#[serde(rename_all = "snake_case", tag = "kind", content = "detail")]
pub enum Refusal {
    /// It is larger than a device reads.
    #[error("it is over the size limit: {}", .0.line())]
    TooLarge(#[schemars(length(max = MAX_DETAIL_CHARS), regex(pattern = ONE_LINE))] Foreign),
    /// It is not a container of signed metadata.
    #[error("it can't be read: {}", .0.line())]
    Unreadable(#[schemars(length(max = MAX_DETAIL_CHARS), regex(pattern = ONE_LINE))] Foreign),
    /// A signature is missing, wrong, or by a key that isn't trusted; or content differs from what was signed.
    #[error("its signatures do not hold: {}", .0.line())]
    NotSigned(#[schemars(length(max = MAX_DETAIL_CHARS), regex(pattern = ONE_LINE))] Foreign),
    /// It is older than the one in force.
    #[error("it is older than the one in force: {}", .0.line())]
    Older(#[schemars(length(max = MAX_DETAIL_CHARS), regex(pattern = ONE_LINE))] Foreign),
    /// Its metadata has expired.
    #[error("it has expired: {}", .0.line())]
    Expired(#[schemars(length(max = MAX_DETAIL_CHARS), regex(pattern = ONE_LINE))] Foreign),
}

impl Refusal {
    /// What exactly was wrong, which may quote what was refused.
    pub fn detail(&self) -> &Foreign {
        let (Self::TooLarge(detail)
        | Self::Unreadable(detail)
        | Self::NotSigned(detail)
        | Self::Older(detail)
        | Self::Expired(detail)) = self;
        detail
    }

    /// The refusal as it is reported: its detail on one line, written out where it can't be seen, and not longer than
    /// [`MAX_DETAIL_CHARS`].
    #[must_use]
    pub fn told(mut self) -> Self {
        let (Self::TooLarge(detail)
        | Self::Unreadable(detail)
        | Self::NotSigned(detail)
        | Self::Older(detail)
        | Self::Expired(detail)) = &mut self;
        *detail = told(detail.as_data()).into();
        self
    }
}

/// A text as it is reported: on one line, written out where it can't be seen, and not longer than [`MAX_DETAIL_CHARS`].
fn told(text: &str) -> String {
    line(text).chars().take(MAX_DETAIL_CHARS).collect()
}
