//! Every reason that the engine or a report gives, as a message. A new one does not compile until it has a name here, and
//! does not pass the test until every language has it.

use forewarn_proto::{
    ipc::{Event, Isolation},
    report::{Doubt, Hold, Medium, Obstacle, Stage, Weakened},
};

use jiff::tz::TimeZone;

use super::{Blank, Localizer};

impl Localizer {
    /// How far an obligation has come.
    pub fn stage(&self, stage: Stage) -> String {
        self.say(match stage {
            Stage::Found => "stage-found",
            Stage::Informed => "stage-informed",
            Stage::Warned => "stage-warned",
            Stage::Held => "stage-held",
            Stage::Revoking => "stage-revoking",
            Stage::Revoked => "stage-revoked",
            Stage::Restoring => "stage-restoring",
        })
    }

    /// What keeps a profile from being revoked now.
    pub fn hold(&self, hold: Hold) -> String {
        self.say(match hold {
            Hold::OnlyWarns => "hold-only-warns",
            Hold::NotCertain => "hold-not-certain",
            Hold::NotShown => "hold-not-shown",
            Hold::DeadlineAhead => "hold-deadline-ahead",
            Hold::LastCall => "hold-last-call",
            Hold::PolicyStale => "hold-policy-stale",
            Hold::ScanNotFresh => "hold-scan-not-fresh",
            Hold::NoCompanyMail => "hold-no-company-mail",
        })
    }

    /// Why a rule's result is not known.
    pub fn doubt(&self, doubt: Doubt) -> String {
        match doubt {
            Doubt::NoSource => self.say("doubt-no-source"),
            Doubt::NotListed(source) => self.fill("doubt-not-listed", [("source", source.name().into())]),
            Doubt::Partial(source) => self.fill("doubt-partial", [("source", source.name().into())]),
            Doubt::NoVersion(source) => self.fill("doubt-no-version", [("source", source.name().into())]),
        }
    }

    /// What happened, for the log.
    pub fn event(&self, event: &Event, zone: &TimeZone) -> String {
        let at = |message, time| self.fill(message, [("moment", Blank::ours(self.moment(time, zone)))]);
        match event {
            Event::Came(stage) => self.stage(*stage),
            Event::Shown(medium) => self.fill("log-shown", [("medium", Blank::ours(self.medium(*medium)))]),
            Event::NotShown(obstacle) => {
                self.fill("log-not-shown", [("obstacle", Blank::ours(self.obstacle(*obstacle)))])
            }
            Event::Deadline(deadline) => at("log-deadline", *deadline),
            Event::Acknowledged => self.say("log-acknowledged"),
            Event::Snoozed(until) => at("log-snoozed", *until),
            Event::AppGone => self.say("log-app-gone"),
            Event::PolicyGone => self.say("log-policy-gone"),
            Event::VaultGiven { to } => self.fill("log-vault-given", [("account", to.into())]),
            Event::MailTaken => self.say("log-mail-taken"),
            Event::MailBack => self.say("log-mail-back"),
        }
    }

    /// What kept a notice from the person.
    pub fn obstacle(&self, obstacle: Obstacle) -> String {
        self.say(match obstacle {
            Obstacle::NoSession => "obstacle-no-session",
            Obstacle::NoService => "obstacle-no-service",
            Obstacle::Locked => "obstacle-locked",
            Obstacle::Away => "obstacle-away",
            Obstacle::DoNotDisturb => "obstacle-do-not-disturb",
            Obstacle::Busy => "obstacle-busy",
            Obstacle::Vanished => "obstacle-vanished",
        })
    }

    /// Where a notice was shown.
    pub fn medium(&self, medium: Medium) -> String {
        self.say(match medium {
            Medium::Desktop => "medium-desktop",
            Medium::Terminal => "medium-terminal",
            Medium::Login => "medium-login",
        })
    }

    /// What a setting weakens.
    pub fn weakened(&self, setting: Weakened) -> String {
        let message = match setting {
            Weakened::SimulatedClock => "weakened-clock",
            Weakened::Terminals => "weakened-terminals",
            Weakened::Root => "weakened-root",
            Weakened::Notices => "weakened-notices",
            Weakened::MinNotice => "weakened-notice",
            Weakened::MaxStaleness => "weakened-staleness",
            Weakened::OfflineLimit => "weakened-offline",
        };
        format!("{}: {}", setting.name(), self.say(message))
    }

    /// What is worth saying of how far the worker in the home is shut in.
    pub fn isolation(&self, isolation: Isolation) -> Option<String> {
        match isolation {
            Isolation::Full => None,
            Isolation::Partial => Some(self.say("isolation-partial")),
            Isolation::None => Some(self.say("isolation-none")),
        }
    }
}

#[cfg(test)]
mod tests {
    use forewarn_proto::inventory::Source;

    use super::super::tests::every_language;
    use super::*;

    #[test]
    fn every_reason_has_words_in_every_language() {
        for localizer in every_language() {
            let stages = Stage::ALL.map(|stage| localizer.stage(stage));
            let holds = Hold::ALL.map(|hold| localizer.hold(hold));
            let obstacles = Obstacle::ALL.map(|obstacle| localizer.obstacle(obstacle));
            let media = [Medium::Desktop, Medium::Terminal, Medium::Login].map(|medium| localizer.medium(medium));
            let of_dpkg = [Doubt::NotListed, Doubt::Partial, Doubt::NoVersion].map(|doubt| doubt(Source::Dpkg));
            let doubts = [Doubt::NoSource].into_iter().chain(of_dpkg);
            let doubts: Vec<String> = doubts.map(|doubt| localizer.doubt(doubt)).collect();
            let shut_in =
                [Isolation::Partial, Isolation::None].map(|isolation| localizer.isolation(isolation).unwrap());
            let weakened = Weakened::ALL.map(|setting| localizer.weakened(setting));
            assert!(weakened.iter().all(|text| !text.contains("weakened-")), "{weakened:?} in {}", localizer.name);
            for text in stages.iter().chain(&holds).chain(&obstacles).chain(&media).chain(&doubts).chain(&shut_in) {
                let is_name = ["stage-", "hold-", "obstacle-", "medium-", "doubt-", "isolation-"];
                assert!(
                    !is_name.iter().any(|start| text.starts_with(start)),
                    "{text} has no words in {}",
                    localizer.name
                );
            }
        }
    }
}
