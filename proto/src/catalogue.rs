//! The catalogue: apps that organisations ban, with what they are called in every ecosystem.
//!
//! `catalogue/<id>.toml` has one app each. A policy that says `app = "tiktok"` and nothing else is filled in from here
//! *before it is signed*: what devices act on is what the admins saw. An identity says where it was confirmed; one
//! that nobody has confirmed only warns.

use std::sync::LazyLock;

use serde::Deserialize;

use crate::{policy::Pattern, purl::Purl};

/// Every file's id and text.
const FILES: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/catalogue.rs"));

static APPS: LazyLock<Vec<App>> =
    LazyLock::new(|| FILES.iter().filter_map(|(id, text)| App::parse(id, text).ok()).collect());

/// An app that people know by one name.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct App {
    /// Its name in policies, and its file's: `tiktok`.
    #[serde(skip)]
    pub id: String,
    /// What people call it: `TikTok`.
    pub name: String,
    /// Who makes it: `ByteDance`.
    pub publisher: String,
    /// What it is for, in a sentence.
    pub about: String,
    /// What else people call it.
    #[serde(default)]
    pub aliases: Vec<String>,
    /// What it is in each ecosystem.
    #[serde(rename = "identity")]
    pub identities: Vec<Identity>,
}

/// What an app is in one ecosystem.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Identity {
    /// Names its packages.
    pub purl: Purl,
    /// The page or file where this was seen. Without one, a match only warns.
    pub confirmed: Option<String>,
    /// Of a web app: where it starts, from which Chromium makes its app id.
    pub start_url: Option<String>,
}

/// All apps, by id.
pub fn apps() -> &'static [App] {
    &APPS
}

/// The app of an id or a name, in any case. For an id only its own file is read.
pub fn find(name: &str) -> Option<App> {
    let is = |known: &str| known.eq_ignore_ascii_case(name.trim());
    let by_id = FILES.iter().find(|(id, _)| is(id)).and_then(|(id, text)| App::parse(id, text).ok());
    by_id.or_else(|| APPS.iter().find(|app| is(&app.name)).cloned())
}

/// The apps in whose id, name, aliases, publisher or purls a text occurs, in any case.
pub fn search(text: &str) -> impl Iterator<Item = &'static App> {
    let text = text.trim().to_lowercase();
    APPS.iter().filter(move |app| app.speaks_of(&text))
}

impl App {
    fn parse(id: &str, text: &str) -> Result<Self, toml::de::Error> {
        Ok(Self { id: id.to_owned(), ..toml::from_str(text)? })
    }

    /// The patterns of a rule that bans this app.
    pub fn patterns(&self) -> Vec<Pattern> {
        let pattern = |Identity { purl, confirmed, .. }: &Identity| Pattern {
            only_warns: confirmed.is_none(),
            ..Pattern::new(purl.clone())
        };
        self.identities.iter().map(pattern).collect()
    }

    fn speaks_of(&self, text: &str) -> bool {
        let names = [&self.id, &self.name, &self.publisher].into_iter().chain(&self.aliases);
        names
            .map(String::as_str)
            .chain(self.identities.iter().map(|i| i.purl.as_str()))
            .any(|n| n.to_lowercase().contains(text))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use sha2::{Digest, Sha256};

    use super::*;
    use crate::inventory::Source;

    /// Types of packages on devices that this project does not list yet.
    const ELSEWHERE: [&str; 4] = ["android", "msix", "windows", "macos"];

    /// The app id that Chromium makes of a start URL: the first 32 hexadecimal digits of the SHA-256 of its SHA-256, as
    /// letters from `a` (`web_app_helpers.cc` hashes it, and `components/crx_file/id_util.cc` hashes what it is given).
    fn web_app_id(start_url: &str) -> String {
        let nibbles = Sha256::digest(Sha256::digest(start_url)).into_iter().flat_map(|byte| [byte >> 4, byte & 15]);
        nibbles.take(32).map(|nibble| char::from(b'a' + nibble)).collect()
    }

    #[test]
    fn a_web_app_has_the_id_that_chromium_gives_it() {
        // As it stands in the desktop entries of people who have installed it.
        assert_eq!(web_app_id("https://www.youtube.com/?feature=ytca"), "agimnkijcaahngcdmfeangaknmldooml");
    }

    #[test]
    fn every_file_reads_and_names_its_app_in_known_ecosystems() {
        let kinds: Vec<&str> = Source::ALL.iter().flat_map(|s| s.purl_kinds()).copied().chain(ELSEWHERE).collect();
        for (id, text) in FILES {
            let app = App::parse(id, text).unwrap_or_else(|error| panic!("catalogue/{id}.toml: {error}"));
            assert!(id.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-'), "{id}");
            assert!(!app.identities.is_empty(), "{id} has no identity");
            for Identity { purl, confirmed, start_url } in &app.identities {
                assert!(kinds.contains(&purl.kind()), "{id}: nobody lists `{purl}`");
                assert_eq!(purl.version(), None, "{id}: `{purl}` is one version only");
                let made = start_url.as_ref().map(|url| format!("pkg:webapp/chromium/{}", web_app_id(url)));
                assert!(
                    made.is_none_or(|made| made == purl.as_str()),
                    "{id}: `{purl}` does not start at {start_url:?}"
                );
                assert!(confirmed.as_ref().is_none_or(|page| page.starts_with("https://")), "{id}: {purl}");
            }
        }
        assert!(FILES.len() >= 60 && apps().len() == FILES.len());
    }

    #[test]
    fn no_package_is_two_apps_and_no_name_two_ids() {
        let mut seen: BTreeMap<String, &str> = BTreeMap::new();
        for app in apps() {
            let purls = app.identities.iter().map(|identity| identity.purl.to_string());
            for name in purls.chain([app.name.to_lowercase()]) {
                if let Some(other) = seen.insert(name.clone(), &app.id) {
                    panic!("`{name}` is {other} and {}", app.id);
                }
            }
        }
    }

    #[test]
    fn apps_are_found_by_what_people_call_them() {
        assert_eq!(find("TIKTOK").unwrap().id, "tiktok");
        assert!(search("bytedance").any(|app| app.id == "tiktok"));
        assert!(search("com.zhiliaoapp.musically").any(|app| app.id == "tiktok"));
        assert_eq!(find("no such app"), None);
        let patterns = find("tiktok").unwrap().patterns();
        assert!(patterns.iter().any(|p| p.only_warns) && patterns.iter().any(|p| !p.only_warns));
    }
}
