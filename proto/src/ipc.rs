//! What passes over the daemon's Unix socket: one JSON text a line.
//!
//! A person's command asks one question and gets one answer. A *companion*, which puts notices before a person, asks to
//! [`Question::Attend`]; from then on it is told [`Order`]s and says [`Word`]s, until either side closes.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::{
    foreign::Foreign,
    id::{NoticeId, Subject},
    inventory::{Person, Source},
    notice::Notice,
    policy::{Contact, Domain, How, Length, PolicyId, RuleId, Texts},
    purl::Purl,
    report::{Doubt, Finding, Hold, Medium, Obstacle, Refusal, Report, Stage, Unread, Weakened},
};

/// The longest line that the daemon reads, in bytes. Stops a local process from filling its memory.
pub const MAX_QUESTION_BYTES: usize = 4096;

/// The longest line that a companion reads, in bytes: a notice has a title and a message of every policy that bans an app.
pub const MAX_ORDER_BYTES: usize = 1024 * 1024;

/// The first line of a connection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Asking {
    /// Whom it is about, by their user number. Only root may name somebody else; who names nobody asks for themself.
    pub user: Option<u32>,
    /// What is asked.
    pub question: Question,
}

/// A question.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Question {
    /// I put notices before this person from now on.
    Attend {
        /// Where.
        medium: Medium,
    },
    /// What applies to me?
    Status,
    /// What was decided about me? The answer is a list of [`Entry`], the oldest first.
    Log,
    /// I contest what is asked of me about this app. It goes to the admins.
    Appeal {
        /// What people call the app, in any case.
        app: String,
        /// Why, in the person's own words.
        reason: String,
    },
    /// Something was removed from the device: look again. The answer does not wait for that.
    Look,
    /// I have read the notice about this app, or about all.
    Acknowledge {
        /// What people call the app, in any case; all when none.
        app: Option<String>,
    },
    /// Remind me of this app, or of all, later.
    Snooze {
        /// What people call the app, in any case; all when none.
        app: Option<String>,
        /// How much later. The daemon has a cap, and a last call comes all the same.
        length: Length,
    },
}

/// The answer to [`Question::Appeal`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Appealed {
    /// What kept it from reaching the admins; none when they have it.
    pub problem: Option<Foreign>,
}

/// When something was made. The wall clock may be anything; what is left until a deadline is told by these two.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Made {
    /// The boot clock, in milliseconds.
    pub boot_ms: i64,
    /// Trusted time.
    pub at: Timestamp,
}

impl Made {
    /// How long ago that was, by the boot clock.
    pub fn age(&self, boot: SignedDuration) -> SignedDuration {
        boot - SignedDuration::from_millis(self.boot_ms)
    }

    /// Trusted time, when the boot clock stands there.
    pub fn now(&self, boot: SignedDuration) -> Timestamp {
        self.at.saturating_add(self.age(boot)).unwrap_or(Timestamp::MAX)
    }
}

/// What a companion is told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Order {
    /// Put this before the person, in the place of what was shown about the same subject. It says what held when it was made.
    Show(Box<Notice>, Made),
    /// Take down what is shown about this.
    Withdraw(Subject),
    /// Everything that waited for this person was sent.
    Settled,
    /// Another companion attends now in your place.
    Replaced,
}

/// What a companion says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Word {
    /// It was put before the person.
    Shown(NoticeId),
    /// It can't be put before the person now.
    NotShown(NoticeId, Obstacle),
    /// It was put before the person, and went before anybody could have read it.
    Vanished(NoticeId),
    /// What was in the way is gone.
    Reachable,
    /// The person has read what was shown about this.
    Acknowledged(Subject),
    /// The person wants to be reminded of this later.
    Snoozed(Subject, Length),
}

/// The answer to every other question, after what it asks for was done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status {
    /// Trusted time now.
    pub now: Timestamp,
    /// Whether time comes from a file, for demonstration or tests.
    pub simulated_clock: bool,
    /// The server's address.
    pub server: Foreign,
    /// Whether the push stream is open.
    pub connected: bool,
    /// When the server last gave a sign of life since the daemon's start.
    #[serde(default)]
    pub heard_at: Option<Timestamp>,
    /// When a verified bundle last confirmed the policies.
    pub confirmed_at: Option<Timestamp>,
    /// Why the newest bundle that was offered is not in force.
    pub refused: Option<Refusal>,
    /// What of the bundle in force this agent can't read. Nothing is taken by it.
    #[serde(default)]
    pub unread: Vec<Unread>,
    /// Each source with its number of packages and what kept it from being complete.
    pub sources: Vec<SourceStatus>,
    /// What applies to the person who asks.
    pub obligations: Vec<ObligationStatus>,
    /// Rules that are met or unknown, and previews' rules are not listed: they ask nothing of the person.
    pub rules: Vec<RuleStatus>,
    /// Mail domains whose profiles are in the vault, those on their way back included.
    pub revoked: Vec<Domain>,
    /// What kept a mail account from being taken or given back, in words.
    pub mail_notes: Vec<Foreign>,
    /// How far the process that works in the home is shut in, once one did.
    pub isolation: Option<Isolation>,
    /// Settings of this device by which it promises less than others do.
    #[serde(default)]
    pub weakened: BTreeSet<Weakened>,
    /// The last report that was made about this device, exactly as it is sent.
    pub report: Option<Report>,
}

/// Something that was decided about a person, or done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// When, by trusted time.
    pub at: Timestamp,
    /// What it is about: an app, as people call it, or a mail domain.
    pub about: String,
    /// What happened.
    pub event: Event,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// An obligation has come so far.
    Came(Stage),
    /// A notice was shown.
    Shown(Medium),
    /// A notice could not be shown.
    NotShown(Obstacle),
    /// The deadline is now this.
    Deadline(Timestamp),
    /// The person said that they have read it.
    Acknowledged,
    /// The person wanted no reminder until then.
    Snoozed(Timestamp),
    /// The app is gone, and with it what was asked.
    AppGone,
    /// No policy bans the app any more.
    PolicyGone,
    /// The mail profile is in the vault.
    MailTaken,
    /// The mail profile is back.
    MailBack,
    /// What is kept for them was given to another account, which is them from now on.
    VaultGiven {
        /// The account's name or number.
        to: String,
    },
}

/// How far a process that works in a home is kept from everything else, besides having no more than its person's rights.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Isolation {
    /// By everything that the agent asks for (Landlock of Linux 6.10).
    Full,
    /// By what this kernel has of it.
    Partial,
    /// Not at all: this kernel has no Landlock (Linux 5.13), or it is switched off.
    None,
}

/// One source, summed up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceStatus {
    /// Which source.
    pub source: Source,
    /// Packages listed.
    pub packages: usize,
    /// What could not be read.
    pub gaps: Vec<Foreign>,
}

/// A rule's result on this device.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RuleStatus {
    /// Which policy.
    pub policy: PolicyId,
    /// Which rule.
    pub rule: RuleId,
    /// What people call the app.
    pub app: String,
    /// The result.
    pub finding: Finding,
    /// Why the result is unknown; empty if it isn't.
    pub doubts: Vec<Doubt>,
    /// The exemption of this device, while there is one.
    #[serde(default)]
    pub spared: Option<SparedStatus>,
    /// Whether the policy's rollout has come to this device.
    #[serde(default)]
    pub rollout: Reach,
}

/// How far a policy's rollout has come, seen from a device.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reach {
    /// Here.
    #[default]
    Here,
    /// It will be here then, unless it is paused.
    Then(Timestamp),
    /// It does not come here: the device is not meant, or the rollout is paused.
    Never,
}

/// A device is spared a rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SparedStatus {
    /// Until when.
    pub until: Timestamp,
    /// Who decided that.
    pub signed_by: Vec<String>,
}

/// A package that a rule names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MatchStatus {
    /// The package.
    pub purl: Purl,
    /// Which source lists it.
    pub source: Source,
    /// The file in which it is listed.
    pub found_in: String,
    /// By what it was recognised.
    pub how: How,
}

/// One obligation with all that explains it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ObligationStatus {
    /// Which policy.
    pub policy: PolicyId,
    /// Its version.
    pub version: u64,
    /// The policy's title.
    pub title: Texts,
    /// Whom the person can ask about the policy.
    #[serde(default)]
    pub contact: Option<Contact>,
    /// The key ids of the admins who signed the policy.
    pub signed_by: Vec<String>,
    /// Which rule.
    pub rule: RuleId,
    /// What people call the app.
    pub app: String,
    /// Whom it obliges.
    pub person: Person,
    /// What matched.
    pub matched: Vec<MatchStatus>,
    /// How far it has come.
    pub stage: Stage,
    /// When the app was found.
    pub found_at: Timestamp,
    /// When the first notice was shown.
    pub shown: Option<Timestamp>,
    /// Where that was.
    pub shown_on: Option<Medium>,
    /// Why the last notice could not be shown, if it could not.
    pub obstacle: Option<Obstacle>,
    /// When any notice was last shown.
    pub last_shown: Option<Timestamp>,
    /// When the last call was shown.
    pub last_call: Option<Timestamp>,
    /// When the person acknowledged.
    pub acknowledged: Option<Timestamp>,
    /// Until when no reminder is shown, because the person asked for that.
    pub snoozed_until: Option<Timestamp>,
    /// The effective deadline, once there is one.
    pub deadline: Option<Timestamp>,
    /// When reminders come due, or came, before it.
    pub reminders: Vec<Timestamp>,
    /// The mail domains that will be, or are, revoked.
    pub takes: Vec<Domain>,
    /// Whether the stored mail of these is closed meanwhile.
    pub locks: bool,
    /// Mail clients that have to close before the profile can be taken.
    pub waiting_for: Vec<String>,
    /// Why the profile is not revoked now.
    pub holds: Vec<Hold>,
}
