//! One entry of a vault: a journal, and the contents that it speaks of.

use std::os::fd::AsFd as _;

use super::journal::{Journal, Stage};
use super::store::{Label, Store};
use crate::digest::Digest;
use crate::error::Error;
use crate::home::Home;
use crate::plan::Draft;

/// One profile's accounts that are, or were, in the vault.
pub(crate) struct Entry<'s> {
    store: &'s dyn Store,
    /// From 1.
    pub(crate) number: u32,
    pub(crate) journal: Journal,
}

impl<'s> Entry<'s> {
    /// All entries, oldest first.
    pub(crate) fn all(store: &'s dyn Store) -> Result<Vec<Self>, Error> {
        let read = |number| Ok(Self { store, number, journal: Journal::parse(number, &store.journal(number)?)? });
        store.entries()?.into_iter().map(read).collect()
    }

    /// Keeps what a draft is about to take. Afterwards it is on the disk, whole, in stage revoking.
    pub(crate) fn create(store: &'s dyn Store, draft: &Draft) -> Result<Self, Error> {
        let journal = Journal::of(draft);
        let mut contents = Vec::new();
        for (index, file) in draft.files.iter().enumerate() {
            contents.push((label(&journal, index, "original", file.original.shape.sha256), &file.original.bytes[..]));
            if let Some(after) = &file.after {
                contents.push((label(&journal, index, "after", Digest::of(after)), after));
            }
        }
        let number = store.create(&journal.to_bytes()?, &contents)?;
        Ok(Self { store, number, journal })
    }

    /// Ends the entry: from here on nothing of it is given back, and it goes some day. What it has put beside files is
    /// remembered for longer than that, by an entry of its own, which is there first.
    pub(crate) fn end(&mut self, stage: Stage) -> Result<(), Error> {
        if let Some(besides) = self.journal.split_besides() {
            self.store.create(&besides.to_bytes()?, &[])?;
        }
        self.journal.stage = stage;
        self.save()
    }

    /// Writes the journal; afterwards it is on the disk.
    pub(crate) fn save(&self) -> Result<(), Error> {
        self.store.save(self.number, &self.journal.to_bytes()?, self.journal.is_finished())
    }

    /// Opens the folders of stored mail that were closed with it, wherever they are still the same.
    pub(crate) fn open_stores(&mut self, home: &Home) -> Result<(), Error> {
        for (path, id) in std::mem::take(&mut self.journal.stores) {
            match home.look_at_folder(&path)? {
                Some((folder, found)) if found == id => self.store.open_folder(folder.as_fd())?,
                // It was moved by the person; it is looked for again at the next restore.
                Some(_) | None => self.journal.stores.push((path, id)),
            }
        }
        Ok(())
    }

    /// Ends an entry of this session that was undone wholly: it is a copy of what is in its place.
    pub(crate) fn discard(self) -> Result<(), Error> {
        self.store.discard(self.number)
    }

    /// Name of the temporary file beside a file in the home.
    pub(crate) fn temporary(&self, index: usize) -> String {
        format!(".forewarn-{:04}-{index}", self.number)
    }

    /// Keeps a content: `put(0, "from", ..)` as `0.from`.
    pub(crate) fn put(&self, index: usize, what: &str, bytes: &[u8]) -> Result<(), Error> {
        self.store.put(self.number, &label(&self.journal, index, what, Digest::of(bytes)), bytes)
    }

    /// Keeps a content that nothing else knows, under a name of its own: `0.stray-0123456789abcdef`.
    pub(crate) fn put_stray(&self, index: usize, bytes: &[u8]) -> Result<(), Error> {
        let digest = Digest::of(bytes).to_string();
        self.put(index, &format!("stray-{}", &digest[..16]), bytes)
    }

    /// A content, if its digest is what the journal says.
    pub(crate) fn get(&self, index: usize, what: &str, digest: Digest) -> Result<Vec<u8>, Error> {
        self.store.get(self.number, &label(&self.journal, index, what, digest))
    }
}

fn label(journal: &Journal, index: usize, what: &str, sha256: Digest) -> Label {
    let path = journal.files.get(index).map(|held| held.path.clone()).unwrap_or_default();
    Label { name: format!("{index}.{what}"), path, sha256 }
}
