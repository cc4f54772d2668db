//! Starts a worker as the person whose home it works in.

use std::{
    os::{fd::OwnedFd, unix::net::UnixStream},
    path::Path,
    process::Stdio,
};

use anyhow::{Context, Result, ensure};
use forewarn_host::user;
use tokio::{
    io::AsyncReadExt as _,
    process::{Child, ChildStdout, Command},
};

use super::{READY, Request};
use crate::{
    people::{Account, People},
    rights::{self, Numbers},
};

/// A worker that was asked. It dies with this value.
pub(crate) struct Worker {
    pub(crate) child: Child,
    /// Where it hears us, and hands us open folders. It blocks.
    pub(crate) hears: UnixStream,
    /// Where it speaks.
    pub(crate) speaks: ChildStdout,
}

/// Starts a worker, which is its person by then and nobody else. Its request is still to be sent: see [`Worker::line`]. A home
/// that does not answer holds it up: the caller has a deadline.
///
/// # Errors
/// When the account or the home is another one by now, the program can't be started, or has not given up what it must.
#[expect(clippy::disallowed_methods, reason = "the worker is a process of its own")]
pub(crate) async fn start(program: &Path, people: &People, account: &Account) -> Result<Worker> {
    let (lane, people, former) = (people.lane(account.person), people.clone(), account.clone());
    let account = lane.run(move || people.ensure_same(&former)).await??;
    let numbers = becomes(&account)?;
    let mut command = Command::new(program);
    command.arg("worker").args(numbers.into_iter().flat_map(|n| [n.user, n.group]).map(|number| number.to_string()));
    command.env_clear().current_dir("/").kill_on_drop(true);
    let (hears, theirs) = UnixStream::pair().context("its worker can't be spoken to")?;
    command.stdin(Stdio::from(OwnedFd::from(theirs))).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = command.spawn().context("its worker can't be started")?;
    let mut speaks = child.stdout.take().context("its worker says nothing")?;
    ensure!(speaks.read_u8().await.is_ok_and(|said| said == READY), "its worker can't work here");
    if let Some(numbers) = numbers {
        rights::ensure_is(child.id().context("its worker has ended")?, numbers)?;
    }
    Ok(Worker { child, hears, speaks })
}

/// The line with which a worker is asked.
pub(crate) fn line(request: &Request) -> Result<Vec<u8>> {
    let mut line = serde_json::to_vec(request)?;
    line.push(b'\n');
    Ok(line)
}

/// Where the daemon is root, the worker becomes the person, in their own group and no other. None where it is them already.
fn becomes(account: &Account) -> Result<Option<Numbers>> {
    if user::current() == account.user {
        return Ok(None);
    }
    ensure!(user::is_root(), "only root and its owner may work in a home");
    Ok(Some(Numbers { user: account.user, group: account.group }))
}
