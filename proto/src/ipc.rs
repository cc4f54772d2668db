//! What a person's commands ask the daemon over its Unix socket: one JSON text a line, one answer to a question.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    inventory::{Person, Source},
    policy::{Domain, Length, PolicyId, RuleId},
    report::{Doubt, Finding, Hold, Refusal, Report, Stage},
};

/// The longest line that the daemon reads, in bytes. Stops a local process from filling its memory.
pub const MAX_QUESTION_BYTES: usize = 4096;

/// A question.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Question {
    /// What applies to me?
    Status,
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

/// The answer to every [`Question`], after what it asks for was done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status {
    /// Trusted time now.
    pub now: Timestamp,
    /// Whether time comes from a file, for demonstration or tests.
    pub simulated_clock: bool,
    /// The server's address.
    pub server: String,
    /// Whether the push stream is open.
    pub connected: bool,
    /// When a verified bundle last confirmed the policies.
    pub confirmed_at: Option<Timestamp>,
    /// Why the newest bundle that was offered is not in force.
    pub refused: Option<Refusal>,
    /// Each source with its number of packages and what kept it from being complete.
    pub sources: Vec<SourceStatus>,
    /// What applies to the person who asks.
    pub obligations: Vec<ObligationStatus>,
    /// Rules that are met or unknown, and previews' rules are not listed: they ask nothing of the person.
    pub rules: Vec<RuleStatus>,
    /// Mail domains whose profiles are in the vault, those on their way back included.
    pub revoked: Vec<Domain>,
    /// What kept a mail account from being taken or given back, in words.
    pub mail_notes: Vec<String>,
    /// How far the process that works in the home is shut in, once one did.
    pub isolation: Option<Isolation>,
    /// The last report that was made about this device, exactly as it is sent.
    pub report: Option<Report>,
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
    pub gaps: Vec<String>,
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
}

/// One obligation with all that explains it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ObligationStatus {
    /// Which policy.
    pub policy: PolicyId,
    /// Its version.
    pub version: u64,
    /// The policy's title.
    pub title: String,
    /// The key ids of the admins who signed the policy.
    pub signed_by: Vec<String>,
    /// Which rule.
    pub rule: RuleId,
    /// What people call the app.
    pub app: String,
    /// Whom it obliges.
    pub person: Person,
    /// What matched: package, and the file that lists it.
    pub matched: Vec<String>,
    /// How far it has come.
    pub stage: Stage,
    /// When the app was found.
    pub found_at: Timestamp,
    /// When the first notice was shown.
    pub shown: Option<Timestamp>,
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
    /// The mail domains that will be, or are, revoked.
    pub takes: Vec<Domain>,
    /// Whether the stored mail of these is closed meanwhile.
    pub seals: bool,
    /// Mail clients that have to close before the profile can be taken.
    pub waiting_for: Vec<String>,
    /// Why the profile is not revoked now.
    pub holds: Vec<Hold>,
}
