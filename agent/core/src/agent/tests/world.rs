//! A device whose time passes as a test says, around the real loop.

use std::{collections::BTreeMap, path::Path, sync::Arc, time::Duration};

pub(super) use forewarn_engine::{App, Input, NoticeKind, Settings, Subject};
use forewarn_engine::{Engine, PolicySet, SignedPolicy};
use forewarn_proto::{
    inventory::{Person, Scope},
    ipc::{Order, Word},
    policy::{Language, Length, Policy, PolicyId, Retraction},
    report::{Medium, Obstacle, Report},
};
use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use tokio::{runtime::Runtime, sync::mpsc, time::timeout};

pub(super) use super::fakes::What;
use super::fakes::{Facts, Fake, Happened};
use crate::{
    agent::{Agent, Channels, Inputs, Ports, Setup, Wake, start::assemble},
    identity::Identity,
    notice::{NoticeConfig, NoticeWay},
    ports::{Asked, Companion, Held, Said},
    store::Store,
    touched::Touched,
};

pub(super) const ANN: Person = Person::from_bits(1000);
pub(super) const BEN: Person = Person::from_bits(1001);

/// A process of the agent, and the other ends of what it hears and says.
struct Process {
    runtime: Runtime,
    agent: Agent,
    channels: Channels,
    alarm: Box<dyn crate::ports::Alarm>,
    said: mpsc::Sender<Said>,
    #[expect(dead_code, reason = "kept open")]
    asking: mpsc::Sender<Asked>,
    changed: mpsc::UnboundedSender<Person>,
    orders: BTreeMap<Person, mpsc::Receiver<Order>>,
}

/// A device. Its fields are facts, which the fakes have as soon as something happens.
pub(super) struct World {
    fake: Fake,
    folder: tempfile::TempDir,
    process: Option<Process>,
    settings: Settings,
    pub(super) truth: Timestamp,
    pub(super) wall_error: SignedDuration,
    pub(super) zone: TimeZone,
    pub(super) set: PolicySet,
    /// What the device has of it.
    cached: PolicySet,
    pub(super) installed: std::collections::BTreeSet<(Scope, String)>,
    pub(super) broken_scan: bool,
    pub(super) people: Vec<Person>,
    pub(super) mailless: std::collections::BTreeSet<Person>,
    pub(super) away: std::collections::BTreeSet<Person>,
    pub(super) client_runs: bool,
    pub(super) vault_broken: bool,
    /// Whether the power goes as soon as a notice is on its way, however many effects that takes.
    pub(super) power: Option<usize>,
    dead: bool,
    /// Whether nobody has a companion.
    pub(super) alone: bool,
    pub(super) log: Vec<Happened>,
    pub(super) reports: Vec<Report>,
}

impl World {
    pub(super) fn at(time: &str, settings: Settings) -> Self {
        let truth: Timestamp = time.parse().unwrap();
        Self {
            fake: Fake::at(truth),
            folder: tempfile::tempdir().unwrap(),
            process: None,
            settings,
            truth,
            wall_error: SignedDuration::ZERO,
            zone: TimeZone::UTC,
            set: PolicySet::default(),
            cached: PolicySet::default(),
            installed: Default::default(),
            broken_scan: false,
            people: vec![ANN],
            mailless: Default::default(),
            away: Default::default(),
            client_runs: false,
            vault_broken: false,
            power: None,
            dead: false,
            alone: false,
            log: Vec::new(),
            reports: Vec::new(),
        }
    }

    pub(super) fn facts(&self) -> std::sync::MutexGuard<'_, Facts> {
        self.fake.facts()
    }

    pub(super) fn engine(&self) -> &Engine {
        &self.process.as_ref().unwrap().agent.engine
    }

    /// Here they do so by themselves.
    #[expect(clippy::unused_self, reason = "the engine's own world needs it")]
    pub(super) fn companions_come(&self) {}

    #[expect(clippy::unused_self, reason = "here nobody judges: the engine's own world does")]
    pub(super) fn verdict(&self) -> Option<&String> {
        None
    }

    pub(super) fn install(&mut self, scope: Scope, app: &str) {
        self.installed.insert((scope, app.to_owned()));
    }

    pub(super) fn kinds_shown(&self) -> Vec<NoticeKind> {
        let shown = |happened: &Happened| match &happened.what {
            What::Shown(notice) => Some(notice.kind),
            _ => None,
        };
        self.log.iter().filter_map(shown).collect()
    }

    pub(super) fn publish(&mut self, policy: &Policy) {
        let signed_by = vec!["alice".into(), "bob".into()];
        let expires = self.truth.saturating_add(SignedDuration::from_hours(24 * 366)).unwrap();
        let signed = SignedPolicy { policy: policy.clone().into(), signed_by, expires };
        self.set.policies.insert(policy.id.clone(), signed);
        self.push();
    }

    pub(super) fn retract(&mut self, id: &str, through_version: u64) {
        let id: PolicyId = id.parse().unwrap();
        let message = BTreeMap::from([(Language::english(), "Sent in error.".to_owned())]);
        let retraction = Retraction { format: 1, policy: id.clone(), through_version, reason: "error".into(), message };
        self.set.undoing.retractions.insert(id, retraction);
        self.push();
    }

    /// The server's bundle arrives, and is verified.
    pub(super) fn push(&mut self) {
        self.set.bundle += 1;
        self.give(Input::ServerTime(self.truth));
        if self.dead {
            return;
        }
        self.cached = self.set.clone();
        let set = self.set.clone();
        self.drive(move |agent| agent.take_policies(set));
        self.give(Input::PoliciesConfirmed);
    }

    pub(super) fn confirm(&mut self) {
        self.give(Input::ServerTime(self.truth));
        self.give(Input::PoliciesConfirmed);
    }

    /// Lets time pass without the server, waking the loop as it asked.
    pub(super) fn advance(&mut self, length: SignedDuration) {
        let (mut left, mut wakes) = (length, 0);
        while left > SignedDuration::ZERO {
            wakes += 1;
            assert!(wakes < 2_000, "the loop does not sleep");
            self.share();
            let process = self.process.as_ref().unwrap();
            let wake = process.agent.engine.next_wake(&process.agent.now()).filter(|_| !self.dead);
            let step = wake.unwrap_or(left).clamp(SignedDuration::from_millis(1), left);
            self.truth += step;
            self.facts().boot += step;
            left -= step;
            self.give(Input::Tick);
        }
    }

    pub(super) fn off(&mut self, length: SignedDuration) {
        self.truth += length;
        self.facts().boots += 1;
        self.facts().boot = SignedDuration::from_secs(30);
        self.restart();
    }

    pub(super) fn suspend(&mut self, length: SignedDuration) {
        self.truth += length;
        self.facts().boot += length;
        self.give(Input::Tick);
    }

    /// The process dies and begins again. What was not stored is lost.
    pub(super) fn restart(&mut self) {
        self.process = None;
        (self.dead, self.power) = (false, None);
        self.start();
    }

    pub(super) fn start(&mut self) {
        self.share();
        self.process = Some(Process::start(self.fake.clone(), self.folder.path(), self.settings.clone(), self.alone));
        let cached = self.cached.clone();
        self.drive(move |agent| {
            if cached.bundle > 0 {
                agent.take_policies(cached);
            }
            agent.look_everywhere();
        });
    }

    /// Something has changed that a watch tells of.
    pub(super) fn scan(&mut self) {
        self.drive(Agent::look_everywhere);
    }

    /// Something happens. Each person's own words come as their companion says them.
    pub(super) fn give(&mut self, input: Input) {
        match input {
            Input::NoticeSnoozed(subject, length) => self.say(subject.person(), Word::Snoozed(subject, Length(length))),
            Input::NoticeAcknowledged(subject) => self.say(subject.person(), Word::Acknowledged(subject)),
            Input::Tick => self.drive(|agent| agent.respond(Wake::Alarm)),
            input => self.drive(|agent| agent.give(input)),
        }
    }

    /// Somebody's account or home is not quite what it was.
    pub(super) fn change(&mut self, person: Person) {
        self.process.as_ref().unwrap().changed.send(person).unwrap();
        self.drive(|_| {});
    }

    fn say(&mut self, person: Person, word: Word) {
        let process = self.process.as_ref().unwrap();
        // One person's words are heard once a second.
        process.runtime.block_on(tokio::time::advance(Duration::from_secs(1)));
        process.said.try_send(Said::Word(number(person), word)).unwrap();
        self.drive(|_| {});
    }

    /// Lets the loop do something, and everything that follows from it.
    fn drive(&mut self, what: impl FnOnce(&mut Agent)) {
        if self.dead {
            return;
        }
        self.share();
        let people_are_others =
            self.process.as_ref().is_some_and(|process| process.orders.keys().ne(self.people.iter()));
        if people_are_others {
            self.process = None;
            return self.start();
        }
        let process = self.process.as_mut().unwrap();
        let Process { runtime, agent, channels, alarm, said, orders, .. } = process;
        let (away, fake, power) = (&self.away, &self.fake, self.power.is_some());
        let died = runtime.block_on(async {
            what(agent);
            // Time stands still here; so nothing is left to do when this is over.
            loop {
                let moment = Duration::from_millis(50);
                match timeout(moment, agent.wait(channels, &mut **alarm)).await {
                    Ok(wake) => agent.respond(wake.unwrap()),
                    // The power goes while something is on its way.
                    Err(_) if power && orders.values().any(|orders| !orders.is_empty()) => break true,
                    Err(_) if answer(orders, said, away, fake) => {}
                    Err(_) => break false,
                }
            }
        });
        self.dead = died;
        self.log.clone_from(&self.fake.facts().log);
        let newest = self.engine().state().report().filter(|newest| self.reports.last() != Some(newest)).cloned();
        self.reports.extend(newest);
    }

    /// The facts are those of the fields.
    fn share(&self) {
        let mut facts = self.fake.facts();
        facts.truth = self.truth;
        facts.wall_error = self.wall_error;
        facts.zone.clone_from(&self.zone);
        facts.people.clone_from(&self.people);
        facts.installed.clone_from(&self.installed);
        facts.broken_scan = self.broken_scan;
        facts.mailless.clone_from(&self.mailless);
        facts.client_runs = self.client_runs;
        facts.vault_broken = self.vault_broken;
    }
}

/// A companion's number.
fn number(person: Person) -> u64 {
    if person == ANN { 1 } else { 2 }
}

/// Companions do what they are told, and say so. Says whether there was anything.
fn answer(
    orders: &mut BTreeMap<Person, mpsc::Receiver<Order>>,
    said: &mpsc::Sender<Said>,
    away: &std::collections::BTreeSet<Person>,
    fake: &Fake,
) -> bool {
    let mut any = false;
    for (person, orders) in orders {
        while let Ok(order) = orders.try_recv() {
            any = true;
            let word = match order {
                Order::Show(notice, _) if away.contains(person) => {
                    fake.happened(What::NotShown(notice.subject));
                    Word::NotShown(notice.id, Obstacle::Locked)
                }
                Order::Show(notice, _) => {
                    let id = notice.id;
                    fake.happened(What::Shown(*notice));
                    Word::Shown(id)
                }
                Order::Withdraw(subject) => {
                    fake.happened(What::Withdrawn(subject));
                    continue;
                }
                Order::Settled | Order::Replaced => continue,
            };
            said.try_send(Said::Word(number(*person), word)).unwrap();
        }
    }
    any
}

impl Process {
    fn start(fake: Fake, folder: &Path, settings: Settings, alone: bool) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
        let (asking, asked) = mpsc::channel(16);
        let (said, said_receiver) = mpsc::channel(256);
        let (changed, changed_receiver) = mpsc::unbounded_channel();
        let mut orders = BTreeMap::new();
        let people = fake.facts().people.clone();
        for person in people {
            let (sender, receiver) = mpsc::channel(256);
            let companion = Companion { number: number(person), person, medium: Medium::Desktop, orders: sender };
            if !alone {
                said.try_send(Said::Came(companion)).unwrap();
            }
            orders.insert(person, receiver);
        }
        let zone = fake.facts().zone.clone();
        let setup = Setup {
            state: folder.to_owned(),
            scratch: vec![folder.to_owned()],
            settings,
            identity: identity(),
            store: Store::open(folder).unwrap(),
            held: Held::default(),
            notices: NoticeConfig { way: NoticeWay::Auto, languages: Vec::new(), zone },
        };
        let port = Arc::new(fake.clone());
        let ports = Ports {
            profiles: port.clone(),
            programs: port.clone(),
            scanner: port.clone(),
            people: port.clone(),
            presenter: port.clone(),
            device: port,
            alarm: Box::new(fake),
        };
        let inputs = Inputs {
            asked,
            said: said_receiver,
            changed: changed_receiver,
            touched: Touched::default(),
            stop: Box::pin(std::future::pending()),
        };
        let (agent, channels, alarm) = runtime.block_on(async { assemble(setup, ports, inputs) }).unwrap();
        Self { runtime, agent, channels, alarm, said, asking, changed, orders }
    }
}

/// An enrolment with a server that is not there.
fn identity() -> Identity {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let own = rcgen::generate_simple_self_signed(vec!["laptop".to_owned()]).unwrap();
    Identity {
        server: "https://localhost:1".into(),
        device: "laptop".into(),
        ca: own.cert.pem(),
        groups: Default::default(),
        certificate: own.cert.pem(),
        key: own.signing_key.serialize_pem(),
        former: None,
        root: "{}".into(),
    }
}

pub(super) fn policy_about(id: &str, version: u64, app: &str, deadline: &str, consequence: &str, top: &str) -> Policy {
    let (app, by_name) = app.strip_suffix(" by name").map_or((app, false), |app| (app, true));
    let rule = app.to_lowercase();
    let identity = match app {
        _ if by_name => format!("display_names = [\"{app}\"]"),
        "Elsewhere" => "purls = [\"pkg:android/elsewhere\"]".to_owned(),
        _ => format!("purls = [\"pkg:webapp/chromium/{rule}\"]"),
    };
    let text = format!(
        "id = \"{id}\"\nversion = {version}\ntitle = \"{app} must go ({id})\"\n{top}\n[deadline]\n{deadline}\n\
         [message]\nen = \"Please.\"\n[consequence]\n{consequence}\n\
         [[rule]]\nid = \"{rule}\"\napp = \"{app}\"\n{identity}\n"
    );
    Policy::parse(text.as_bytes()).unwrap_or_else(|error| panic!("{error}:\n{text}"))
}
