//! From what is configured and stored to an agent that runs.

use std::{collections::BTreeMap, path::PathBuf, sync::Arc, time::Duration};

use anyhow::{Context, Result, bail};
use forewarn_engine::{Engine, Settings, State};
use forewarn_proto::inventory::{Person, Scope};
use futures_util::future::BoxFuture;
use tokio::{
    sync::{mpsc, watch},
    time::{Instant, interval_at},
};

use super::{Agent, Channels, offers::Offers, sieve::Sieve};
use crate::{
    executor::{Done, Executor},
    identity::Identity,
    looks::Looks,
    notice::{self, News, NoticeConfig},
    ports::{Alarm, Asked, Device, Held, People, Presenter, Profiles, Programs, Said, Scanner},
    store::{Store, Stored},
    sync::{ClientIdentity, Heard, Link},
    touched::Touched,
    trust::{Examined, Trust},
    turns::Turns,
};

/// How often all is looked at without a hint: for what no watch tells.
const LOOK_EVERY: Duration = Duration::from_secs(4 * 60 * 60);

/// What stands before anything runs.
pub struct Setup {
    /// This device's own folder.
    pub state: PathBuf,
    /// Where temporary folders are made, the first that has room.
    pub scratch: Vec<PathBuf>,
    /// What the device insists on.
    pub settings: Settings,
    /// As whom it speaks with its server.
    pub identity: Identity,
    /// What was stored before.
    pub store: Store,
    /// What is in the vaults.
    pub held: Held,
    /// How notices come to people.
    pub notices: NoticeConfig,
}

/// What the agent needs of its system.
pub struct Ports {
    /// Mail profiles.
    pub profiles: Arc<dyn Profiles>,
    /// Programs that run.
    pub programs: Arc<dyn Programs>,
    /// Looks at the device.
    pub scanner: Arc<dyn Scanner>,
    /// Who is looked after.
    pub people: Arc<dyn People>,
    /// Brings notices to people who have no companion.
    pub presenter: Arc<dyn Presenter>,
    /// Clocks, zone and private files.
    pub device: Arc<dyn Device>,
    /// Wakes the loop.
    pub alarm: Box<dyn Alarm>,
}

/// What comes from the system.
pub struct Inputs {
    /// Questions that people ask.
    pub asked: mpsc::Receiver<Asked>,
    /// What companions say.
    pub said: mpsc::Receiver<Said>,
    /// Whose account or home is not quite what it was.
    pub changed: mpsc::UnboundedReceiver<Person>,
    /// Where something was touched.
    pub touched: Touched,
    /// The system's word to stop.
    pub stop: BoxFuture<'static, ()>,
}

/// Runs until the system says stop.
///
/// # Errors
/// When what was stored can't be read, or what is decided can't be stored at the end.
pub async fn run(setup: Setup, ports: Ports, inputs: Inputs) -> Result<()> {
    let (mut agent, mut channels, alarm) = assemble(setup, ports, inputs)?;
    agent.connect();
    agent.begin(&mut channels).await;
    agent.attend(channels, alarm).await
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
    ready: mpsc::UnboundedSender<Asked>,
}

fn channels(
    asked: mpsc::Receiver<Asked>,
    changed: mpsc::UnboundedReceiver<Person>,
    touched: Touched,
    stop: BoxFuture<'static, ()>,
) -> (Senders, Channels) {
    let (examined, examined_receiver) = mpsc::unbounded_channel();
    let (resumed, resumed_receiver) = mpsc::unbounded_channel();
    let (heard, heard_receiver) = mpsc::channel(4);
    let (done, done_receiver) = mpsc::unbounded_channel();
    let (news, news_receiver) = mpsc::unbounded_channel();
    let (ready, ready_receiver) = mpsc::unbounded_channel();
    let channels = Channels {
        examined: examined_receiver,
        resumed: resumed_receiver,
        heard: heard_receiver,
        touched,
        done: done_receiver,
        news: news_receiver,
        asked,
        ready: ready_receiver,
        changed,
        look: interval_at(Instant::now() + LOOK_EVERY, LOOK_EVERY),
        stop,
    };
    (Senders { examined, resumed, heard, done, news, ready }, channels)
}

/// Starts what works beside the loop, and puts the loop's own together.
pub(super) fn assemble(setup: Setup, ports: Ports, inputs: Inputs) -> Result<(Agent, Channels, Box<dyn Alarm>)> {
    let Setup { state: folder, scratch, settings, identity, store, held, notices } = setup;
    let Ports { profiles, programs, scanner, people, presenter, device, alarm } = ports;
    let Inputs { asked, said, changed, touched, stop } = inputs;
    let state = load_state(&store, held)?;
    let (senders, channels) = channels(asked, changed, touched.clone(), stop);
    let Senders { examined, resumed, heard, done, news, ready } = senders;
    let trust = Trust::new(&identity, scratch);
    let (report, _) = watch::channel(state.undelivered_report().cloned());
    let (known, _) = watch::channel(trust.digest().unwrap_or_default().to_owned());
    let (time, trusted) = watch::channel(device.now().wall);
    let (orders, to_be_shown) = mpsc::unbounded_channel();
    let credentials = ClientIdentity::new(identity.clone(), folder, device.clone())?;
    let link = Link { credentials, device: device.clone(), identity: Arc::new(identity.clone()), heard, time: trusted };
    let persons = people.persons();
    tokio::spawn(notice::run(notices, (presenter, device.clone()), persons.clone(), to_be_shown, said, news));
    let turns = Turns::new(persons.iter().copied());
    let looks = Looks::new(persons.iter().copied().map(Scope::Person).chain([Scope::System]));
    let settings = settings.for_device(&identity.device).in_groups(identity.groups.clone());
    let settings = settings.looking_after(persons.iter().copied());
    let history = store.history();
    let closing = BTreeMap::new();
    let executor =
        Executor { store, profiles, programs, turns, orders, report, done, scanner, looks, touched, closing };
    let agent = Agent {
        engine: Engine::new(settings, state),
        executor,
        people,
        device,
        trust,
        offers: Offers::default(),
        sieve: Sieve::default(),
        next_questions: BTreeMap::new(),
        examined,
        resumed,
        time,
        server: identity.server,
        connected: false,
        heard_at: None,
        link,
        ready,
        known,
        mail_notes: BTreeMap::new(),
        unsettled: persons.into_iter().collect(),
        isolation: None,
        history,
    };
    Ok((agent, channels, alarm))
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
