//! GNOME Online Accounts: `~/.config/goa-1.0/accounts.conf`, and the sources that Evolution's data server makes of an account. Both follow their files while they run.
//!
//! Source of the format: gnome-online-accounts' `goadaemon.c` and `goaimapsmtpprovider.c`, and what GNOME 43 wrote. The data server deletes the sources of an account that is gone, and does not make the same ones again: they are taken first, and given back last.

use crate::account::{Client, SkipReason, Skipped};
use crate::error::Error;
use crate::evolution::{self, Sources};
use crate::home::{Content, Home};
use crate::plan::Syntax;
use crate::sections::{value, values, without};
use crate::setup::{Cut, Entry, Setup, lessened, own_parts, present, whole};

/// The providers that have mail. Others (Kerberos, files, calendars) have a name and a domain too.
const PROVIDERS: [&str; 7] = ["imap_smtp", "google", "exchange", "ms365", "ms_graph", "windows_live", "yahoo"];

/// Whether an account is one for mail, and that is switched on.
fn has_mail(section: &[u8]) -> bool {
    let provider = value(section, "Provider").unwrap_or_default();
    let enabled = value(section, "MailEnabled").is_none_or(|enabled| enabled.eq_ignore_ascii_case("true"));
    PROVIDERS.contains(&provider.as_str()) && enabled
}

const FILE: &str = ".config/goa-1.0/accounts.conf";

/// The accounts, and the sources made of them.
pub(crate) struct Accounts {
    content: Content,
    sources: Vec<Sources>,
}

impl Setup for Accounts {
    const CLIENT: Client = Client::OnlineAccounts;

    fn profiles(home: &Home, skipped: &mut Vec<Skipped>) -> Vec<String> {
        present(home, Self::CLIENT, &[FILE], skipped)
    }

    fn read(home: &Home, profile: &str) -> Result<Option<Self>, Error> {
        let Some(content) = home.read(profile)? else { return Ok(None) };
        let read = |folder| Sources::read(home, folder);
        let sources = evolution::folders().into_iter().map(read).collect::<Result<Vec<_>, _>>()?;
        Ok(Some(Self { content, sources: sources.into_iter().flatten().collect() }))
    }

    fn entries(&self) -> Vec<Entry> {
        const KEYS: [&str; 5] = ["Identity", "PresentationIdentity", "EmailAddress", "ImapUserName", "SmtpUserName"];
        let parts = Syntax::Ini.parse(&self.content.bytes);
        let entry = |name: &String, raw| {
            let id = name.strip_prefix("Account ").filter(|_| has_mail(raw))?;
            Some(Entry::new(id, values(raw, &KEYS), [name.clone()].into()))
        };
        parts.iter().filter_map(|part| entry(part.name.as_ref()?, part.raw)).collect()
    }

    fn cut(&self, _: &Home, ours: &[Entry], others: &[Entry]) -> Result<Cut, SkipReason> {
        let made = ours.iter().flat_map(|entry| self.sources.iter().flat_map(|sources| sources.made_for(&entry.key)));
        let mut files: Vec<_> = made.map(|(path, content)| whole(path, content)).collect();
        let after = without(Syntax::Ini, &self.content.bytes, &own_parts(ours, others));
        files.extend(lessened(Syntax::Ini, FILE.to_owned(), self.content.clone(), after));
        Ok(Cut { files, ..Cut::default() })
    }
}
