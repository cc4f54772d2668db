//! A vault at the other end of a pipe: the side that works in a home asks, the side that keeps the vault answers.
//!
//! A message is a head in JSON and any number of contents: the head's length (4 bytes, big-endian), the head, the number of contents, and each content's length and bytes.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::fmt;
use std::io::{self, IoSlice, IoSliceMut, Read, Write};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};

use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer, SendAncillaryMessage, SendFlags,
    recvmsg, sendmsg,
};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::store::{Guard, Label, Store};
use crate::error::Error;
use crate::limits::{MAX_CONTENTS, MAX_ERRAND_BYTES, MAX_FILE_BYTES, MAX_HEAD_BYTES, MAX_MESSAGE_BYTES};

/// What the home's side asks.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Ask {
    /// Answered with [`Answer::Entries`].
    Entries,
    /// Answered with the entry's journal.
    Journal {
        entry: u32,
    },
    /// With the journal and a content for each label. Answered with [`Answer::Created`].
    Create(Vec<Label>),
    /// With the journal.
    Save {
        entry: u32,
        finished: bool,
    },
    /// With the content.
    Put {
        entry: u32,
        label: Label,
    },
    Discard {
        entry: u32,
    },
    /// A folder comes with it, over [`Folders`].
    CloseFolder,
    OpenFolder,
    /// Answered with the content.
    Get {
        entry: u32,
        label: Label,
    },
    /// All is done; the content says what came of it.
    Done,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Answer {
    Done,
    Entries(Vec<u32>),
    Created(u32),
    Failed(String),
}

/// The home's side.
pub struct Pipe<R, W> {
    ends: RefCell<(R, W)>,
    folders: Option<Folders>,
}

/// A Unix socket over which open folders are handed from the home's side to the vault's.
#[derive(Debug)]
pub struct Folders(OwnedFd);

impl Folders {
    /// Over this socket.
    pub fn new(socket: OwnedFd) -> Self {
        Self(socket)
    }

    fn send(&self, folder: BorrowedFd<'_>) -> io::Result<()> {
        let folders = [folder];
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
        let mut control = SendAncillaryBuffer::new(&mut space);
        control.push(SendAncillaryMessage::ScmRights(&folders));
        sendmsg(&self.0, &[IoSlice::new(b"f")], &mut control, SendFlags::NOSIGNAL)?;
        Ok(())
    }

    /// Waits for one folder. Further ones in a message are closed.
    fn receive(&self) -> io::Result<OwnedFd> {
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
        let mut control = RecvAncillaryBuffer::new(&mut space);
        recvmsg(&self.0, &mut [IoSliceMut::new(&mut [0])], &mut control, RecvFlags::CMSG_CLOEXEC)?;
        let mut folders = control.drain().filter_map(|message| {
            if let RecvAncillaryMessage::ScmRights(folders) = message { Some(folders) } else { None }
        });
        folders.next().and_then(|mut folders| folders.next()).ok_or_else(|| io::Error::other("it names no folder"))
    }
}

impl<R: Read, W: Write> Pipe<R, W> {
    /// Asks over `to` and hears over `from`.
    pub fn new(from: R, to: W) -> Self {
        Self { ends: RefCell::new((from, to)), folders: None }
    }

    /// The same, which can hand over folders too.
    #[must_use]
    pub fn with_folders(mut self, folders: Folders) -> Self {
        self.folders = Some(folders);
        self
    }

    fn hand_over(&self, ask: &Ask, folder: BorrowedFd<'_>) -> Result<(), Error> {
        let folders = self.folders.as_ref().ok_or_else(unexpected)?;
        folders.send(folder).map_err(broken)?;
        self.ask(ask, &[]).map(drop)
    }

    /// Says what came of the errand. Nothing may be asked after that.
    ///
    /// # Errors
    /// [`Error::AskVault`] when nobody listens.
    pub fn finish(&self, outcome: &[u8]) -> Result<(), Error> {
        let (_, to) = &mut *self.ends.borrow_mut();
        send(to, &Ask::Done, &[outcome]).map_err(broken)
    }

    fn ask(&self, ask: &Ask, contents: &[&[u8]]) -> Result<(Answer, Vec<Vec<u8>>), Error> {
        let (from, to) = &mut *self.ends.borrow_mut();
        send(to, ask, contents).map_err(broken)?;
        // The vault's side is trusted with the amount.
        match receive(from, &mut u64::MAX.clone()).map_err(broken)? {
            (Answer::Failed(reason), _) => Err(Error::AskVault { reason }),
            answer => Ok(answer),
        }
    }
}

fn broken(error: io::Error) -> Error {
    Error::AskVault { reason: error.to_string() }
}

fn unexpected() -> Error {
    Error::AskVault { reason: "it answers what was not asked".to_owned() }
}

impl<R: Read, W: Write> Store for Pipe<R, W> {
    /// The other side holds it.
    fn lock(&self) -> Result<Option<Guard>, Error> {
        Ok(None)
    }

    fn entries(&self) -> Result<Vec<u32>, Error> {
        match self.ask(&Ask::Entries, &[])? {
            (Answer::Entries(numbers), _) => Ok(numbers),
            _ => Err(unexpected()),
        }
    }

    fn journal(&self, entry: u32) -> Result<Vec<u8>, Error> {
        let (_, mut contents) = self.ask(&Ask::Journal { entry }, &[])?;
        contents.pop().ok_or_else(unexpected)
    }

    fn create(&self, journal: &[u8], contents: &[(Label, &[u8])]) -> Result<u32, Error> {
        let labels = contents.iter().map(|(label, _)| label.clone()).collect();
        let blobs: Vec<&[u8]> = [journal].into_iter().chain(contents.iter().map(|(_, bytes)| *bytes)).collect();
        match self.ask(&Ask::Create(labels), &blobs)? {
            (Answer::Created(number), _) => Ok(number),
            _ => Err(unexpected()),
        }
    }

    fn save(&self, entry: u32, journal: &[u8], finished: bool) -> Result<(), Error> {
        self.ask(&Ask::Save { entry, finished }, &[journal]).map(drop)
    }

    fn put(&self, entry: u32, label: &Label, bytes: &[u8]) -> Result<(), Error> {
        self.ask(&Ask::Put { entry, label: label.clone() }, &[bytes]).map(drop)
    }

    fn discard(&self, entry: u32) -> Result<(), Error> {
        self.ask(&Ask::Discard { entry }, &[]).map(drop)
    }

    fn close_folder(&self, folder: BorrowedFd<'_>) -> Result<(), Error> {
        self.hand_over(&Ask::CloseFolder, folder)
    }

    fn open_folder(&self, folder: BorrowedFd<'_>) -> Result<(), Error> {
        self.hand_over(&Ask::OpenFolder, folder)
    }

    fn get(&self, entry: u32, label: &Label) -> Result<Vec<u8>, Error> {
        let (_, mut contents) = self.ask(&Ask::Get { entry, label: label.clone() }, &[])?;
        contents.pop().ok_or_else(unexpected)
    }
}

impl<R, W> fmt::Debug for Pipe<R, W> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Pipe")
    }
}

/// The vault's side: answers until the other side is done, and gives what that says came of it. Whoever asks may have been taken over: their words are limited, and are bytes to be kept, nothing more.
///
/// # Errors
/// [`Error::LockVault`]; [`Error::AskVault`] when the other side breaks off, or says what can't be understood or too much.
pub fn serve(store: &dyn Store, mut from: impl Read, mut to: impl Write, folders: &Folders) -> Result<Vec<u8>, Error> {
    let _guard = store.lock()?;
    let (mut budget, mut created) = (MAX_ERRAND_BYTES, BTreeSet::new());
    loop {
        let (ask, mut contents) = receive(&mut from, &mut budget).map_err(broken)?;
        if matches!(ask, Ask::Done) {
            return contents.pop().filter(|outcome| outcome.len() as u64 <= MAX_HEAD_BYTES).ok_or_else(unexpected);
        }
        let (answer, blobs) = answer(store, ask, &contents, &mut created, folders)
            .unwrap_or_else(|error| (Answer::Failed(chain(&error)), Vec::new()));
        let blobs: Vec<&[u8]> = blobs.iter().map(Vec::as_slice).collect();
        send(&mut to, &answer, &blobs).map_err(broken)?;
    }
}

/// `created`: the entries of this session. No other can be discarded.
fn answer(
    store: &dyn Store,
    ask: Ask,
    contents: &[Vec<u8>],
    created: &mut BTreeSet<u32>,
    folders: &Folders,
) -> Result<(Answer, Vec<Vec<u8>>), Error> {
    let only = || contents.first().filter(|_| contents.len() == 1).ok_or_else(unexpected);
    let none = Vec::new();
    Ok(match ask {
        Ask::Entries => (Answer::Entries(store.entries()?), none),
        Ask::Journal { entry } => (Answer::Done, vec![store.journal(entry)?]),
        Ask::Create(labels) => {
            let (journal, contents) = contents.split_first().ok_or_else(unexpected)?;
            if labels.len() != contents.len() {
                return Err(unexpected());
            }
            let contents: Vec<_> = labels.into_iter().zip(contents.iter().map(Vec::as_slice)).collect();
            let number = store.create(journal, &contents)?;
            created.insert(number);
            (Answer::Created(number), none)
        }
        Ask::Save { entry, finished } => {
            store.save(entry, only()?, finished)?;
            (Answer::Done, none)
        }
        Ask::Put { entry, label } => {
            store.put(entry, &label, only()?)?;
            (Answer::Done, none)
        }
        Ask::Discard { entry } if created.remove(&entry) => {
            store.discard(entry)?;
            (Answer::Done, none)
        }
        Ask::Discard { .. } => return Err(unexpected()),
        Ask::CloseFolder => {
            store.close_folder(folders.receive().map_err(broken)?.as_fd())?;
            (Answer::Done, none)
        }
        Ask::OpenFolder => {
            store.open_folder(folders.receive().map_err(broken)?.as_fd())?;
            (Answer::Done, none)
        }
        Ask::Get { entry, label } => (Answer::Done, vec![store.get(entry, &label)?]),
        Ask::Done => (Answer::Done, none),
    })
}

fn chain(error: &Error) -> String {
    let source = std::error::Error::source(error).map(|source| format!(": {source}"));
    format!("{error}{}", source.unwrap_or_default())
}

fn send(to: &mut impl Write, head: &impl Serialize, contents: &[&[u8]]) -> io::Result<()> {
    let head = serde_json::to_vec(head)?;
    let mut message = Vec::new();
    let mut part = |bytes: &[u8], length: usize| -> io::Result<()> {
        let length = u32::try_from(length).map_err(|_| io::Error::from(io::ErrorKind::InvalidInput))?;
        message.extend_from_slice(&length.to_be_bytes());
        message.extend_from_slice(bytes);
        Ok(())
    };
    part(&head, head.len())?;
    part(&[], contents.len())?;
    contents.iter().try_for_each(|content| part(content, content.len()))?;
    to.write_all(&message)?;
    to.flush()
}

/// Reads a message, as far as the limits and the `budget`, in bytes, allow.
fn receive<T: DeserializeOwned>(from: &mut impl Read, budget: &mut u64) -> io::Result<(T, Vec<Vec<u8>>)> {
    let head = piece(from, MAX_HEAD_BYTES, budget)?;
    let count = length(from)?;
    if count > MAX_CONTENTS {
        return Err(too_much());
    }
    let mut left = MAX_MESSAGE_BYTES.min(*budget);
    let before = left;
    let contents = (0..count).map(|_| piece(from, MAX_FILE_BYTES, &mut left)).collect::<io::Result<_>>()?;
    *budget -= before - left;
    Ok((serde_json::from_slice(&head)?, contents))
}

fn piece(from: &mut impl Read, limit: u64, budget: &mut u64) -> io::Result<Vec<u8>> {
    let length = length(from)?;
    *budget = budget.checked_sub(length).filter(|_| length <= limit).ok_or_else(too_much)?;
    let mut bytes = Vec::new();
    if from.take(length).read_to_end(&mut bytes)? as u64 == length {
        Ok(bytes)
    } else {
        Err(io::ErrorKind::UnexpectedEof.into())
    }
}

fn length(from: &mut impl Read) -> io::Result<u64> {
    let mut bytes = [0; 4];
    from.read_exact(&mut bytes)?;
    Ok(u32::from_be_bytes(bytes).into())
}

fn too_much() -> io::Error {
    io::Error::other("it says more than it may")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A message of `count` contents, each as large as a file may be.
    fn message(count: u32) -> impl Read {
        let head = br#""entries""#;
        let length = |length: u32| io::Cursor::new(length.to_be_bytes());
        let content = || length(u32::try_from(MAX_FILE_BYTES).unwrap()).chain(io::repeat(0).take(MAX_FILE_BYTES));
        let start = length(9).chain(io::Cursor::new(head)).chain(length(count));
        let contents = (0..count).map(|_| Box::new(content()) as Box<dyn Read>);
        contents.fold(Box::new(start) as Box<dyn Read>, |all, one| Box::new(all.chain(one)))
    }

    #[test]
    fn promise_7_no_message_is_larger_than_two_files_whatever_each_of_its_contents_is() {
        let receive = |count, budget: &mut u64| receive::<Ask>(&mut message(count), budget).map(|(_, all)| all.len());
        let mut budget = MAX_ERRAND_BYTES;
        assert_eq!(receive(2, &mut budget).unwrap(), 2);
        assert_eq!(budget, MAX_ERRAND_BYTES - 9 - 2 * MAX_FILE_BYTES);
        assert_eq!(receive(3, &mut budget).unwrap_err().to_string(), too_much().to_string());
        budget = MAX_FILE_BYTES;
        assert!(receive(1, &mut budget).is_err(), "the head counts too");
    }
}
