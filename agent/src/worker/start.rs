//! Starts a worker as the person whose home it works in.

use std::{
    os::{
        fd::OwnedFd,
        unix::{fs::MetadataExt as _, net::UnixStream},
    },
    path::Path,
    process::Stdio,
};

use anyhow::{Context, Result, ensure};
use forewarn_proto::inventory::Person;
use tokio::process::{Child, ChildStdout, Command};

use super::Request;

/// A worker that was asked. It dies with this value.
pub(crate) struct Worker {
    pub(crate) child: Child,
    /// Where it hears us, and hands us open folders. It blocks.
    pub(crate) hears: UnixStream,
    /// Where it speaks.
    pub(crate) speaks: ChildStdout,
}

/// Starts a worker. Its request is still to be sent: see [`Worker::line`]. A home that does not answer holds it up: the caller
/// has a deadline.
///
/// # Errors
/// When the home is somebody else's, or the program can't be started.
#[expect(clippy::disallowed_methods, reason = "the worker is a process of its own")]
pub(crate) async fn start(program: &Path, person: Person, home: &Path) -> Result<Worker> {
    let mut command = Command::new(program);
    command.arg("worker").env_clear().kill_on_drop(true);
    let (hears, theirs) = UnixStream::pair().context("its worker can't be spoken to")?;
    command.stdin(Stdio::from(OwnedFd::from(theirs))).stdout(Stdio::piped()).stderr(Stdio::null());
    become_person(&mut command, person, home).await?;
    let mut child = command.spawn().context("its worker can't be started")?;
    let speaks = child.stdout.take().context("its worker says nothing")?;
    Ok(Worker { child, hears, speaks })
}

/// The line with which a worker is asked.
pub(crate) fn line(request: &Request) -> Result<Vec<u8>> {
    let mut line = serde_json::to_vec(request)?;
    line.push(b'\n');
    Ok(line)
}

/// Where the daemon is root, the worker is the person, in the group of their home and no other.
async fn become_person(command: &mut Command, person: Person, folder: &Path) -> Result<()> {
    let me = rustix::process::geteuid();
    if me.as_raw() == person.0 {
        return Ok(());
    }
    ensure!(me.is_root(), "only root and its owner may work in a home");
    let folder = folder.to_owned();
    // A home on a file system that does not answer must not hold up the daemon's only thread.
    let owner = tokio::task::spawn_blocking(|| fs_err::symlink_metadata(folder)).await??;
    ensure!(owner.uid() == person.0, "the home folder belongs to somebody else");
    command.uid(person.0).gid(owner.gid());
    Ok(())
}
