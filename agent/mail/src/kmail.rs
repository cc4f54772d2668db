//! KMail: Akonadi's resources (`~/.config/akonadi_imap_resource_0rc`), `mailtransports` and `emailidentities`. Which resources there are is Akonadi's own list, and stays: a resource without its file fetches nothing and keeps its mail.
//!
//! Source of the format: kdepim-runtime's `imapresource.kcfg` and `pop3resource` settings, kmailtransport's `mailtransport.kcfg`, kidentitymanagement's `identitymanager.cpp`.

use std::collections::BTreeSet;

use crate::account::{Client, SkipReason, Skipped};
use crate::error::Error;
use crate::home::{Content, Home};
use crate::lines::Part;
use crate::plan::Syntax;
use crate::sections::{value, without};
use crate::setup::{Cut, Entry, Setup, lessened, own_parts, whole};

const PROFILE: &str = ".config";
const IDENTITIES: &str = "emailidentities";
const TRANSPORTS: &str = "mailtransports";
const RESOURCES: [&str; 3] = ["akonadi_imap_resource_", "akonadi_pop3_resource_", "akonadi_ews_resource_"];

/// The files that are there.
pub(crate) struct Profile {
    /// By name.
    resources: Vec<(String, Content)>,
    texts: Vec<(&'static str, Content)>,
}

impl Profile {
    fn sections(&self, file: &str, prefix: &str) -> Vec<(String, Vec<u8>)> {
        let content = self.texts.iter().find(|(name, _)| *name == file).map(|(_, content)| content);
        let parts = content.map(|content| Syntax::Ini.parse(&content.bytes)).unwrap_or_default();
        let named = |part: Part<'_>| Some((part.name?, part.raw.to_vec()));
        parts.into_iter().filter_map(named).filter(|(name, _)| name.starts_with(prefix)).collect()
    }

    /// The addresses of the identities with this value of a key.
    fn addresses_where(&self, key: &str, is: &str) -> Vec<String> {
        let identities = self.sections(IDENTITIES, "Identity #");
        let uses = |raw: &[u8]| value(raw, key).as_deref() == Some(is);
        identities.iter().filter(|(_, raw)| uses(raw)).filter_map(|(_, raw)| value(raw, "Email Address")).collect()
    }

    fn resource(&self, name: &str, content: &Content) -> Entry {
        let own = ["UserName", "login", "Email"].into_iter().filter_map(|key| value(&content.bytes, key));
        let identity = value(&content.bytes, "AccountIdentity").map(|uoid| self.addresses_where("uoid", &uoid));
        Entry::new(name, own.chain(identity.unwrap_or_default()), [name.to_owned()].into())
    }

    fn transport(&self, name: String, raw: &[u8]) -> Entry {
        let number = name.trim_start_matches("Transport ").to_owned();
        let texts = value(raw, "user").into_iter().chain(self.addresses_where("Transport", &number));
        Entry::new(&name, texts, [name.clone()].into())
    }
}

impl Setup for Profile {
    const CLIENT: Client = Client::KMail;
    const WATCHED: &'static [&'static str] = &[IDENTITIES, TRANSPORTS];

    fn profiles(home: &Home, _: &mut Vec<Skipped>) -> Vec<String> {
        let is_there = [IDENTITIES, TRANSPORTS]
            .iter()
            .any(|name| home.resolve(&format!("{PROFILE}/{name}")).is_ok_and(|found| found.is_some()));
        is_there.then(|| PROFILE.to_owned()).into_iter().collect()
    }

    fn read(home: &Home, profile: &str) -> Result<Option<Self>, Error> {
        let (mut resources, mut texts) = (Vec::new(), Vec::new());
        for name in home.names(profile)? {
            if name.ends_with("rc") && RESOURCES.iter().any(|prefix| name.starts_with(prefix)) {
                resources.extend(home.read(&format!("{profile}/{name}"))?.map(|content| (name, content)));
            }
        }
        for name in [IDENTITIES, TRANSPORTS] {
            texts.extend(home.read(&format!("{profile}/{name}"))?.map(|content| (name, content)));
        }
        Ok(Some(Self { resources, texts }))
    }

    fn entries(&self) -> Vec<Entry> {
        let identity =
            |(name, raw): (String, Vec<u8>)| Entry::new(&name, value(&raw, "Email Address"), [name.clone()].into());
        let resources = self.resources.iter().map(|(name, content)| self.resource(name, content));
        let transports = self.sections(TRANSPORTS, "Transport ");
        let transports = transports.into_iter().map(|(name, raw)| self.transport(name, &raw));
        let identities = self.sections(IDENTITIES, "Identity #").into_iter().map(identity);
        resources.chain(transports).chain(identities).collect()
    }

    fn cut(&self, _: &Home, ours: &[Entry], others: &[Entry]) -> Result<Cut, SkipReason> {
        let names: BTreeSet<String> = own_parts(ours, others);
        let resources = self.resources.iter().filter(|(name, _)| names.contains(name));
        let mut files: Vec<_> =
            resources.map(|(name, content)| whole(format!("{PROFILE}/{name}"), content.clone())).collect();
        files.extend(self.texts.iter().filter_map(|(name, content)| {
            let after = without(Syntax::Ini, &content.bytes, &names);
            lessened(Syntax::Ini, format!("{PROFILE}/{name}"), content.clone(), after)
        }));
        Ok(Cut { files, ..Cut::default() })
    }
}
