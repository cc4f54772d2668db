//! A service that shows notifications and can do nothing more: no buttons, no markup. The specification lets it.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    thread::JoinHandle,
};

use anyhow::{Context, Result};
use tokio::sync::oneshot;
use zbus::{OwnedVariant, connection::Builder, interface};

/// The service. It ends with this value.
#[derive(Debug)]
pub struct PlainService {
    shown: Arc<Mutex<Vec<Shown>>>,
    end: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<Result<()>>>,
}

/// What it was given to show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    /// The title.
    pub summary: String,
    /// The text.
    pub body: String,
    /// Keys and labels of buttons, in turn.
    pub actions: Vec<String>,
}

struct Notifications(Arc<Mutex<Vec<Shown>>>);

#[interface(name = "org.freedesktop.Notifications")]
impl Notifications {
    fn get_capabilities(&self) -> Vec<String> {
        vec!["body".to_owned()]
    }

    #[expect(clippy::too_many_arguments, reason = "the specification's own")]
    fn notify(
        &self,
        _app_name: String,
        replaces_id: u32,
        _app_icon: String,
        summary: String,
        body: String,
        actions: Vec<String>,
        _hints: HashMap<String, OwnedVariant>,
        _expire_timeout: i32,
    ) -> u32 {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(Shown { summary, body, actions });
        replaces_id.max(1)
    }

    fn close_notification(&self, _id: u32) {}
}

impl PlainService {
    /// Answers on the session bus at `address`.
    ///
    /// # Errors
    /// When the bus does not let it.
    pub fn start(address: &str) -> Result<Self> {
        let shown = Arc::new(Mutex::new(Vec::new()));
        let (end, ended) = oneshot::channel();
        let (ready, is_ready) = std::sync::mpsc::channel();
        let (address, notifications) = (address.to_owned(), Notifications(shown.clone()));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let serve = async move {
            let builder = Builder::address(address.as_str()).name("org.freedesktop.Notifications");
            let _connection = builder.serve_at("/org/freedesktop/Notifications", notifications).build().await?;
            ready.send(())?;
            let _ = ended.await;
            Ok(())
        };
        let thread = std::thread::spawn(move || runtime.block_on(serve));
        is_ready.recv().context("it did not start")?;
        Ok(Self { shown, end: Some(end), thread: Some(thread) })
    }

    /// Everything that it was given, in order.
    pub fn shown(&self) -> Vec<Shown> {
        self.shown.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Drop for PlainService {
    fn drop(&mut self) {
        self.end = None;
        let _ = self.thread.take().map(JoinHandle::join);
    }
}
