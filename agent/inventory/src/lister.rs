//! Listing again: what has certainly not changed is not read again.

use std::time::Duration;

use forewarn_engine::{Listing, Wanted};
use forewarn_proto::inventory::{Scope, Source};

use crate::{Places, folder::Seen, list, list_at, site::Site};

/// A file that changed so short a time before it was read may have changed again within the same tick of the file
/// system's clock, so its stamp proves nothing.
const SETTLED_AFTER: Duration = Duration::from_secs(2);

/// The most names that a listing may depend on and be kept. Stops: one of 20,000 files, whose names would fill the memory.
const MAX_SEEN: usize = 4096;

/// Lists one source in one scope again and again.
#[derive(Debug)]
pub struct Lister {
    places: Places,
    source: Source,
    scope: Scope,
    last: Option<Known>,
}

/// A complete listing, and everything that it was read from.
#[derive(Debug)]
struct Known {
    wanted: Wanted,
    seen: Vec<Seen>,
    listing: Listing,
}

impl Lister {
    /// A lister that has listed nothing yet.
    pub fn new(places: Places, source: Source, scope: Scope) -> Self {
        Self { places, source, scope, last: None }
    }

    /// Lists as [`crate::list`] does. `now` is the time since the Unix epoch by the clock that the file system uses.
    pub fn list(&mut self, wanted: &Wanted, now: Duration) -> Listing {
        let Ok(site) = Site::open(&self.places, self.scope) else {
            return list(&self.places, self.source, self.scope, wanted);
        };
        if let Some(known) = self.last.as_ref().filter(|known| known.still_holds(&site, wanted)) {
            return known.listing.clone();
        }
        let listing = list_at(&site, self.source, self.scope, wanted);
        let seen = site.root.seen();
        let keeps = listing.is_complete() && seen.len() <= MAX_SEEN && seen.iter().all(|seen| is_settled(seen, now));
        self.last = keeps.then(|| Known { wanted: wanted.clone(), seen, listing: listing.clone() });
        listing
    }
}

impl Known {
    fn still_holds(&self, site: &Site<'_>, wanted: &Wanted) -> bool {
        self.wanted == *wanted && self.seen.iter().all(|seen| site.root.is_as_seen(seen))
    }
}

fn is_settled(seen: &Seen, now: Duration) -> bool {
    seen.stamp.is_none_or(|stamp| stamp.changed + SETTLED_AFTER < now)
}
