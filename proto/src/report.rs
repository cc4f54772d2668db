//! What a device tells the server: for each rule met, not met or unknown, and who was told what. Nothing else goes up.
//!
//! A report is the whole present state, so that sending one twice, or losing one, is harmless.

mod refusal;
mod weakened;

use std::collections::BTreeSet;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    foreign::{Lines, ONE_LINE, fault},
    inventory::{Person, Source},
    moment::Moment,
    policy::{Domain, PolicyId, RuleId},
};

pub use self::{
    refusal::{Misread, Refusal, Unread},
    weakened::Weakened,
};

/// The most characters of the agent's version, and of the kind of device. What is longer is nobody's version.
pub const MAX_LABEL_CHARS: usize = 64;
/// The most characters of why a bundle was refused. A device cuts it, a server refuses what is longer.
pub const MAX_DETAIL_CHARS: usize = 500;

/// The largest report that a server reads, in bytes. Stops a device from filling the server's memory.
pub const MAX_REPORT_BYTES: usize = 1024 * 1024;

/// The most documents that a report names as unread.
pub const MAX_UNREAD: usize = 100;

/// A device's state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Report {
    /// Grows with each report of this device; the server keeps the highest.
    pub sequence: u64,
    /// When the report was made, by the device's trusted time.
    #[schemars(with = "Moment")]
    pub made_at: Timestamp,
    /// The agent's version.
    #[schemars(length(max = MAX_LABEL_CHARS), regex(pattern = ONE_LINE))]
    pub agent: String,
    /// What kind of device it is, as Rust names it: `linux`, `android`, `windows`, `macos`.
    #[serde(default)]
    #[schemars(length(max = MAX_LABEL_CHARS), regex(pattern = ONE_LINE))]
    pub platform: String,
    /// The timestamp-role version of the policy bundle in force, if there is one.
    pub bundle: Option<u64>,
    /// Why the newest bundle that was offered is not in force.
    pub refused: Option<Refusal>,
    /// The newest format of documents that the agent reads; 0 where it does not say.
    #[serde(default)]
    pub format: u32,
    /// What of the bundle in force the agent can't read, at most [`MAX_UNREAD`] documents.
    #[serde(default)]
    pub unread: Vec<Unread>,
    /// One entry for each policy or preview in force.
    pub policies: Vec<PolicyReport>,
    /// Mail profiles that are not simply in their place.
    pub profiles: Vec<ProfileReport>,
    /// People of whom something is asked, and to whom nothing shows notices now.
    #[serde(default)]
    pub unattended: Vec<Person>,
    /// Who was corrected after a retraction.
    pub corrections: Vec<CorrectionReport>,
    /// Settings of the device by which it promises less than others do.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    #[schemars(with = "Vec<Weakened>")]
    pub weakened: BTreeSet<Weakened>,
}

impl Report {
    /// Why a server does not take the report's texts, if it does not: they are one line each, and not longer than theirs.
    pub fn fault(&self) -> Option<String> {
        let refused = self.refused.as_ref().map_or("", |refusal| refusal.detail().as_data());
        let texts = [
            ("agent", self.agent.as_str(), MAX_LABEL_CHARS),
            ("platform", self.platform.as_str(), MAX_LABEL_CHARS),
            ("refused.detail", refused, MAX_DETAIL_CHARS),
        ];
        let unread = self.unread.iter().flat_map(Unread::texts).map(|(field, text)| (field, text, MAX_DETAIL_CHARS));
        texts.into_iter().chain(unread).find_map(|(field, text, most)| {
            let is_long = text.chars().count() > most;
            let fault = if is_long { Some(format!("it has over {most} characters")) } else { fault(text, Lines::One) };
            fault.map(|fault| format!("{field}: {fault}"))
        })
    }
}

/// One policy on one device.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PolicyReport {
    /// Which policy.
    pub policy: PolicyId,
    /// Which version of it.
    pub version: u64,
    /// Whether it is only counted.
    pub preview: bool,
    /// Whether its rollout has reached this device. Until then it obliges nobody.
    #[serde(default = "yes")]
    pub reached: bool,
    /// One entry for each rule.
    pub rules: Vec<RuleReport>,
}

/// A report that was stored before there were rollouts.
fn yes() -> bool {
    true
}

/// One rule on one device.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RuleReport {
    /// Which rule.
    pub rule: RuleId,
    /// The rule's result on this device.
    pub finding: Finding,
    /// Why the result is unknown; empty if it isn't.
    pub doubts: Vec<Doubt>,
    /// Until when the device is spared the rule, while it is.
    #[serde(default)]
    #[schemars(with = "Option<Moment>")]
    pub spared_until: Option<Timestamp>,
    /// One entry for each person whom the rule obliges.
    pub people: Vec<PersonReport>,
    /// Of a preview whose rule is not met: what the policy would do here.
    #[serde(default)]
    pub foretold: Option<Foretold>,
}

/// What a policy would do on one device, if it were published as the preview says. Nobody was told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Foretold {
    /// People who would be told.
    pub people: u32,
    /// Those of them whose mail would be revoked if they did nothing.
    pub with_mail: u32,
    /// When the rollout would reach this device; none if at once.
    #[schemars(with = "Option<Moment>")]
    pub reached: Option<Timestamp>,
    /// When that mail would be revoked, if they were told as soon as this was worked out or the rollout came.
    #[schemars(with = "Option<Moment>")]
    pub deadline: Option<Timestamp>,
}

/// One obligation: a rule for a person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PersonReport {
    /// Who, by the name that the device drew for them; no name or number of an account goes up.
    pub person: Person,
    /// How far the obligation has come.
    pub stage: Stage,
    /// What became of the notice that counts.
    pub receipt: Receipt,
    /// When the notice that counts was shown.
    #[schemars(with = "Option<Moment>")]
    pub shown: Option<Timestamp>,
    /// Where that was.
    pub shown_on: Option<Medium>,
    /// Why the last notice could not be shown, if it could not.
    pub obstacle: Option<Obstacle>,
    /// When the person acknowledged a notice.
    #[schemars(with = "Option<Moment>")]
    pub acknowledged: Option<Timestamp>,
    /// The effective deadline, once there is one.
    #[schemars(with = "Option<Moment>")]
    pub deadline: Option<Timestamp>,
    /// While the stage is [`Stage::Held`]: what holds the revocation.
    pub holds: Vec<Hold>,
}

/// One person's mail profile of one domain, while it is not simply in its place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ProfileReport {
    /// Whose.
    pub person: Person,
    /// The mail domain, as a policy names it.
    pub domain: Domain,
    /// Where it is.
    pub state: ProfileState,
    /// Whether the last try to move it failed. It is tried again, with growing pauses.
    pub failing: bool,
    /// Of one in the vault: whether its stored mail was to be locked, and can still be read.
    #[serde(default)]
    pub store_open: bool,
}

/// Where a mail profile is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ProfileState {
    /// On its way into the vault.
    Leaving,
    /// It leaves as soon as a mail client closes.
    Waiting,
    /// In the vault.
    Vault,
    /// On its way back.
    Returning,
}

/// What became of a notice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Receipt {
    /// It is to be shown.
    Queued,
    /// It could not be shown; it is tried again, and no deadline runs.
    NotShown,
    /// It was shown.
    Shown,
    /// The person said that they have read it.
    Acknowledged,
}

/// Where a notice was put before a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Medium {
    /// On their desktop, while they were there.
    Desktop,
    /// On a terminal that they had used a moment ago.
    Terminal,
    /// On the terminal at which they logged in.
    Login,
}

/// What keeps a notice from a person now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Obstacle {
    /// They are not logged in, or nothing of ours runs where they are.
    NoSession,
    /// Their desktop has no service that shows notifications, or it refused.
    NoService,
    /// Their screen is locked, or shows somebody else's session.
    Locked,
    /// They are not at their device.
    Away,
    /// They asked their desktop not to disturb them.
    DoNotDisturb,
    /// Something holds the screen awake: a meeting, a talk, a film.
    Busy,
    /// It was put before them, and went before anybody could have read it.
    Vanished,
}

impl Obstacle {
    /// Every obstacle.
    pub const ALL: [Self; 7] =
        [Self::NoSession, Self::NoService, Self::Locked, Self::Away, Self::DoNotDisturb, Self::Busy, Self::Vanished];

    /// The obstacle in a few words, for admins.
    pub fn text(self) -> &'static str {
        match self {
            Self::NoSession => "not logged in where a notice can be shown",
            Self::NoService => "the desktop shows no notifications",
            Self::Locked => "the screen is locked",
            Self::Away => "away from the device",
            Self::DoNotDisturb => "asked not to be disturbed",
            Self::Busy => "in a meeting, or something else that holds the screen",
            Self::Vanished => "it vanished before it could be read",
        }
    }
}

/// A correction to a person who had seen a notice of a policy that was retracted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CorrectionReport {
    /// Which policy.
    pub policy: PolicyId,
    /// Who.
    pub person: Person,
    /// When the correction was shown; none while it waits.
    #[schemars(with = "Option<Moment>")]
    pub shown: Option<Timestamp>,
}

/// A rule's result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Finding {
    /// The banned app is certainly not installed.
    Met,
    /// It can't be said: a source that could list the app is incomplete or was not read yet.
    Unknown,
    /// The banned app is installed, as far as any source shows it.
    NotMet,
}

/// What keeps a rule's result from being certain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", tag = "why", content = "source")]
pub enum Doubt {
    /// No source of this agent lists packages of the types that the rule names.
    NoSource,
    /// The source was not listed yet since the rule came into force.
    NotListed(Source),
    /// A part of the source could not be read.
    Partial(Source),
    /// The source lists a package that the rule names in some versions, and does not say which version it is.
    NoVersion(Source),
}

impl Doubt {
    /// The doubt as a sentence.
    pub fn text(self) -> String {
        match self {
            Self::NoSource => "nothing on this kind of device lists such packages".to_owned(),
            Self::NotListed(source) => format!("{} was not listed yet", source.name()),
            Self::Partial(source) => format!("a part of {} could not be read", source.name()),
            Self::NoVersion(source) => format!("{} does not say which version is installed", source.name()),
        }
    }
}

/// How far an obligation has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// The app was found; no notice was shown yet, so that there is no deadline.
    Found,
    /// A notice was shown, and there is no company mail of this person that could be taken.
    Informed,
    /// A notice was shown and the deadline is ahead.
    Warned,
    /// The deadline has passed and something else holds the revocation; see [`Hold`].
    Held,
    /// The profile is being taken, or waits for the mail client to close.
    Revoking,
    /// The company mail profile is in the vault.
    Revoked,
    /// The app is gone or the policy withdrawn; the profile is coming back.
    Restoring,
}

impl Stage {
    /// Every stage, in the order in which they come.
    pub const ALL: [Self; 7] =
        [Self::Found, Self::Informed, Self::Warned, Self::Held, Self::Revoking, Self::Revoked, Self::Restoring];

    /// The stage in a few words.
    pub fn text(self) -> &'static str {
        match self {
            Self::Found => "found, not yet told",
            Self::Informed => "told; nothing of yours can be taken",
            Self::Warned => "told, deadline ahead",
            Self::Held => "deadline passed, held",
            Self::Revoking => "being revoked",
            Self::Revoked => "revoked",
            Self::Restoring => "being restored",
        }
    }
}

/// Why a company mail profile is not revoked now. All that apply are given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Hold {
    /// The policy has no consequence.
    OnlyWarns,
    /// The app was recognised by what only warns: its display name, or a purl that nobody has confirmed.
    NotCertain,
    /// No notice was shown yet.
    NotShown,
    /// The deadline is ahead.
    DeadlineAhead,
    /// The last call was not given, or not long enough ago.
    LastCall,
    /// No verified bundle confirmed the policy within `max_staleness`, nor does the policy itself say that it acts
    /// without a server after `offline_limit`.
    PolicyStale,
    /// No source that lists the app for certain has a complete listing of the last five minutes.
    ScanNotFresh,
    /// The person has no company mail profile that the policy names.
    NoCompanyMail,
}

impl Hold {
    /// Every hold, in the order in which they are told.
    pub const ALL: [Self; 8] = [
        Self::OnlyWarns,
        Self::NotCertain,
        Self::NotShown,
        Self::DeadlineAhead,
        Self::LastCall,
        Self::PolicyStale,
        Self::ScanNotFresh,
        Self::NoCompanyMail,
    ];

    /// The hold as a sentence .
    pub fn text(self) -> &'static str {
        match self {
            Self::OnlyWarns => "this policy only warns; nothing will be taken",
            Self::NotCertain => "what was found may be another app, so nothing will be taken for it",
            Self::NotShown => "no notice was shown to you yet, so no deadline runs",
            Self::DeadlineAhead => "the deadline is still ahead",
            Self::LastCall => "a last call comes at least 15 minutes before",
            Self::PolicyStale => "the server has not confirmed the policy recently enough",
            Self::ScanNotFresh => "the packages could not be listed completely just now",
            Self::NoCompanyMail => "there is no company mail profile of yours on this device",
        }
    }
}
