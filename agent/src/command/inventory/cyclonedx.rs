//! A software bill of materials. Format: CycloneDX 1.5, <https://cyclonedx.org/docs/1.5/json/>.

use forewarn_engine::{Listing, Package};
use std::collections::BTreeSet;

use serde::Serialize;

/// A bill of materials. It has no serial number and no time, so that two of an unchanged device are equal.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Document<'l> {
    bom_format: &'static str,
    spec_version: &'static str,
    version: u32,
    metadata: Metadata,
    components: Vec<Component<'l>>,
    compositions: Vec<Composition>,
}

#[derive(Debug, Serialize)]
struct Metadata {
    tools: Tools,
}

#[derive(Debug, Serialize)]
struct Tools {
    components: [Tool; 1],
}

#[derive(Debug, Serialize)]
struct Tool {
    r#type: &'static str,
    name: &'static str,
    version: &'static str,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Component<'l> {
    r#type: &'static str,
    #[serde(rename = "bom-ref")]
    bom_ref: String,
    name: &'l str,
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<&'l str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<&'l str>,
    purl: &'l str,
    evidence: Evidence<'l>,
}

#[derive(Debug, Serialize)]
struct Evidence<'l> {
    occurrences: [Occurrence<'l>; 1],
}

#[derive(Debug, Serialize)]
struct Occurrence<'l> {
    location: &'l str,
}

/// Whether the list is complete.
#[derive(Debug, Serialize)]
struct Composition {
    aggregate: &'static str,
}

impl<'l> Document<'l> {
    /// All packages of all listings, each occurrence once. `is_whole`: whether they are of every source and of every app.
    pub(super) fn of(listings: &'l [Listing], is_whole: bool) -> Self {
        let packages: BTreeSet<&Package> = listings.iter().flat_map(|listing| &listing.packages).collect();
        let component = |(number, package): (usize, &'l Package)| Component {
            r#type: "application",
            bom_ref: format!("{number}:{}", package.purl),
            name: package.purl.name(),
            version: package.purl.version(),
            description: package.display_name.as_deref(),
            purl: package.purl.as_str(),
            evidence: Evidence { occurrences: [Occurrence { location: &package.found_in }] },
        };
        let complete = is_whole && listings.iter().all(Listing::is_complete);
        Self {
            bom_format: "CycloneDX",
            spec_version: "1.5",
            version: 1,
            metadata: Metadata {
                tools: Tools {
                    components: [Tool { r#type: "application", name: "forewarn", version: env!("CARGO_PKG_VERSION") }],
                },
            },
            components: packages.into_iter().enumerate().map(component).collect(),
            compositions: vec![Composition { aggregate: if complete { "complete" } else { "incomplete" } }],
        }
    }
}
