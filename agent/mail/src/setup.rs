//! What most mail programs have in common: a profile is read, has accounts, and a domain's are cut out of it.

use std::collections::BTreeSet;
use std::marker::PhantomData;

use crate::account::{Client, SkipReason, Skipped, domain_of, is_of};
use crate::error::Error;
use crate::home::{Content, Home};
use crate::lines::Part;
use crate::lines::{lines, masked};
use crate::plan::Syntax;
use crate::plan::{Draft, DraftFile, Move, Role};
use crate::sections::without;

/// A program's profile, as it was read.
pub(crate) trait Setup: Sized {
    const CLIENT: Client;
    /// The files of a profile that say what accounts there are; none where the profile is that file, or a folder of such files.
    const WATCHED: &'static [&'static str] = &[];

    /// The profiles in a home, as paths from the home.
    fn profiles(home: &Home, skipped: &mut Vec<Skipped>) -> Vec<String>;

    /// `None` when there is nothing.
    fn read(home: &Home, profile: &str) -> Result<Option<Self>, Error>;

    fn entries(&self) -> Vec<Entry>;

    /// What taking these accounts changes.
    fn cut(&self, home: &Home, ours: &[Entry], others: &[Entry]) -> Result<Cut, SkipReason>;
}

/// One account of a profile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    /// What the program calls it.
    pub(crate) key: String,
    /// Every address of it.
    pub(crate) addresses: Vec<String>,
    /// The sections, or files, that define it.
    pub(crate) parts: BTreeSet<String>,
}

/// What taking accounts changes.
#[derive(Default)]
pub(crate) struct Cut {
    pub(crate) files: Vec<DraftFile>,
    pub(crate) moves: Vec<Move>,
    /// Where the program keeps the accounts' mail.
    pub(crate) stores: Vec<String>,
}

impl Entry {
    /// An account with these addresses; what isn't an address is left out.
    pub(crate) fn new(key: &str, texts: impl IntoIterator<Item = String>, parts: BTreeSet<String>) -> Self {
        let mut seen = BTreeSet::new();
        let addresses = texts.into_iter().filter_map(|text| address_in(&text));
        let addresses = addresses.filter(|address| seen.insert(address.to_ascii_lowercase())).collect();
        Self { key: key.to_owned(), addresses, parts }
    }
}

/// The parts that only the first accounts have.
pub(crate) fn own_parts(ours: &[Entry], others: &[Entry]) -> BTreeSet<String> {
    let kept: BTreeSet<&String> = others.iter().flat_map(|entry| &entry.parts).collect();
    ours.iter().flat_map(|entry| &entry.parts).filter(|part| !kept.contains(part)).cloned().collect()
}

/// `me@corp.example` of `Me <me@corp.example>`, `"me@corp.example"` or itself.
pub(crate) fn address_in(text: &str) -> Option<String> {
    let text = text.trim();
    let inner = text.rsplit_once('<').map_or(text, |(_, rest)| rest.split('>').next().unwrap_or(rest));
    let inner = inner.trim().trim_matches(['"', '\'']).trim();
    let plain = !inner.contains(|c: char| c.is_whitespace() || matches!(c, '<' | '>' | ',' | '"'));
    (plain && domain_of(inner).is_some()).then(|| inner.to_owned())
}

/// Of some paths, those where something is.
pub(crate) fn present(home: &Home, client: Client, paths: &[&str], skipped: &mut Vec<Skipped>) -> Vec<String> {
    let mut there = |path: &&str| match home.resolve(path) {
        Ok(found) => found.is_some(),
        Err(error) => {
            let reason = error.into_reason(path);
            skipped.push(Skipped { client, profile: (*path).to_owned(), reason });
            false
        }
    };
    paths.iter().copied().filter(|path| there(path)).map(str::to_owned).collect()
}

pub(crate) fn draft<S: Setup>(home: &Home, profile: &str, domain: &str, skipped: &mut Vec<Skipped>) -> Option<Draft> {
    let mut skip = |reason| skipped.push(Skipped { client: S::CLIENT, profile: profile.to_owned(), reason });
    let setup = match S::read(home, profile) {
        Ok(setup) => setup?,
        Err(error) => {
            skip(error.into_reason(profile));
            return None;
        }
    };
    let is_ours = |entry: &Entry| {
        let ours = entry.addresses.iter().filter(|address| is_of(address, domain)).count();
        (ours > 0, ours == entry.addresses.len())
    };
    let (ours, others): (Vec<_>, Vec<_>) =
        setup.entries().into_iter().partition(|entry| is_ours(entry) == (true, true));
    for mixed in others.iter().filter(|entry| is_ours(entry).0) {
        skip(SkipReason::MixedIdentities { account: mixed.key.clone(), addresses: mixed.addresses.clone() });
    }
    // What another account is built on stays as long as that one does.
    let own = own_parts(&ours, &others);
    let (ours, shared): (Vec<_>, Vec<_>) =
        ours.into_iter().partition(|entry| entry.parts.is_empty() || !entry.parts.is_disjoint(&own));
    for entry in &shared {
        skip(SkipReason::SharedAccount { account: entry.key.clone() });
    }
    if ours.is_empty() {
        return None;
    }
    let cut = match setup.cut(home, &ours, &others) {
        Ok(cut) => cut,
        Err(reason) => {
            skip(reason);
            return None;
        }
    };
    if cut.files.is_empty() {
        return None;
    }
    let mut seen = BTreeSet::new();
    let addresses = ours.iter().filter_map(|entry| entry.addresses.first());
    let addresses = addresses.filter(|address| seen.insert(address.to_ascii_lowercase())).cloned().collect();
    let draft = Draft::new(S::CLIENT, profile, domain, addresses, cut.files);
    Some(Draft { moves: cut.moves, stores: cut.stores, ..draft })
}

/// A file that goes as a whole.
pub(crate) fn whole(path: String, original: Content) -> DraftFile {
    let removed = lines(&original.bytes).map(masked).filter(|line| !line.is_empty()).collect();
    DraftFile { role: Role::Whole, path, original, after: None, removed }
}

/// A text that loses sections. `None` when it has none of them.
pub(crate) fn lessened(syntax: Syntax, path: String, original: Content, after: Vec<u8>) -> Option<DraftFile> {
    if after == original.bytes {
        return None;
    }
    let kept = syntax.parse(&after);
    let parts = syntax.parse(&original.bytes);
    let gone = parts.iter().filter(|part| part.name.is_some() && !kept.contains(part));
    let removed = gone.flat_map(|part| lines(part.raw)).map(masked).filter(|line| !line.is_empty()).collect();
    Some(DraftFile { role: Role::Sections(syntax), path, original, after: Some(after), removed })
}

/// A program whose accounts are sections of one text.
pub(crate) trait Format {
    const CLIENT: Client;
    const SYNTAX: Syntax;
    /// Where the text may be, as paths from the home. Each counts as a profile.
    const FILES: &'static [&'static str];

    /// The accounts that the sections define. Their parts are names of sections.
    fn entries(parts: &[Part<'_>]) -> Vec<Entry>;

    /// Further texts that this one has read: paths from the home.
    fn sourced(_parts: &[Part<'_>], _home: &Home) -> Vec<String> {
        Vec::new()
    }

    /// The text without the sections of these accounts.
    ///
    /// # Errors
    /// Why it can't be told what is theirs.
    fn cut(bytes: &[u8], ours: &[Entry], others: &[Entry]) -> Result<Vec<u8>, SkipReason> {
        Ok(without(Self::SYNTAX, bytes, &own_parts(ours, others)))
    }
}

/// A profile that is one text.
pub(crate) struct OneFile<F> {
    path: String,
    content: Content,
    format: PhantomData<F>,
}

/// How many texts one after the other may be read from another. It stops one that reads itself.
const MAX_SOURCED: usize = 32;

impl<F: Format> Setup for OneFile<F> {
    const CLIENT: Client = F::CLIENT;

    fn profiles(home: &Home, skipped: &mut Vec<Skipped>) -> Vec<String> {
        let mut found = present(home, F::CLIENT, F::FILES, skipped);
        let mut at = 0;
        while at < found.len() && found.len() < MAX_SOURCED {
            if let Ok(Some(content)) = home.read(&found[at]) {
                let more = F::sourced(&F::SYNTAX.parse(&content.bytes), home);
                let more: Vec<_> = more.iter().map(String::as_str).collect();
                for path in present(home, F::CLIENT, &more, skipped) {
                    if !found.contains(&path) {
                        found.push(path);
                    }
                }
            }
            at += 1;
        }
        found
    }

    fn read(home: &Home, profile: &str) -> Result<Option<Self>, Error> {
        let content = home.read(profile)?;
        Ok(content.map(|content| Self { path: profile.to_owned(), content, format: PhantomData }))
    }

    fn entries(&self) -> Vec<Entry> {
        F::entries(&F::SYNTAX.parse(&self.content.bytes))
    }

    fn cut(&self, _: &Home, ours: &[Entry], others: &[Entry]) -> Result<Cut, SkipReason> {
        let after = F::cut(&self.content.bytes, ours, others)?;
        let file = lessened(F::SYNTAX, self.path.clone(), self.content.clone(), after);
        Ok(Cut { files: file.into_iter().collect(), ..Cut::default() })
    }
}
