//! Stands in for logind on a bus: `org.freedesktop.login1.Session` and `.Manager`, as far as they say whether somebody is
//! there (org.freedesktop.login1(5)).

use std::thread::JoinHandle;

use anyhow::{Context, Result};
use tokio::sync::{mpsc, oneshot};
use zbus::{connection::Builder, interface};

/// One session. It ends with this value.
#[derive(Debug)]
pub struct Logind {
    changes: Option<mpsc::UnboundedSender<(Change, oneshot::Sender<()>)>>,
    thread: Option<JoinHandle<Result<()>>>,
}

#[derive(Debug, Clone, Copy)]
enum Change {
    Locked(bool),
    Idle(bool),
    Blocked(bool),
}

struct Session {
    locked: bool,
    idle: bool,
}

#[interface(name = "org.freedesktop.login1.Session")]
impl Session {
    #[zbus(property)]
    fn active(&self) -> bool {
        true
    }

    #[zbus(property)]
    fn locked_hint(&self) -> bool {
        self.locked
    }

    #[zbus(property)]
    fn idle_hint(&self) -> bool {
        self.idle
    }
}

struct Manager {
    blocked: bool,
}

#[interface(name = "org.freedesktop.login1.Manager")]
impl Manager {
    #[zbus(property)]
    fn block_inhibited(&self) -> &'static str {
        if self.blocked { "handle-power-key:idle" } else { "handle-power-key" }
    }
}

impl Logind {
    /// Answers on the bus at `address`.
    ///
    /// # Errors
    /// When the bus does not let it.
    pub fn start(address: &str) -> Result<Self> {
        let (changes, wanted) = mpsc::unbounded_channel();
        let (ready, is_ready) = std::sync::mpsc::channel();
        let address = address.to_owned();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let thread = std::thread::spawn(move || runtime.block_on(serve(&address, wanted, ready)));
        is_ready.recv().context("it did not start")?;
        Ok(Self { changes: Some(changes), thread: Some(thread) })
    }

    /// The person locks the screen, or unlocks it.
    ///
    /// # Errors
    /// When it has ended.
    pub fn lock(&self, locked: bool) -> Result<()> {
        self.change(Change::Locked(locked))
    }

    /// The person goes away, or comes back.
    ///
    /// # Errors
    /// When it has ended.
    pub fn leave(&self, idle: bool) -> Result<()> {
        self.change(Change::Idle(idle))
    }

    /// A meeting holds the screen awake, or ends.
    ///
    /// # Errors
    /// When it has ended.
    pub fn meet(&self, blocked: bool) -> Result<()> {
        self.change(Change::Blocked(blocked))
    }

    fn change(&self, change: Change) -> Result<()> {
        let (done, is_done) = oneshot::channel();
        self.changes.as_ref().context("it has ended")?.send((change, done))?;
        Ok(is_done.blocking_recv()?)
    }
}

impl Drop for Logind {
    fn drop(&mut self) {
        self.changes = None;
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

async fn serve(
    address: &str,
    mut changes: mpsc::UnboundedReceiver<(Change, oneshot::Sender<()>)>,
    ready: std::sync::mpsc::Sender<()>,
) -> Result<()> {
    let (session, manager) = ("/org/freedesktop/login1/session/auto", "/org/freedesktop/login1");
    let connection = Builder::address(address)
        .name("org.freedesktop.login1")
        .serve_at(session, Session { locked: false, idle: false })
        .serve_at(manager, Manager { blocked: false })
        .build()
        .await?;
    ready.send(())?;
    let session = connection.object_server().interface::<_, Session>(session).await?;
    let manager = connection.object_server().interface::<_, Manager>(manager).await?;
    while let Some((change, done)) = changes.recv().await {
        match change {
            Change::Locked(locked) => {
                session.get_mut().await.locked = locked;
                session.get().await.locked_hint_changed(session.signal_emitter()).await?;
            }
            Change::Idle(idle) => {
                session.get_mut().await.idle = idle;
                session.get().await.idle_hint_changed(session.signal_emitter()).await?;
            }
            Change::Blocked(blocked) => {
                manager.get_mut().await.blocked = blocked;
                manager.get().await.block_inhibited_changed(manager.signal_emitter()).await?;
            }
        }
        let _ = done.send(());
    }
    Ok(())
}
