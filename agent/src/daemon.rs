//! The daemon: one loop over everything that can wake it.

mod answers;
mod main;
mod offers;
mod sieve;

pub(crate) use self::main::main;

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    path::Path,
    sync::Arc,
    time::Duration,
};

use anyhow::{Context, Result, bail, ensure};
use forewarn_clock::{Clock, local_zone};
use forewarn_engine::{Engine, Input, MailFound, Now, PolicySet, ProfileId, State};
use forewarn_proto::{
    inventory::{Listing, Person, Scope},
    ipc::Isolation,
    push::Frame,
    report::{Refusal, Unread},
};
use jiff::Timestamp;
use tokio::{
    signal::unix::{SignalKind, signal},
    sync::{mpsc, watch},
    time::{Instant, interval_at},
};

use crate::{
    alarm::Alarm,
    config::Config,
    history::History,
    identity::{Identity, create_private},
    ipc::{self, Asked},
    mail::{self, Held, Mail},
    notice::{self, Manner, News},
    people::{Account, People},
    perform::{Done, Hands},
    scan::{self, Extent, LOOK_EVERY, Looks, Scan, Scanner, Touched, Watch},
    store::{Store, Stored},
    sync::{self, Badge, Heard, Link},
    trust::{Examined, Offer, Trust, Verdict},
    turns::Turns,
    vault_key,
};

use self::{offers::Offers, sieve::Sieve};

/// How long a start waits for what was accepted before to be verified. It is in force a moment later where that takes longer.
const PATIENCE: Duration = Duration::from_secs(5);

/// Everything that can wake the daemon.
enum Wake {
    /// The engine wanted to look again, or a simulated clock was moved.
    Alarm,
    /// The server, or its silence.
    Server(Heard),
    /// Packages may have changed in these scopes.
    Changed(BTreeSet<Scope>),
    /// Nothing was looked at for long.
    LookDue,
    /// A task of ours is done.
    Done(Done),
    /// What was offered is verified, or is not what it has to be.
    Examined(Examined),
    /// What could not be read or kept is to be offered again.
    Resumed,
    /// The person was, or was not, shown something; or has read it.
    Notice(News),
    /// What people said a moment ago is to be heard.
    Words,
    /// A person asks.
    Asked(Asked),
    /// What somebody asked a moment ago is to be answered.
    Ready(Asked),
    /// Somebody's account or home is not quite what it was: they are told anew.
    PersonChanged(Person),
    /// The system wants us to stop.
    Stop,
}

struct Daemon {
    engine: Engine,
    hands: Hands,
    trust: Trust,
    offers: Offers,
    sieve: Sieve,
    /// When each person's next question that changes something is answered.
    next_questions: BTreeMap<Person, Instant>,
    /// Where what is to be judged comes back.
    examined: mpsc::UnboundedSender<Examined>,
    resumed: mpsc::UnboundedSender<()>,
    /// Trusted time, for what goes by it elsewhere.
    time: watch::Sender<Timestamp>,
    clock: Clock,
    server: String,
    connected: bool,
    /// When the server last gave a sign of life, by trusted time.
    heard_at: Option<Timestamp>,
    link: Link,
    ready: mpsc::UnboundedSender<Asked>,
    known: watch::Sender<String>,
    /// What was listed last, of each source in each scope.
    listed: Vec<Listing>,
    /// Who has mail, as it was found last.
    mail: MailFound,
    /// What the last errand about each profile could not do.
    mail_notes: BTreeMap<ProfileId, Vec<String>>,
    /// Whose homes were not open yet, so that what a crash left half done there is still to be settled.
    unsettled: BTreeSet<Person>,
    isolation: Option<Isolation>,
    history: History,
}

struct Channels {
    examined: mpsc::UnboundedReceiver<Examined>,
    resumed: mpsc::UnboundedReceiver<()>,
    heard: mpsc::Receiver<Heard>,
    touched: Touched,
    done: mpsc::UnboundedReceiver<Done>,
    news: mpsc::UnboundedReceiver<News>,
    asked: mpsc::Receiver<Asked>,
    ready: mpsc::UnboundedReceiver<Asked>,
    changed: mpsc::UnboundedReceiver<Person>,
}

/// What stands before anything runs.
struct Loaded {
    identity: Identity,
    store: Store,
    people: People,
    changed: mpsc::UnboundedReceiver<Person>,
    trust: Trust,
    mail: Mail,
    state: State,
}

/// Runs until the system says stop.
///
/// # Errors
/// When the device is not enrolled, or the state can't be opened.
pub(crate) async fn run(config: Config) -> Result<()> {
    let loaded = Loaded::load(&config)?;
    for Account { person, user, home, .. } in loaded.people.accounts() {
        tracing::info!("running for user {user}, known as {person}, in {}", home.display());
    }
    let clock = Clock::new(config.simulated_clock.as_deref());
    let touched = Touched::default();
    let watch = Watch::new(&config.root, &loaded.people, touched.clone())?;
    let (mut daemon, mut channels) = assemble(config, loaded, clock.clone(), touched)?;
    daemon.begin(&mut channels).await;
    daemon.attend(channels, Alarm::new(clock)?, watch).await
}

impl Loaded {
    fn load(config: &Config) -> Result<Self> {
        create_private(&config.state)?;
        let identity = Identity::load(&config.state)?;
        let store = Store::open(&config.state)?;
        let (people, changed) = People::meet(config)?;
        ensure!(!people.accounts().is_empty(), "there is no home to look after; set `homes` in agent.toml");
        let keys = vault_key::load(&config.state, vault_key::credentials().as_deref())?;
        let mail = Mail::new(people.clone(), config.vault(), keys);
        let state = load_state(&store, mail.held())?;
        // In memory, if it may be: a full disk is no reason not to hear what undoes.
        let runtime = config.socket.parent().map(Path::to_owned);
        let trust = Trust::new(&identity, runtime.into_iter().chain([config.state.clone()]).collect());
        Ok(Self { identity, store, people, changed, trust, mail, state })
    }
}

/// What is stored, or the safe answer where it can't be read: everything in the vault goes back. Where somebody's vault can't
/// be read either, nothing is stored in the place of what may still be read another time.
fn load_state(store: &Store, Held { held, failed }: Held) -> Result<State> {
    for (person, error) in &failed {
        tracing::error!("what the vault of {person} has can't be read: {error:#}");
    }
    let mut state = match (store.state(), failed.is_empty()) {
        (Stored::State(state), _) => *state,
        (Stored::Unread(error), _) => return Err(error).context("the stored state can't be read now; start it again"),
        (Stored::Missing, _) => State::default(),
        (Stored::Damaged, true) => {
            tracing::error!("the former state is gone; what is in the vault is given back");
            State::default()
        }
        (Stored::Damaged, false) => bail!("neither the stored state nor the vault can be read; mend one of them"),
    };
    state.adopt(held);
    Ok(state)
}

fn assemble(config: Config, loaded: Loaded, clock: Clock, touched: Touched) -> Result<(Daemon, Channels)> {
    let Loaded { identity, store, people, changed, trust, mail, state } = loaded;
    let (examined_sender, examined) = mpsc::unbounded_channel();
    let (resumed_sender, resumed) = mpsc::unbounded_channel();
    let (heard_sender, heard) = mpsc::channel(4);
    let (done_sender, done) = mpsc::unbounded_channel();
    let (orders_sender, orders) = mpsc::unbounded_channel();
    let (news_sender, news) = mpsc::unbounded_channel();
    let (asked_sender, asked) = mpsc::channel(16);
    let (ready_sender, ready) = mpsc::unbounded_channel();
    let (report, newest) = watch::channel(state.undelivered_report().cloned());
    let (known, known_receiver) = watch::channel(trust.digest().unwrap_or_default().to_owned());
    let (time, trusted) = watch::channel(clock.wall());
    let manner = manner_of(&config, people.clone());
    let link = Link {
        badge: Badge::new(identity.clone(), config.state.clone(), clock.clone())?,
        identity: Arc::new(identity.clone()),
        heard: heard_sender,
        time: trusted,
    };
    let (said_sender, said) = mpsc::channel(16);
    ipc::serve(&config.socket, people.clone(), asked_sender, said_sender)?;
    tokio::spawn(notice::run(manner, orders, said, news_sender));
    tokio::spawn(sync::listen(link.clone(), known_receiver));
    tokio::spawn(sync::send_reports(link.clone(), newest));
    let history = store.history();
    let engine = Engine::new(settings_of(&config, &identity), state);
    let turns = Turns::new(people.persons());
    let looks = Looks::new(people.persons().map(Scope::Person).chain([Scope::System]));
    let scanner = Scanner::new(&config.root, people.clone(), turns.clone());
    let unsettled = people.persons().collect();
    let hands = Hands {
        people,
        store,
        mail,
        turns,
        orders: orders_sender,
        report,
        done: done_sender,
        scanner,
        looks,
        touched: touched.clone(),
        closing: BTreeMap::new(),
    };
    let daemon = Daemon {
        engine,
        hands,
        trust,
        offers: Offers::default(),
        sieve: Sieve::default(),
        next_questions: BTreeMap::new(),
        examined: examined_sender,
        resumed: resumed_sender,
        time,
        clock,
        server: identity.server,
        connected: false,
        heard_at: None,
        link: link.clone(),
        ready: ready_sender,
        known,
        listed: Vec::new(),
        mail: MailFound::default(),
        mail_notes: BTreeMap::new(),
        unsettled,
        isolation: None,
        history,
    };
    Ok((daemon, Channels { examined, resumed, heard, touched, done, news, asked, ready, changed }))
}

impl Daemon {
    /// What is known before anything is heard: who is not quite who they were, the policies in the store, and the device as it
    /// is.
    async fn begin(&mut self, Channels { changed, examined, .. }: &mut Channels) {
        // Before any other errand: what a crash left half done.
        for person in std::mem::take(&mut self.unsettled) {
            self.hands.settle(person);
        }
        while let Ok(person) = changed.try_recv() {
            self.tell_anew(person);
        }
        self.offer_stored();
        if self.offers.is_under_way()
            && let Ok(Some(examined)) = tokio::time::timeout(PATIENCE, examined.recv()).await
        {
            self.judge(examined);
        }
        self.hands.look_everywhere(&self.engine, Extent::Whole);
        self.give(Input::Tick);
    }

    async fn attend(mut self, mut channels: Channels, mut alarm: Alarm, watch: Watch) -> Result<()> {
        let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
        let mut look = interval_at(Instant::now() + LOOK_EVERY, LOOK_EVERY);
        loop {
            let sleep = self.engine.next_wake(&self.now());
            let wake = tokio::select! {
                result = alarm.sleep(sleep) => {
                    result?;
                    Wake::Alarm
                }
                Some(heard) = channels.heard.recv() => Wake::Server(heard),
                scopes = channels.touched.next() => Wake::Changed(scopes),
                _ = look.tick() => Wake::LookDue,
                Some(done) = channels.done.recv() => Wake::Done(done),
                Some(examined) = channels.examined.recv() => Wake::Examined(examined),
                Some(()) = channels.resumed.recv() => Wake::Resumed,
                Some(news) = channels.news.recv() => Wake::Notice(news),
                () = until(self.sieve.due()) => Wake::Words,
                Some(asked) = channels.asked.recv() => Wake::Asked(asked),
                Some(asked) = channels.ready.recv() => Wake::Ready(asked),
                Some(person) = channels.changed.recv() => Wake::PersonChanged(person),
                _ = terminate.recv() => Wake::Stop,
                _ = interrupt.recv() => Wake::Stop,
            };
            match wake {
                Wake::Alarm => self.give(Input::Tick),
                Wake::Server(heard) => self.hear(heard),
                Wake::Examined(examined) => self.judge(examined),
                Wake::Resumed => self.resume(),
                Wake::Changed(scopes) => {
                    for scope in scopes {
                        // Before the look: what comes after it is a hint again.
                        watch.renew_in(scope);
                        self.hands.look(&self.engine, scope, Extent::Changes);
                    }
                }
                Wake::LookDue => {
                    watch.renew();
                    self.look_everywhere();
                }
                Wake::Done(mut done) => {
                    if let Done::Scanned(Scope::Person(person), Some(scan)) = &mut done
                        && let Some(points) = scan.watch.take()
                    {
                        watch.set_home(*person, points);
                    }
                    self.finish(done);
                }
                Wake::Notice(news) => {
                    let heard = self.sieve.pass(news, Instant::now());
                    heard.into_iter().for_each(|news| self.take_news(news, &watch));
                }
                Wake::Words => {
                    for news in self.sieve.take(Instant::now()) {
                        self.take_news(news, &watch);
                    }
                }
                Wake::Asked(asked) => self.answer(asked),
                Wake::Ready(asked) => self.reply(asked),
                Wake::PersonChanged(person) => self.tell_anew(person),
                Wake::Stop => {
                    self.give(Input::Tick);
                    return self.hands.store.set_state(self.engine.state()).context("the state can't be stored");
                }
            }
        }
    }

    /// Gives an input to the engine and does what comes out, until nothing is left to do at once.
    fn give(&mut self, input: Input) {
        let mut inputs = VecDeque::from([input]);
        while let Some(input) = inputs.pop_front() {
            let effects = self.engine.handle(input, &self.now());
            inputs.extend(effects.into_iter().filter_map(|effect| self.hands.perform(effect, &self.engine)));
            self.write_down();
        }
    }

    /// Keeps what has changed for people. Before the policies are known, nothing can be said of that.
    fn write_down(&mut self) {
        if self.trust.policies().is_none() {
            return;
        }
        let entries = self.history.go_on(&self.engine, self.hands.people.persons());
        if !entries.is_empty()
            && let Err(error) = self.hands.store.add_entries(&entries, &self.history)
        {
            tracing::warn!("what was decided can't be kept for `forewarn log`: {error:#}");
        }
    }

    fn hear(&mut self, heard: Heard) {
        match heard {
            Heard::Connected(connected) => self.connected = connected,
            Heard::Alive => self.heard_at = Some(self.engine.now()),
            Heard::Delivered(sequence) => self.give(Input::ReportDelivered(sequence)),
            Heard::Frame(frame) => self.hear_frame(*frame),
            Heard::Bundle(Ok(bytes)) => self.offer(Offer::Bundle(bytes)),
            Heard::Bundle(Err(refusal)) => self.refuse(refusal),
        }
    }

    fn hear_frame(&mut self, frame: Frame) {
        self.give(Input::ServerTime(frame.time));
        let now = self.engine.now();
        self.heard_at = Some(now);
        self.time.send_replace(now);
        if let Some(undo) = frame.undo {
            self.offer(Offer::Undo(undo));
        }
        match frame.bundle {
            Some(text) => self.offer(Offer::Bundle(text.into_bytes())),
            None => match self.trust.confirms(&frame.digest, now) {
                Ok(true) => self.give(Input::PoliciesConfirmed),
                Ok(false) => tracing::debug!("the server speaks of a bundle that is not here"),
                Err(refusal) => self.refuse(refusal),
            },
        }
    }

    /// Has this verified, in its turn.
    fn offer(&mut self, offer: Offer) {
        self.offers.add(offer);
        self.examine_next();
    }

    fn examine_next(&mut self) {
        if let Some(offer) = self.offers.next() {
            let (examining, examined) = (self.trust.examine(offer), self.examined.clone());
            tokio::spawn(async move { examined.send(examining.await) });
        }
    }

    fn judge(&mut self, examined: Examined) {
        let verdict = self.trust.judge(examined, self.engine.now(), &self.hands.store);
        if let Verdict::Postponed(.., offer) = &verdict {
            let pause = self.offers.postpone(Some(offer.clone()));
            self.resume_after(pause);
        } else {
            self.offers.judged();
        }
        match verdict {
            Verdict::Accepted(set) => {
                self.take_policies(set);
                self.give(Input::PoliciesConfirmed);
            }
            Verdict::Restored(set) => self.take_policies(set),
            Verdict::Undoes(undoing) => self.give(Input::UndoingHeard(undoing)),
            Verdict::Unusable(refusal) => tracing::debug!("what undoes waits for its bundle: {refusal}"),
            Verdict::Refused(refusal, undoing) => {
                self.give(Input::UndoingHeard(undoing));
                self.refuse(refusal);
            }
            Verdict::Postponed(refusal, undoing, _) => {
                self.give(Input::UndoingHeard(undoing));
                self.refuse(refusal);
            }
        }
        self.examine_next();
    }

    fn take_policies(&mut self, set: PolicySet) {
        tracing::info!("bundle {} is in force", set.bundle);
        for Unread { document, why } in &set.unread {
            tracing::warn!("nothing is taken by {document}, which can't be read: {why}");
        }
        self.known.send_replace(self.trust.digest().unwrap_or_default().to_owned());
        self.give(Input::PoliciesVerified(set));
    }

    /// Offers what was accepted before this start; later, if it can't be read now.
    fn offer_stored(&mut self) {
        match self.trust.stored(&self.hands.store) {
            Ok(offer) => offer.into_iter().for_each(|offer| self.offer(offer)),
            Err(error) => {
                tracing::error!("what was accepted before can't be read now: {error:#}");
                let pause = self.offers.postpone(None);
                self.resume_after(pause);
            }
        }
    }

    /// What was postponed is offered again after a pause.
    fn resume_after(&self, pause: Option<Duration>) {
        let (Some(pause), resumed) = (pause, self.resumed.clone()) else { return };
        tokio::spawn(async move {
            tokio::time::sleep(pause).await;
            resumed.send(())
        });
    }

    /// What was postponed is to be offered again; where there is nothing, what was accepted before this start.
    fn resume(&mut self) {
        match (self.offers.resume(), self.trust.policies()) {
            (true, _) => self.examine_next(),
            (false, None) => self.offer_stored(),
            (false, Some(_)) => {}
        }
    }

    fn refuse(&mut self, refusal: Refusal) {
        tracing::warn!("a bundle is refused: {refusal}");
        self.give(Input::BundleRefused(refusal));
    }

    fn finish(&mut self, done: Done) {
        match done {
            Done::Mail(done) => self.finish_errand(*done),
            Done::Closed(id) => self.give(Input::ClientClosed(id)),
            Done::Settled(person, false) => drop(self.unsettled.insert(person)),
            Done::Settled(person, true) => self.hands.look(&self.engine, Scope::Person(person), Extent::Changes),
            Done::Scanned(scope, scan) => self.finish_look(scope, scan),
        }
    }

    fn finish_look(&mut self, scope: Scope, scan: Option<Box<Scan>>) {
        let was_known = self.hands.looks.are_complete();
        let failed = scan.as_ref().is_none_or(|scan| scan.failed);
        let is_of_before = scan.as_ref().is_some_and(|scan| scan.wanted != self.engine.wanted());
        self.hands.end_look(&self.engine, scope, failed);
        match scan {
            // It says nothing of what rules name now.
            Some(_) if is_of_before => return self.hands.look(&self.engine, scope, Extent::Whole),
            Some(scan) => self.take_scan(*scan),
            None => tracing::error!("a look broke off; this is a defect"),
        }
        self.hands.looks.note(scope);
        if !was_known && self.hands.looks.are_complete() {
            // Though no home may be open: else a device would never report.
            self.give(Input::MailFound(self.mail.clone()));
            self.hands.report.send_replace(self.engine.state().undelivered_report().cloned());
        }
    }

    fn finish_errand(&mut self, done: mail::Done) {
        let mail::Done { id, input, notes, waiting, store_open } = done;
        for note in &notes {
            tracing::warn!("the mail profile of {}: {note}", id.domain);
        }
        self.mail_notes.insert(id.clone(), notes);
        // What was known of it is of before.
        self.mail.people.remove(&id.person);
        if !waiting.is_empty() {
            self.hands.await_closing(id.clone(), waiting);
        }
        let scope = Scope::Person(id.person);
        self.give(input);
        if store_open {
            self.give(Input::StoreLeftOpen(id));
        }
        self.hands.look(&self.engine, scope, Extent::Changes);
    }

    /// The engine keeps no packages; what it is given anew is what has changed, if it has the rest.
    fn take_scan(&mut self, scan: Scan) {
        self.isolation = scan.isolation.or(self.isolation);
        if let (Scope::Person(person), Some(mail)) = (scan.scope, scan.mail) {
            if self.unsettled.remove(&person) {
                self.hands.settle(person);
            }
            self.mail.people.insert(person, mail);
            self.give(Input::MailFound(self.mail.clone()));
        }
        let changes = scan::changes(&self.listed, &scan.listings).filter(|_| scan.extent != Extent::Whole);
        let place = |listing: &Listing| (listing.source, listing.scope);
        self.listed.retain(|former| scan.listings.iter().all(|new| place(new) != place(former)));
        self.listed.extend(scan.listings.iter().cloned());
        self.give(changes.map_or(Input::InventoryTaken(scan.listings.into()), Input::InventoryChanged));
    }

    /// What this person was told counts no more. Once that is on disk, so does that their home is another.
    fn tell_anew(&mut self, person: Person) {
        tracing::warn!("the account or the home of {person} is not quite what it was; they are told anew");
        self.give(Input::PersonChanged(person));
        let stored = self.hands.store.set_state(self.engine.state());
        if let Err(error) = stored.and_then(|()| self.hands.people.forget_to_tell(person)) {
            tracing::error!("that {person} is told anew can't be stored, so nothing is taken from them: {error:#}");
        }
        self.look_everywhere();
    }

    fn look_everywhere(&mut self) {
        self.hands.look_everywhere(&self.engine, Extent::Changes);
    }

    fn take_news(&mut self, news: News, watch: &Watch) {
        match news {
            News::Input(input) => self.give(input),
            News::Attended(person) => {
                // Who comes may have opened their home by that.
                watch.anew(person);
                self.give(Input::PersonReachable(person));
                let _ = self.hands.orders.send(notice::Order::Settled(person));
            }
        }
    }

    fn now(&self) -> Now {
        let reading = self.clock.read();
        Now { wall: reading.wall, boot: reading.boot, boot_id: reading.boot_id, zone: local_zone() }
    }
}

/// Waits for a moment; for ever if there is none.
async fn until(moment: Option<Instant>) {
    match moment {
        Some(moment) => tokio::time::sleep_until(moment).await,
        None => std::future::pending().await,
    }
}

/// How notices come to these people.
fn manner_of(config: &Config, people: People) -> Manner {
    Manner {
        way: config.notices,
        terminals: config.terminals.clone(),
        languages: config.languages.clone(),
        zone: local_zone(),
        people,
        socket: config.socket.clone(),
        clock: Clock::new(config.simulated_clock.as_deref()),
    }
}

/// What the device's configuration and its enrolment say to the engine.
fn settings_of(config: &Config, identity: &Identity) -> forewarn_engine::Settings {
    let settings = config.settings.clone().for_device(&identity.device).in_groups(identity.groups.clone());
    settings.on_platform(std::env::consts::OS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_held_for_one_person_goes_back_though_another_s_vault_can_t_be_read() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        let held = vec![(Person::from_bits(1000), "corp.example".parse().unwrap())];
        let failed = vec![(Person::from_bits(1001), anyhow::anyhow!("it does not answer"))];
        let state = load_state(&store, Held { held, failed }).unwrap();
        let text = serde_json::to_string(&state).unwrap();
        assert!(text.contains("corp.example") && text.contains("returning"), "{text}");
    }
}
