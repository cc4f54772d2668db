//! Giving one entry back: as it was if nothing changed since, merged if something did.
//!
//! The same code undoes a revoke that a crash interrupted, from whatever state it finds: it decides by what each file is now.

use super::entry::Entry;
use super::journal::{Beside, Held, Journal, Stage, Target};
use super::{Conflict, ConflictReason};
use crate::client;
use crate::digest::Digest;
use crate::error::{Error, Refusal};
use crate::find;
use crate::home::{Change, Content, Home, NewFile};
use crate::limits::MAX_FILE_BYTES;
use crate::merge::merge;
use crate::plan::Role;
use crate::rewritten::{Obstacle, Renames, Three};

/// How it went.
pub(crate) enum Given {
    /// Identical bytes, mode and time.
    Exact,
    /// What was taken is in a file that was rewritten since.
    Merged,
    /// The program runs; nothing was touched.
    Waiting,
    /// Nothing was given back.
    Conflicts(Vec<Conflict>),
    /// There was nothing to give back but folders.
    Nothing,
}

/// How often a file may change under our hands.
pub(crate) const ATTEMPTS: usize = 3;

pub(crate) fn give_back(home: &Home, entry: &mut Entry<'_>) -> Result<Given, Error> {
    if entry.journal.stage == Stage::StoreMoved {
        entry.open_stores(home)?;
        end(entry, Stage::Restored)?;
        return Ok(Given::Nothing);
    }
    // A profile that is one text can be made anew; a folder with a program's other files can't.
    if home.resolve(&entry.journal.profile)?.is_none() && !entry.journal.is_one_text() {
        let gone: Vec<_> = (0..entry.journal.files.len()).map(|index| (index, ConflictReason::Gone)).collect();
        return conflict(home, entry, &gone);
    }
    match client::lock(home, entry.journal.client, &entry.journal.profile)? {
        Some(_lock) => give_back_locked(home, entry),
        None => Ok(Given::Waiting),
    }
}

/// The caller holds the program's lock.
pub(crate) fn give_back_locked(home: &Home, entry: &mut Entry<'_>) -> Result<Given, Error> {
    for _ in 0..ATTEMPTS {
        settle_temporaries(home, entry)?;
        let targets = match plan(home, entry)? {
            Ok(targets) => targets,
            Err(obstacles) => return conflict(home, entry, &obstacles),
        };
        let exact = targets.iter().all(|target| target.is_exact);
        write_down(entry, &targets)?;
        entry.open_stores(home)?;
        for aside in &entry.journal.moves {
            home.bring_back(aside)?;
        }
        if execute(home, entry, &targets)? && is_verified(home, entry, &targets)? {
            clear_besides(home, entry);
            end(entry, Stage::Restored)?;
            return Ok(if exact { Given::Exact } else { Given::Merged });
        }
    }
    Err(Error::SettleFile { path: entry.journal.profile.clone() })
}

/// Ends an entry in this stage; or, where a closed folder isn't where it was, leaves it so that the folder is looked for again
/// at the next restore. The account itself is not: the person may have deleted it since.
fn end(entry: &mut Entry<'_>, stage: Stage) -> Result<(), Error> {
    entry.end(if entry.journal.stores.is_empty() { stage } else { Stage::StoreMoved })
}

/// What one file has to become.
struct Planned {
    current: Option<Content>,
    to: Option<Vec<u8>>,
    target: Target,
    is_exact: bool,
}

type Obstacles = Vec<(usize, ConflictReason)>;

/// What every file has to become; or, if one can't be, what is in the way.
fn plan(home: &Home, entry: &mut Entry<'_>) -> Result<Result<Vec<Planned>, Obstacles>, Error> {
    let mut renames = entry.journal.renames.clone();
    let mut planned: Vec<Option<Planned>> = entry.journal.files.iter().map(|_| None).collect();
    let mut obstacles = Vec::new();
    // The settings first: they decide about new numbers, which the others name. They were taken last.
    let mut order: Vec<usize> = (0..planned.len()).rev().collect();
    order.sort_by_key(|&index| entry.journal.files[index].role != Role::Prefs);
    for index in order {
        match plan_file(home, entry, index, &mut renames)? {
            Ok(file) => planned[index] = Some(file),
            Err(reason) => obstacles.push((index, reason)),
        }
    }
    if !obstacles.is_empty() {
        return Ok(Err(obstacles));
    }
    entry.journal.renames = renames;
    let mut planned: Vec<_> = planned.into_iter().flatten().collect();
    drop_stale_index(&entry.journal.files, &mut planned);
    Ok(Ok(planned))
}

/// An index goes back only with the very messages that it was made for; otherwise Thunderbird makes a new one.
fn drop_stale_index(files: &[Held], planned: &mut [Planned]) {
    let is_exact = |role| files.iter().zip(&*planned).any(|(held, file)| held.role == role && file.is_exact);
    if is_exact(Role::Outbox) {
        return;
    }
    for (_, file) in files.iter().zip(planned).filter(|(held, _)| held.role == Role::OutboxIndex) {
        file.to = None;
        file.target.to = None;
    }
}

fn plan_file(
    home: &Home,
    entry: &Entry<'_>,
    index: usize,
    renames: &mut Renames,
) -> Result<Result<Planned, ConflictReason>, Error> {
    let held = &entry.journal.files[index];
    let original = entry.get(index, "original", held.original.sha256)?;
    let current = match home.read(&held.path) {
        Err(Error::CheckFile { refusal, .. }) => return Ok(Err(ConflictReason::Refused(refusal))),
        read => read?,
    };
    let now = current.as_ref().map(|content| content.shape.sha256);
    let is_whole = now == Some(held.original.sha256);
    // A new number of an account's is written wherever it is named.
    let names_numbers = matches!(held.role, Role::Outbox | Role::Sections(_));
    let is_untouched = now == held.after && (!names_numbers || renames.is_empty());
    if is_whole || is_untouched {
        return Ok(Ok(exact(held, current, original)));
    }
    let after = held.after.map(|digest| entry.get(index, "after", digest)).transpose()?;
    let three = Three {
        original: &original,
        after: after.as_deref(),
        current: current.as_ref().map(|content| content.bytes.as_slice()),
    };
    match merge(held.role, &three, &entry.journal.domain, renames) {
        Ok(Some(to)) if to.len() as u64 > MAX_FILE_BYTES => Ok(Err(ConflictReason::Refused(Refusal::TooLarge))),
        Ok(to) => Ok(Ok(merged(held, current, to))),
        // While it is being taken, what is there and is not what was left was not taken: the person's program was faster.
        Err(_) if entry.journal.stage == Stage::Revoking && current.is_some() => Ok(Ok(kept(current))),
        Err(Obstacle::ThereAgain) => Ok(Err(ConflictReason::ThereAgain)),
        Err(Obstacle::NameTaken) => Ok(Err(ConflictReason::NameTaken)),
        Err(Obstacle::Malformed) if current.is_none() => Ok(Err(ConflictReason::Gone)),
        Err(Obstacle::Malformed) => Ok(Err(ConflictReason::Malformed)),
    }
}

/// As it is.
fn kept(current: Option<Content>) -> Planned {
    let shape = current.as_ref().map(|content| content.shape);
    let now = shape.map(|shape| shape.sha256);
    let target = Target { from: now, to: now, mode: shape.map_or(0o600, |shape| shape.mode), mtime: None };
    let to = current.as_ref().map(|content| content.bytes.clone());
    Planned { current, to, target, is_exact: false }
}

fn exact(held: &Held, current: Option<Content>, original: Vec<u8>) -> Planned {
    let from = current.as_ref().map(|content| content.shape.sha256);
    let target =
        Target { from, to: Some(held.original.sha256), mode: held.original.mode, mtime: Some(held.original.mtime) };
    Planned { current, to: Some(original), target, is_exact: true }
}

fn merged(held: &Held, current: Option<Content>, to: Option<Vec<u8>>) -> Planned {
    let from = current.as_ref().map(|content| content.shape.sha256);
    let mode = current.as_ref().map_or(held.original.mode, |content| content.shape.mode);
    let target = Target { from, to: to.as_deref().map(Digest::of), mode, mtime: None };
    Planned { current, to, target, is_exact: false }
}

/// Writes the intention down: both contents of every file that changes, then the journal.
fn write_down(entry: &mut Entry<'_>, planned: &[Planned]) -> Result<(), Error> {
    for (index, file) in planned.iter().enumerate().filter(|(_, file)| file.target.from != file.target.to) {
        if let Some(current) = &file.current {
            entry.put(index, "from", &current.bytes)?;
        }
        if let Some(to) = &file.to {
            entry.put(index, "to", to)?;
        }
    }
    for (held, file) in entry.journal.files.iter_mut().zip(planned) {
        held.restoring = (file.target.from != file.target.to).then(|| file.target.clone());
    }
    entry.journal.stage = Stage::Restoring;
    entry.save()
}

/// Changes the files, in reverse order. `false` when one wasn't what was planned.
fn execute(home: &Home, entry: &Entry<'_>, planned: &[Planned]) -> Result<bool, Error> {
    let temporaries: Vec<_> = (0..planned.len()).map(|index| entry.temporary(index)).collect();
    let changing = planned.iter().enumerate().rev().filter(|(_, file)| file.target.from != file.target.to);
    let changes = changing.map(|(index, file)| {
        let to = file.to.as_ref().map(|bytes| NewFile { bytes, mode: file.target.mode, mtime: file.target.mtime });
        let (path, temporary) = (&entry.journal.files[index].path, &temporaries[index]);
        Change { path, temporary, from: file.target.from, to }
    });
    home.change_all(&changes.collect::<Vec<_>>())
}

/// Whether the home now has what was to be. An entry is over only then.
fn is_verified(home: &Home, entry: &Entry<'_>, planned: &[Planned]) -> Result<bool, Error> {
    for (held, file) in entry.journal.files.iter().zip(planned) {
        let now = home.read(&held.path)?.map(|content| content.shape.sha256);
        if now != file.target.to {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Gives nothing back, and puts the originals beside the files in the way; not while it is being taken, because they hold what is to go.
fn conflict(home: &Home, entry: &mut Entry<'_>, obstacles: &[(usize, ConflictReason)]) -> Result<Given, Error> {
    let is_restore = entry.journal.stage != Stage::Revoking;
    let stage = if is_restore { stage_after(home, entry, obstacles) } else { Stage::Revoked };
    let mut conflicts = Vec::new();
    for &(index, reason) in obstacles {
        let is_partly = reason == ConflictReason::ThereAgain && stage == Stage::Revoked;
        let reason = if is_partly { ConflictReason::PartlyThereAgain } else { reason };
        let beside = if is_restore { put_beside(home, entry, index)? } else { None };
        let held = &entry.journal.files[index];
        conflicts.push(Conflict { accounts: entry.journal.accounts.clone(), path: held.path.clone(), reason, beside });
    }
    if !stage.is_awaited() {
        // Nobody comes for the stored mail any more.
        entry.open_stores(home)?;
    }
    if stage == Stage::SetUpAgain {
        for aside in &entry.journal.moves {
            home.bring_back_where_free(aside)?;
        }
        end(entry, stage)?;
    } else {
        entry.journal.stage = stage;
        entry.save()?;
    }
    Ok(Given::Conflicts(conflicts))
}

/// What becomes of an entry that could not be restored. Where the person has set up one of two accounts, the other is still
/// to come back, and it can't come alone.
fn stage_after(home: &Home, entry: &Entry<'_>, obstacles: &[(usize, ConflictReason)]) -> Stage {
    let mut reasons = obstacles.iter().map(|(_, reason)| *reason);
    if reasons.clone().all(|reason| reason == ConflictReason::Gone) {
        return Stage::ProfileGone;
    }
    // Whatever else is in the way: who has the account needs ours no more.
    let is_there_again = reasons.any(|reason| reason == ConflictReason::ThereAgain);
    if is_there_again && are_all_there_again(home, &entry.journal) { Stage::SetUpAgain } else { Stage::Revoked }
}

/// Whether the home has each account of an entry, of which it has one.
fn are_all_there_again(home: &Home, journal: &Journal) -> bool {
    if journal.accounts.len() == 1 {
        return true;
    }
    let (draft, _) = find::draft(home, journal.client, &journal.profile, &journal.domain);
    let mut there = draft.map(|draft| draft.plan.accounts).unwrap_or_default();
    journal.accounts.iter().all(|account| {
        let found = there.iter().position(|other| other.address.eq_ignore_ascii_case(&account.address));
        found.map(|at| there.swap_remove(at)).is_some()
    })
}

/// Removes the originals that were put beside files, if they are still what was put there. Whether any is gone.
pub(crate) fn clear_besides(home: &Home, entry: &mut Entry<'_>) -> bool {
    let before = entry.journal.besides.len();
    let mut besides = std::mem::take(&mut entry.journal.besides);
    besides.retain(|beside| {
        let temporary = entry.temporary(0);
        let change = Change { path: &beside.path, temporary: &temporary, from: Some(beside.sha256), to: None };
        home.change(&change).is_err()
    });
    entry.journal.besides = besides;
    entry.journal.besides.len() < before
}

/// Gives where the original is now; nowhere, where its folder is gone.
fn put_beside(home: &Home, entry: &mut Entry<'_>, index: usize) -> Result<Option<String>, Error> {
    let held = &entry.journal.files[index];
    // Beside the file itself, not beside a link to it.
    let Ok(found) = home.resolve(&held.path) else { return Ok(None) };
    let path = format!("{}.restored-by-policy", found.unwrap_or_else(|| held.path.clone()));
    let sha256 = held.original.sha256;
    let original = entry.get(index, "original", sha256)?;
    let beside = Beside { path: path.clone(), sha256 };
    if !entry.journal.besides.contains(&beside) {
        entry.journal.besides.push(beside);
        entry.save()?;
    }
    let new = NewFile { bytes: &original, mode: 0o600, mtime: None };
    let change = Change { path: &path, temporary: &entry.temporary(index), from: None, to: Some(new) };
    home.change(&change)?;
    Ok(home.resolve(&path)?.is_some().then_some(path))
}

/// Removes the temporaries that a crash left. They hold credentials; but one may also hold what the person wrote in the last moment, and that goes back.
pub(crate) fn settle_temporaries(home: &Home, entry: &Entry<'_>) -> Result<(), Error> {
    for (index, held) in entry.journal.files.iter().enumerate() {
        let temporary = entry.temporary(index);
        let Some(left) = home.temporary(&held.path, &temporary)? else {
            continue;
        };
        if !is_known(entry, index, &left)? {
            rescue(home, entry, index, &left)?;
        }
        home.remove_temporary(&held.path, &temporary)?;
    }
    Ok(())
}

/// Whether the vault has this content, or the whole of which it is the beginning.
fn is_known(entry: &Entry<'_>, index: usize, left: &Content) -> Result<bool, Error> {
    for (what, digest) in contents(&entry.journal.files[index]) {
        if digest == left.shape.sha256 || entry.get(index, what, digest)?.starts_with(&left.bytes) {
            return Ok(true);
        }
    }
    Ok(false)
}

fn contents(held: &Held) -> impl Iterator<Item = (&'static str, Digest)> {
    let restoring = held.restoring.as_ref();
    let named = [
        ("original", Some(held.original.sha256)),
        ("after", held.after),
        ("from", restoring.and_then(|target| target.from)),
        ("to", restoring.and_then(|target| target.to)),
    ];
    named.into_iter().filter_map(|(what, digest)| Some((what, digest?)))
}

/// Puts the person's own content back to its name; or, if they have written it anew since, into the vault.
fn rescue(home: &Home, entry: &Entry<'_>, index: usize, left: &Content) -> Result<(), Error> {
    let held = &entry.journal.files[index];
    let current = home.read(&held.path)?;
    let is_ours = current.as_ref().is_some_and(|now| contents(held).any(|(_, digest)| digest == now.shape.sha256));
    let is_back = (is_ours || current.is_none()) && home.put_back(&held.path, &entry.temporary(index), is_ours)?;
    if is_back { Ok(()) } else { entry.put_stray(index, &left.bytes) }
}
