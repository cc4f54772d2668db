//! Whether a person can be told something now: are they there, and do they want to be disturbed?
//!
//! Desktops answer that in many ways, and none in all. Each is asked; what does not answer says nothing. Nobody is asked to
//! start for it.

use std::{os::unix::ffi::OsStrExt as _, path::Path, process::Stdio, time::Duration};

use anyhow::Result;
use forewarn_proto::report::Obstacle;
use futures_util::StreamExt as _;
use tokio::{process::Command, sync::mpsc, time::timeout};
use zbus::{
    Connection, DynamicType, MatchRule, MessageStream, OwnedVariant, Proxy, message::Type, proxy::MethodFlags,
    wire::DynamicDeserialize,
};

/// How long a service may take to answer.
const PATIENCE: Duration = Duration::from_secs(2);

/// Services that know whether the screen is locked, beside logind: name and interface (all have `GetActive`), and path.
const SCREEN_SAVERS: [(&str, &str); 5] = [
    ("org.freedesktop.ScreenSaver", "/org/freedesktop/ScreenSaver"),
    ("org.gnome.ScreenSaver", "/org/gnome/ScreenSaver"),
    ("org.cinnamon.ScreenSaver", "/org/cinnamon/ScreenSaver"),
    ("org.mate.ScreenSaver", "/org/mate/ScreenSaver"),
    ("org.xfce.ScreenSaver", "/org/xfce/ScreenSaver"),
];
const LOGIND: &str = "org.freedesktop.login1";
/// The session of whoever asks, or the one in which they sit (org.freedesktop.login1(5)).
const LOGIND_SESSION: &str = "/org/freedesktop/login1/session/auto";
const NOTIFICATIONS: (&str, &str) = ("org.freedesktop.Notifications", "/org/freedesktop/Notifications");
const DUNST: &str = "org.dunstproject.cmd0";
/// `GSM_INHIBITOR_FLAG_IDLE` (gnome-session, `gsm-inhibitor-flag.h`).
const IDLE: u32 = 8;

/// What is asked.
pub(super) struct Presence {
    session: Connection,
    system: Option<Connection>,
    /// Something has changed, perhaps.
    changes: mpsc::Receiver<()>,
}

impl Presence {
    pub(super) async fn new(session: Connection) -> Self {
        let (sender, changes) = mpsc::channel(1);
        let system = Connection::system().await.inspect_err(|error| tracing::debug!("no system bus: {error}")).ok();
        let signal = |member| MatchRule::builder().msg_type(Type::Signal).member(member);
        let logind = signal("PropertiesChanged").path_namespace("/org/freedesktop/login1/session").build();
        let savers = signal("ActiveChanged").build();
        let services = signal("PropertiesChanged").path(NOTIFICATIONS.1).build();
        let rules = [(system.as_ref(), logind), (Some(&session), savers), (Some(&session), services)];
        for (bus, rule) in rules {
            if let Some((bus, rule)) = bus.zip(rule.ok()) {
                tokio::spawn(pass_on(rule, bus.clone(), sender.clone()));
            }
        }
        Self { session, system, changes }
    }

    /// Waits for a sign that something has changed.
    pub(super) async fn changed(&mut self) {
        if self.changes.recv().await.is_none() {
            std::future::pending::<()>().await;
        }
    }

    /// What keeps a notice from the person; one that insists is only kept from who would not see it.
    pub(super) async fn obstacle(&self, insists: bool) -> Option<Obstacle> {
        if self.is_locked().await {
            return Some(Obstacle::Locked);
        }
        if self.of_session("IdleHint").await == Some(true) {
            return Some(Obstacle::Away);
        }
        if insists {
            return None;
        }
        if self.do_not_disturb().await {
            return Some(Obstacle::DoNotDisturb);
        }
        self.is_busy().await.then_some(Obstacle::Busy)
    }

    /// Whether the notification service keeps to itself what it was given (dunst does, while it is paused).
    pub(super) async fn holds_back(&self) -> bool {
        let waiting: Option<u32> = property(&self.session, NOTIFICATIONS, DUNST, "waitingLength").await;
        waiting.is_some_and(|waiting| waiting > 0)
            && property(&self.session, NOTIFICATIONS, DUNST, "paused").await == Some(true)
    }

    async fn is_locked(&self) -> bool {
        if self.of_session("LockedHint").await == Some(true) || self.of_session("Active").await == Some(false) {
            return true;
        }
        for (name, path) in SCREEN_SAVERS {
            if call::<_, bool>(&self.session, (name, path), name, "GetActive", &()).await == Some(true) {
                return true;
            }
        }
        false
    }

    /// A property of the login session.
    async fn of_session(&self, name: &str) -> Option<bool> {
        let session = "org.freedesktop.login1.Session";
        property(self.system.as_ref()?, (LOGIND, LOGIND_SESSION), session, name).await
    }

    async fn do_not_disturb(&self) -> bool {
        let session = &self.session;
        // KDE's, and newer versions of the specification.
        property(session, NOTIFICATIONS, NOTIFICATIONS.0, "Inhibited").await == Some(true)
            || property(session, NOTIFICATIONS, DUNST, "paused").await == Some(true)
            || self.xfce_is_silent().await
            || self.mako_is_silent().await
            || gnome_is_silent().await
    }

    async fn xfce_is_silent(&self) -> bool {
        let place = ("org.xfce.Xfconf", "/org/xfce/Xfconf");
        let body = ("xfce4-notifyd", "/do-not-disturb");
        let value: Option<OwnedVariant> = call(&self.session, place, place.0, "GetProperty", &body).await;
        value.and_then(|value| bool::try_from(value).ok()) == Some(true)
    }

    async fn mako_is_silent(&self) -> bool {
        let place = ("fr.emersion.Mako", "/fr/emersion/Mako");
        let modes: Option<Vec<String>> = call(&self.session, place, place.0, "ListModes", &()).await;
        modes.is_some_and(|modes| modes.iter().any(|mode| mode == "do-not-disturb" || mode == "dnd"))
    }

    /// Whether something keeps the screen awake, or looks through the camera.
    async fn is_busy(&self) -> bool {
        let gnome = ("org.gnome.SessionManager", "/org/gnome/SessionManager");
        let kde = ("org.freedesktop.PowerManagement", "/org/freedesktop/PowerManagement/Inhibit");
        if call::<_, bool>(&self.session, gnome, gnome.0, "IsInhibited", &IDLE).await == Some(true) {
            return true;
        }
        let interface = "org.freedesktop.PowerManagement.Inhibit";
        if call::<_, bool>(&self.session, kde, interface, "HasInhibit", &()).await == Some(true) {
            return true;
        }
        self.idle_is_blocked().await || uses_camera()
    }

    async fn idle_is_blocked(&self) -> bool {
        let Some(system) = &self.system else { return false };
        let place = (LOGIND, "/org/freedesktop/login1");
        let blocked: Option<String> = property(system, place, "org.freedesktop.login1.Manager", "BlockInhibited").await;
        blocked.is_some_and(|blocked| blocked.split(':').any(|what| what == "idle"))
    }
}

/// GNOME keeps it among its settings, which only its own library reads. Asked only where GNOME is.
#[expect(clippy::disallowed_methods, reason = "a program of GNOME's, with fixed arguments")]
async fn gnome_is_silent() -> bool {
    let desktop = std::env::var_os("XDG_CURRENT_DESKTOP").unwrap_or_default();
    if !desktop.as_bytes().windows(5).any(|part| part == b"GNOME") {
        return false;
    }
    let mut gsettings = Command::new("gsettings");
    gsettings.args(["get", "org.gnome.desktop.notifications", "show-banners"]).stdin(Stdio::null()).kill_on_drop(true);
    let output = timeout(PATIENCE, gsettings.output()).await;
    matches!(output, Ok(Ok(output)) if output.stdout.trim_ascii() == b"false")
}

/// Whether a process of this person holds a camera open: `/dev/video0`.
fn uses_camera() -> bool {
    let entries = |folder: &Path| fs_err::read_dir(folder).into_iter().flatten().flatten();
    let opened = entries(Path::new("/proc")).flat_map(|process| entries(&process.path().join("fd")));
    let targets = opened.filter_map(|file| fs_err::read_link(file.path()).ok());
    targets.map(std::path::PathBuf::into_os_string).any(|target| target.as_bytes().starts_with(b"/dev/video"))
}

async fn pass_on(rule: MatchRule<'static>, connection: Connection, changes: mpsc::Sender<()>) -> Result<()> {
    let mut stream = MessageStream::for_match_rule(rule, &connection, None).await?;
    while stream.next().await.is_some() {
        // One sign that waits says as much as many.
        let _ = changes.try_send(());
    }
    Ok(())
}

async fn property<T: TryFrom<OwnedVariant>>(
    connection: &Connection,
    place: (&str, &str),
    interface: &str,
    name: &str,
) -> Option<T> {
    let properties = "org.freedesktop.DBus.Properties";
    let value: OwnedVariant = call(connection, place, properties, "Get", &(interface, name)).await?;
    T::try_from(value).ok()
}

/// Asks a service that runs. One that doesn't is not started.
async fn call<B, T>(
    connection: &Connection,
    (name, path): (&str, &str),
    interface: &str,
    method: &str,
    body: &B,
) -> Option<T>
where
    B: serde::Serialize + DynamicType,
    T: for<'d> DynamicDeserialize<'d>,
{
    let asked = async {
        let proxy = Proxy::new(connection, name, path, interface).await.ok()?;
        proxy.call_with_flags(method, MethodFlags::NO_AUTO_START, body).await.ok().flatten()
    };
    timeout(PATIENCE, asked).await.ok().flatten()
}
