//! Which mail programs a person is running, by the names of their processes; and when they have closed.

use std::{
    collections::{BTreeMap, BTreeSet},
    os::{fd::OwnedFd, unix::fs::MetadataExt as _},
};

use forewarn_core::ports::Programs;
use forewarn_mail::{Client, processes};
use forewarn_proto::inventory::Person;
use futures_util::future::BoxFuture;
use rustix::process::{Pid, PidfdFlags, pidfd_open};

use crate::{alarm::register, people::People};

/// The programs of everybody who is looked after.
pub(crate) struct Running {
    people: People,
}

impl Running {
    pub(crate) fn of(people: People) -> Self {
        Self { people }
    }
}

impl Programs for Running {
    fn closed(&self, person: Person, names: BTreeSet<String>) -> BoxFuture<'static, ()> {
        match self.people.account(person) {
            Some(account) => Box::pin(closed(account.user, names)),
            None => Box::pin(std::future::pending()),
        }
    }
}

/// The programs of this user that run, each with its processes.
///
/// A process can call itself what it likes. Whoever hides a running program this way only has their changes undone by it,
/// and is revoked again.
pub(crate) fn programs(user: u32) -> BTreeMap<Client, Vec<Pid>> {
    let mut running: BTreeMap<Client, Vec<Pid>> = BTreeMap::new();
    for entry in fs_err::read_dir("/proc").into_iter().flatten().flatten() {
        let pid = entry.file_name().to_str().and_then(|name| name.parse().ok()).and_then(Pid::from_raw);
        if let Some((pid, client)) = pid.and_then(|pid| Some((pid, program_of(pid, user)?))) {
            running.entry(client).or_default().push(pid);
        }
    }
    running
}

/// The program that a process of this user's is.
fn program_of(pid: Pid, user: u32) -> Option<Client> {
    let folder = format!("/proc/{}", pid.as_raw_nonzero());
    let is_theirs = fs_err::metadata(&folder).is_ok_and(|status| status.uid() == user);
    let name = is_theirs.then(|| fs_err::read_to_string(format!("{folder}/comm")).ok()).flatten()?;
    processes().get(name.trim_end()).copied()
}

/// Waits until one of the programs has closed. For ever, if none of them is running now: then it is found by its lock
/// alone, and the next try will tell.
async fn closed(user: u32, awaited: BTreeSet<String>) {
    let running = programs(user).into_iter().filter(|(client, _)| awaited.contains(&client.to_string()));
    let opened = running.flat_map(|(client, pids)| pids.into_iter().filter_map(move |pid| open(pid, user, client)));
    let waits: Vec<_> = opened.map(|pidfd| Box::pin(ended(pidfd))).collect();
    if waits.is_empty() {
        return std::future::pending().await;
    }
    futures_util::future::select_all(waits).await;
}

/// A process, if it is still this program. Numbers of processes are given again: it is looked at once it can't be another.
fn open(pid: Pid, user: u32, client: Client) -> Option<OwnedFd> {
    let pidfd = pidfd_open(pid, PidfdFlags::empty()).ok()?;
    (program_of(pid, user) == Some(client)).then_some(pidfd)
}

/// A process's file becomes readable when it ends.
async fn ended(pidfd: OwnedFd) {
    match register(pidfd) {
        Ok(pidfd) => drop(pidfd.readable().await),
        Err(_) => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test]
    #[expect(clippy::disallowed_methods, reason = "a process that ends is what is waited for")]
    async fn a_program_is_seen_while_it_runs_and_its_end_is_noticed() {
        let folder = tempfile::tempdir().unwrap();
        let program = folder.path().join("aerc");
        fs_err::copy("/bin/sleep", &program).unwrap();
        let me = forewarn_host::user::current();
        let mut child = std::process::Command::new(&program).arg("60").spawn().unwrap();
        let pid = Pid::from_child(&child);
        // Until it has become what it is.
        while !programs(me).get(&Client::Aerc).is_some_and(|pids| pids.contains(&pid)) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        assert!(!programs(me + 1).contains_key(&Client::Aerc));
        let awaited = tokio::spawn(closed(me, [Client::Aerc.to_string()].into()));
        tokio::time::sleep(Duration::from_millis(50)).await;
        assert!(!awaited.is_finished());
        child.kill().unwrap();
        tokio::time::timeout(Duration::from_secs(10), awaited).await.unwrap().unwrap();
        child.wait().unwrap();
    }
}
