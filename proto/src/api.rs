//! Requests to the server other than the push stream: enrolment, reports, and what admins ask.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{Timestamp, civil::Date};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    foreign::{Foreign, MANY_LINES},
    moment::{Day, Moment},
    policy::{Group, Name, PolicyId, RuleId},
    report::{CorrectionReport, PersonReport, Unread, Weakened},
};

/// The largest answer of a server that a device or an admin reads where nothing else is said, in bytes.
pub const MAX_ANSWER_BYTES: usize = 1024 * 1024;

/// The largest request body from an admin or a device that enrolls, in bytes.
pub const MAX_REQUEST_BYTES: usize = 8 * 1024 * 1024;

/// `POST /v1/enroll`: a device asks for a certificate for the key that it made.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct EnrollRequest {
    /// The one-time token's secret.
    pub secret: String,
    /// A PKCS#10 certificate signing request, in PEM.
    pub signing_request: String,
}

/// `POST /v1/renew`: an enrolled device asks for a new certificate, for a new key, under the name that it has.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct RenewRequest {
    /// A PKCS#10 certificate signing request, in PEM.
    pub signing_request: String,
}

/// The answer: the device is enrolled, or its certificate renewed.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct EnrollAnswer {
    /// The name that the server gave to the device.
    pub device: String,
    /// The device's certificate, in PEM.
    pub certificate: String,
}

/// `GET /v1/online-keys`: the server's own public keys, which the admins put into the root.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OnlineKeys {
    /// The snapshot role's Ed25519 public key, in hexadecimal.
    pub snapshot: String,
    /// The timestamp role's Ed25519 public key, in hexadecimal.
    pub timestamp: String,
}

/// `POST /v1/drafts`: signed metadata, and the targets that it lists. The last signature that it needs publishes it.
///
/// A later post of the same roles with another signature adds that signature.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Draft {
    /// TUF role name (`root`, `targets`, `policies`, `previews`, `retractions`, `exemptions`) to its signed metadata as
    /// JSON text.
    pub roles: BTreeMap<String, String>,
    /// Target name to text, for targets that are new or changed.
    pub targets: BTreeMap<String, String>,
    /// The names of targets that it takes out of its roles. The server fills this in, and the next field.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub removes: BTreeSet<String>,
    /// What it was made over: the SHA-256, in hexadecimal, of what each target that it changes or takes out said then.
    /// A target that was not there has none. It says whether the draft can be made anew over something newer.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub over: BTreeMap<String, String>,
    /// The number of the stale draft in whose place this one comes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replaces: Option<i64>,
    /// When the server first got it, by its clock. The server fills this in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Moment>")]
    pub posted: Option<Timestamp>,
}

/// `GET /v1/devices`: a device, as it is listed. This and its newest report are all that the server keeps of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Device {
    /// The name that it was given.
    pub name: String,
    /// When it enrolled, by the server's clock.
    #[schemars(with = "Moment")]
    pub enrolled: Timestamp,
    /// Its groups.
    pub groups: BTreeSet<Group>,
    /// Since when its certificate counts no longer, if it does not.
    #[schemars(with = "Option<Moment>")]
    pub revoked: Option<Timestamp>,
    /// When its newest report came.
    #[schemars(with = "Option<Moment>")]
    pub heard: Option<Timestamp>,
    /// Settings by which it promises less than others do, as it says.
    #[serde(default)]
    pub weakened: BTreeSet<Weakened>,
    /// What that says of the agent there.
    #[serde(default)]
    pub agent: Option<Agent>,
}

/// The agent on a device, by its own word.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Agent {
    /// Its version.
    pub version: String,
    /// What kind of device it is on: `linux`.
    pub platform: String,
    /// The newest format of documents that it reads; 0 where it does not say.
    pub format: u32,
    /// The first few documents that it can't read, and takes nothing by.
    pub unread: Vec<Unread>,
}

/// Devices with the same agent.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct AgentCount {
    /// Its version.
    pub version: String,
    /// What kind of device it is on: `linux`.
    pub platform: String,
    /// The newest format of documents that it reads; 0 where it does not say.
    pub format: u32,
    /// How many devices have it.
    pub devices: u64,
}

/// What whoever asks the admins' interface may do. Each may also do what those before it may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Read what devices reported, what is in force, and the record.
    Viewer,
    /// Put drafts before the admins. What they do takes the admins' signatures all the same.
    Author,
    /// Publish what is signed, revoke and forget devices.
    Approver,
}

/// Where a draft stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DraftStatus {
    /// The draft's number on this server.
    pub number: i64,
    /// For each role of the draft: valid signatures so far, and signatures needed. A new root needs those of the admins
    /// that it names as well; they are counted under [`NEW_ADMINS`].
    pub signatures: BTreeMap<String, (usize, usize)>,
    /// Whether it is in force.
    #[serde(default)]
    pub published: bool,
    /// Whether something else was published since it was made, so that it can't be published as it is. Whoever signs it
    /// makes it anew.
    #[serde(default)]
    pub stale: bool,
    /// Why a draft with all its signatures is not published yet.
    #[serde(default)]
    pub waiting: Option<Foreign>,
    /// The draft itself.
    pub draft: Draft,
}

/// Under which name [`DraftStatus::signatures`] counts the signatures on a new root by the admins whom it names.
pub const NEW_ADMINS: &str = "root, by the admins whom it names";

impl DraftStatus {
    /// Whether every role has the signatures it needs.
    pub fn is_signed(&self) -> bool {
        self.signatures.values().all(|(have, need)| have >= need)
    }
}

/// `GET /v1/status`: what the fleet has reported.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FleetStatus {
    /// Devices that enrolled.
    pub devices: u64,
    /// Devices with an open push stream.
    pub connected: u64,
    /// The policies and previews that some device reported on, by id; `preview/` stands before a preview's id.
    pub policies: BTreeMap<String, PolicyCount>,
    /// Corrections after retractions, by policy.
    pub corrections: BTreeMap<PolicyId, CorrectionCount>,
    /// Which agents devices have.
    #[serde(default)]
    pub agents: Vec<AgentCount>,
    /// Devices whose newest report says that they refused a bundle, by reason.
    pub refusals: BTreeMap<Foreign, u64>,
    /// People of whom something is asked, and to whom nothing shows notices now.
    #[serde(default)]
    pub unattended: u64,
    /// Devices that promise less than others do, by the setting, as [`Weakened::name`] says it.
    #[serde(default)]
    pub weakened: BTreeMap<String, u64>,
}

/// `GET /v1/told/{policy}`: who was told what of a policy, and who was corrected.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Told {
    /// Everyone whom it obliges.
    pub people: Vec<ToldPerson>,
    /// Everyone who is owed a correction.
    pub corrections: Vec<ToldCorrection>,
}

/// One person who was told, or is to be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ToldPerson {
    /// On which device.
    pub device: String,
    /// Of which rule.
    pub rule: RuleId,
    /// What and when.
    pub report: PersonReport,
}

/// One person who was corrected, or is to be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ToldCorrection {
    /// On which device.
    pub device: String,
    /// Whether and when.
    pub report: CorrectionReport,
}

/// `POST /v1/appeal`: a person on this device contests what a rule asks of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AppealRequest {
    /// Which policy.
    pub policy: PolicyId,
    /// Which rule.
    pub rule: RuleId,
    /// Why, in the person's own words: at most [`MAX_APPEAL_CHARS`], line feeds among them.
    #[schemars(length(max = MAX_APPEAL_CHARS), regex(pattern = MANY_LINES))]
    pub reason: Foreign,
}

/// The longest reason of an appeal, in characters.
pub const MAX_APPEAL_CHARS: usize = 1000;

/// `GET /v1/appeals`: what was contested, the newest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Appeal {
    /// Which device.
    pub device: String,
    /// When it came, by the server's clock.
    #[schemars(with = "Moment")]
    pub at: Timestamp,
    /// What it says.
    #[serde(rename = "appeal")]
    pub request: AppealRequest,
}

/// `POST /v1/tokens`: a token for a program, or a person, without an admin's key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TokenRequest {
    /// Whose it is, for the record: `grafana`. Each name has one token.
    pub name: Name,
    /// What it may do.
    pub role: Role,
    /// For how many days, at most [`MAX_TOKEN_DAYS`].
    #[schemars(range(min = 1, max = MAX_TOKEN_DAYS))]
    pub days: u16,
}

/// The longest that a token is good for, in days.
pub const MAX_TOKEN_DAYS: u16 = 366;

/// A token, as it is listed. Its secret is shown once, when it is made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Token {
    /// Whose it is.
    pub name: String,
    /// What it may do.
    pub role: Role,
    /// When it ends.
    #[schemars(with = "Moment")]
    pub ends: Timestamp,
}

/// `GET /v1/fleet/{policy}`: a fleet to simulate a policy with. It names no device.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Answers {
    /// Devices, by what they say of the policy.
    pub alike: Vec<Alike>,
    /// How many devices have said nothing of it yet.
    pub unheard: u64,
}

/// Devices that say the same of a policy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Alike {
    /// What kind of device: `linux`.
    pub platform: String,
    /// The groups that they were put into when they enrolled.
    pub groups: BTreeSet<Group>,
    /// The rules that are not met there, without those that they are spared.
    pub not_met: BTreeSet<RuleId>,
    /// The rules of which they can't tell.
    pub unknown: BTreeSet<RuleId>,
    /// How many people each would tell; one where nobody would be told.
    pub people: u32,
    /// Whether any of those has company mail that the policy would take.
    pub mail: bool,
    /// How many such devices there are.
    pub devices: u64,
}

/// `GET /v1/sign-in`: where people without an admin's key sign in, by OpenID Connect.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Provider {
    /// Where their browser goes.
    pub authorization_endpoint: String,
    /// What the provider calls the server.
    pub client_id: String,
    /// What is asked for: words with a space between them.
    pub scope: String,
}

/// `POST /v1/sign-in`: the code with which a person's browser came back from the provider.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SignInRequest {
    /// The code.
    pub code: String,
    /// Where the browser came back to, as the provider was told.
    pub redirect: String,
    /// The secret of which the provider was given the digest: PKCE's `code_verifier` (RFC 7636).
    pub verifier: String,
    /// What the provider was asked to put into its token.
    pub nonce: String,
}

/// The answer: a token for a person, in the place of the one from their last sign-in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SignedIn {
    /// Its secret, for `Authorization: Bearer`.
    pub secret: String,
    /// Who signed in, what they may do, and until when.
    pub token: Token,
}

/// `GET /v1/undone/{policy}?since={version}`: how far a retraction has come, that was published with this version of the
/// timestamp role.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Undone {
    /// Devices that enrolled.
    pub devices: u64,
    /// Those of them with an open push stream to the server that was asked.
    pub connected: u64,
    /// Those whose newest report says that they have the retraction.
    pub reached: u64,
    /// People there who are owed a correction, because they may have seen a notice.
    pub owed: u64,
    /// Those of them to whom the correction was shown.
    pub corrected: u64,
    /// Mail profiles there that are on their way back.
    pub returning: u64,
}

/// Devices and people by result.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PolicyCount {
    /// The highest version reported.
    pub version: u64,
    /// Devices on which every rule is met.
    pub met: u64,
    /// Devices on which some rule is not met.
    pub not_met: u64,
    /// Devices that can't tell.
    pub unknown: u64,
    /// People by stage, as [`crate::report::Stage::text`] says it.
    pub people: BTreeMap<String, u64>,
    /// Of those whose profile is being taken, how many have a mail program open that has to close first.
    #[serde(default)]
    pub waiting: u64,
    /// Of those whose mail is revoked: people whose stored mail was to be locked and can still be read.
    #[serde(default)]
    pub store_open: u64,
    /// People to whom a notice was shown.
    pub shown: u64,
    /// Devices that have not answered on this version yet.
    #[serde(default)]
    pub unheard: u64,
    /// Those of them whose agent is too old to read it. Nothing is taken by it there.
    #[serde(default)]
    pub too_old: u64,
    /// Devices that the rollout has reached.
    #[serde(default)]
    pub reached: u64,
    /// The same by kind of device: `linux`.
    #[serde(default)]
    pub platforms: BTreeMap<String, Share>,
    /// The same by group; a device may be in several.
    #[serde(default)]
    pub groups: BTreeMap<String, Share>,
    /// Of a preview: what would happen if it were published.
    #[serde(default)]
    pub foretold: Foresight,
    /// People to whom none could be shown yet, by what is in the way, as [`crate::report::Obstacle::text`] says it.
    #[serde(default)]
    pub not_told: BTreeMap<String, u64>,
}

/// A part of the devices.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Share {
    /// Devices that answered.
    pub devices: u64,
    /// Those on which some rule is not met.
    pub not_met: u64,
    /// Those that can't tell.
    pub unknown: u64,
    /// Notices that people there would be shown, or were: one for each rule and person.
    pub people: u64,
}

/// What publishing a preview would do.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Foresight {
    /// Devices on which somebody would be told.
    pub devices: u64,
    /// People who would be told at once.
    pub told_now: u64,
    /// People who would be told later, as the rollout goes on.
    pub told_later: u64,
    /// People whose mail would be revoked if nobody did anything, by the day (UTC) on which that were: `2026-12-04`.
    #[schemars(with = "BTreeMap<Day, u64>")]
    pub revoked: BTreeMap<Date, u64>,
}

/// People corrected after a retraction.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CorrectionCount {
    /// People who had seen a notice.
    pub owed: u64,
    /// Those of them to whom the correction was shown.
    pub shown: u64,
}
