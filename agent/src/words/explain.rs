//! What a person is told when they ask, as labelled facts: `forewarn why`, `forewarn status` and the page all show these.

use forewarn_proto::{
    ipc::{MatchStatus, ObligationStatus, Reach, RuleStatus, SourceStatus, SparedStatus, Status},
    policy::{Contact, How},
    report::{Finding, Misread, Stage, Unread},
};
use jiff::{Timestamp, tz::TimeZone};

use super::{Tongue, quoted};

/// One thing to know: a label, and what stands beside it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fact {
    pub(crate) label: String,
    pub(crate) lines: Vec<String>,
}

impl Tongue {
    /// The policy's title, in the best language that it has.
    pub(crate) fn title<'o>(&self, obligation: &'o ObligationStatus) -> &'o str {
        obligation.title.best(&self.languages)
    }

    fn fact(&self, label: &str, lines: impl IntoIterator<Item = String>) -> Fact {
        Fact { label: self.say(label), lines: lines.into_iter().collect() }
    }

    /// That a rule asks nothing of the person now, and why: the device is spared, or the rollout is not here.
    pub(crate) fn nothing_now(&self, rule: &RuleStatus, zone: &TimeZone) -> String {
        let mut blanks = vec![("app", rule.app.as_str().into()), ("policy", rule.policy.to_string().into())];
        let text = match (&rule.spared, rule.rollout) {
            (Some(SparedStatus { until, signed_by }), _) => {
                blanks.push(("moment", self.moment(*until, zone).into()));
                blanks.push(("names", self.list(signed_by).into()));
                "spared"
            }
            (None, Reach::Then(at)) => {
                blanks.push(("moment", self.moment(at, zone).into()));
                "rollout-then"
            }
            (None, Reach::Never) => "rollout-never",
            (None, Reach::Here) => "nothing-now",
        };
        self.fill(text, blanks)
    }

    fn at(&self, message: &str, time: Timestamp, zone: &TimeZone) -> String {
        self.fill(message, [("moment", self.moment(time, zone).into())])
    }
}

/// Everything about one obligation: what, why, by when, who decided, what is taken and what is not, how to undo it.
pub(crate) fn obligation_facts(
    tongue: &Tongue,
    obligation: &ObligationStatus,
    now: Timestamp,
    zone: &TimeZone,
) -> Vec<Fact> {
    let rule = [
        ("rule", obligation.rule.to_string().into()),
        ("policy", obligation.policy.to_string().into()),
        ("version", obligation.version.into()),
    ];
    let command = format!("forewarn remove {}", quoted(&obligation.app));
    let undo = [("app", (&obligation.app).into()), ("command", command.into())];
    let signers = tongue.join(&obligation.signed_by, "or");
    let appeal = format!("forewarn appeal {} \"…\"", quoted(&obligation.app));
    let contest = [("names", signers.into()), ("command", appeal.into())];
    let mut facts = vec![
        tongue.fact("label-rule", [tongue.fill("rule", rule)]),
        tongue.fact("label-signed", [tongue.list(&obligation.signed_by)]),
        tongue.fact("label-matched", obligation.matched.iter().map(|matched| describe(tongue, matched))),
        tongue.fact("label-found", [tongue.moment(obligation.found_at, zone)]),
        tongue.fact("label-told", told(tongue, obligation, zone)),
        tongue.fact("label-read", obligation.acknowledged.map(|read| tongue.moment(read, zone))),
    ];
    facts.extend(timing(tongue, obligation, now, zone));
    facts.push(contact(tongue, obligation));
    facts.extend([
        tongue.fact("label-takes", takes(tongue, obligation)),
        tongue.fact("label-stays", [tongue.say("stays")]),
        tongue.fact("label-now", present(tongue, obligation)),
        tongue.fact("label-undo", [tongue.fill("undo", undo)]),
        tongue.fact("label-contest", [tongue.fill("contest", contest)]),
    ]);
    facts.retain(|fact| !fact.lines.is_empty());
    facts
}

/// What matters most of an obligation: how long, what is waited for, where there is more.
pub(crate) fn obligation_in_short(
    tongue: &Tongue,
    obligation: &ObligationStatus,
    now: Timestamp,
    zone: &TimeZone,
) -> Vec<Fact> {
    let mut facts = timing(tongue, obligation, now, zone);
    facts.push(tongue.fact("label-now", waiting(tongue, obligation)));
    facts.push(contact(tongue, obligation));
    facts.push(tongue.fact("label-more", [format!("forewarn why {}", quoted(&obligation.app))]));
    facts.retain(|fact| !fact.lines.is_empty());
    facts
}

/// What is known about this device, whatever is asked of the person.
pub(crate) fn device_facts(tongue: &Tongue, status: &Status, zone: &TimeZone) -> Vec<Fact> {
    let reached = tongue.say(if status.connected { "connected" } else { "not-connected" });
    let confirmed = match status.confirmed_at {
        Some(time) => tongue.at("confirmed", time, zone),
        None => tongue.say("never-confirmed"),
    };
    let mut facts = vec![
        tongue.fact("label-mail", status.mail_notes.iter().cloned()),
        tongue.fact("label-server", [format!("{} ({reached})", status.server)]),
        tongue.fact("label-policies", [confirmed]),
        tongue.fact("label-refused", status.refused.iter().map(ToString::to_string)),
        tongue.fact("label-unread", status.unread.iter().map(|document| unread(tongue, document))),
        tongue.fact("label-reported", status.report.iter().map(|_| tongue.say("reported"))),
        tongue.fact("label-worker", status.isolation.and_then(|isolation| tongue.isolation(isolation))),
    ];
    facts.extend(sources(tongue, &status.sources));
    facts.extend(status.rules.iter().filter(|rule| rule.finding == Finding::Unknown).map(|rule| unknown(tongue, rule)));
    facts.push(tongue.fact("label-clock", status.simulated_clock.then(|| tongue.say("simulated"))));
    facts.retain(|fact| !fact.lines.is_empty());
    facts
}

/// Whom to ask, as the policy says.
fn contact(tongue: &Tongue, obligation: &ObligationStatus) -> Fact {
    let ways = obligation.contact.iter().flat_map(Contact::ways);
    tongue.fact("label-contact", ways.map(|(_, way)| way.best(&tongue.languages).to_owned()))
}

/// That a document can't be read here, and that nothing follows from it.
fn unread(tongue: &Tongue, Unread { document, why }: &Unread) -> String {
    let (message, detail) = match why {
        Misread::Format(format) => ("unread-format", format.to_string()),
        Misread::Text(text) => ("unread-text", text.clone()),
        Misread::Folder => ("unread-folder", String::new()),
    };
    tongue.fill(message, [("document", document.as_str().into()), ("detail", detail.into())])
}

fn timing(tongue: &Tongue, obligation: &ObligationStatus, now: Timestamp, zone: &TimeZone) -> Vec<Fact> {
    let ahead = obligation.deadline.filter(|_| !obligation.takes.is_empty());
    let deadline = ahead.map(|deadline| {
        let distance = tongue.distance(deadline.duration_since(now));
        tongue.fill("deadline", [("moment", tongue.moment(deadline, zone).into()), ("distance", distance.into())])
    });
    let snoozed = obligation.snoozed_until.map(|until| tongue.at("snoozed", until, zone));
    vec![tongue.fact("label-deadline", deadline), tongue.fact("label-snoozed", snoozed)]
}

fn told(tongue: &Tongue, obligation: &ObligationStatus, zone: &TimeZone) -> Vec<String> {
    let shown = obligation.shown.zip(obligation.shown_on).map(|(shown, medium)| {
        tongue.fill("told", [("moment", tongue.moment(shown, zone).into()), ("medium", tongue.medium(medium).into())])
    });
    let obstacle = obligation.obstacle.map(|obstacle| tongue.obstacle(obstacle));
    [shown.unwrap_or_else(|| tongue.say("not-told"))].into_iter().chain(obstacle).collect()
}

fn takes(tongue: &Tongue, obligation: &ObligationStatus) -> Vec<String> {
    let message = if obligation.locks { "takes-and-closes" } else { "takes" };
    let domains = obligation.takes.iter();
    let lines: Vec<String> =
        domains.map(|domain| tongue.fill(message, [("domain", domain.to_string().into())])).collect();
    if lines.is_empty() { vec![tongue.say("takes-nothing")] } else { lines }
}

fn present(tongue: &Tongue, obligation: &ObligationStatus) -> Vec<String> {
    let holds = obligation.holds.iter().filter(|_| obligation.stage != Stage::Revoked);
    let holds = holds.map(|hold| tongue.hold(*hold));
    [tongue.stage(obligation.stage)].into_iter().chain(holds).chain(waiting(tongue, obligation)).collect()
}

fn waiting(tongue: &Tongue, obligation: &ObligationStatus) -> Option<String> {
    let programs = &obligation.waiting_for;
    (!programs.is_empty()).then(|| tongue.fill("waiting-for", [("programs", tongue.list(programs).into())]))
}

fn describe(tongue: &Tongue, matched: &MatchStatus) -> String {
    let (message, pattern) = match &matched.how {
        How::Purl { pattern } => ("matched-certain", pattern.as_str()),
        How::UncertainPurl { pattern } => ("matched-uncertain", pattern.as_str()),
        How::DisplayName => ("matched-name", ""),
    };
    let blanks = [
        ("package", matched.purl.to_string().into()),
        ("pattern", pattern.into()),
        ("source", matched.source.name().into()),
        ("file", (&matched.found_in).into()),
    ];
    tongue.fill(message, blanks)
}

/// Each source that has something, and those that have nothing in one line.
fn sources(tongue: &Tongue, sources: &[SourceStatus]) -> Vec<Fact> {
    let is_empty = |source: &&SourceStatus| source.packages == 0 && source.gaps.is_empty();
    let (empty, listed): (Vec<_>, Vec<_>) = sources.iter().partition(is_empty);
    let count = |source: &SourceStatus| {
        let state = if source.gaps.is_empty() {
            tongue.say("complete")
        } else {
            tongue.fill("partial", [("gaps", source.gaps.join("; ").into())])
        };
        tongue.fill("packages", [("count", source.packages.into()), ("state", state.into())])
    };
    let fact = |source: &&SourceStatus| Fact { label: source.source.name().to_owned(), lines: vec![count(source)] };
    let names = tongue.list(empty.iter().map(|source| source.source.name()));
    let nothing = tongue.fill("nothing-of-list", [("sources", names.into())]);
    let nothing = (!empty.is_empty()).then(|| tongue.fact("nothing-of", [nothing]));
    listed.iter().map(fact).chain(nothing).collect()
}

fn unknown(tongue: &Tongue, rule: &RuleStatus) -> Fact {
    let doubts = rule.doubts.iter().map(|doubt| tongue.doubt(*doubt));
    tongue.fact("label-unknown", [tongue.fill("unknown", [("app", (&rule.app).into())])].into_iter().chain(doubts))
}
