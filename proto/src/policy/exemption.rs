//! Exemptions: one admin spares a device a rule of a policy, until a moment, or pauses a policy's rollout. They can only
//! undo.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{FORMAT, Header, PolicyError, PolicyId, RuleId, format, heard, read_toml};

/// The most devices that are spared of one policy. Stops: a document that every device has to carry. Who needs more needs
/// another policy.
pub const MAX_EXEMPTIONS: usize = 2000;

/// Every exemption from one policy. Why a device is spared is not in it: all devices get this document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Exemptions {
    /// The document's format. Without it, the first.
    #[serde(default = "format::first")]
    pub format: u32,
    /// The policy.
    pub policy: PolicyId,
    /// Where the rollout stands still. Each stays: what was paused for a version is not lifted by what is said of a later
    /// one.
    #[serde(default, rename = "pause")]
    pub pauses: Vec<Pause>,
    /// Who is spared what.
    #[serde(default, rename = "exemption")]
    pub exemptions: Vec<Exemption>,
}

/// Devices that the rollout had not reached at this moment are not reached. It goes on with a new version of the policy,
/// which is a decision of its own and needs its own signatures.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pause {
    /// The moment.
    pub at: Timestamp,
    /// Every version up to and including this one is paused.
    pub through_version: u64,
}

impl Pause {
    /// Whether this pause holds back everyone whom `other` does.
    pub fn covers(&self, other: &Self) -> bool {
        self.through_version >= other.through_version && self.at <= other.at
    }
}

/// One device is spared one rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Exemption {
    /// The device's name, as it was given at enrolment: `device-589dd8127d1f`.
    pub device: String,
    /// The rule.
    pub rule: RuleId,
    /// From this moment on the rule counts again, and begins with a notice.
    pub until: Timestamp,
}

impl Exemptions {
    /// None yet.
    pub fn none(policy: PolicyId) -> Self {
        Self { format: FORMAT, policy, pauses: Vec::new(), exemptions: Vec::new() }
    }

    /// Reads exemptions as somebody who has to heed them, of whatever format, from the bytes that were signed: every pause
    /// and exemption that can be read, and how many can't. Nothing else keeps them from being heard.
    ///
    /// # Errors
    /// When the document does not say of which policy it speaks.
    pub fn hear(bytes: &[u8]) -> Result<(Self, usize), PolicyError> {
        let table = heard::table(bytes)?;
        let (pauses, unread_pauses) = heard::entries(&table, "pause", |pause| {
            let through_version = heard::whole(pause, "through_version")?;
            Some(Pause { at: heard::moment(pause, "at")?, through_version })
        });
        let (exemptions, unread) = heard::entries(&table, "exemption", |exemption| {
            let device = heard::text(exemption, "device")?.to_owned();
            let rule = heard::parsed(exemption, "rule").ok()?;
            Some(Exemption { device, rule, until: heard::moment(exemption, "until")? })
        });
        let format = Header::read(bytes).map_or(FORMAT, |header| header.format);
        let heard = Self { format, policy: heard::parsed(&table, "policy")?, pauses, exemptions };
        Ok((heard, unread + unread_pauses))
    }

    /// Reads exemptions as somebody who writes or reviews them: whole, or not at all.
    ///
    /// # Errors
    /// Names the line or the field, and what to write instead.
    pub fn parse(bytes: &[u8]) -> Result<Self, PolicyError> {
        let exemptions: Self = read_toml(bytes)?;
        if exemptions.exemptions.len() > MAX_EXEMPTIONS {
            let problem =
                format!("there are more than {MAX_EXEMPTIONS}; a new version of the policy can spare them all");
            return Err(PolicyError::Document { place: "exemption".into(), problem });
        }
        Ok(exemptions)
    }

    /// The text that is signed.
    ///
    /// # Errors
    /// Never for exemptions that [`Exemptions::parse`] would accept.
    pub fn to_toml(&self) -> Result<String, toml::ser::Error> {
        toml::to_string(self)
    }

    /// Where a policy's exemptions stand among a repository's targets: `exemptions/no-tiktok.toml`.
    pub fn target_name(id: &PolicyId) -> String {
        format!("exemptions/{id}.toml")
    }

    /// Spares a device a rule, at least until then.
    pub fn add(&mut self, new: Exemption) {
        let same = |old: &&mut Exemption| (&old.device, &old.rule) == (&new.device, &new.rule);
        match self.exemptions.iter_mut().find(same) {
            Some(old) => old.until = old.until.max(new.until),
            None => self.exemptions.push(new),
        }
    }

    /// Pauses the rollout of a version; one that is paused already stays as it is.
    pub fn pause(&mut self, new: Pause) {
        if !self.pauses.iter().any(|old| old.covers(&new)) {
            self.pauses.push(new);
        }
    }

    /// Whether everyone whom `former` spares is spared here too, as long, and what it pauses stays so.
    pub fn keeps(&self, former: &Self) -> bool {
        let paused = former.pauses.iter().all(|old| self.pauses.iter().any(|new| new.covers(old)));
        paused
            && former.exemptions.iter().all(|old| {
                let same = |new: &&Exemption| (&new.device, &new.rule) == (&old.device, &old.rule);
                self.exemptions.iter().find(same).is_some_and(|new| new.until >= old.until)
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exemption(device: &str, until: &str) -> Exemption {
        Exemption { device: device.into(), rule: "tiktok".parse().unwrap(), until: until.parse().unwrap() }
    }

    #[test]
    fn an_exemption_is_never_made_shorter() {
        let mut exemptions = Exemptions::none("ban".parse().unwrap());
        let empty = exemptions.clone();
        exemptions.add(exemption("device-a", "2027-01-01T00:00Z"));
        let before = exemptions.clone();
        exemptions.add(exemption("device-a", "2026-12-01T00:00Z"));
        assert_eq!(exemptions, before);
        exemptions.add(exemption("device-b", "2026-12-01T00:00Z"));
        assert!(exemptions.keeps(&before) && !before.keeps(&exemptions) && !empty.keeps(&before));
        let text = exemptions.to_toml().unwrap();
        assert_eq!(Exemptions::parse(text.as_bytes()).unwrap(), exemptions);
    }

    #[test]
    fn a_pause_is_never_lifted_nor_moved_on() {
        let pause = |at: &str, through_version| Pause { at: at.parse().unwrap(), through_version };
        let mut exemptions = Exemptions::none("ban".parse().unwrap());
        let none = exemptions.clone();
        exemptions.pause(pause("2026-12-01T09:00Z", 2));
        let paused = exemptions.clone();
        exemptions.pause(pause("2026-12-02T09:00Z", 2));
        assert_eq!(exemptions, paused);
        exemptions.pause(pause("2026-12-03T09:00Z", 3));
        assert!(exemptions.keeps(&paused) && !paused.keeps(&exemptions) && !none.keeps(&paused) && paused.keeps(&none));
        let later = Exemptions { pauses: vec![pause("2026-12-01T10:00Z", 2)], ..paused.clone() };
        assert!(!later.keeps(&paused) && paused.keeps(&later));
        let evaded = Exemptions { pauses: vec![pause("2026-12-09T09:00Z", 3)], ..paused.clone() };
        assert!(!evaded.keeps(&paused), "what is said of a later version lifts nothing");
        assert_eq!(Exemptions::parse(paused.to_toml().unwrap().as_bytes()).unwrap(), paused);
    }

    #[test]
    fn a_document_that_is_too_long_or_unclear_is_refused() {
        let one = "[[exemption]]\ndevice = \"d\"\nrule = \"r\"\nuntil = \"2027-01-01T00:00Z\"\n";
        let many = format!("policy = \"ban\"\n{}", one.repeat(MAX_EXEMPTIONS + 1));
        assert!(Exemptions::parse(many.as_bytes()).unwrap_err().to_string().contains("more than 2000"));
        let no_hour = format!("policy = \"ban\"\n{}", one.replace("T00:00Z", ""));
        assert!(Exemptions::parse(no_hour.as_bytes()).is_err());
    }
}
