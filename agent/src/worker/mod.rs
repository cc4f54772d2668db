//! The process that works in a home: a short life with that person's rights and no others.
//!
//! It becomes that person by itself, and is asked nothing before that. What it is asked comes in as a line of JSON. Before it opens anything it gives up what it does not need: it can't reach
//! a network, can't start anything, and sees only the home and, to read packages, the Nix store and Homebrew's folder. Whoever takes it over by
//! a file of their own gains what they had.

mod errand;
mod look;
mod open;
mod start;

use std::{
    collections::BTreeSet,
    io::{self, BufRead as _, Write as _},
    path::Path,
};

use anyhow::{Context, Result};
use forewarn_proto::ipc::Isolation;
use landlock::{
    ABI, Access, AccessFs, AccessNet, BitFlags, Ruleset, RulesetAttr, RulesetCreatedAttr, RulesetStatus,
    path_beneath_rules,
};
use rustix::process::{DumpableBehavior, Resource, Rlimit, set_dumpable_behavior, setrlimit};
use serde::{Deserialize, Serialize};

pub(crate) use self::{
    errand::{Errand, MailRequest, Outcome},
    look::{Answer, LookRequest},
    open::NOT_OPEN,
    start::{Worker, line, start},
};

use crate::rights::{self, Numbers};

/// The newest Landlock that is asked for. An older kernel gives what it has.
const LANDLOCK: ABI = ABI::V5;

/// What any worker may use at most. Stops: a file that makes its reader fill the memory, or compute for ever.
const LIMITS: [(Resource, u64); 4] =
    [(Resource::As, 1 << 30), (Resource::Cpu, 30), (Resource::Nofile, 64), (Resource::Core, 0)];

/// The largest file that a worker may write, in bytes, where it writes at all.
const MAX_WRITTEN_BYTES: u64 = forewarn_mail::MAX_FILE_BYTES;

/// What a worker is asked.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Request {
    /// To list what a home has.
    Look(LookRequest),
    /// To take mail accounts out of a home, or give them back.
    Mail(MailRequest),
}

/// What a worker says first, when it is its person and nothing more. Nothing is sent to it before.
const READY: u8 = b'\n';

/// Becomes the person, if this is root's; reads a request, shuts itself in, and does what it is asked.
///
/// # Errors
/// When it can't become them, the request can't be read, or the sandbox can't be made.
pub(crate) fn run(becomes: Option<Numbers>) -> Result<()> {
    rights::leave_session()?;
    for (resource, most) in LIMITS {
        limit(resource, most)?;
    }
    if let Some(numbers) = becomes {
        rights::become_user(numbers, &[])?;
    }
    // Where it was its person from the start, it is its own until here; the kernel has done it where it was root.
    set_dumpable_behavior(DumpableBehavior::NotDumpable)?;
    let mut out = io::stdout().lock();
    out.write_all(&[READY])?;
    out.flush()?;
    drop(out);
    let mut line = String::new();
    io::stdin().lock().read_line(&mut line)?;
    match serde_json::from_str(&line).context("the request can't be read")? {
        Request::Look(request) => {
            limit(Resource::Fsize, 0)?;
            look::run(request)
        }
        Request::Mail(request) => {
            limit(Resource::Fsize, MAX_WRITTEN_BYTES)?;
            errand::run(request)
        }
    }
}

fn limit(resource: Resource, most: u64) -> Result<()> {
    Ok(setrlimit(resource, Rlimit { current: Some(most), maximum: Some(most) })?)
}

/// What a worker may do with the files that it sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rights {
    Read,
    /// Also write, replace and remove files, and rename folders; nothing that is not a file is made.
    Change,
}

impl Rights {
    fn access(self) -> BitFlags<AccessFs> {
        let read = AccessFs::ReadFile | AccessFs::ReadDir;
        match self {
            Self::Read => read,
            Self::Change => {
                read | AccessFs::WriteFile
                    | AccessFs::Truncate
                    | AccessFs::MakeReg
                    | AccessFs::MakeDir
                    | AccessFs::RemoveFile
                    | AccessFs::RemoveDir
                    | AccessFs::Refer
            }
        }
    }
}

/// From here on only these folders are seen, and nothing but their files is read or changed.
fn shut_in(folders: &BTreeSet<&Path>, rights: Rights) -> Result<Isolation> {
    let ruleset = Ruleset::default()
        .handle_access(AccessFs::from_all(LANDLOCK))?
        .handle_access(AccessNet::from_all(LANDLOCK))?
        .create()?
        .add_rules(path_beneath_rules(folders, rights.access()))?;
    Ok(match ruleset.restrict_self().context("the sandbox can't be made")?.ruleset {
        RulesetStatus::FullyEnforced => Isolation::Full,
        RulesetStatus::PartiallyEnforced => Isolation::Partial,
        RulesetStatus::NotEnforced => Isolation::None,
    })
}

#[cfg(test)]
mod tests {
    use std::net::{TcpListener, TcpStream};

    use super::*;

    fn is_denied<T>(result: io::Result<T>) -> bool {
        result.is_err_and(|error| error.kind() == io::ErrorKind::PermissionDenied)
    }

    #[test]
    #[expect(clippy::disallowed_methods, reason = "that a program can't be started is what is shown")]
    fn whoever_is_shut_in_sees_the_home_and_changes_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let (home, secret) = (folder.path().join("home"), folder.path().join("secret"));
        fs_err::create_dir(&home).unwrap();
        fs_err::write(home.join("file"), "seen").unwrap();
        fs_err::write(&secret, "not seen").unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        // The rules are a thread's.
        let shut_in = move || {
            shut_in(&[home.as_path()].into(), Rights::Read).unwrap();
            assert_eq!(fs_err::read_to_string(home.join("file")).unwrap(), "seen");
            assert!(is_denied(fs_err::read(&secret)), "a file outside");
            assert!(is_denied(fs_err::read_dir(secret.parent().unwrap())), "a folder outside");
            assert!(is_denied(fs_err::write(home.join("file"), "x")), "writing");
            assert!(is_denied(fs_err::write(home.join("new"), "x")), "making a file");
            assert!(is_denied(fs_err::remove_file(home.join("file"))), "removing");
            assert!(is_denied(TcpStream::connect(address)), "the network");
            assert!(is_denied(std::process::Command::new("/bin/true").status()), "another program");
        };
        std::thread::spawn(shut_in).join().unwrap();
    }

    #[test]
    fn whoever_changes_files_makes_nothing_else_and_nothing_elsewhere() {
        let folder = tempfile::tempdir().unwrap();
        let home = folder.path().join("home");
        fs_err::create_dir(&home).unwrap();
        fs_err::write(home.join("file"), "there").unwrap();
        fs_err::write(folder.path().join("other"), "there").unwrap();
        let outside = folder.path().to_owned();
        let shut_in = move || {
            shut_in(&[home.as_path()].into(), Rights::Change).unwrap();
            fs_err::write(home.join("new"), "x").unwrap();
            fs_err::rename(home.join("new"), home.join("file")).unwrap();
            fs_err::remove_file(home.join("file")).unwrap();
            assert!(is_denied(std::os::unix::fs::symlink("/etc/shadow", home.join("link"))), "a link");
            assert!(is_denied(std::os::unix::net::UnixListener::bind(home.join("socket"))), "a socket");
            assert!(is_denied(fs_err::write(outside.join("other"), "x")), "writing elsewhere");
            assert!(is_denied(fs_err::rename(outside.join("other"), home.join("other"))), "taking from elsewhere");
        };
        std::thread::spawn(shut_in).join().unwrap();
    }
}
