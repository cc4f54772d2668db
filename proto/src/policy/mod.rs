//! The policy: rules, deadline, consequence. People write it in TOML; the exact bytes they wrote are what is signed.
//!
//! Every field checks itself while it is read, so that an error carries the line on which the field stands. Of a policy,
//! what is unknown is refused: a field that this version does not know may be the one that narrows a ban. Whatever can only
//! undo is heard as far as it can be read.

mod calendar;
mod certificate;
mod contact;
mod deadline;
mod exemption;
mod format;
mod heard;
mod names;
mod pattern;
mod retraction;
mod rollout;
mod texts;

use std::collections::BTreeMap;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use calendar::{Day, QuietHours};
pub use certificate::Certificate;
pub use contact::Contact;
pub use deadline::{At, Deadline, Length};
pub use exemption::{Exemption, Exemptions, MAX_EXEMPTIONS, Pause};
pub use format::{FORMAT, Header};
pub use names::{Domain, Group, Language, Name, PolicyId, RuleId};
pub use pattern::{How, Pattern, display_name_key};
pub use retraction::Retraction;
pub use rollout::Rollout;
pub use texts::Texts;

use self::format::read_toml;
use crate::{
    foreign::{self, Lines},
    purl::Purl,
};

/// The largest policy text that is read, in bytes. Stops a signed but absurd policy from filling a device's memory.
pub const MAX_POLICY_BYTES: usize = 256 * 1024;
/// The most rules in one policy, and the most purls in one rule. Bounds the work of matching.
pub const MAX_RULES: usize = 1000;
/// The most certificates that a rule names. An app has one, and few were ever signed anew.
pub const MAX_SIGNERS: usize = 16;
/// The most characters in a title, and in a message. What is longer can't be shown in a notice.
pub const MAX_TITLE_CHARS: usize = 120;
/// See [`MAX_TITLE_CHARS`].
pub const MAX_MESSAGE_CHARS: usize = 2000;

/// A signed document that bans apps.
///
/// ```toml
/// format = 1
/// id = "no-tiktok"
/// version = 1
/// title = "TikTok is not permitted on devices with company mail"
///
/// [deadline]
/// at = "2026-12-01T17:00[Europe/Berlin]"
/// grace = "48h"
///
/// [message]
/// en = "Please remove TikTok, or company mail leaves this device."
///
/// [consequence]
/// mail = ["corp.example"]
///
/// [[rule]]
/// id = "tiktok"
/// app = "TikTok"
/// purls = ["pkg:flatpak/com.tiktok.TikTok"]
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Policy {
    /// The document's format. Without it, the first.
    #[serde(default = "format::first")]
    pub format: u32,
    /// Names the policy through all its versions.
    pub id: PolicyId,
    /// Grows by at least one with each change. A device never goes back to a lower version.
    pub version: u64,
    /// One line that says what is asked, as the notice's headline.
    pub title: Texts,
    /// Whom people can ask.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contact: Option<Contact>,
    /// When the consequence may follow.
    #[serde(default)]
    pub deadline: Deadline,
    /// Which devices it reaches, and from when on.
    #[serde(default)]
    pub rollout: Rollout,
    /// When the policy ends by itself; what it took goes back. Without it, it holds as long as its signatures.
    pub until: Option<At>,
    /// What the person is told, by language tag; `en` is the fallback and must be there.
    pub message: BTreeMap<Language, String>,
    /// What happens after the deadline. Without it, the policy only warns.
    #[serde(default)]
    pub consequence: Consequence,
    /// The banned apps.
    #[serde(rename = "rule")]
    pub rules: Vec<Rule>,
}

/// What is taken when a banned app is still there after the deadline.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Consequence {
    /// The mail domains whose profiles are revoked: accounts whose address ends in exactly `@domain`.
    #[serde(default)]
    pub mail: Vec<Domain>,
    /// Whether the folder in which a mail program keeps a revoked account's mail is closed too, until the account is back.
    /// Nothing in it is moved or changed.
    #[serde(default)]
    pub lock: bool,
    /// On Android: whether the whole mail app is hidden where the account in it can't be taken alone. Elsewhere nothing
    /// follows from it.
    #[serde(default)]
    pub whole_app: bool,
    /// What follows on a device that has not reached the server for longer than its `offline_limit`.
    #[serde(default)]
    pub offline: Offline,
}

/// What a policy does where nobody can say whether it still holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Offline {
    /// Nothing is revoked until the server confirms the policy.
    #[default]
    Hold,
    /// Once the device's `offline_limit` has passed, the policy acts all the same. A retraction that the device could not
    /// hear then comes too late.
    Revoke,
}

/// One banned app.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// Names the rule within its policy; it is what reports speak of.
    pub id: RuleId,
    /// What people call the app: `TikTok`.
    pub app: String,
    /// The packages that are this app. One that is installed is enough.
    #[serde(default)]
    pub purls: Vec<Pattern>,
    /// What packages that may be this app are called. These only warn.
    #[serde(default)]
    pub display_names: Vec<String>,
    /// On Android: the app is this one only if one of these certificates signed it. Elsewhere nothing follows from it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub signers: Vec<Certificate>,
}

impl Rule {
    /// How this rule recognises a package, if it does: with certainty where one of its purls is certain.
    pub fn recognise(&self, package: &Purl, display_name: Option<&str>) -> Option<How> {
        let named = self.purls.iter().filter(|pattern| pattern.names(package));
        let by_purl = named.map(Pattern::how).min();
        by_purl.or_else(|| pattern::is_called(&self.display_names, display_name).then_some(How::DisplayName))
    }

    fn check(&self, place: &str) -> Result<(), PolicyError> {
        check_text(&format!("{place}.app"), &self.app, MAX_TITLE_CHARS, Lines::One)?;
        for name in &self.display_names {
            check_text(&format!("{place}.display_names"), name, MAX_TITLE_CHARS, Lines::One)?;
        }
        let (field, problem) = if self.purls.is_empty() && self.display_names.is_empty() {
            let problem = "an empty rule matches nothing; name at least one purl, or as `app` an app of the catalogue, \
                           which `forewarn-admin app search` finds";
            ("purls", problem)
        } else if self.purls.len() + self.display_names.len() > MAX_RULES {
            ("purls", "there are more than 1000 purls; split the rule")
        } else if self.signers.len() > MAX_SIGNERS {
            ("signers", "there are more than 16 certificates; split the rule")
        } else {
            return Ok(());
        };
        Err(PolicyError::Document { place: format!("{place}.{field}"), problem: problem.to_owned() })
    }

    /// Whether a package would be recognised with certainty in some versions, and it is not known which it is.
    pub fn needs_version_of(&self, package: &Purl) -> bool {
        self.purls.iter().any(|pattern| pattern.is_certain() && pattern.needs_version_of(package))
    }
}

/// Why a text is not a policy (or not a retraction).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PolicyError {
    /// The text is over [`MAX_POLICY_BYTES`].
    #[error("it has {0} bytes; the limit is {MAX_POLICY_BYTES}: split it into several policies")]
    TooLarge(usize),
    /// The text is not UTF-8.
    #[error("it is not UTF-8 text; save it as UTF-8")]
    NotText,
    /// The document has a format that this version does not know.
    #[error("it has format {0}, and this version of Forewarn reads formats up to {FORMAT}: update Forewarn")]
    Format(u32),
    /// A field is missing, unknown or wrong; the message shows the line.
    #[error("{0}")]
    Field(String),
    /// The document reads well but contradicts itself.
    #[error("{place}: {problem}")]
    Document {
        /// The field, such as `rule[2].id`.
        place: String,
        /// What is wrong and what to write instead.
        problem: String,
    },
}

impl Policy {
    /// Reads a policy from the bytes that were signed.
    ///
    /// # Errors
    /// Names the line or the field, and what to write instead.
    pub fn parse(bytes: &[u8]) -> Result<Self, PolicyError> {
        let policy: Self = read_toml(bytes)?;
        policy.check_document()?;
        Ok(policy)
    }

    /// Checks, when a policy is written, that its times are still ahead. Devices don't call this: a deadline that passed
    /// while a device was off is no error there, it is what the notice floor is for.
    ///
    /// # Errors
    /// When `deadline.at` or `until` is over at `now`, everywhere on earth.
    pub fn check_ahead(&self, now: Timestamp) -> Result<(), PolicyError> {
        let times = [("deadline.at", &self.deadline.at, "and use `grace`"), ("until", &self.until, "")];
        for (place, time, instead) in times {
            if let Some(time) = time.as_ref().filter(|time| time.latest_instant() <= now) {
                let problem =
                    format!("{time} is in the past (now it is {now}); write a later time, or leave it out {instead}");
                return Err(PolicyError::Document { place: place.to_owned(), problem: problem.trim_end().to_owned() });
            }
        }
        Ok(())
    }

    /// Where this policy stands among a repository's targets: `policies/no-tiktok.toml`.
    pub fn target_name(id: &PolicyId) -> String {
        format!("policies/{id}.toml")
    }

    /// The same for a policy that is only counted: `previews/no-tiktok.toml`.
    pub fn preview_name(id: &PolicyId) -> String {
        format!("previews/{id}.toml")
    }

    /// The message in the first of `languages` that it is written in, else in English.
    pub fn message_for(&self, languages: &[Language]) -> &str {
        message_for(&self.message, languages)
    }

    fn check_document(&self) -> Result<(), PolicyError> {
        for (language, title) in self.title.iter() {
            check_text(&format!("title.{language}"), title, MAX_TITLE_CHARS, Lines::One)?;
        }
        check_messages(&self.message)?;
        self.contact.as_ref().map_or(Ok(()), Contact::check)?;
        let wrong = |place: String, problem: &str| Err(PolicyError::Document { place, problem: problem.to_owned() });
        if self.version == 0 {
            return wrong("version".into(), "versions start at 1");
        }
        if self.deadline.days_off.len() == Day::ALL.len() {
            return wrong("deadline.days_off".into(), "all seven days are off, so that no deadline could ever come");
        }
        if let (Some(until), Some(at)) = (&self.until, &self.deadline.at)
            && until.latest_instant() <= at.latest_instant()
        {
            return wrong("until".into(), "the policy would end before its deadline; write a later time");
        }
        if self.consequence.mail.is_empty() && (self.consequence.lock || self.consequence.whole_app) {
            return wrong(
                "consequence.mail".into(),
                "`lock` and `whole_app` go with mail that is revoked; name its domains",
            );
        }
        if let Some((place, problem)) = self.rollout.problem() {
            return wrong(place.into(), problem);
        }
        if self.rules.is_empty() {
            return wrong("rule".into(), "a policy without rules asks for nothing; add a [[rule]]");
        }
        if self.rules.len() > MAX_RULES {
            return wrong("rule".into(), "there are more than 1000 rules; split the policy");
        }
        for (index, rule) in self.rules.iter().enumerate() {
            rule.check(&format!("rule[{index}]"))?;
            if self.rules[..index].iter().any(|earlier| earlier.id == rule.id) {
                return wrong(format!("rule[{index}].id"), "an earlier rule has this id; ids must differ");
            }
        }
        Ok(())
    }
}

/// The JSON Schema of the policy document, for editors; checked in as `policy.schema.json`.
pub fn json_schema() -> String {
    let mut text = serde_json::to_string_pretty(&schemars::schema_for!(Policy)).unwrap_or_default();
    text.push('\n');
    text
}

fn message_for<'m>(messages: &'m BTreeMap<Language, String>, languages: &[Language]) -> &'m str {
    languages
        .iter()
        .chain([&Language::english()])
        .find_map(|language| messages.get(language))
        .map_or("", String::as_str)
}

fn check_messages(messages: &BTreeMap<Language, String>) -> Result<(), PolicyError> {
    if !messages.contains_key(&Language::english()) {
        let problem = "there is no `en`, which everyone gets whose own language is missing; add it".to_owned();
        return Err(PolicyError::Document { place: "message".into(), problem });
    }
    messages.iter().try_for_each(|(language, text)| {
        check_text(&format!("message.{language}"), text, MAX_MESSAGE_CHARS, Lines::Many)
    })
}

fn check_text(place: &str, text: &str, max_chars: usize, lines: Lines) -> Result<(), PolicyError> {
    let length = text.chars().count();
    let problem = if text.trim().is_empty() {
        "it is empty; people read it, so write it".to_owned()
    } else if length > max_chars {
        format!("it has {length} characters; the limit is {max_chars}")
    } else if let Some(fault) = foreign::fault(text, lines) {
        fault
    } else {
        return Ok(());
    };
    Err(PolicyError::Document { place: place.to_owned(), problem })
}

#[cfg(test)]
mod tests;
