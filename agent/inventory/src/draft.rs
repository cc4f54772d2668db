//! A listing while it is being made.

use std::path::Path;

use forewarn_proto::inventory::{Gap, Listing, Package, Scope, Source};

use crate::{folder::Root, limits::MAX_GAPS};

/// Collects packages and gaps, with the gaps limited to [`MAX_GAPS`].
#[derive(Debug)]
pub(crate) struct Draft {
    listing: Listing,
    /// Gaps above the limit, which are only counted.
    unnamed_gaps: usize,
}

impl Draft {
    pub(crate) fn new(source: Source, scope: Scope) -> Self {
        let listing = Listing { source, scope, packages: Vec::new(), gaps: Vec::new() };
        Self { listing, unnamed_gaps: 0 }
    }

    pub(crate) fn package(&mut self, package: Package) {
        self.listing.packages.push(package);
    }

    /// Notes that `path` could not be read, wholly or at the record `offset` bytes from its start.
    pub(crate) fn gap(&mut self, path: &Path, offset: Option<u64>, reason: impl ToString) {
        if self.listing.gaps.len() == MAX_GAPS {
            self.unnamed_gaps += 1;
            return;
        }
        let path = path.to_string_lossy().into_owned();
        self.listing.gaps.push(Gap { path, offset, reason: reason.to_string() });
    }

    /// Opens a home, or notes why not. One that isn't there (not mounted, say) can't vouch for absence.
    pub(crate) fn home(&mut self, home: &Path) -> Option<Root> {
        match Root::home(home) {
            Ok(Some(root)) => return Some(root),
            Ok(None) => self.gap(home, None, "the home folder is not there"),
            Err(error) => self.gap(home, None, error),
        }
        None
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
