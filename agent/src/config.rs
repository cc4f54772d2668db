//! The agent's configuration: `agent.toml`. Every field has a default; what is unknown is refused.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use forewarn_core::notice::NoticeWay;
use forewarn_engine::Settings;
use forewarn_host::{folders, user};
use forewarn_proto::{
    policy::{Language, Length},
    report::Weakened,
};
use jiff::SignedDuration;
use serde::Deserialize;

/// The configuration for everyone on the device, used when the person has none of their own.
const SYSTEM_PATH: &str = "/etc/forewarn/agent.toml";

/// Where a daemon of root's keeps its state, and where it listens: everyone on the device asks there.
const SYSTEM_STATE: &str = "/var/lib/forewarn";
/// See [`SYSTEM_STATE`].
pub(crate) const SYSTEM_SOCKET: &str = "/run/forewarn/forewarn.sock";

/// What a length may be, in hours.
struct Range {
    field: &'static str,
    least: i64,
    most: i64,
}

/// Shorter, and no policy would ever revoke; longer, and one that was withdrawn would.
const MAX_STALENESS: Range = Range { field: "max_staleness", least: 1, most: 7 * 24 };
/// Shorter, and a holiday would do; longer, and it would never come.
const OFFLINE_LIMIT: Range = Range { field: "offline_limit", least: 7 * 24, most: 90 * 24 };

/// The configuration file.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct File {
    /// Where the agent keeps its state, identity and vault. Default: `forewarn` in the person's data folder; a daemon of
    /// root's: `/var/lib/forewarn`.
    state: Option<PathBuf>,
    /// The socket of the daemon. Default: `forewarn.sock` in the person's runtime folder, else in the state folder; a
    /// daemon of root's: `/run/forewarn/forewarn.sock`. Commands ask on this one alone where it is set, else on the latter,
    /// and where nothing answers there on the former.
    socket: Option<PathBuf>,
    /// The home folders that the daemon looks after. Default: the person's own; a daemon of root's: those of everyone in
    /// `/etc/passwd` whose number is from 1000 to 60000, whose folder is theirs, or is empty because it is not mounted yet.
    homes: Option<Vec<PathBuf>>,
    /// The least time between the first notice shown and a revoke. Default 24h, never under 1h.
    min_notice: Option<Length>,
    /// How long a policy is good for a revoke without the server confirming it. Default 24h; 1h to 7d.
    max_staleness: Option<Length>,
    /// How long without a server until a policy that says `offline = "revoke"` acts without one. Default 14d; 7d to
    /// 90d.
    offline_limit: Option<Length>,
    /// How notices are shown: `auto` (the desktop, else terminals), `desktop` or `terminal`. Default `auto`.
    notices: NoticeWay,
    /// Of the terminals that the person owns and uses, those on which notices are written. Default: all.
    terminals: Option<Vec<PathBuf>>,
    /// The languages of notices, best first. Default: from `LANG`.
    languages: Option<Vec<Language>>,
    /// The system whose packages are listed. Default `/`.
    root: Option<PathBuf>,
    /// A file that moves the clock, for demonstrations and tests. `forewarn status` says so when it is set.
    simulated_clock: Option<PathBuf>,
}

/// The configuration with every default filled in.
#[derive(Debug, Clone)]
pub(crate) struct Config {
    /// The number of the user about whom a command asks; whoever runs it when none.
    pub(crate) user: Option<u32>,
    pub(crate) state: PathBuf,
    /// Where a daemon of whoever runs this listens.
    pub(crate) socket: PathBuf,
    /// Where commands look for a daemon that answers them, one after the other.
    pub(crate) sockets: Vec<PathBuf>,
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
        let own = folders::config("forewarn").map(|folder| folder.join("agent.toml"));
        // Root may have been given somebody else's `HOME`.
        let own = own.filter(|_| !user::is_root());
        let candidates = own.into_iter().chain([SYSTEM_PATH.into()]);
        let path = path.map(Path::to_owned).or_else(|| candidates.into_iter().find(|path| path.exists()));
        let mut file = match &path {
            Some(path) => {
                let text = fs_err::read_to_string(path)?;
                toml::from_str(&text).with_context(|| format!("{} is not a valid configuration", path.display()))?
            }
            None => File::default(),
        };
        file.socket = socket.or(file.socket);
        let complete = Self::complete(file);
        match path {
            Some(path) => complete.with_context(|| path.display().to_string()),
            None => complete,
        }
    }

    /// Where each person's vault is, by their name.
    pub(crate) fn vault(&self) -> PathBuf {
        self.state.join("vault")
    }

    fn complete(file: File) -> Result<Self> {
        let root = user::is_root();
        let missing = "there is no home folder; set `state` in agent.toml";
        let own_state = folders::data().map(|folder| folder.join("forewarn"));
        let default_state = if root { Some(SYSTEM_STATE.into()) } else { own_state };
        let state = file.state.clone().or(default_state).context(missing)?;
        let runtime = folders::runtime().unwrap_or_else(|| state.clone());
        let own_socket = if root { SYSTEM_SOCKET.into() } else { runtime.join("forewarn.sock") };
        let sockets = sockets(file.socket.as_deref(), Path::new(SYSTEM_SOCKET), &own_socket);
        let socket = file.socket.clone().unwrap_or(own_socket);
        let own_home = folders::home();
        let mut settings = Settings::default();
        if let Some(min_notice) = file.min_notice {
            if min_notice.0 < Settings::LEAST_NOTICE {
                bail!("min_notice = \"{min_notice}\": people get at least one hour; write 1h or more");
            }
            settings = settings.with_min_notice(min_notice.0);
        }
        settings.max_staleness = bounded(file.max_staleness, settings.max_staleness, &MAX_STALENESS)?;
        settings.offline_limit = bounded(file.offline_limit, settings.offline_limit, &OFFLINE_LIMIT)?;
        let settings = file.weakening(settings);
        Ok(Self {
            user: None,
            root: file.root.unwrap_or_else(|| "/".into()),
            homes: file.homes,
            own_home,
            state,
            socket,
            sockets,
            settings,
            notices: file.notices,
            terminals: file.terminals,
            languages: file.languages.unwrap_or_else(languages),
            simulated_clock: file.simulated_clock,
        })
    }
}

impl File {
    /// The settings, with the word that these of the file weaken a promise.
    fn weakening(&self, settings: Settings) -> Settings {
        let usual = Settings::default();
        let weakened = [
            (Weakened::SimulatedClock, self.simulated_clock.is_some()),
            (Weakened::Terminals, self.terminals.is_some()),
            (Weakened::Root, self.root.as_ref().is_some_and(|root| root != Path::new("/"))),
            (Weakened::Notices, self.notices != NoticeWay::Auto),
            (Weakened::MinNotice, settings.min_notice() < usual.min_notice()),
            (Weakened::MaxStaleness, settings.max_staleness > usual.max_staleness),
            (Weakened::OfflineLimit, settings.offline_limit < usual.offline_limit),
        ];
        settings.with_weakened(weakened.into_iter().filter(|(_, is_so)| *is_so).map(|(setting, _)| setting).collect())
    }
}

/// A length that this file names, if it lies between what is written here.
fn bounded(given: Option<Length>, usual: SignedDuration, range: &Range) -> Result<SignedDuration> {
    let Range { field, least, most } = range;
    let Some(length) = given else { return Ok(usual) };
    let (low, high) = (SignedDuration::from_hours(*least), SignedDuration::from_hours(*most));
    if length.0 < low || length.0 > high {
        let (low, high) = (in_words(*least), in_words(*most));
        bail!("{field} = \"{length}\" is out of bounds; write a length from {low} to {high}");
    }
    Ok(length.0)
}

/// Hours as people write them: `1h`, `7d`.
fn in_words(hours: i64) -> String {
    if hours % 24 == 0 { format!("{}d", hours / 24) } else { format!("{hours}h") }
}

/// Where commands look for their daemon: where they were told to, else at the system's, which looks after everyone, and then
/// at the person's own.
fn sockets(chosen: Option<&Path>, system: &Path, own: &Path) -> Vec<PathBuf> {
    match chosen {
        Some(chosen) => vec![chosen.to_owned()],
        None if system == own => vec![system.to_owned()],
        None => vec![system.to_owned(), own.to_owned()],
    }
}

/// `de_DE.UTF-8` is `de`.
fn languages() -> Vec<Language> {
    let lang = std::env::var("LC_ALL").or_else(|_| std::env::var("LANG")).unwrap_or_default();
    let tag = lang.split(['_', '.', '@']).next().unwrap_or_default();
    tag.parse().into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn complete(text: &str) -> Result<Config> {
        Config::complete(toml::from_str(text)?)
    }

    #[test]
    fn promise_7_no_setting_goes_beyond_its_bounds() {
        for (setting, is_good) in [
            ("max_staleness = \"1h\"", true),
            ("max_staleness = \"7d\"", true),
            ("max_staleness = \"59m\"", false),
            ("max_staleness = \"169h\"", false),
            ("offline_limit = \"7d\"", true),
            ("offline_limit = \"90d\"", true),
            ("offline_limit = \"6d\"", false),
            ("offline_limit = \"91d\"", false),
            ("min_notice = \"59m\"", false),
        ] {
            let read = complete(setting).map_err(|error| error.to_string());
            assert_eq!(read.is_ok(), is_good, "{setting}");
            let field = setting.split(' ').next().unwrap();
            assert!(read.err().is_none_or(|error| error.starts_with(field)), "the error names {field}");
        }
        let error = complete("max_staleness = \"30d\"").unwrap_err().to_string();
        assert!(error.contains("\"720h\"") && error.contains("from 1h to 7d"), "{error}");
    }

    #[test]
    fn promise_1_each_setting_that_weakens_a_promise_is_named() {
        let weak = [
            ("simulated_clock = \"/c\"", Weakened::SimulatedClock),
            ("terminals = [\"/dev/null\"]", Weakened::Terminals),
            ("root = \"/mnt\"", Weakened::Root),
            ("notices = \"terminal\"", Weakened::Notices),
            ("min_notice = \"23h\"", Weakened::MinNotice),
            ("max_staleness = \"25h\"", Weakened::MaxStaleness),
            ("offline_limit = \"13d\"", Weakened::OfflineLimit),
        ];
        assert_eq!(weak.map(|(_, setting)| setting), Weakened::ALL);
        for (text, setting) in weak {
            let named = complete(text).unwrap().settings.weakened().clone();
            assert_eq!(named.into_iter().collect::<Vec<_>>(), [setting], "{text}");
        }
        let strong =
            "root = \"/\"\nnotices = \"auto\"\nmin_notice = \"48h\"\nmax_staleness = \"1h\"\noffline_limit = \"90d\"";
        assert!(complete(strong).unwrap().settings.weakened().is_empty());
    }

    #[test]
    fn a_command_looks_for_the_system_s_daemon_first_and_for_the_person_s_own_second() {
        let (system, own) = (Path::new("/run/forewarn/forewarn.sock"), Path::new("/run/user/1000/forewarn.sock"));
        assert_eq!(sockets(None, system, own), [system, own]);
        assert_eq!(sockets(None, system, system), [system], "root's own is the system's");
        assert_eq!(sockets(Some(Path::new("/x")), system, own), [Path::new("/x")], "what is chosen is chosen");
    }
}
