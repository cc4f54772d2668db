//! Who was met on this device before, and who they are now. An account's number says nothing: it is given again.
//!
//! A person is known by the name of their account, and by their home: its path and when it was made. One of the two may
//! change, and they are told anew; where both are others, it is another person.

use std::{
    collections::BTreeSet,
    io,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use forewarn_host::private;
use forewarn_mail::{Birth, FolderId};
use forewarn_proto::inventory::Person;
use rustix::fs::{Mode, OFlags, fstat, open};
use serde::{Deserialize, Serialize};

/// The register's name in the state folder.
const FILE: &str = "people.json";
/// How many homes are remembered of a person, the newest: an unmounted and a mounted one, and a few more.
const MAX_HOMES: usize = 8;

/// An account as it is found now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Sighting {
    pub(super) user: u32,
    pub(super) name: Option<String>,
    pub(super) path: PathBuf,
    pub(super) home: Home,
    /// Whether the folder is theirs by its owner's number alone: the user database gives that number another home.
    pub(super) by_number: bool,
}

/// A home as it is found now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Home {
    /// It is not there, or is not its account's. It says nothing.
    Absent,
    /// It is there, and was made then, if its file system keeps that.
    There(Option<Birth>),
}

/// A home that was somebody's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Had {
    path: PathBuf,
    born: Option<Birth>,
}

/// Somebody who was met.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Known {
    pub(crate) person: Person,
    /// The number of their account when they were last met.
    pub(crate) user: u32,
    /// Its name.
    pub(crate) name: Option<String>,
    homes: Vec<Had>,
    /// Whether they are still to be told anew.
    #[serde(default)]
    anew: bool,
}

/// How much of somebody is as it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fit {
    /// Name and home, as far as they can be seen.
    Whole,
    /// The name alone.
    Name,
    /// The home alone.
    Home,
}

/// Everyone who was ever met here.
#[derive(Debug, Default)]
pub(super) struct Register {
    known: Vec<Known>,
    file: PathBuf,
}

impl Home {
    /// The home at this path, if it is this user's. No link is followed.
    pub(super) fn at(path: &Path, user: u32) -> Self {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let Ok(folder) = open(path, flags, Mode::empty()) else { return Self::Absent };
        match fstat(&folder) {
            Ok(stat) if stat.st_uid == user => {
                FolderId::of(&folder).map_or(Self::Absent, |folder| Self::There(folder.born()))
            }
            Ok(_) | Err(_) => Self::Absent,
        }
    }
}

impl Register {
    /// What is stored in the folder `state`. What is missing is empty. What can't be read is put aside: everyone is met
    /// anew then, and what is in the vault of those who were known before waits until it is given to them.
    ///
    /// # Errors
    /// When it can't be read at all, or can't be put aside.
    pub(super) fn load(state: &Path) -> Result<Self> {
        let file = state.join(FILE);
        let known = match fs_err::read(&file) {
            Ok(bytes) => serde_json::from_slice(&bytes).or_else(|error| {
                let aside = file.with_extension("damaged");
                fs_err::rename(&file, &aside)?;
                tracing::error!(
                    "who is who on this device can't be read ({error}); it is kept as {}. Everyone is met anew; see \
                     `forewarn vault list` for what is kept for those who were known",
                    aside.display()
                );
                anyhow::Ok(Vec::new())
            })?,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Vec::new(),
            Err(error) => return Err(error.into()),
        };
        Ok(Self { known, file })
    }

    /// These are known, and nothing of it is stored.
    pub(super) fn of(these: impl Iterator<Item = (Person, Sighting)>) -> Self {
        let mut register = Self::default();
        for (person, sighting) in these {
            register.add(&sighting, person);
        }
        register
    }

    /// Whether somebody of this name was met before.
    pub(super) fn has_met(&self, name: Option<&str>) -> bool {
        name.is_some() && self.known.iter().any(|known| known.name.as_deref() == name)
    }

    /// Says who each of these is. The best fits are found first, and each known person is one of these at most.
    ///
    /// # Errors
    /// When that can't be stored; then nobody is known to be anybody.
    pub(super) fn meet(
        &mut self,
        sightings: &[Sighting],
        mut draw: impl FnMut() -> io::Result<Person>,
    ) -> Result<Vec<Person>> {
        let mut found: Vec<Option<usize>> = vec![None; sightings.len()];
        for fit in [Fit::Whole, Fit::Name, Fit::Home] {
            for (index, sighting) in
                sightings.iter().enumerate().filter(|(_, s)| s.home != Home::Absent || fit == Fit::Whole)
            {
                if found[index].is_none() {
                    let free = |at: &usize| !found.contains(&Some(*at));
                    found[index] =
                        (0..self.known.len()).filter(free).find(|at| self.known[*at].fits(sighting) == Some(fit));
                }
            }
        }
        let mut persons = Vec::new();
        for (sighting, at) in sightings.iter().zip(found) {
            persons.push(match at {
                Some(at) => self.known[at].follow(sighting),
                None => self.add(sighting, draw()?),
            });
        }
        self.save()?;
        Ok(persons)
    }

    /// Whether somebody who is known is as they were, by what is seen of them now. If not, they are to be told anew.
    ///
    /// # Errors
    /// When that can't be stored.
    pub(super) fn notice(&mut self, person: Person, sighting: &Sighting) -> Result<bool> {
        let Some(known) = self.known.iter_mut().find(|known| known.person == person) else { return Ok(false) };
        if known.fits(sighting) == Some(Fit::Whole) {
            return Ok(true);
        }
        known.follow(sighting);
        self.save()?;
        Ok(false)
    }

    pub(super) fn everyone(&self) -> &[Known] {
        &self.known
    }

    /// Who this is, if they were met before.
    pub(super) fn who_is(&self, sighting: &Sighting) -> Option<Person> {
        let fits = |fit| self.known.iter().find(|known| known.fits(sighting) == Some(fit));
        [Fit::Whole, Fit::Name, Fit::Home].into_iter().find_map(fits).map(|known| known.person)
    }

    /// From now on this account is this person, who is told anew; whoever it was before is nobody. Gives who had been them.
    ///
    /// # Errors
    /// When they were never met, or it can't be stored.
    pub(super) fn give(&mut self, person: Person, to: &Sighting) -> Result<Known> {
        let former = self.known.iter().find(|known| known.person == person).cloned();
        let former = former.with_context(|| format!("nobody is known as {person}; see `forewarn vault list`"))?;
        let before = self.who_is(to).filter(|before| *before != person);
        self.known.retain(|known| known.person != person && Some(known.person) != before);
        self.add(to, person);
        self.known.iter_mut().filter(|known| known.person == person).for_each(|known| known.anew = true);
        self.save()?;
        Ok(former)
    }

    /// Those who are still to be told anew.
    pub(super) fn to_be_told_anew(&self) -> BTreeSet<Person> {
        self.known.iter().filter(|known| known.anew).map(|known| known.person).collect()
    }

    /// They are told anew: that is on disk elsewhere.
    pub(super) fn forget_to_tell(&mut self, person: Person) -> Result<()> {
        self.known.iter_mut().filter(|known| known.person == person).for_each(|known| known.anew = false);
        self.save()
    }

    fn add(&mut self, sighting: &Sighting, person: Person) -> Person {
        let mut known =
            Known { person, user: sighting.user, name: sighting.name.clone(), homes: Vec::new(), anew: false };
        known.remember(sighting);
        self.known.push(known);
        person
    }

    fn save(&self) -> Result<()> {
        Ok(private::write(&self.file, &serde_json::to_vec(&self.known)?)?)
    }
}

impl Known {
    /// Whether one of their homes is still there, and theirs.
    pub(super) fn has_home(&self) -> bool {
        self.homes.iter().any(|had| Home::at(&had.path, self.user) != Home::Absent)
    }

    /// How much of this person there is in an account.
    fn fits(&self, sighting: &Sighting) -> Option<Fit> {
        // A name that can't be found out says nothing.
        let same_name = match (&self.name, &sighting.name) {
            (Some(name), Some(now)) => name == now,
            (None, _) | (_, None) => self.user == sighting.user,
        };
        let had = |born| self.homes.contains(&Had { path: sighting.path.clone(), born });
        let is_named = self.name.is_some() && self.name == sighting.name;
        match (same_name, sighting.home) {
            // A number alone is no proof: it is given again. With the place of the home it is.
            (true, Home::Absent) => {
                let had_there = self.homes.iter().any(|had| had.path == sighting.path);
                (is_named || had_there).then_some(Fit::Whole)
            }
            (true, Home::There(born)) if had(born) => Some(Fit::Whole),
            // Without a name there is nothing else to know them by.
            (true, Home::There(_)) => is_named.then_some(Fit::Name),
            (false, Home::There(born)) if had(born) && !sighting.by_number => Some(Fit::Home),
            (false, Home::Absent | Home::There(_)) => None,
        }
    }

    /// Takes over what has changed.
    fn follow(&mut self, sighting: &Sighting) -> Person {
        self.anew |= self.fits(sighting) != Some(Fit::Whole);
        self.user = sighting.user;
        self.name = sighting.name.clone().or_else(|| self.name.take());
        self.remember(sighting);
        self.person
    }

    fn remember(&mut self, sighting: &Sighting) {
        let Home::There(born) = sighting.home else { return };
        let had = Had { path: sighting.path.clone(), born };
        if !self.homes.contains(&had) {
            self.homes.push(had);
            let surplus = self.homes.len().saturating_sub(MAX_HOMES);
            self.homes.drain(..surplus);
        }
    }
}

#[cfg(test)]
mod tests;
