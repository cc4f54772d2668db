//! neomutt and mutt: `neomuttrc`, `muttrc`, and what they read with `source`.
//!
//! Source of the format: `neomuttrc(5)`. It is a script language, so this is a rule of thumb: in a text that names no other mail domain, the statements that set an account up go; in any other, only the statements that name the domain. A secret in such a text that nothing connects with the domain is left, and that is said.

use std::collections::BTreeSet;

use crate::account::{Client, SkipReason, domain_of};
use crate::home::Home;
use crate::lines::Part;
use crate::plan::Syntax;
use crate::sections::without;
use crate::setup::{self, Entry, own_parts};

pub(crate) struct Format;

/// The commands and variables that set an account up.
const ACCOUNT: [&str; 20] = [
    "account-command",
    "account-hook",
    "fcc-save-hook",
    "folder",
    "folder-hook",
    "from",
    "hostname",
    "mailboxes",
    "mbox",
    "my_hdr",
    "named-mailboxes",
    "postponed",
    "realname",
    "record",
    "send-hook",
    "send2-hook",
    "sendmail",
    "spoolfile",
    "spool_file",
    "trash",
];

/// What the names of further such variables begin with.
const ACCOUNT_PREFIXES: [&str; 4] = ["imap_", "smtp_", "pop_", "ssl_client"];

impl setup::Format for Format {
    const CLIENT: Client = Client::Neomutt;
    const SYNTAX: Syntax = Syntax::Muttrc;
    const FILES: &'static [&'static str] = &[
        ".neomuttrc",
        ".muttrc",
        ".neomutt/neomuttrc",
        ".mutt/neomuttrc",
        ".mutt/muttrc",
        ".config/neomutt/neomuttrc",
        ".config/neomutt/muttrc",
        ".config/mutt/muttrc",
    ];

    /// One account for each mail domain that the text names as its own. Whom it writes to is nobody's account.
    fn entries(parts: &[Part<'_>]) -> Vec<Entry> {
        let statements: Vec<&str> = parts.iter().filter_map(|part| part.name.as_deref()).filter(|s| acts(s)).collect();
        let own = statements.iter().filter(|statement| says_who(statement));
        let addresses: BTreeSet<String> = own.flat_map(|statement| addresses(statement)).collect();
        let domains: BTreeSet<String> = addresses.iter().filter_map(|address| domain_of(address)).collect();
        let entry = |domain: &String| {
            let of_domain = addresses.iter().filter(|address| domain_of(address).as_ref() == Some(domain));
            let parts = statements
                .iter()
                .filter(|statement| sets_an_account_up(statement) && (domains.len() == 1 || names(statement, domain)));
            Entry::new(domain, of_domain.cloned(), parts.map(|part| (*part).to_owned()).collect())
        };
        domains.iter().map(entry).collect()
    }

    fn sourced(parts: &[Part<'_>], home: &Home) -> Vec<String> {
        let statements = parts.iter().filter_map(|part| part.name.as_deref()).filter(|statement| acts(statement));
        statements
            .flat_map(words)
            .collect::<Vec<_>>()
            .windows(2)
            .filter(|pair| pair[0] == "source")
            .filter_map(|pair| path(&pair[1], home))
            .collect()
    }

    fn cut(bytes: &[u8], ours: &[Entry], others: &[Entry]) -> Result<Vec<u8>, SkipReason> {
        Ok(without(Self::SYNTAX, bytes, &own_parts(ours, others)))
    }
}

/// Whether it isn't a comment.
fn acts(statement: &str) -> bool {
    !statement.starts_with('#')
}

fn words(statement: &str) -> Vec<String> {
    let split =
        statement.split(|c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '=' | '\\' | ';' | '`' | '<' | '>'));
    split.filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

/// The command, or the variable that is set.
fn name(statement: &str) -> String {
    let mut words = words(statement).into_iter();
    match words.next() {
        Some(word) if matches!(word.as_str(), "set" | "unset" | "reset") => words.next().unwrap_or_default(),
        word => word.unwrap_or_default(),
    }
}

fn sets_an_account_up(statement: &str) -> bool {
    let name = name(statement);
    ACCOUNT.contains(&name.as_str()) || ACCOUNT_PREFIXES.iter().any(|prefix| name.starts_with(prefix))
}

/// Whether a statement says whose account it is.
fn says_who(statement: &str) -> bool {
    let name = name(statement);
    let own = ["from", "folder", "spoolfile", "spool_file", "mailboxes", "named-mailboxes", "account-hook"];
    let prefixes = ["imap_", "smtp_", "pop_"];
    own.contains(&name.as_str()) || prefixes.iter().any(|prefix| name.starts_with(prefix))
}

/// Every address in a statement. In a URL's login it is written with `%40`, and the host follows.
fn addresses(statement: &str) -> Vec<String> {
    let outside = |c: char| !(c.is_alphanumeric() || matches!(c, '@' | '.' | '-' | '_' | '+' | '%'));
    let decoded = |word: &str| match word.split_once("%40") {
        Some((local, rest)) => format!("{local}@{}", rest.split('@').next().unwrap_or_default()),
        None => word.to_owned(),
    };
    let words = statement.split(outside).map(decoded).filter(|word| word.matches('@').count() == 1);
    let is_one = |word: &String| domain_of(word).is_some_and(|domain| domain.contains('.'));
    words.map(|word| word.trim_matches('.').to_owned()).filter(is_one).collect()
}

/// Whether the domain, or a host in it, is in the statement.
fn names(statement: &str, domain: &str) -> bool {
    let text = statement.to_ascii_lowercase();
    text.match_indices(domain).any(|(at, _)| {
        let joins = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_');
        let before = text[..at].chars().next_back().is_some_and(joins);
        let mut after = text[at + domain.len()..].chars();
        let goes_on = match after.next() {
            Some('.') => after.next().is_some_and(char::is_alphanumeric),
            next => next.is_some_and(joins),
        };
        // `%40corp.example` ends in a digit.
        (!before || text[..at].ends_with("%40")) && !goes_on
    })
}

/// The path from the home that a `source` names.
fn path(word: &str, home: &Home) -> Option<String> {
    let below = word.strip_prefix("~/").or_else(|| word.strip_prefix("$HOME/")).map(str::to_owned);
    let absolute = || std::path::Path::new(word).strip_prefix(home.real()).ok()?.to_str().map(str::to_owned);
    below.or_else(absolute)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::setup::Format as _;

    fn check(text: &str, domain: &str, left: &str) {
        let parts = Format::SYNTAX.parse(text.as_bytes());
        let (ours, others): (Vec<_>, Vec<_>) =
            Format::entries(&parts).into_iter().partition(|entry| entry.key == domain);
        let after = Format::cut(text.as_bytes(), &ours, &others).unwrap();
        assert_eq!(String::from_utf8(after).unwrap(), left);
    }

    #[test]
    fn where_only_the_domain_is_named_its_account_goes_and_the_rest_stays() {
        let text = "set sort=threads\nset from=\"me@corp.example\"\nset folder=imaps://imap.host.example/\nset imap_pass='s'\ncolor index red blue\n";
        check(text, "corp.example", "set sort=threads\ncolor index red blue\n");
    }

    #[test]
    fn where_others_are_named_only_what_names_it_goes() {
        let text = "set from=me@private.example\naccount-hook imaps://me%40corp.example@mail.corp.example/ 'set imap_pass=s'\nmailboxes imaps://mail.corp.example/INBOX imaps://x\nset realname=Me\n# me@corp.example\nset x=notcorp.example\n";
        check(
            text,
            "corp.example",
            "set from=me@private.example\nset realname=Me\n# me@corp.example\nset x=notcorp.example\n",
        );
    }

    #[test]
    fn whom_one_writes_to_is_nobody_s_account() {
        let text = "set imap_user=jdoe\nset imap_pass=s\nset folder=imaps://imap.private.example/\nalias boss Boss <boss@corp.example>\nsend-hook '~t boss@corp.example' 'set signature=x'\n";
        check(text, "corp.example", text);
        assert_eq!(Format::entries(&Format::SYNTAX.parse(text.as_bytes())), []);
        let aliases = "alias boss Boss <boss@corp.example>\nalternates me@corp.example\nlists all@corp.example\n";
        assert_eq!(Format::entries(&Format::SYNTAX.parse(aliases.as_bytes())), []);
    }

    #[test]
    fn a_domain_is_not_another_that_ends_or_begins_with_it() {
        for (text, named) in [
            ("imaps://mail.corp.example/", true),
            ("me%40corp.example@h", true),
            ("CORP.EXAMPLE.", true),
            ("notcorp.example", false),
            ("corp.example.org", false),
            ("corp.examples", false),
        ] {
            assert_eq!(names(text, "corp.example"), named, "{text}");
        }
    }
}
