//! A listing while it is being made.

use std::path::Path;

use forewarn_engine::{Gap, Listing, Package, Wanted};
use forewarn_proto::{
    inventory::{Scope, Source},
    purl::Purl,
};

use crate::{
    folder::{Kind, ReadError, Root, read_at},
    limits::{Budget, Exhausted, MAX_GAPS, MAX_REASON_CHARS},
};

/// Collects packages and gaps, with the gaps limited to [`MAX_GAPS`].
#[derive(Debug)]
pub(crate) struct Draft<'w> {
    listing: Listing,
    wanted: &'w Wanted,
    /// Gaps above the limit, which are only counted.
    unnamed_gaps: usize,
}

/// A package as its source has it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Item<'a> {
    /// The purl's type.
    pub(crate) kind: &'a str,
    /// The purl's namespace.
    pub(crate) namespace: Option<&'a str>,
    /// The purl's name.
    pub(crate) name: &'a str,
    /// The purl's version.
    pub(crate) version: Option<&'a str>,
    /// The purl's qualifiers.
    pub(crate) qualifiers: &'a [(&'a str, &'a str)],
    /// What people call it.
    pub(crate) display_name: Option<&'a str>,
    /// What the source says beside that it is installed.
    pub(crate) state: Option<&'a str>,
}

impl<'w> Draft<'w> {
    pub(crate) fn new(source: Source, scope: Scope, wanted: &'w Wanted) -> Self {
        let listing = Listing { source, scope, count: 0, packages: Vec::new(), gaps: Vec::new() };
        Self { listing, wanted, unnamed_gaps: 0 }
    }

    /// What is wanted.
    pub(crate) fn wanted(&self) -> &'w Wanted {
        self.wanted
    }

    /// Counts packages that are not wanted.
    pub(crate) fn count(&mut self, packages: usize) {
        self.listing.count += packages;
    }

    /// Counts a package, and keeps it if it is wanted.
    ///
    /// # Errors
    /// When it is wanted and can't be named, in words.
    pub(crate) fn offer(&mut self, item: &Item<'_>, found_in: &str) -> Result<(), String> {
        self.listing.count += 1;
        if self.wanted.asks_for(item.kind, item.name, item.display_name) {
            let Item { kind, namespace, name, version, qualifiers, display_name, state } = *item;
            // A purl can't carry such a version. That the package is there counts for more.
            let version = version.filter(|version| !version.contains('/'));
            let purl = Purl::new(kind, namespace, name, version, qualifiers).map_err(|error| error.to_string())?;
            let [display_name, state] = [display_name, state].map(|text| text.map(str::to_owned));
            self.listing.packages.push(Package { purl, display_name, found_in: found_in.to_owned(), state });
        }
        Ok(())
    }

    /// Offers a package that `path` records; one that can't be named is a gap there.
    pub(crate) fn offer_at(&mut self, path: &Path, item: &Item<'_>) {
        if let Err(reason) = self.offer(item, &path.to_string_lossy()) {
            self.gap(path, None, reason);
        }
    }

    /// Notes gaps that were gathered before it was sure that they count.
    pub(crate) fn gaps(&mut self, gaps: Vec<Gap>) {
        gaps.into_iter().for_each(|Gap { path, offset, reason }| self.gap(Path::new(&path), offset, reason));
    }

    /// Notes that `path` could not be read, wholly or at the record `offset` bytes from its start.
    pub(crate) fn gap(&mut self, path: &Path, offset: Option<u64>, reason: impl ToString) {
        if self.listing.gaps.len() == MAX_GAPS {
            self.unnamed_gaps += 1;
            return;
        }
        let path = path.to_string_lossy().into_owned();
        let reason = reason.to_string().chars().take(MAX_REASON_CHARS).collect();
        self.listing.gaps.push(Gap { path, offset, reason });
    }

    /// The contents of a file; none if it isn't there, or can't be read, which is a gap.
    pub(crate) fn file(&mut self, root: &Root, path: &Path, limit: u64) -> Option<Vec<u8>> {
        read_at(root, path, limit).unwrap_or_else(|error: ReadError| {
            self.gap(&root.path(path), None, error);
            None
        })
    }

    /// The names of the folders in a folder; links are none. As many as the budget has, and then an error: those above
    /// it are not looked at.
    pub(crate) fn folders(&mut self, root: &Root, path: &Path, budget: &mut Budget) -> Result<Vec<String>, Exhausted> {
        self.names(root, path, budget, |kind| kind == Kind::Folder)
    }

    /// The names in a folder whose kind counts.
    pub(crate) fn names(
        &mut self,
        root: &Root,
        path: &Path,
        budget: &mut Budget,
        counts: impl Fn(Kind) -> bool,
    ) -> Result<Vec<String>, Exhausted> {
        let names = root.names(path, budget.entries()).unwrap_or_else(|error| {
            self.gap(&root.path(path), None, error);
            None
        });
        let names = names.unwrap_or_default();
        budget.spend_entries(names.len())?;
        let mut texts = Vec::new();
        for name in names.into_iter().filter(|name| counts(name.kind)) {
            match name.text {
                Some(text) => texts.push(text),
                None => self.gap(&root.path(path), None, "it holds a name that is not UTF-8"),
            }
        }
        Ok(texts)
    }

    /// The listing, its packages sorted.
    pub(crate) fn finish(mut self) -> Listing {
        // Sources come nearly sorted, which the stable sort makes use of.
        self.listing.packages.sort();
        if let (1.., Some(last)) = (self.unnamed_gaps, self.listing.gaps.last_mut()) {
            last.reason = format!("{} (and {} more gaps)", last.reason, self.unnamed_gaps);
        }
        self.listing
    }
}

impl<'a> Item<'a> {
    /// A package of a type and a name, and nothing else.
    pub(crate) fn new(kind: &'a str, name: &'a str) -> Self {
        Self { kind, namespace: None, name, version: None, qualifiers: &[], display_name: None, state: None }
    }
}
