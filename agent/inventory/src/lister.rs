//! Listing again: what has certainly not changed is not read again.

use std::{collections::BTreeMap, path::Path, time::Duration};

use forewarn_proto::inventory::{Listing, Scope, Source, Wanted};

use crate::{Places, folder::Stamp, list_scope, reader, scopes, site::Site};

/// A file that changed so short a time before it was read may have changed again within the same tick of the file
/// system's clock, so its stamp proves nothing.
const SETTLED_AFTER: Duration = Duration::from_secs(2);

/// Lists a device again and again.
#[derive(Debug)]
pub struct Lister {
    places: Places,
    wanted: Wanted,
    last: BTreeMap<(Source, Scope), Known>,
}

/// A complete listing, and the stamps of what it depends on.
#[derive(Debug)]
struct Known {
    stamps: Vec<Option<Stamp>>,
    listing: Listing,
}

impl Lister {
    /// A lister that has listed nothing yet.
    pub fn new(places: Places) -> Self {
        Self { places, wanted: Wanted::nothing(), last: BTreeMap::new() }
    }

    /// Lists every source in every scope, as [`crate::list`] does. `now` is the time since the Unix epoch by the clock that
    /// the file system uses.
    pub fn list(&mut self, wanted: &Wanted, now: Duration) -> Vec<Listing> {
        if self.wanted != *wanted {
            self.last.clear();
            self.wanted = wanted.clone();
        }
        let places = self.places.clone();
        let all = Source::ALL.into_iter().flat_map(|source| scopes(&places, source).map(move |scope| (source, scope)));
        all.map(|(source, scope)| self.list_one(source, scope, now)).collect()
    }

    fn list_one(&mut self, source: Source, scope: Scope, now: Duration) -> Listing {
        let stamps = stamps(&self.places, source, scope);
        if let (Some(stamps), Some(known)) = (&stamps, self.last.get(&(source, scope)))
            && *stamps == known.stamps
        {
            return known.listing.clone();
        }
        let listing = list_scope(&self.places, source, scope, &self.wanted);
        let settled = |stamp: &Option<Stamp>| stamp.is_none_or(|stamp| stamp.changed + SETTLED_AFTER < now);
        match stamps.filter(|stamps| listing.is_complete() && stamps.iter().all(settled)) {
            Some(stamps) => self.last.insert((source, scope), Known { stamps, listing: listing.clone() }),
            None => self.last.remove(&(source, scope)),
        };
        listing
    }
}

/// The stamps of all that tells of a change; none where something can change untold.
fn stamps(places: &Places, source: Source, scope: Scope) -> Option<Vec<Option<Stamp>>> {
    let reader = reader(source);
    let site = Site::open(places, scope).ok().filter(|_| reader.is_told)?;
    (reader.watch)(&site).iter().map(|path| stamp(&site, path)).collect()
}

/// `Some(None)` for what isn't there, and `None` for what can't be looked at.
fn stamp(site: &Site<'_>, path: &Path) -> Option<Option<Stamp>> {
    site.root.stamp(path).ok()
}
