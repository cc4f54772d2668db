//! The companion in a person's session: it puts notices before them, hears what they do with them, and knows whether they
//! are there. It has no rights but theirs, and decides nothing.

mod desktop;
mod presence;

use std::{collections::BTreeMap, ffi::OsStr, path::PathBuf, process::Stdio, time::Duration};

use anyhow::{Context, Result, bail};
use forewarn_core::{
    manners::{Deed, Urgency, buttons, insists, is_overtaken, urgency},
    words::{Localizer, Words},
};
use forewarn_engine::{Notice, Subject};
use forewarn_host::{Clock, local_zone};
use forewarn_proto::{
    ipc::{Made, Order, Word},
    policy::Length,
    report::{Medium, Obstacle},
};
use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use tokio::{
    process::{Child, Command},
    time::{sleep, timeout},
};
use zbus::connection::Builder;

use self::{
    desktop::{Desktop, Happening},
    presence::Presence,
};
use crate::{
    config::Config,
    ipc::{Attendance, attend},
    manager, program,
};

/// How long a new daemon may take to come after one has gone. A longer one starts a companion of its own.
const PATIENCE: Duration = Duration::from_secs(120);
/// Between two tries to find the daemon.
const TRY_EVERY: Duration = Duration::from_millis(200);
/// What comes together is shown together.
const TOGETHER: Duration = Duration::from_millis(30);
/// While something waits, how often those are asked who give no sign when they change. See [`gives_no_sign`].
const ASK_EVERY: Duration = Duration::from_secs(40);

/// The environment that a command needs to find this desktop, wherever it is run.
const PASSED_ON: [&str; 12] = [
    "DBUS_SESSION_BUS_ADDRESS",
    "DBUS_SYSTEM_BUS_ADDRESS",
    "DISPLAY",
    "LANG",
    "LANGUAGE",
    "LC_ALL",
    "LC_MESSAGES",
    "TZ",
    "WAYLAND_DISPLAY",
    "XAUTHORITY",
    "XDG_CURRENT_DESKTOP",
    "XDG_SESSION_TYPE",
];

/// A notice that is older, by the boot clock, may say what does not hold any more.
const FRESH: SignedDuration = SignedDuration::from_secs(60);

/// What is on the screen, and what waits.
struct Session {
    desktop: Desktop,
    presence: Presence,
    localizer: Localizer,
    zone: TimeZone,
    clock: Clock,
    socket: PathBuf,
    /// What the notification on the screen says.
    live: BTreeMap<Subject, Notice>,
    /// What came and has not been dealt with, and when it was made, by the boot clock.
    came: Vec<(Notice, Made)>,
    /// When the newest notice was made.
    made: Option<Made>,
    /// What kept something from being shown, which is to come again.
    waits: Option<Obstacle>,
    deeds: Vec<(Deed, Child)>,
}

/// Attends until the session ends, another companion comes, or the daemon stays away.
///
/// # Errors
/// When there is no session bus, or no daemon.
pub(crate) async fn run(config: &Config) -> Result<()> {
    let bus = Builder::session().method_timeout(Duration::from_secs(10)).build().await;
    let bus = bus.context("there is no session bus, so nothing can be shown here")?;
    let mut session = Session {
        desktop: Desktop::new(&bus).await?,
        presence: Presence::new(bus).await,
        localizer: Localizer::for_screens(&config.languages),
        zone: local_zone(),
        clock: Clock::new(config.simulated_clock.as_deref()),
        socket: config.socket.clone(),
        live: BTreeMap::new(),
        came: Vec::new(),
        made: None,
        waits: None,
        deeds: Vec::new(),
    };
    loop {
        let mut daemon = timeout(PATIENCE, find(config)).await.context("the daemon does not come back")?;
        session.socket.clone_from(&daemon.socket);
        match session.attend(&mut daemon).await {
            Ok(()) => {
                session.desktop.clear().await;
                return Ok(());
            }
            Err(error) => tracing::debug!("{error:#}"),
        }
    }
}

async fn find(config: &Config) -> Attendance {
    loop {
        match attend(config, Medium::Desktop).await {
            Ok(daemon) => return daemon,
            Err(error) => tracing::debug!("{error:#}"),
        }
        sleep(TRY_EVERY).await;
    }
}

impl Session {
    /// Works for one daemon. Ends well when there is nothing more to do here, and with an error when the daemon has gone.
    async fn attend(&mut self, daemon: &mut Attendance) -> Result<()> {
        // What an earlier daemon asked for, this one asks for again.
        self.came.clear();
        loop {
            tokio::select! {
                order = daemon.orders.recv() => match order {
                    None => bail!("the daemon has gone"),
                    Some(Order::Replaced) => return Ok(()),
                    Some(order) => self.take(order).await,
                },
                () = sleep(TOGETHER), if !self.came.is_empty() => self.show_what_came(daemon).await?,
                happening = self.desktop.happens() => match happening {
                    None => return Ok(()),
                    Some(happening) => self.respond(happening, daemon).await?,
                },
                () = self.presence.changed(), if self.waits.is_some() => self.look_again(daemon).await?,
                () = sleep(ASK_EVERY), if self.waits.is_some_and(gives_no_sign) => self.look_again(daemon).await?,
                (deed, success) = done(&mut self.deeds) => self.tell_of(&deed, success).await,
            }
        }
    }

    async fn take(&mut self, order: Order) {
        match order {
            Order::Show(notice, made) => {
                self.made = Some(made);
                self.came.retain(|(earlier, _)| earlier.subject != notice.subject);
                self.came.push((*notice, made));
            }
            Order::Withdraw(subject) => {
                self.came.retain(|(notice, _)| notice.subject != subject);
                if self.live.remove(&subject).is_some() {
                    self.redraw().await;
                }
            }
            Order::Settled | Order::Replaced => {}
        }
    }

    /// Shows what came, as far as the person can be told it now. Each gets its receipt.
    async fn show_what_came(&mut self, daemon: &mut Attendance) -> Result<()> {
        let now = self.clock.read().boot;
        let (late, came): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.came).into_iter().partition(|(_, made)| made.age(now) > FRESH);
        // This device, or this companion, slept over it. What holds by now is told anew.
        for (notice, _) in late {
            daemon.say(&Word::NotShown(notice.id, Obstacle::Away)).await?;
            self.waits.get_or_insert(Obstacle::Away);
        }
        let came: Vec<Notice> = came.into_iter().map(|(notice, _)| notice).collect();
        let gently = self.presence.obstacle(false).await;
        let firmly = if gently.is_some() { self.presence.obstacle(true).await } else { None };
        let obstacle = |notice: &Notice| if insists(notice.kind) { firmly } else { gently };
        let (kept, shown): (Vec<Notice>, Vec<Notice>) = came.into_iter().partition(|n| obstacle(n).is_some());
        for notice in kept {
            let obstacle = obstacle(&notice).unwrap_or(Obstacle::Busy);
            self.keep(&notice, obstacle, daemon).await?;
        }
        if shown.is_empty() {
            return Ok(());
        }
        for notice in &shown {
            self.live.retain(|_, earlier| !is_overtaken(earlier, notice));
            self.live.insert(notice.subject.clone(), notice.clone());
        }
        let outcome = match self.draw().await {
            Err(error) => {
                tracing::warn!("{error:#}");
                Some(Obstacle::NoService)
            }
            Ok(()) if gently.is_some() && self.presence.holds_back().await => gently,
            Ok(()) => None,
        };
        for notice in shown {
            let is_drawn = self.live.get(&notice.subject).is_some_and(|live| live.id == notice.id);
            match outcome.or((!is_drawn).then_some(Obstacle::Away)) {
                None => daemon.say(&Word::Shown(notice.id)).await?,
                Some(obstacle) => {
                    self.live.remove(&notice.subject);
                    self.keep(&notice, obstacle, daemon).await?;
                }
            }
        }
        // What a desktop keeps to itself it would show at some time, though it may have been withdrawn by then.
        if outcome.is_some() {
            self.redraw().await;
        }
        Ok(())
    }

    async fn keep(&mut self, notice: &Notice, obstacle: Obstacle, daemon: &mut Attendance) -> Result<()> {
        tracing::info!("a notice waits: {}", obstacle.text());
        self.waits = Some(obstacle);
        daemon.say(&Word::NotShown(notice.id, obstacle)).await
    }

    /// Perhaps the person can be told now what they could not be told before.
    async fn look_again(&mut self, daemon: &mut Attendance) -> Result<()> {
        self.waits = self.presence.obstacle(false).await;
        match self.waits {
            None => daemon.say(&Word::Reachable).await,
            Some(_) => Ok(()),
        }
    }

    async fn draw(&mut self) -> Result<()> {
        let now = self.now();
        self.live.retain(|_, notice| notice.deadline.is_none_or(|deadline| now.is_none_or(|now| deadline > now)));
        if self.live.is_empty() {
            self.desktop.clear().await;
            return Ok(());
        }
        let notices: Vec<&Notice> = self.live.values().collect();
        let words = self.localizer.digest(&notices, &self.zone);
        let urgency = notices.iter().map(|notice| urgency(notice.kind)).max().unwrap_or(Urgency::Normal);
        let buttons = buttons(&notices, &self.localizer, now);
        self.desktop.show(&words, urgency, &buttons).await
    }

    /// Trusted time, carried on by the boot clock from when the newest notice was made; none before there was one. The wall clock
    /// may be wrong by hours.
    fn now(&self) -> Option<Timestamp> {
        self.made.map(|made| made.now(self.clock.read().boot))
    }

    /// Brings what is on the screen up to date.
    async fn redraw(&mut self) {
        if let Err(error) = self.draw().await {
            tracing::warn!("{error:#}");
        }
    }

    async fn respond(&mut self, happening: Happening, daemon: &mut Attendance) -> Result<()> {
        match happening {
            Happening::Dismissed => self.acknowledge(daemon).await,
            Happening::Gone => {
                for notice in std::mem::take(&mut self.live).into_values() {
                    daemon.say(&Word::Vanished(notice.id)).await?;
                }
                Ok(())
            }
            Happening::ServiceCame => {
                self.redraw().await;
                self.look_again(daemon).await
            }
            Happening::Pressed(key) => match Deed::of_key(&key) {
                Some(deed) => self.act(deed, daemon).await,
                None => Ok(()),
            },
        }
    }

    async fn act(&mut self, deed: Deed, daemon: &mut Attendance) -> Result<()> {
        match deed {
            Deed::Read => {
                self.acknowledge(daemon).await?;
                self.desktop.clear().await;
            }
            Deed::Later(length) => {
                for subject in std::mem::take(&mut self.live).into_keys() {
                    daemon.say(&Word::Snoozed(subject, Length(length))).await?;
                }
                self.desktop.clear().await;
            }
            Deed::Why => self.start(Deed::Why, &["status", "--open"]),
            Deed::Remove(app) => {
                self.say_of(&app, "removing", String::new()).await;
                self.start(Deed::Remove(app.clone()), &["remove", "--yes", "--", &app]);
            }
        }
        Ok(())
    }

    async fn acknowledge(&mut self, daemon: &mut Attendance) -> Result<()> {
        for subject in std::mem::take(&mut self.live).into_keys() {
            daemon.say(&Word::Acknowledged(subject)).await?;
        }
        Ok(())
    }

    /// Starts a command of ours, as the person would on a terminal: by their own service manager, which knows nothing of the
    /// restrictions that this process may have from whoever started it.
    fn start(&mut self, deed: Deed, arguments: &[&str]) {
        let program = match program::beside("forewarn") {
            Ok(program) => program,
            Err(error) => return tracing::warn!("{error:#}"),
        };
        let socket = self.socket.clone();
        let words = [program.as_os_str(), "--socket".as_ref(), socket.as_os_str()];
        let words: Vec<&OsStr> = words.into_iter().chain(arguments.iter().map(OsStr::new)).collect();
        let command = if manager::is_there() { manager::waited_for(&PASSED_ON, &words) } else { alone(&words) };
        let mut command = Command::from(command);
        match command.stdin(Stdio::null()).stdout(Stdio::null()).kill_on_drop(true).spawn() {
            Ok(child) => self.deeds.push((deed, child)),
            Err(error) => tracing::warn!("`forewarn {}` can't be started: {error}", arguments.join(" ")),
        }
    }

    async fn tell_of(&mut self, deed: &Deed, success: bool) {
        let Deed::Remove(app) = deed else { return };
        if success {
            let body = self.localizer.say("removed-body");
            self.live.clear();
            self.say_of(app, "removed", body).await;
        } else {
            let command = format!("forewarn remove {}", forewarn_core::words::quoted(app));
            self.say_of(app, "not-removed", command).await;
        }
    }

    /// News of something that the person started.
    async fn say_of(&mut self, app: &str, message: &str, body: String) {
        let words = Words { summary: self.localizer.fill(message, [("app", app.into())]), body };
        if let Err(error) = self.desktop.show(&words, Urgency::Normal, &[]).await {
            tracing::warn!("{error:#}");
        }
    }
}

/// A command as a process of this one's.
#[expect(clippy::disallowed_methods, reason = "what a button does is one of our own commands")]
fn alone(words: &[&OsStr]) -> std::process::Command {
    let (program, arguments) =
        words.split_first().map_or((OsStr::new("forewarn"), &[][..]), |(first, rest)| (*first, rest));
    let mut command = std::process::Command::new(program);
    command.args(arguments);
    command
}

/// Whether an end of this has to be asked for. Locks and absences say so themselves, so that a night costs nothing.
fn gives_no_sign(obstacle: Obstacle) -> bool {
    matches!(obstacle, Obstacle::DoNotDisturb | Obstacle::Busy)
}

/// Waits until one of the commands that were started is done, and says whether it succeeded.
async fn done(deeds: &mut Vec<(Deed, Child)>) -> (Deed, bool) {
    let waiting =
        deeds.iter_mut().enumerate().map(|(index, (_, child))| Box::pin(async move { (index, child.wait().await) }));
    let waiting: Vec<_> = waiting.collect();
    if waiting.is_empty() {
        return std::future::pending().await;
    }
    let ((index, status), ..) = futures_util::future::select_all(waiting).await;
    let (deed, _) = deeds.swap_remove(index);
    (deed, status.is_ok_and(|status| status.success()))
}
