//! The agent's configuration: `agent.toml`. Every field has a default; what is unknown is refused.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use directories::{BaseDirs, ProjectDirs};
use forewarn_engine::Settings;
use forewarn_proto::policy::{Language, Length};
use serde::Deserialize;

/// The configuration for everyone on the device, used when the person has none of their own.
const SYSTEM_PATH: &str = "/etc/forewarn/agent.toml";

/// Where a daemon of root's keeps its state, and where it listens: everyone on the device asks there.
const SYSTEM_STATE: &str = "/var/lib/forewarn";
/// See [`SYSTEM_STATE`].
pub(crate) const SYSTEM_SOCKET: &str = "/run/forewarn/forewarn.sock";

/// The configuration file.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct File {
    /// Where the agent keeps its state, identity and vault. Default: `forewarn` in the person's data folder; a daemon of
    /// root's: `/var/lib/forewarn`.
    state: Option<PathBuf>,
    /// The socket of the daemon. Default: `forewarn.sock` in the person's runtime folder, else in the state folder; a
    /// daemon of root's: `/run/forewarn/forewarn.sock`. Commands ask the former where it is, else the latter.
    socket: Option<PathBuf>,
    /// The home folders that the daemon looks after. Default: the person's own; a daemon of root's: those of everyone in
    /// `/etc/passwd` whose number is from 1000 to 60000, whose folder is theirs, or is empty because it is not mounted yet.
    homes: Option<Vec<PathBuf>>,
    /// The least time between the first notice shown and a revoke. Default 24h, never under 1h.
    min_notice: Option<Length>,
    /// How long a policy is good for a revoke without the server confirming it. Default 24h.
    max_staleness: Option<Length>,
    /// How long without a server until a policy that says `offline = "revoke"` acts without one. Default 14d.
    offline_limit: Option<Length>,
    /// How notices are shown: `auto` (the desktop, else terminals), `desktop` or `terminal`. Default `auto`.
    notices: NoticeWay,
    /// The terminals on which notices are written. Default: every terminal of the person.
    terminals: Option<Vec<PathBuf>>,
    /// The languages of notices, best first. Default: from `LANG`.
    languages: Option<Vec<Language>>,
    /// The system whose packages are listed. Default `/`.
    root: Option<PathBuf>,
    /// A file that moves the clock, for demonstrations and tests. `forewarn status` says so when it is set.
    simulated_clock: Option<PathBuf>,
}

/// See [`Config::notices`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum NoticeWay {
    /// The desktop where there is one, else terminals.
    #[default]
    Auto,
    /// The desktop only.
    Desktop,
    /// Terminals only.
    Terminal,
}

/// The configuration with every default filled in.
#[derive(Debug, Clone)]
pub(crate) struct Config {
    /// The number of the user about whom a command asks; whoever runs it when none.
    pub(crate) user: Option<u32>,
    pub(crate) state: PathBuf,
    pub(crate) socket: PathBuf,
    pub(crate) settings: Settings,
    pub(crate) notices: NoticeWay,
    pub(crate) terminals: Option<Vec<PathBuf>>,
    pub(crate) languages: Vec<Language>,
    /// The system whose packages are listed.
    pub(crate) root: PathBuf,
    /// The homes that are looked after, if the file names some.
    pub(crate) homes: Option<Vec<PathBuf>>,
    /// The home of whoever runs this.
    pub(crate) own_home: Option<PathBuf>,
    pub(crate) simulated_clock: Option<PathBuf>,
}

impl Config {
    /// Reads `path`, or the person's configuration, or the system's, or takes the defaults; `socket` is instead of the file's.
    ///
    /// # Errors
    /// Names the file and the line.
    pub(crate) fn load(path: Option<&Path>, socket: Option<PathBuf>) -> Result<Self> {
        let own = ProjectDirs::from("", "", "forewarn").map(|dirs| dirs.config_dir().join("agent.toml"));
        let candidates = own.into_iter().chain([SYSTEM_PATH.into()]);
        let path = path.map(Path::to_owned).or_else(|| candidates.into_iter().find(|path| path.exists()));
        let mut file = match path {
            Some(path) => {
                let text = fs_err::read_to_string(&path)?;
                toml::from_str(&text).with_context(|| format!("{} is not a valid configuration", path.display()))?
            }
            None => File::default(),
        };
        file.socket = socket.or(file.socket);
        Self::complete(file)
    }

    /// Where each person's vault is, by their name.
    pub(crate) fn vault(&self) -> PathBuf {
        self.state.join("vault")
    }

    fn complete(file: File) -> Result<Self> {
        let dirs = BaseDirs::new();
        let root = rustix::process::geteuid().is_root();
        let missing = "there is no home folder; set `state` in agent.toml";
        let own_state = dirs.as_ref().map(|d| d.data_local_dir().join("forewarn"));
        let default_state = if root { Some(SYSTEM_STATE.into()) } else { own_state };
        let state = file.state.or(default_state).context(missing)?;
        let runtime = dirs.as_ref().and_then(BaseDirs::runtime_dir).unwrap_or(&state);
        let default_socket = if root { SYSTEM_SOCKET.into() } else { runtime.join("forewarn.sock") };
        let socket = file.socket.unwrap_or(default_socket);
        let own_home = dirs.as_ref().map(|d| d.home_dir().to_owned());
        let mut settings = Settings::default();
        if let Some(min_notice) = file.min_notice {
            if min_notice.0 < Settings::LEAST_NOTICE {
                bail!("min_notice = \"{min_notice}\": people get at least one hour; write 1h or more");
            }
            settings = settings.with_min_notice(min_notice.0);
        }
        settings.max_staleness = file.max_staleness.map_or(settings.max_staleness, |length| length.0);
        settings.offline_limit = file.offline_limit.map_or(settings.offline_limit, |length| length.0);
        Ok(Self {
            user: None,
            root: file.root.unwrap_or_else(|| "/".into()),
            homes: file.homes,
            own_home,
            state,
            socket,
            settings,
            notices: file.notices,
            terminals: file.terminals,
            languages: file.languages.unwrap_or_else(languages),
            simulated_clock: file.simulated_clock,
        })
    }
}

/// `de_DE.UTF-8` is `de`.
fn languages() -> Vec<Language> {
    let lang = std::env::var("LC_ALL").or_else(|_| std::env::var("LANG")).unwrap_or_default();
    let tag = lang.split(['_', '.', '@']).next().unwrap_or_default();
    tag.parse().into_iter().collect()
}
