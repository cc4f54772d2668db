//! Exemptions: one admin spares a device a rule of a policy, until a moment. They can only undo.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{PolicyError, PolicyId, RuleId, read_toml};

/// The most devices that are spared of one policy. Stops: a document that every device has to carry. Who needs more needs
/// another policy.
pub const MAX_EXEMPTIONS: usize = 2000;

/// Every exemption from one policy. Why a device is spared is not in it: all devices get this document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Exemptions {
    /// The policy.
    pub policy: PolicyId,
    /// Who is spared what.
    #[serde(rename = "exemption")]
    pub exemptions: Vec<Exemption>,
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
    /// Reads exemptions from the bytes that were signed.
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

    /// Whether everyone whom `former` spares is spared here too, as long.
    pub fn keeps(&self, former: &Self) -> bool {
        former.exemptions.iter().all(|old| {
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
        let mut exemptions = Exemptions { policy: "ban".parse().unwrap(), exemptions: Vec::new() };
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
    fn a_document_that_is_too_long_or_unclear_is_refused() {
        let one = "[[exemption]]\ndevice = \"d\"\nrule = \"r\"\nuntil = \"2027-01-01T00:00Z\"\n";
        let many = format!("policy = \"ban\"\n{}", one.repeat(MAX_EXEMPTIONS + 1));
        assert!(Exemptions::parse(many.as_bytes()).unwrap_err().to_string().contains("more than 2000"));
        let no_hour = format!("policy = \"ban\"\n{}", one.replace("T00:00Z", ""));
        assert!(Exemptions::parse(no_hour.as_bytes()).is_err());
    }
}
