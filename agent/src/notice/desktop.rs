//! Desktop notifications: `org.freedesktop.Notifications` (Desktop Notifications Specification 1.2) on the session bus.

use std::{
    collections::{BTreeMap, HashMap},
    time::Duration,
};

use anyhow::{Context, Result};
use forewarn_engine::{Notice, NoticeKind, Subject};
use futures_util::StreamExt;
use tokio::{sync::mpsc, task::AbortHandle};
use zbus::{Connection, Variant, proxy};

use super::{News, Words};

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

    #[zbus(signal)]
    fn notification_closed(&self, id: u32, reason: u32) -> zbus::Result<()>;

    #[zbus(signal)]
    fn action_invoked(&self, id: u32, action_key: &str) -> zbus::Result<()>;
}

/// `NotificationClosed` with this reason: the person dismissed it.
const DISMISSED: u32 = 2;
/// How long the notification service may take to answer. One that hangs must not keep later notices from the person.
const PATIENCE: Duration = Duration::from_secs(10);
/// Urgency as the specification numbers it.
const NORMAL: u8 = 1;
/// See [`NORMAL`].
const CRITICAL: u8 = 2;
/// The notification stays until it is dismissed.
const NEVER_EXPIRES: i32 = 0;

/// The person's desktop. Connects when it is first needed, and again when the session was a new one.
pub(super) struct Desktop {
    news: mpsc::UnboundedSender<News>,
    session: Option<Session>,
    shown: BTreeMap<Subject, u32>,
}

struct Session {
    proxy: NotificationsProxy<'static>,
    listener: AbortHandle,
    ids: mpsc::UnboundedSender<(u32, Subject)>,
}

impl Desktop {
    pub(super) fn new(news: mpsc::UnboundedSender<News>) -> Self {
        Self { news, session: None, shown: BTreeMap::new() }
    }

    /// Shows a notice in the place of what was shown before about the same subject.
    pub(super) async fn show(&mut self, notice: &Notice, words: &Words) -> Result<()> {
        let first = self.try_show(notice, words).await;
        if first.is_ok() || self.session.is_none() {
            return first;
        }
        // The session may have ended and begun anew since the last notice.
        self.disconnect();
        self.try_show(notice, words).await
    }

    pub(super) async fn withdraw(&mut self, subject: &Subject) {
        let Some(id) = self.shown.remove(subject) else {
            return;
        };
        if let Some(session) = &self.session
            && let Err(error) = session.proxy.close_notification(id).await
        {
            tracing::debug!("a notice could not be taken down: {error}");
        }
    }

    async fn try_show(&mut self, notice: &Notice, words: &Words) -> Result<()> {
        let replaces = self.shown.get(&notice.subject).copied().unwrap_or_default();
        let session = self.connect().await?;
        let hints = HashMap::from([
            ("urgency", Variant::U8(urgency(notice.kind))),
            ("desktop-entry", Variant::Str("forewarn".into())),
            ("category", Variant::Str("device".into())),
        ]);
        let actions = ["default", "I have read this"];
        let body = escaped(&words.body);
        let notify = session.proxy.notify(
            "Forewarn",
            replaces,
            "dialog-warning",
            &words.summary,
            &body,
            &actions,
            hints,
            NEVER_EXPIRES,
        );
        let id = notify.await.context("the notification service refused")?;
        let _ = session.ids.send((id, notice.subject.clone()));
        self.shown.insert(notice.subject.clone(), id);
        Ok(())
    }

    async fn connect(&mut self) -> Result<&Session> {
        if self.session.is_none() {
            let builder = zbus::connection::Builder::session().method_timeout(PATIENCE);
            let connection: Connection = builder.build().await.context("there is no session bus")?;
            let proxy = NotificationsProxy::new(&connection).await?;
            let (ids, known) = mpsc::unbounded_channel();
            let listener = tokio::spawn(listen(proxy.clone(), known, self.news.clone())).abort_handle();
            self.session = Some(Session { proxy, listener, ids });
        }
        self.session.as_ref().context("there is no session")
    }

    fn disconnect(&mut self) {
        self.shown.clear();
        if let Some(session) = self.session.take() {
            session.listener.abort();
        }
    }
}

/// Hears what the person does with the notices that are shown.
async fn listen(
    proxy: NotificationsProxy<'static>,
    mut ids: mpsc::UnboundedReceiver<(u32, Subject)>,
    news: mpsc::UnboundedSender<News>,
) -> Result<()> {
    let mut closed = proxy.receive_notification_closed().await?;
    let mut invoked = proxy.receive_action_invoked().await?;
    let mut known = BTreeMap::new();
    loop {
        let read = tokio::select! {
            Some((id, subject)) = ids.recv() => {
                known.insert(id, subject);
                continue;
            }
            Some(signal) = closed.next() => {
                let arguments = signal.args()?;
                let subject = known.remove(&arguments.id);
                subject.filter(|_| arguments.reason == DISMISSED)
            }
            Some(signal) = invoked.next() => known.get(&signal.args()?.id).cloned(),
            else => return Ok(()),
        };
        if let Some(subject) = read {
            news.send(News::Acknowledged(subject))?;
        }
    }
}

fn urgency(kind: NoticeKind) -> u8 {
    match kind {
        NoticeKind::LastCall | NoticeKind::Revoked | NoticeKind::Correction => CRITICAL,
        NoticeKind::First
        | NoticeKind::Reminder { .. }
        | NoticeKind::Update
        | NoticeKind::Again
        | NoticeKind::Waiting
        | NoticeKind::SetUpAgain
        | NoticeKind::Restored => NORMAL,
    }
}

/// A body may be taken for markup (section 4.1 of the specification), so nothing in it may look like some.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
