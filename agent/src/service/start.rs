//! From the configuration to an agent that runs on this system.

use std::{path::Path, sync::Arc};

use anyhow::{Result, ensure};
use forewarn_core::{
    agent::{self, Inputs, Ports, Setup},
    identity::Identity,
    notice::NoticeConfig,
    store::Store,
    touched::Touched,
};
use forewarn_host::{Clock, Stop, local_zone, private};
use tokio::sync::mpsc;

use crate::{
    alarm::EngineAlarm,
    config::Config,
    device::ThisDevice,
    ipc,
    mail::Mail,
    people::{Account, People},
    presenter::Sessions,
    running::Running,
    scan::{Scanner, Watch, WatchedDevice},
    vault_key,
};

/// Runs until the system says stop.
///
/// # Errors
/// When the device is not enrolled, or the state can't be opened.
pub(super) async fn run(config: Config) -> Result<()> {
    private::create_folder(&config.state)?;
    let identity = Identity::load(&config.state)?;
    let store = Store::open(&config.state)?;
    let (people, changed) = People::meet(&config)?;
    ensure!(!people.accounts().is_empty(), "there is no home to look after; set `homes` in agent.toml");
    for Account { person, user, home, .. } in people.accounts() {
        tracing::info!("running for user {user}, known as {person}, in {}", home.display());
    }
    let keys = vault_key::load(&config.state, vault_key::credentials().as_deref())?;
    let mail = Mail::new(people.clone(), config.vault(), keys);
    let held = mail.held();
    let touched = Touched::default();
    let (asking, asked) = mpsc::channel(16);
    let (saying, said) = mpsc::channel(16);
    ipc::serve(&config.socket, people.clone(), asking, saying)?;
    let mut stop = Stop::new()?;
    let stop = Box::pin(async move { stop.come().await });
    let ports = ports(&config, &people, mail, &touched)?;
    let setup = setup(&config, identity, store, held);
    agent::run(setup, ports, Inputs { asked, said, changed, touched, stop }).await
}

fn setup(config: &Config, identity: Identity, store: Store, held: forewarn_core::ports::Held) -> Setup {
    // In memory, if it may be: a full disk is no reason not to hear what undoes.
    let runtime = config.socket.parent().map(Path::to_owned);
    Setup {
        state: config.state.clone(),
        scratch: runtime.into_iter().chain([config.state.clone()]).collect(),
        settings: config.settings.clone().on_platform(std::env::consts::OS),
        identity,
        store,
        held,
        notices: NoticeConfig { way: config.notices, languages: config.languages.clone(), zone: local_zone() },
    }
}

fn ports(config: &Config, people: &People, mail: Mail, touched: &Touched) -> Result<Ports> {
    let clock = Clock::new(config.simulated_clock.as_deref());
    let watch = Watch::new(&config.root, people, touched.clone())?;
    let scanner = Scanner::new(&config.root, people.clone());
    Ok(Ports {
        profiles: Arc::new(mail),
        programs: Arc::new(Running::of(people.clone())),
        scanner: Arc::new(WatchedDevice::new(scanner, watch)),
        people: Arc::new(people.clone()),
        presenter: Arc::new(Sessions::new(people.clone(), config.socket.clone(), config.terminals.clone())),
        device: Arc::new(ThisDevice::new(clock.clone())),
        alarm: Box::new(EngineAlarm::new(clock)?),
    })
}
