//! Requests to the server other than the push stream: enrolment, reports, and what admins ask.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    policy::{PolicyId, RuleId},
    report::{CorrectionReport, PersonReport},
};

/// The largest request body from an admin or a device that enrolls, in bytes.
pub const MAX_REQUEST_BYTES: usize = 8 * 1024 * 1024;

/// `POST /v1/enroll`: a device asks for a certificate for the key that it made.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EnrollRequest {
    /// The one-time token's secret.
    pub secret: String,
    /// A PKCS#10 certificate signing request, in PEM.
    pub signing_request: String,
}

/// `POST /v1/renew`: an enrolled device asks for a new certificate, for a new key, under the name that it has.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RenewRequest {
    /// A PKCS#10 certificate signing request, in PEM.
    pub signing_request: String,
}

/// The answer: the device is enrolled, or its certificate renewed.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EnrollAnswer {
    /// The name that the server gave to the device.
    pub device: String,
    /// The device's certificate, in PEM.
    pub certificate: String,
}

/// `GET /v1/online-keys`: the server's own public keys, which the admins put into the root.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OnlineKeys {
    /// The snapshot role's Ed25519 public key, in hexadecimal.
    pub snapshot: String,
    /// The timestamp role's Ed25519 public key, in hexadecimal.
    pub timestamp: String,
}

/// `POST /v1/drafts`: signed metadata, and the targets that it lists, to be published once enough admins signed.
///
/// A later post of the same roles with another signature adds that signature.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Draft {
    /// TUF role name (`root`, `targets`, `policies`, `previews`, `retractions`) to its signed metadata as JSON text.
    pub roles: BTreeMap<String, String>,
    /// Target name to text, for targets that are new.
    pub targets: BTreeMap<String, String>,
}

/// Where a draft stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DraftStatus {
    /// The draft's number on this server.
    pub number: i64,
    /// For each role of the draft: valid signatures so far, and signatures needed.
    pub signatures: BTreeMap<String, (usize, usize)>,
    /// The draft itself.
    pub draft: Draft,
}

impl DraftStatus {
    /// Whether every role has the signatures it needs.
    pub fn is_signed(&self) -> bool {
        self.signatures.values().all(|(have, need)| have >= need)
    }
}

/// `GET /v1/status`: what the fleet has reported.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FleetStatus {
    /// Devices that enrolled.
    pub devices: u64,
    /// Devices with an open push stream.
    pub connected: u64,
    /// The policies and previews that some device reported on, by id; `preview/` stands before a preview's id.
    pub policies: BTreeMap<String, PolicyCount>,
    /// Corrections after retractions, by policy.
    pub corrections: BTreeMap<PolicyId, CorrectionCount>,
    /// Devices whose newest report says that they refused a bundle, by reason.
    pub refusals: BTreeMap<String, u64>,
    /// People of whom something is asked, and to whom nothing shows notices now.
    #[serde(default)]
    pub unattended: u64,
}

/// `GET /v1/told/{policy}`: who was told what of a policy, and who was corrected.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Told {
    /// Everyone whom it obliges.
    pub people: Vec<ToldPerson>,
    /// Everyone who is owed a correction.
    pub corrections: Vec<ToldCorrection>,
}

/// One person who was told, or is to be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ToldPerson {
    /// On which device.
    pub device: String,
    /// Of which rule.
    pub rule: RuleId,
    /// What and when.
    pub report: PersonReport,
}

/// One person who was corrected, or is to be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ToldCorrection {
    /// On which device.
    pub device: String,
    /// Whether and when.
    pub report: CorrectionReport,
}

/// `POST /v1/appeal`: a person on this device contests what a rule asks of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AppealRequest {
    /// Which policy.
    pub policy: PolicyId,
    /// Which rule.
    pub rule: RuleId,
    /// Why, in the person's own words: at most [`MAX_APPEAL_CHARS`].
    pub reason: String,
}

/// The longest reason of an appeal, in characters.
pub const MAX_APPEAL_CHARS: usize = 1000;

/// `GET /v1/appeals`: what was contested, the newest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Appeal {
    /// Which device.
    pub device: String,
    /// When it came, by the server's clock.
    pub at: Timestamp,
    /// What it says.
    #[serde(rename = "appeal")]
    pub request: AppealRequest,
}

/// Devices and people by result.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
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
    /// People to whom a notice was shown.
    pub shown: u64,
    /// People to whom none could be shown yet, by what is in the way, as [`crate::report::Obstacle::text`] says it.
    #[serde(default)]
    pub not_told: BTreeMap<String, u64>,
}

/// People corrected after a retraction.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CorrectionCount {
    /// People who had seen a notice.
    pub owed: u64,
    /// Those of them to whom the correction was shown.
    pub shown: u64,
}
