//! The system's further installations, as a pure function over the bytes of a file in `/etc/flatpak/installations.d`.
//!
//! Format: flatpak-installation(5) and `common/flatpak-dir.c` (`append_locations_from_config_file`): a key file with a group
//! `[Installation "extra"]` for each, in which `Path=/opt/extra`.

use std::path::{Component, Path, PathBuf};

use crate::desktop::entry::unescape;

/// An installation's group.
#[derive(Debug)]
struct Group {
    line: usize,
    path: Option<Result<PathBuf, String>>,
}

/// The folder of each installation; of a group or line that is broken, what is wrong with it in words. Of a key that comes
/// twice the last is taken, as GLib does.
pub(super) fn parse(bytes: &[u8]) -> Vec<Result<PathBuf, String>> {
    let (mut groups, mut broken) = (Vec::<Group>::new(), Vec::new());
    let mut is_ours = false;
    for (line, text) in (1..).zip(bytes.split(|b| *b == b'\n').map(<[u8]>::trim_ascii)) {
        if text.is_empty() || text.starts_with(b"#") {
            continue;
        }
        if let Some(name) = text.strip_prefix(b"[").and_then(|text| text.strip_suffix(b"]")) {
            is_ours = name.strip_prefix(b"Installation \"").is_some_and(|name| name.ends_with(b"\""));
            groups.extend(is_ours.then_some(Group { line, path: None }));
            continue;
        }
        match text.iter().position(|b| *b == b'=') {
            None => broken.push(Err(format!("line {line} is not a group, a key with its value or a comment"))),
            Some(equals) if is_ours && text[..equals].trim_ascii() == b"Path" => {
                if let Some(group) = groups.last_mut() {
                    let path = folder(text[equals + 1..].trim_ascii());
                    group.path = Some(path.ok_or_else(|| format!("line {line} is not a full path")));
                }
            }
            Some(_) => {}
        }
    }
    let path = |Group { line, path }: Group| {
        path.unwrap_or_else(|| Err(format!("the installation that begins at line {line} has no Path")))
    };
    groups.into_iter().map(path).chain(broken).collect()
}

/// A full path, below the root.
fn folder(value: &[u8]) -> Option<PathBuf> {
    let text = unescape(std::str::from_utf8(value).ok()?);
    let path = Path::new(&text).strip_prefix("/").ok()?;
    let plain = path.components().all(|part| matches!(part, Component::Normal(_)));
    (plain && path.components().next().is_some()).then(|| path.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &[u8], expected: &[Result<&str, &str>]) {
        let expected: Vec<_> =
            expected.iter().map(|line| line.map(PathBuf::from).map_err(|reason| reason.to_owned())).collect();
        assert_eq!(parse(text), expected);
    }

    #[test]
    fn every_group_is_an_installation() {
        let text = b"# a comment\n[Installation \"extra\"]\nPath = /opt/extra\nDisplayName=Caf\xe9\n\n\
                     [Other]\nPath=/no\n[Installation \"card\"]\r\nPath=/no\r\nPath=/run/media/a\\sb\r\n";
        check(text, &[Ok("opt/extra"), Ok("run/media/a b")]);
        check(b"", &[]);
    }

    #[test]
    fn what_is_broken_does_not_take_the_others_with_it() {
        let text = b"nonsense\n[Installation \"a\"]\nPriority=1\n[Installation \"b\"]\nPath=relative\n\
                     [Installation \"c\"]\nPath=/opt/c\n[Installation \"d\"]\nPath=/\xff\n[Installation \"e\"]\nPath=/a/../b\n";
        check(
            text,
            &[
                Err("the installation that begins at line 2 has no Path"),
                Err("line 5 is not a full path"),
                Ok("opt/c"),
                Err("line 9 is not a full path"),
                Err("line 11 is not a full path"),
                Err("line 1 is not a group, a key with its value or a comment"),
            ],
        );
    }

    #[test]
    fn no_bytes_break_it() {
        crate::mutated::check(&[b"[Installation \"extra\"]\nPath=/opt/extra\n"], |bytes| {
            parse(bytes).into_iter().flatten().for_each(|path| assert!(!path.is_absolute()));
        });
    }
}
