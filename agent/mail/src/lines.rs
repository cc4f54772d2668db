//! Lines of a file, each with its own line end, so that the parts put together are the whole again.

/// Splits after each `\n`. The last line may have none.
pub(crate) fn lines(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    bytes.split_inclusive(|&byte| byte == b'\n')
}

/// A part of a text. All parts together are the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Part<'a> {
    pub(crate) raw: &'a [u8],
    /// What distinguishes a section from all others; `None` for what lies between sections.
    pub(crate) name: Option<String>,
}

/// Whether there is nothing in it.
pub(crate) fn is_blank(line: &[u8]) -> bool {
    line.iter().all(u8::is_ascii_whitespace)
}

/// Appends a line, after making sure that what is there ends in one.
pub(crate) fn push_line(out: &mut Vec<u8>, line: &[u8]) {
    if out.last().is_some_and(|&last| last != b'\n') {
        out.push(b'\n');
    }
    out.extend_from_slice(line);
}

/// A line to show, with its secrets masked: what a key that sounds like a secret says, what a comment says, and the password in a URL.
pub(crate) fn masked(line: &[u8]) -> String {
    let text = String::from_utf8_lossy(line);
    let text = text.trim();
    let is_word = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.');
    let mut words = text.split(|c: char| !is_word(c)).filter(|word| !word.is_empty());
    let first = match words.next() {
        Some("set") => words.next(),
        first => first,
    };
    let sounds_secret = |word: &str| {
        let word = word.to_ascii_lowercase();
        ["pass", "secret", "token", "cred", "auth", "key", "eval"].iter().any(|part| word.contains(part))
    };
    if matches!(text.chars().next(), Some('#' | ';')) {
        return "# ***".to_owned();
    }
    match first.filter(|word| sounds_secret(word)) {
        Some(key) => format!("{key} ***"),
        None => without_password(text),
    }
}

/// `imaps://me:***@host` of `imaps://me:secret@host`.
fn without_password(text: &str) -> String {
    let masked = text.split_once("://").and_then(|(scheme, rest)| {
        let (login, host) = rest.rsplit_once('@')?;
        let (user, _) = login.split_once(':')?;
        Some(format!("{scheme}://{user}:***@{host}"))
    });
    masked.unwrap_or_else(|| text.to_owned())
}

/// Puts the members of `original` that `current` lacks and `wanted` approves back to where they were: after the nearest member that preceded them, else before the nearest one that followed, else last.
pub(crate) fn put_back_in_order(original: &[String], current: &[String], wanted: impl Fn(&str) -> bool) -> Vec<String> {
    let mut result = current.to_vec();
    for (index, member) in original.iter().enumerate() {
        if result.contains(member) || !wanted(member) {
            continue;
        }
        let place = |of: &String| result.iter().position(|there| there == of);
        let after = original[..index].iter().rev().find_map(place).map(|at| at + 1);
        let before = || original[index + 1..].iter().find_map(place);
        let at = after.or_else(before).unwrap_or(result.len());
        result.insert(at, member.clone());
    }
    result
}

#[cfg(test)]
mod tests {
    use super::{masked, put_back_in_order};

    #[test]
    fn secrets_are_not_shown() {
        for (line, shown) in [
            ("Pass \"s3cret\"\n", "Pass ***"),
            ("set imap_pass = 's3cret'", "imap_pass ***"),
            (
                "source = imaps://me%40corp.example:s3@cret@mail.corp.example",
                "source = imaps://me%40corp.example:***@mail.corp.example",
            ),
            ("# s3cret", "# ***"),
            ("  passwordeval gpg -d s3cret", "passwordeval ***"),
            ("backend.auth.raw = 's3cret'", "backend.auth.raw ***"),
            ("host mail.corp.example", "host mail.corp.example"),
        ] {
            assert_eq!(masked(line.as_bytes()), shown);
        }
    }

    fn check(original: &str, current: &str, expected: &str) {
        let list = |text: &str| text.split(' ').filter(|part| !part.is_empty()).map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(put_back_in_order(&list(original), &list(current), |_| true), list(expected));
    }

    #[test]
    fn a_member_returns_to_its_neighbours() {
        check("a b c", "a c", "a b c");
        check("a b c", "b c", "a b c");
        check("a b c", "a b", "a b c");
        check("a b c", "c x a", "c x a b");
        check("a b c", "x", "x a b c");
        check("a b", "", "a b");
        check("a b", "a b", "a b");
    }
}
