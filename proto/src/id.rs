//! Names of obligations, profiles and notices. They are stable, so that doing an effect twice is recognised.

use std::{fmt, ops::RangeInclusive, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

use crate::{
    inventory::Person,
    policy::{Domain, PolicyId, RuleId},
};

/// One rule for one person: `no-tiktok/tiktok/00c5f3a2917be604`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ObligationId {
    /// The policy.
    pub policy: PolicyId,
    /// The rule within it.
    pub rule: RuleId,
    /// The person.
    pub person: Person,
}

impl ObligationId {
    /// Everyone whom a rule obliges.
    pub fn all_of(policy: &PolicyId, rule: &RuleId) -> RangeInclusive<Self> {
        let [first, last] = Person::ENDS.map(|person| Self { policy: policy.clone(), rule: rule.clone(), person });
        first..=last
    }
}

/// One person's mail profile of one domain: `corp.example/00c5f3a2917be604`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ProfileId {
    /// The mail domain.
    pub domain: Domain,
    /// The person.
    pub person: Person,
}

/// An app, whatever policies call it: letters and digits of its name, in small letters. `TikTok` and `Tik-Tok` are one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct App(String);

impl App {
    /// The app that people call `name`.
    pub fn named(name: &str) -> Self {
        let plain: String = name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect();
        let spelled = || name.chars().map(|c| format!("{:x}", u32::from(c))).collect::<Vec<_>>().join("-");
        Self(if plain.is_empty() { spelled() } else { plain })
    }
}

/// One notice that was handed out. Its receipt carries it back.
///
/// Numbers grow, also over a restart of the process that lost its last one: within a boot they are never under the boot
/// clock's reading in nanoseconds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct NoticeId(pub u64);

/// What a notice is about. A newer notice about the same subject replaces the older one on screen.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Subject {
    /// A warning about an app. All policies that ban it are named in one notice.
    App(App, Person),
    /// News of a profile: revoked, restored.
    Profile(ProfileId),
    /// The correction of a retracted policy, to one person.
    Correction(PolicyId, Person),
}

impl Subject {
    /// Who is told.
    pub fn person(&self) -> Person {
        match self {
            Self::Profile(id) => id.person,
            Self::App(_, person) | Self::Correction(_, person) => *person,
        }
    }
}

impl fmt::Display for ObligationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.policy, self.rule, self.person)
    }
}

impl fmt::Display for ProfileId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.domain, self.person)
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::App(App(app), person) => write!(f, "app/{app}/{person}"),
            Self::Profile(id) => write!(f, "profile/{id}"),
            Self::Correction(policy, person) => write!(f, "correction/{policy}/{person}"),
        }
    }
}

impl FromStr for ObligationId {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let [policy, rule, person] = parts(text)?;
        Ok(Self { policy: policy.parse()?, rule: rule.parse()?, person: person.parse()? })
    }
}

impl FromStr for ProfileId {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let [domain, person] = parts(text)?;
        Ok(Self { domain: domain.parse()?, person: person.parse()? })
    }
}

impl FromStr for Subject {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once('/') {
            Some(("app", rest)) => {
                let [app, person] = parts(rest)?;
                Ok(Self::App(App(app.to_owned()), person.parse()?))
            }
            Some(("profile", rest)) => rest.parse().map(Self::Profile),
            Some(("correction", rest)) => {
                let [policy, person] = parts(rest)?;
                Ok(Self::Correction(policy.parse()?, person.parse()?))
            }
            Some(_) | None => Err(format!("`{text}` names no subject")),
        }
    }
}

fn parts<const N: usize>(text: &str) -> Result<[&str; N], String> {
    let parts: Vec<&str> = text.split('/').collect();
    parts.try_into().map_err(|_| format!("`{text}` has not {N} parts"))
}

/// As text, because these are keys of maps and JSON has no other keys.
macro_rules! serde_as_text {
    ($($name:ident),*) => { $(
        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
            }
        }
    )* };
}

serde_as_text!(ObligationId, ProfileId, Subject);
