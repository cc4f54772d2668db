//! Desktop notifications: `org.freedesktop.Notifications` (Desktop Notifications Specification 1.2) on the session bus.
//!
//! There is one notification of ours at a time, whatever it has to say: a notice that comes while another is on the screen
//! joins it.

use std::{collections::HashMap, time::Duration};

use anyhow::{Context, Result};
use futures_util::StreamExt;
use tokio::{sync::mpsc, task::AbortHandle};
use zbus::{Connection, Message, Variant, proxy};

use forewarn_core::{
    manners::{Button, Urgency},
    words::Words,
};

#[proxy(
    interface = "org.freedesktop.Notifications",
    default_service = "org.freedesktop.Notifications",
    default_path = "/org/freedesktop/Notifications"
)]
trait Notifications {
    #[expect(clippy::too_many_arguments, reason = "the specification's own")]
    fn notify(
        &self,
        app_name: &str,
        replaces_id: u32,
        app_icon: &str,
        summary: &str,
        body: &str,
        actions: &[&str],
        hints: HashMap<&str, Variant<'_>>,
        expire_timeout: i32,
    ) -> zbus::Result<u32>;

    fn close_notification(&self, id: u32) -> zbus::Result<()>;

    fn get_capabilities(&self) -> zbus::Result<Vec<String>>;

    #[zbus(signal)]
    fn notification_closed(&self, id: u32, reason: u32) -> zbus::Result<()>;

    #[zbus(signal)]
    fn action_invoked(&self, id: u32, action_key: &str) -> zbus::Result<()>;
}

/// `NotificationClosed` with this reason: the person dismissed it.
const DISMISSED: u32 = 2;
/// How long the notification service may take to answer. One that hangs must not keep later notices from the person.
const PATIENCE: Duration = Duration::from_secs(10);
/// The notification stays until it is dismissed.
const NEVER_EXPIRES: i32 = 0;

/// What becomes of the notification.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Happening {
    /// The person dismissed it.
    Dismissed,
    /// It is gone, and the person did not do that.
    Gone,
    /// The person pressed this.
    Pressed(String),
    /// A service that shows notifications has come, with nothing on it.
    ServiceCame,
}

/// The person's desktop.
pub(super) struct Desktop {
    proxy: NotificationsProxy<'static>,
    /// Our notification, while it is on the screen.
    current: Option<u32>,
    /// What happens to notifications, ours and others'.
    signals: mpsc::UnboundedReceiver<Signal>,
    listener: AbortHandle,
}

enum Signal {
    Closed(u32, u32),
    Pressed(u32, String),
    Owner(bool),
}

impl Drop for Desktop {
    fn drop(&mut self) {
        self.listener.abort();
    }
}

impl Desktop {
    pub(super) async fn new(connection: &Connection) -> Result<Self> {
        let proxy = NotificationsProxy::new(connection).await?;
        let (sender, signals) = mpsc::unbounded_channel();
        let listener = tokio::spawn(listen(proxy.clone(), sender)).abort_handle();
        Ok(Self { proxy, current: None, signals, listener })
    }

    /// Shows this, in the place of what is on the screen.
    pub(super) async fn show(&mut self, words: &Words, urgency: Urgency, buttons: &[Button]) -> Result<()> {
        let answers = async {
            let can = self.proxy.get_capabilities().await.context("no service shows notifications")?;
            let has = |capability: &str| can.iter().any(|can| can == capability);
            let hints = HashMap::from([
                ("urgency", Variant::U8(urgency as u8)),
                ("desktop-entry", Variant::Str("forewarn".into())),
                ("category", Variant::Str("device".into())),
                ("resident", Variant::Bool(true)),
            ]);
            let body = if has("body-markup") { escaped(&words.body) } else { words.body.clone() };
            let (summary, body) = if has("body") {
                (words.summary.clone(), body)
            } else {
                (format!("{}\n{}", words.summary, words.body), String::new())
            };
            let actions: Vec<&str> = buttons
                .iter()
                .filter(|_| has("actions"))
                .flat_map(|(key, label)| [key.as_str(), label.as_str()])
                .collect();
            let replaces = self.current.unwrap_or_default();
            let notify = self.proxy.notify("Forewarn", replaces, ICON, &summary, &body, &actions, hints, NEVER_EXPIRES);
            notify.await.context("the service that shows notifications refuses it")
        };
        let id = tokio::time::timeout(PATIENCE, answers).await.context("the desktop does not answer")??;
        self.current = Some(id);
        Ok(())
    }

    /// Takes down what is on the screen.
    pub(super) async fn clear(&mut self) {
        let Some(id) = self.current.take() else { return };
        if let Err(error) = self.proxy.close_notification(id).await {
            tracing::debug!("a notification could not be taken down: {error}");
        }
    }

    /// Waits until something happens to our notification. Never ends where the session bus is gone.
    pub(super) async fn happens(&mut self) -> Option<Happening> {
        loop {
            let happening = match self.signals.recv().await? {
                Signal::Closed(id, reason) if self.current == Some(id) => {
                    self.current = None;
                    if reason == DISMISSED { Happening::Dismissed } else { Happening::Gone }
                }
                Signal::Pressed(id, key) if self.current == Some(id) => Happening::Pressed(key),
                Signal::Owner(true) => {
                    self.current = None;
                    Happening::ServiceCame
                }
                Signal::Closed(..) | Signal::Pressed(..) | Signal::Owner(false) => continue,
            };
            return Some(happening);
        }
    }
}

/// A name of the icon naming specification.
const ICON: &str = "dialog-warning";

/// Ends with the session bus. One stream for all that a service says, so that it is heard in its order: some close a
/// notification because one of its buttons was pressed.
async fn listen(proxy: NotificationsProxy<'static>, signals: mpsc::UnboundedSender<Signal>) -> Result<()> {
    let mut said = proxy.inner().receive_all_signals().await?;
    let mut owners = proxy.inner().receive_owner_changed().await?;
    loop {
        let signal = tokio::select! {
            Some(message) = said.next() => read(message),
            Some(owner) = owners.next() => Some(Signal::Owner(owner.is_some())),
            else => return Ok(()),
        };
        if let Some(signal) = signal {
            signals.send(signal)?;
        }
    }
}

fn read(message: Message) -> Option<Signal> {
    if let Some(closed) = NotificationClosed::from_message(message.clone()) {
        let arguments = closed.args().ok()?;
        return Some(Signal::Closed(arguments.id, arguments.reason));
    }
    let invoked = ActionInvoked::from_message(message)?;
    let arguments = invoked.args().ok()?;
    Some(Signal::Pressed(arguments.id, arguments.action_key.to_owned()))
}

/// A body may be taken for markup (section 4.1 of the specification), so nothing in it may look like some.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
