//! Devices that say the same of a policy, for a simulation. Pure: reports in, groups of devices out.

use std::collections::BTreeMap;

use forewarn_proto::{
    api::{Alike, Answers},
    policy::Policy,
    report::{Finding, PolicyReport, RuleReport},
};

use crate::{count::platform, store::StoredReport};

/// The groups that were found so far.
#[derive(Debug, Default)]
pub(crate) struct Fleet(BTreeMap<String, Alike>);

impl Fleet {
    /// Adds a device, if it has answered on this version of a policy, or of its preview.
    pub(crate) fn add(&mut self, stored: &StoredReport, policy: &Policy, preview: bool) {
        let asked = |answer: &&PolicyReport| {
            answer.policy == policy.id && answer.preview == preview && answer.version == policy.version
        };
        let Some(answer) = stored.report.policies.iter().find(asked) else { return };
        let device = alike(stored, policy, answer);
        // By what they say, all but how many they are.
        let key = format!("{device:?}");
        self.0.entry(key).and_modify(|alike| alike.devices += 1).or_insert(Alike { devices: 1, ..device });
    }

    /// All of them, of this many devices.
    pub(crate) fn finish(self, devices: u64) -> Answers {
        let alike: Vec<Alike> = self.0.into_values().collect();
        let heard: u64 = alike.iter().map(|alike| alike.devices).sum();
        Answers { alike, unheard: devices.saturating_sub(heard) }
    }
}

/// What one device says. Rules that the policy has not are a lie, and would spoil the fleet of all others.
fn alike(stored: &StoredReport, policy: &Policy, answer: &PolicyReport) -> Alike {
    let counts =
        |rule: &&RuleReport| rule.spared_until.is_none() && policy.rules.iter().any(|known| known.id == rule.rule);
    let with = |finding: Finding| {
        let rules = answer.rules.iter().filter(counts).filter(|rule| rule.finding == finding);
        rules.map(|rule| rule.rule.clone()).collect()
    };
    let foretold = || answer.rules.iter().filter_map(|rule| rule.foretold.as_ref());
    let told = answer.rules.iter().map(|rule| u32::try_from(rule.people.len()).unwrap_or(u32::MAX));
    let people = foretold().map(|foretold| foretold.people).chain(told).max();
    Alike {
        platform: platform(&stored.report).to_owned(),
        groups: stored.groups.clone(),
        not_met: with(Finding::NotMet),
        unknown: with(Finding::Unknown),
        people: people.unwrap_or_default().max(1),
        mail: foretold().next().is_none() || foretold().any(|foretold| foretold.with_mail > 0),
        devices: 0,
    }
}

#[cfg(test)]
mod tests {
    use forewarn_proto::{policy::Group, report::Foretold};
    use serde_json::json;

    use super::*;

    fn device(platform: &str, group: &str, finding: Finding, with_mail: u32) -> StoredReport {
        let told = Foretold { people: 2, with_mail, reached: None, deadline: None };
        let rule = RuleReport {
            rule: "tiktok".parse().unwrap(),
            finding,
            doubts: Vec::new(),
            spared_until: None,
            people: Vec::new(),
            foretold: (finding == Finding::NotMet).then_some(told),
        };
        let policy = "no-tiktok".parse().unwrap();
        let answer = PolicyReport { policy, version: 3, preview: true, reached: true, rules: vec![rule] };
        let said = json!({
            "sequence": 1, "made_at": "2026-12-01T09:00:00Z", "agent": "0", "platform": platform, "bundle": 1,
            "refused": null, "policies": [answer], "profiles": [], "corrections": []
        });
        let report = serde_json::from_value(said).unwrap();
        let group: Group = group.parse().unwrap();
        StoredReport { device: "device-0".to_owned(), groups: [group].into(), report }
    }

    #[test]
    fn who_says_the_same_is_counted_and_not_named() {
        let policy = |version: u64| {
            let rule = "[[rule]]\nid = \"tiktok\"\napp = \"TikTok\"\npurls = [\"pkg:snap/tiktok\"]";
            let text = format!(
                "id = \"no-tiktok\"\nversion = {version}\ntitle = \"t\"\n[deadline]\ngrace = \"48h\"\n\
                 [message]\nen = \"m\"\n[consequence]\nmail = [\"corp.example\"]\n{rule}\n"
            );
            Policy::parse(text.as_bytes()).unwrap()
        };
        let mut fleet = Fleet::default();
        let mut liar = device("linux", "pilot", Finding::Met, 0);
        let mut lie = liar.report.policies[0].rules[0].clone();
        (lie.rule, lie.finding) = ("invented".parse().unwrap(), Finding::NotMet);
        liar.report.policies[0].rules.push(lie);
        for stored in [
            device("linux", "sales", Finding::NotMet, 1),
            device("linux", "sales", Finding::NotMet, 2),
            device("linux", "sales", Finding::NotMet, 0),
            liar,
            device("linux", "pilot", Finding::Unknown, 0),
        ] {
            fleet.add(&stored, &policy(3), true);
            // What they say of another version, or of the policy itself, is not asked for.
            fleet.add(&stored, &policy(2), true);
            fleet.add(&stored, &policy(3), false);
        }
        let Answers { alike: said, unheard } = fleet.finish(7);
        assert_eq!(unheard, 2);
        let line = |a: &Alike| {
            format!("{} {:?} {} {} {} {}", a.devices, a.groups, a.not_met.len(), a.unknown.len(), a.people, a.mail)
        };
        let mut lines: Vec<String> = said.iter().map(line).collect();
        lines.sort();
        let expected = [
            "1 {Group(\"pilot\")} 0 0 1 true",
            "1 {Group(\"pilot\")} 0 1 1 true",
            "1 {Group(\"sales\")} 1 0 2 false",
            "2 {Group(\"sales\")} 1 0 2 true",
        ];
        assert_eq!(lines, expected);
        assert!(!serde_json::to_string(&said).unwrap().contains("device-0"));
    }
}
