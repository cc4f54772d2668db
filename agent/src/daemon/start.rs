//! From what is configured and stored to a daemon that runs.

use std::{collections::BTreeMap, path::Path, sync::Arc};

use anyhow::{Context, Result, bail, ensure};
use forewarn_engine::{Engine, State};
use forewarn_host::{Clock, Stop, local_zone, private};
use forewarn_proto::inventory::{Person, Scope};
use tokio::{
    sync::{mpsc, watch},
    time::{Instant, interval_at},
};

use super::{Channels, Daemon, offers::Offers, sieve::Sieve};
use crate::{
    config::Config,
    identity::Identity,
    ipc::{self, Asked},
    mail::{Held, Mail},
    notice::{self, Manner, News},
    people::People,
    perform::{Done, Hands},
    scan::{LOOK_EVERY, Looks, Scanner, Touched},
    store::{Store, Stored},
    sync::{self, Badge, Heard, Link},
    trust::{Examined, Trust},
    turns::Turns,
    vault_key,
};

/// What stands before anything runs.
pub(super) struct Loaded {
    identity: Identity,
    store: Store,
    pub(super) people: People,
    changed: mpsc::UnboundedReceiver<Person>,
    trust: Trust,
    mail: Mail,
    state: State,
}

impl Loaded {
    pub(super) fn load(config: &Config) -> Result<Self> {
        private::create_folder(&config.state)?;
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

/// The other ends of [`Channels`].
struct Senders {
    examined: mpsc::UnboundedSender<Examined>,
    resumed: mpsc::UnboundedSender<()>,
    heard: mpsc::Sender<Heard>,
    done: mpsc::UnboundedSender<Done>,
    news: mpsc::UnboundedSender<News>,
    asked: mpsc::Sender<Asked>,
    ready: mpsc::UnboundedSender<Asked>,
}

fn channels(changed: mpsc::UnboundedReceiver<Person>, touched: Touched) -> Result<(Senders, Channels)> {
    let (examined, examined_receiver) = mpsc::unbounded_channel();
    let (resumed, resumed_receiver) = mpsc::unbounded_channel();
    let (heard, heard_receiver) = mpsc::channel(4);
    let (done, done_receiver) = mpsc::unbounded_channel();
    let (news, news_receiver) = mpsc::unbounded_channel();
    let (asked, asked_receiver) = mpsc::channel(16);
    let (ready, ready_receiver) = mpsc::unbounded_channel();
    let channels = Channels {
        examined: examined_receiver,
        resumed: resumed_receiver,
        heard: heard_receiver,
        touched,
        done: done_receiver,
        news: news_receiver,
        asked: asked_receiver,
        ready: ready_receiver,
        changed,
        look: interval_at(Instant::now() + LOOK_EVERY, LOOK_EVERY),
        stop: Stop::new()?,
    };
    Ok((Senders { examined, resumed, heard, done, news, asked, ready }, channels))
}

/// Starts what works beside the loop, and puts the loop's own together.
pub(super) fn assemble(config: &Config, loaded: Loaded, clock: Clock, touched: Touched) -> Result<(Daemon, Channels)> {
    let Loaded { identity, store, people, changed, trust, mail, state } = loaded;
    let (senders, channels) = channels(changed, touched.clone())?;
    let Senders { examined, resumed, heard, done, news, asked, ready } = senders;
    let (report, newest) = watch::channel(state.undelivered_report().cloned());
    let (known, known_receiver) = watch::channel(trust.digest().unwrap_or_default().to_owned());
    let (time, trusted) = watch::channel(clock.wall());
    let (orders, to_be_shown) = mpsc::unbounded_channel();
    let badge = Badge::new(identity.clone(), config.state.clone(), clock.clone())?;
    let link = Link { badge, identity: Arc::new(identity.clone()), heard, time: trusted };
    let (said_sender, said) = mpsc::channel(16);
    ipc::serve(&config.socket, people.clone(), asked, said_sender)?;
    tokio::spawn(notice::run(manner_of(config, people.clone()), to_be_shown, said, news));
    tokio::spawn(sync::listen(link.clone(), known_receiver));
    tokio::spawn(sync::send_reports(link.clone(), newest));
    let turns = Turns::new(people.persons());
    let looks = Looks::new(people.persons().map(Scope::Person).chain([Scope::System]));
    let scanner = Scanner::new(&config.root, people.clone(), turns.clone());
    let settings = settings_of(config, &identity);
    let (history, unsettled) = (store.history(), people.persons().collect());
    let closing = BTreeMap::new();
    let daemon = Daemon {
        engine: Engine::new(settings.looking_after(people.persons()), state),
        hands: Hands { people, store, mail, turns, orders, report, done, scanner, looks, touched, closing },
        trust,
        offers: Offers::default(),
        sieve: Sieve::default(),
        next_questions: BTreeMap::new(),
        examined,
        resumed,
        time,
        clock,
        server: identity.server,
        connected: false,
        heard_at: None,
        link,
        ready,
        known,
        mail_notes: BTreeMap::new(),
        unsettled,
        isolation: None,
        history,
    };
    Ok((daemon, channels))
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
