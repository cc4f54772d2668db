//! Listing again: what has certainly not changed is not read again.

use std::{path::Path, time::Duration};

use forewarn_proto::inventory::{Listing, Scope, Source, Wanted};

use crate::{Places, folder::Stamp, list, reader, site::Site};

/// A file that changed so short a time before it was read may have changed again within the same tick of the file
/// system's clock, so its stamp proves nothing.
const SETTLED_AFTER: Duration = Duration::from_secs(2);

/// Lists one source in one scope again and again.
#[derive(Debug)]
pub struct Lister {
    places: Places,
    source: Source,
    scope: Scope,
    last: Option<Known>,
}

/// A complete listing, and the stamps of what it depends on.
#[derive(Debug)]
struct Known {
    wanted: Wanted,
    stamps: Vec<Option<Stamp>>,
    listing: Listing,
}

impl Lister {
    /// A lister that has listed nothing yet.
    pub fn new(places: Places, source: Source, scope: Scope) -> Self {
        Self { places, source, scope, last: None }
    }

    /// Lists as [`crate::list`] does. `now` is the time since the Unix epoch by the clock that the file system uses.
    pub fn list(&mut self, wanted: &Wanted, now: Duration) -> Listing {
        let stamps = self.stamps();
        if let (Some(stamps), Some(known)) = (&stamps, &self.last)
            && (stamps, wanted) == (&known.stamps, &known.wanted)
        {
            return known.listing.clone();
        }
        let listing = list(&self.places, self.source, self.scope, wanted);
        let settled = |stamp: &Option<Stamp>| stamp.is_none_or(|stamp| stamp.changed + SETTLED_AFTER < now);
        let stamps = stamps.filter(|stamps| listing.is_complete() && stamps.iter().all(settled));
        self.last = stamps.map(|stamps| Known { wanted: wanted.clone(), stamps, listing: listing.clone() });
        listing
    }

    /// The stamps of all that tells of a change; none where something can change untold.
    fn stamps(&self) -> Option<Vec<Option<Stamp>>> {
        let reader = reader(self.source);
        let site = Site::open(&self.places, self.scope).ok().filter(|_| reader.is_told)?;
        (reader.watch)(&site).iter().map(|path| stamp(&site, path)).collect()
    }
}

/// `Some(None)` for what isn't there, and `None` for what can't be looked at.
fn stamp(site: &Site<'_>, path: &Path) -> Option<Option<Stamp>> {
    site.root.stamp(path).ok()
}
