//! Whom people can ask about a policy.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{PolicyError, Texts, check_text};
use crate::foreign::Lines;

/// The longest mail address, in characters. Source: RFC 5321, section 4.5.3.1.3, less its angle brackets.
const MAX_MAIL_CHARS: usize = 254;
/// The longest phone number as people write it, with spaces: `+49 30 1234567, 9 to 17`.
const MAX_PHONE_CHARS: usize = 60;
/// The longest address of a page, in characters.
const MAX_URL_CHARS: usize = 500;

/// At least one way to reach somebody. Each may differ by language.
///
/// ```toml
/// [contact]
/// mail = "it-help@corp.example"
/// phone = { en = "+49 30 1234567", de = "030 1234567" }
/// url = "https://intranet.corp.example/phones"
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Contact {
    /// A mail address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mail: Option<Texts>,
    /// A phone number, as people there write it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone: Option<Texts>,
    /// A page, by https.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<Texts>,
}

impl Contact {
    /// Every way that there is, with its field's name.
    pub fn ways(&self) -> impl Iterator<Item = (&'static str, &Texts)> {
        let all = [("mail", &self.mail), ("phone", &self.phone), ("url", &self.url)];
        all.into_iter().filter_map(|(name, way)| Some((name, way.as_ref()?)))
    }

    pub(super) fn check(&self) -> Result<(), PolicyError> {
        let wrong = |place: String, problem: &str| Err(PolicyError::Document { place, problem: problem.to_owned() });
        if self.ways().next().is_none() {
            return wrong("contact".into(), "it names nobody; write `mail`, `phone` or `url`, or leave it out");
        }
        for (name, way) in self.ways() {
            let (most, is_right, remedy): (_, fn(&str) -> bool, _) = match name {
                "mail" => (MAX_MAIL_CHARS, is_address, "write one mail address, such as it-help@corp.example"),
                "phone" => (MAX_PHONE_CHARS, is_phone, "write a phone number in one line, such as +49 30 1234567"),
                _ => (MAX_URL_CHARS, is_page, "write an address that begins with https://, without spaces"),
            };
            for (language, text) in way.iter() {
                let place = format!("contact.{name}.{language}");
                check_text(&place, text, most, Lines::One)?;
                if !is_right(text) {
                    return wrong(place, remedy);
                }
            }
        }
        Ok(())
    }
}

fn is_plain(text: &str) -> bool {
    text.chars().all(|c| c.is_ascii_graphic() && !"<>\"'\\`".contains(c))
}

fn is_address(text: &str) -> bool {
    let parts = text.split_once('@');
    is_plain(text)
        && parts.is_some_and(|(who, domain)| {
            !who.is_empty() && domain.contains('.') && !domain.contains('@') && !domain.ends_with('.')
        })
}

fn is_phone(text: &str) -> bool {
    !text.contains('\n') && text.chars().any(|c| c.is_ascii_digit())
}

fn is_page(text: &str) -> bool {
    let host = text.strip_prefix("https://").and_then(|rest| rest.split('/').next());
    is_plain(text)
        && host.is_some_and(|host| host.starts_with(|c: char| c.is_ascii_alphanumeric()) && !host.contains('@'))
}
