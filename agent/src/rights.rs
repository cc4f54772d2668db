//! A process of root's becomes somebody else, by itself and for good.
//!
//! It is started as root, and gives root up as its own first acts. An ordinary process that is started as the person can be
//! taken over by any other of theirs (ptrace(2), `pidfd_getfd(2)`) until it forbids that; one that was root and changed can't:
//! the kernel makes it undumpable with the change (credentials(7), `PR_SET_DUMPABLE` in prctl(2)), for as long as it runs no
//! other program.

use std::{fmt, io, os::unix::fs::MetadataExt as _};

use anyhow::{Context, Result, ensure};
use keyutils::Keyring;
use rustix::{
    io::Errno,
    process::{Gid, Uid, setsid},
    thread::{set_thread_groups, set_thread_res_gid, set_thread_res_uid},
};

/// The numbers of whom a process becomes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Numbers {
    pub(crate) user: u32,
    pub(crate) group: u32,
}

/// Why a process is not who it should be by now.
#[derive(Debug, PartialEq, Eq)]
struct Still(String);

impl fmt::Display for Still {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "its worker has not given up what it must: {}", self.0)
    }
}

/// Leaves the session and the terminal that this process was started in, and the keyring of that session: whoever has a
/// keyring may read what is in it, whatever user they become (session-keyring(7)).
///
/// # Errors
/// When it leads a group of processes, which nobody starts it as; or has too many keyrings.
pub(crate) fn leave_session() -> Result<()> {
    setsid().map(drop).context("it can't leave the session that it was started in")?;
    let joined = Keyring::join_anonymous_session().map_err(io::Error::from);
    match joined.as_ref().map_err(Errno::from_io_error) {
        // A kernel that keeps no keys, or lets this process have none, lets no child of its have them.
        Ok(_) | Err(Some(Errno::NOSYS | Errno::PERM | Errno::ACCESS)) => Ok(()),
        Err(_) => joined.map(drop).context("it can't leave the keyring that it was started with"),
    }
}

/// Becomes somebody else, in the process's one thread.
///
/// # Errors
/// When this process is not root's, or has other threads, which would stay who they are.
pub(crate) fn become_user(Numbers { user, group }: Numbers, groups: &[u32]) -> Result<()> {
    ensure!(
        fs_err::read_dir("/proc/self/task")?.count() == 1,
        "a process with several threads can't become somebody else"
    );
    let (user, group) = (Uid::from_raw(user), Gid::from_raw(group));
    let groups: Vec<Gid> = groups.iter().copied().map(Gid::from_raw).collect();
    set_thread_groups(&groups).context("it can't leave its groups")?;
    set_thread_res_gid(group, group, group).context("it can't change its group")?;
    set_thread_res_uid(user, user, user).context("it can't change its user")
}

/// Makes sure that a process of ours is nobody but this user, and that no other process of theirs can take it over.
///
/// # Errors
/// Says what is otherwise.
pub(crate) fn ensure_is(process: u32, numbers: Numbers) -> Result<()> {
    let status = fs_err::read_to_string(format!("/proc/{process}/status"))?;
    if let Some(still) = still_otherwise(&status, numbers) {
        anyhow::bail!("{still}");
    }
    // The folder is its user's in any case; what is in it is root's if nobody else may look into the process (proc(5)).
    let owner = fs_err::metadata(format!("/proc/{process}/status"))?.uid();
    ensure!(
        owner == 0,
        "other processes of its person could take its worker over, so nothing is done in the home; set \
         /proc/sys/fs/suid_dumpable to 0 or 2"
    );
    Ok(())
}

/// What `/proc/PID/status` (proc_pid_status(5)) says that should not be.
fn still_otherwise(status: &str, Numbers { user, group }: Numbers) -> Option<Still> {
    let of = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
        line.map(|line| line.split_whitespace().collect::<Vec<_>>())
    };
    let all = |number: u32| vec![number.to_string(); 4];
    let none = || vec!["0000000000000000".to_owned()];
    let expected = [
        ("Uid", all(user)),
        ("Gid", all(group)),
        ("Groups", Vec::new()),
        ("CapInh", none()),
        ("CapPrm", none()),
        ("CapEff", none()),
        ("CapAmb", none()),
        ("Threads", vec!["1".to_owned()]),
    ];
    let differs = |(name, expected): &(&str, Vec<String>)| of(name).is_none_or(|is| is != *expected);
    expected.into_iter().find(differs).map(|(name, _)| Still(format!("{name} is {:?}", of(name).unwrap_or_default())))
}

#[cfg(test)]
mod tests {
    use super::*;

    const STATUS: &str = "Name:\tforewarn-daemon\nUid:\t1000\t1000\t1000\t1000\nGid:\t100\t100\t100\t100\nGroups:\t \n\
                          Threads:\t1\nCapInh:\t0000000000000000\nCapPrm:\t0000000000000000\nCapEff:\t0000000000000000\n\
                          CapBnd:\t000001ffffffffff\nCapAmb:\t0000000000000000\n";

    #[track_caller]
    fn check(from: &str, to: &str, expected: Option<&str>) {
        assert!(STATUS.contains(from));
        let still = still_otherwise(&STATUS.replace(from, to), Numbers { user: 1000, group: 100 });
        assert_eq!(still, expected.map(|text| Still(text.to_owned())), "{from} is {to}");
    }

    #[test]
    fn a_process_is_somebody_only_if_all_of_it_is() {
        check("Name", "Name", None);
        check("1000\t1000\t1000\t1000", "1000\t1000\t0\t1000", Some(r#"Uid is ["1000", "1000", "0", "1000"]"#));
        check("100\t100\t100\t100\n", "100\t100\t100\t0\n", Some(r#"Gid is ["100", "100", "100", "0"]"#));
        check("Groups:\t ", "Groups:\t27 ", Some(r#"Groups is ["27"]"#));
        check("CapPrm:\t0000000000000000", "CapPrm:\t0000000000000080", Some(r#"CapPrm is ["0000000000000080"]"#));
        check("Threads:\t1", "Threads:\t2", Some(r#"Threads is ["2"]"#));
        check("CapEff:\t0000000000000000\n", "", Some("CapEff is []"));
    }
}
