//! The mail server's question: may this device log in? So that a person who knows the password can't just set the account
//! up again.
//!
//! Source of the protocol: Dovecot 2.3, "Authentication Policy Support". It asks before and after the password was
//! checked, and reports afterwards; a status of 0 lets the login through, -1 refuses it and shows the message. Which
//! device logs in is known only after the check, where each device has a password of its own; without a device every login
//! is let through.

use std::sync::Arc;

use axum::{extract::State, http::StatusCode};
use forewarn_proto::{
    policy::{Policy, Retraction},
    report::{PersonReport, PolicyReport, ProfileReport, ProfileState, Report, RuleReport, Stage},
};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    Refused,
    guard::{By, MailServer},
    input::Json,
};
use crate::Server;

/// The largest question, in bytes.
pub(super) const MAX_BYTES: usize = 16 * 1024;

/// What Dovecot sends, as far as it matters. Which attributes it sends is configured there.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub(super) struct Question {
    /// `me@corp.example`
    login: String,
    /// The device whose password it was, by its name at enrolment. Another name stands for no device.
    #[schemars(regex(pattern = r"^[^\x00-\x1f\x7f-\x9f]*$"))]
    device: String,
}

#[derive(Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub(super) struct Answer {
    status: i32,
    /// What the person sees.
    msg: String,
}

pub(super) async fn ask(
    _: By<MailServer>,
    State(server): State<Arc<Server>>,
    Json(question): Json<Question>,
) -> Result<Json<Answer>, Refused> {
    if question.device.chars().any(char::is_control) {
        return Err(Refused::new(StatusCode::UNPROCESSABLE_ENTITY, "device: a name has no control characters"));
    }
    let report = server.store.report_of(&question.device).await?;
    let in_force = policies_in_force(&server).await;
    let refusal = report.and_then(|report| refusal(&question, &report, &in_force, server.clock.wall()));
    Ok(Json(match refusal {
        Some(msg) => Answer { status: -1, msg },
        None => Answer { status: 0, msg: String::new() },
    }))
}

/// A policy that was withdrawn refuses nobody, whether or not the device has heard of that yet.
async fn policies_in_force(server: &Server) -> Vec<Policy> {
    let Ok(targets) = server.in_force.lock().await.repository.targets() else { return Vec::new() };
    let of = |role: &'static str| targets.iter().filter(move |(name, _)| name.starts_with(role)).map(|(_, text)| text);
    let retractions: Vec<Retraction> =
        of("retractions/").filter_map(|text| Retraction::parse(text.as_bytes()).ok()).collect();
    let withdrawn = |policy: &Policy| {
        retractions
            .iter()
            .any(|retraction| retraction.policy == policy.id && policy.version <= retraction.through_version)
    };
    of("policies/").filter_map(|text| Policy::parse(text.as_bytes()).ok()).filter(|policy| !withdrawn(policy)).collect()
}

/// Why the login is refused: the device itself says that this domain's profile is in its vault, or waits for a mail program
/// to close, and that the deadline of a person on it has passed. Whatever is missing or unknown refuses nobody.
fn refusal(question: &Question, report: &Report, in_force: &[Policy], now: Timestamp) -> Option<String> {
    let (_, domain) = question.login.rsplit_once('@')?;
    let taken = |profile: &&ProfileReport| {
        profile.domain.as_str().eq_ignore_ascii_case(domain)
            && matches!(profile.state, ProfileState::Vault | ProfileState::Waiting)
    };
    let mut profiles = report.profiles.iter().filter(taken);
    let app = profiles.find_map(|profile| app_of(profile, report, in_force, now))?;
    Some(format!("Remove {app} to use mail on this device. More there: forewarn why"))
}

/// The app for which the profile was taken.
fn app_of(profile: &ProfileReport, report: &Report, in_force: &[Policy], now: Timestamp) -> Option<String> {
    let over = |person: &PersonReport| {
        person.person == profile.person
            && matches!(person.stage, Stage::Revoking | Stage::Revoked)
            && person.deadline.is_some_and(|deadline| deadline <= now)
    };
    let rule_of = |policy: &PolicyReport, rule: &RuleReport| {
        let signed = in_force.iter().find(|signed| signed.id == policy.policy)?;
        let takes = signed.consequence.mail.contains(&profile.domain);
        signed.rules.iter().find(|signed| takes && signed.id == rule.rule).map(|rule| rule.app.clone())
    };
    let acting = report.policies.iter().filter(|policy| !policy.preview);
    acting
        .flat_map(|policy| policy.rules.iter().map(move |rule| (policy, rule)))
        .filter(|(_, rule)| rule.people.iter().any(over))
        .find_map(|(policy, rule)| rule_of(policy, rule))
}

#[cfg(test)]
mod tests {
    use forewarn_proto::{
        inventory::Person,
        report::{Finding, Receipt},
    };

    use super::*;

    const POLICY: &str = "id = \"ban\"\nversion = 1\ntitle = \"TikTok must go\"\nmessage = { en = \"x\" }\n[deadline]\ngrace = \"24h\"\n\
        [consequence]\nmail = [\"corp.example\"]\n[[rule]]\nid = \"tiktok\"\napp = \"TikTok\"\npurls = [\"pkg:deb/tiktok\"]\n";

    fn report(stage: Stage, state: ProfileState, deadline: &str) -> Report {
        let person = PersonReport {
            person: Person::from_bits(1000),
            stage,
            receipt: Receipt::Shown,
            shown: None,
            shown_on: None,
            obstacle: None,
            acknowledged: None,
            deadline: Some(deadline.parse().unwrap()),
            holds: Vec::new(),
        };
        let rule = RuleReport {
            rule: "tiktok".parse().unwrap(),
            finding: Finding::NotMet,
            doubts: Vec::new(),
            spared_until: None,
            people: vec![person],
            foretold: None,
        };
        let policy = PolicyReport {
            policy: "ban".parse().unwrap(),
            version: 1,
            preview: false,
            reached: true,
            rules: vec![rule],
        };
        let profile = ProfileReport {
            person: Person::from_bits(1000),
            domain: "corp.example".parse().unwrap(),
            state,
            failing: false,
            store_open: false,
        };
        Report {
            sequence: 1,
            made_at: "2026-12-01T09:00Z".parse().unwrap(),
            agent: "test".to_owned(),
            platform: "linux".to_owned(),
            bundle: None,
            refused: None,
            format: 1,
            unread: Vec::new(),
            policies: vec![policy],
            profiles: vec![profile],
            unattended: Vec::new(),
            corrections: Vec::new(),
            weakened: std::collections::BTreeSet::new(),
        }
    }

    fn check(login: &str, report: &Report, in_force: bool, refused: bool) {
        let question = Question { login: login.to_owned(), device: "device-1".to_owned() };
        let policies: Vec<Policy> = in_force.then(|| Policy::parse(POLICY.as_bytes()).unwrap()).into_iter().collect();
        let answer = refusal(&question, report, &policies, "2026-12-02T09:00Z".parse().unwrap());
        let text = "Remove TikTok to use mail on this device. More there: forewarn why";
        assert_eq!(answer.as_deref(), refused.then_some(text), "{login}, {report:?}");
    }

    #[test]
    fn only_a_device_that_says_so_itself_and_whose_time_is_over_is_refused() {
        let (past, ahead) = ("2026-12-02T09:00Z", "2026-12-02T09:01Z");
        let revoked = report(Stage::Revoked, ProfileState::Vault, past);
        check("me@corp.example", &revoked, true, true);
        check("Me@CORP.example", &revoked, true, true);
        check("me@corp.example", &report(Stage::Revoking, ProfileState::Waiting, past), true, true);
        check("me@private.example", &revoked, true, false);
        check("me", &revoked, true, false);
        check("me@corp.example", &revoked, false, false);
        check("me@corp.example", &report(Stage::Revoked, ProfileState::Vault, ahead), true, false);
        check("me@corp.example", &report(Stage::Warned, ProfileState::Vault, past), true, false);
        check("me@corp.example", &report(Stage::Restoring, ProfileState::Returning, past), true, false);
        check("me@corp.example", &report(Stage::Revoking, ProfileState::Leaving, past), true, false);
    }
}
