//! The server's numbers, for Prometheus. None says anything about one device or person.

use std::sync::{Mutex, PoisonError};

use forewarn_proto::api::{AgentCount, FleetStatus};
use prometheus_client::{
    encoding::{EncodeLabelSet, EncodeLabelValue, text::encode},
    metrics::{counter::Counter, family::Family, gauge::Gauge},
    registry::Registry,
};

/// Why something that came was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EncodeLabelValue)]
pub(crate) enum Refusal {
    /// Too many reports wait already.
    Busy,
    /// The device is unknown or revoked.
    NotWelcome,
    /// It is not a report.
    Unreadable,
    /// The device sends one too often.
    TooOften,
    /// The database failed.
    Failed,
    /// Too many have asked to enroll from there.
    TooMany,
    /// The enrolment token is unknown or used.
    Token,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Why {
    why: Refusal,
}

/// One kind of agent.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct AgentLabels {
    version: String,
    platform: String,
    format: u32,
}

/// One policy or preview, by its name in the counts.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct PolicyLabels {
    policy: String,
}

/// Counters and gauges.
#[derive(Debug)]
pub(crate) struct Numbers {
    registry: Mutex<Registry>,
    connected: Gauge,
    timestamp_left: Gauge,
    agents: Family<AgentLabels, Gauge>,
    too_old: Family<PolicyLabels, Gauge>,
    pub(crate) reports: Counter,
    reports_refused: Family<Why, Counter>,
    pub(crate) unwelcome: Counter,
    pub(crate) enrolled: Counter,
    enrolments_refused: Family<Why, Counter>,
    pub(crate) published: Counter,
    pub(crate) untold: Counter,
}

impl Numbers {
    pub(crate) fn new() -> Self {
        let mut registry = Registry::with_prefix("forewarn");
        let numbers = Self {
            registry: Mutex::default(),
            connected: Gauge::default(),
            timestamp_left: Gauge::default(),
            agents: Family::default(),
            too_old: Family::default(),
            reports: Counter::default(),
            reports_refused: Family::default(),
            unwelcome: Counter::default(),
            enrolled: Counter::default(),
            enrolments_refused: Family::default(),
            published: Counter::default(),
            untold: Counter::default(),
        };
        let one = &numbers;
        registry.register("streams", "Devices with an open push stream", one.connected.clone());
        let left = "Seconds for which the word that the bundle is current is good";
        registry.register("timestamp_left_seconds", left, one.timestamp_left.clone());
        registry.register("agents", "Devices by the agent that they report", one.agents.clone());
        let too_old = "Devices whose agent is too old to read a policy";
        registry.register("too_old", too_old, one.too_old.clone());
        registry.register("reports", "Reports that are on the disk", one.reports.clone());
        registry.register("reports_refused", "Reports that were not taken", one.reports_refused.clone());
        let unwelcome = "Requests of devices that are not, or no longer, enrolled";
        registry.register("unwelcome", unwelcome, one.unwelcome.clone());
        registry.register("enrolled", "Devices that enrolled", one.enrolled.clone());
        registry.register("enrolments_refused", "Enrolments that were refused", one.enrolments_refused.clone());
        registry.register("published", "Drafts that came into force", one.published.clone());
        registry.register("untold", "Messages to admins that could not be delivered", one.untold.clone());
        Self { registry: Mutex::new(registry), ..numbers }
    }

    pub(crate) fn report_refused(&self, why: Refusal) {
        self.reports_refused.get_or_create(&Why { why }).inc();
    }

    pub(crate) fn enrolment_refused(&self, why: Refusal) {
        self.enrolments_refused.get_or_create(&Why { why }).inc();
    }

    pub(super) fn set_connected(&self, streams: u64) {
        self.connected.set(i64::try_from(streams).unwrap_or(i64::MAX));
    }

    pub(super) fn set_timestamp_left(&self, seconds: i64) {
        self.timestamp_left.set(seconds);
    }

    /// What the fleet reported when it was counted last.
    pub(super) fn set_fleet(&self, fleet: &FleetStatus) {
        let number = |devices: u64| i64::try_from(devices).unwrap_or(i64::MAX);
        self.agents.clear();
        for AgentCount { version, platform, format, devices } in &fleet.agents {
            let labels = AgentLabels { version: version.clone(), platform: platform.clone(), format: *format };
            self.agents.get_or_create(&labels).set(number(*devices));
        }
        self.too_old.clear();
        for (policy, count) in &fleet.policies {
            self.too_old.get_or_create(&PolicyLabels { policy: policy.clone() }).set(number(count.too_old));
        }
    }

    /// All of them, as OpenMetrics text.
    pub(super) fn text(&self) -> Result<String, std::fmt::Error> {
        let mut text = String::new();
        encode(&mut text, &self.registry.lock().unwrap_or_else(PoisonError::into_inner))?;
        Ok(text)
    }
}
