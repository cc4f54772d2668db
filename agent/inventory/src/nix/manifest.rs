//! The manifests of profiles, as pure functions over bytes.
//!
//! Format: Nix's `src/nix/profile.cc` (`ProfileManifest`) and `src/nix-env/user-env.cc`; names are split as in
//! `src/libstore/names.cc` (`DrvName`).

use std::path::Path;

use serde::Deserialize;

use crate::{draft::Draft, elements::Elements};

/// The manifest of `nix profile`. Version 3 has the elements under names, earlier ones in a list.
#[derive(Debug, Deserialize)]
struct Manifest<'a> {
    #[serde(borrow)]
    elements: Elements<'a, Element>,
}

/// One package of a profile.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Element {
    store_paths: Vec<String>,
}

/// Reads one store path of each package in a manifest at a path.
pub(super) type Outputs = fn(&[u8], &Path, &mut Draft<'_>) -> Result<Vec<String>, String>;

/// The first store path of each element: the others are more outputs of the same package.
pub(super) fn from_json(bytes: &[u8], path: &Path, draft: &mut Draft<'_>) -> Result<Vec<String>, String> {
    let elements = parse_json(bytes)?.noted(bytes, "an element of a profile", path, draft);
    let mut outputs = Vec::new();
    for (name, element) in elements {
        match element.store_paths.into_iter().next() {
            Some(output) => outputs.push(output),
            None => {
                let name = name.map_or_else(|| "an element".to_owned(), |name| format!("`{name}`"));
                draft.gap(path, None, format!("{name} has no path in the store"));
            }
        }
    }
    Ok(outputs)
}

/// The store path of each derivation in a list that `nix-env` writes.
pub(super) fn from_nix(bytes: &[u8], _: &Path, _: &mut Draft<'_>) -> Result<Vec<String>, String> {
    parse_nix(bytes)
}

/// The elements of a manifest that `nix profile` writes.
fn parse_json(bytes: &[u8]) -> Result<Elements<'_, Element>, String> {
    let manifest: Manifest<'_> =
        serde_json::from_slice(bytes).map_err(|error| format!("it is not a manifest: {error}"))?;
    Ok(manifest.elements)
}

/// The `outPath` of each derivation in the list that `nix-env` writes: `[ { meta = { ... }; name = "hello-2.12"; out = {
/// outPath = "/nix/store/..."; }; outPath = "/nix/store/..."; ... } ]`. That of an output stands one level deeper.
fn parse_nix(bytes: &[u8]) -> Result<Vec<String>, String> {
    let text = std::str::from_utf8(bytes).map_err(|_| "it is not UTF-8".to_owned())?;
    let (mut depth, mut outputs) = (0_usize, Vec::new());
    let mut rest = text;
    while let Some(at) = rest.find(['{', '}', '"']) {
        let before = &rest[..at];
        let mark = rest.as_bytes()[at];
        rest = &rest[at + 1..];
        match mark {
            b'{' => depth += 1,
            b'}' => depth = depth.checked_sub(1).ok_or("a bracket too many is closed")?,
            _ => {
                let (value, next) = string(rest).ok_or("a text is not closed")?;
                let key = before.trim_end().strip_suffix('=').map(str::trim_end);
                if depth == 1 && key.is_some_and(|key| key.ends_with("outPath")) {
                    outputs.push(value.to_owned());
                }
                rest = next;
            }
        }
    }
    if depth == 0 { Ok(outputs) } else { Err("a bracket is not closed".to_owned()) }
}

/// The text up to its closing quote, and what follows it.
fn string(text: &str) -> Option<(&str, &str)> {
    let mut escaped = false;
    let end = text.bytes().position(|byte| {
        let closes = byte == b'"' && !escaped;
        escaped = byte == b'\\' && !escaped;
        closes
    })?;
    Some((&text[..end], &text[end + 1..]))
}

/// `/nix/store/<32 letters>-hello-2.12.1` is `hello` and `2.12.1`: the version begins after the first dash that no letter
/// follows.
pub(super) fn split(output: &str) -> Option<(&str, Option<&str>)> {
    let (hash, name) = output.strip_prefix("/nix/store/")?.split_once('-')?;
    if hash.len() != 32 || name.is_empty() || name.contains('/') {
        return None;
    }
    let dash = name.match_indices('-').map(|(at, _)| at);
    let is_version = |at: &usize| name[at + 1..].chars().next().is_some_and(|c| !c.is_ascii_alphabetic());
    match { dash }.find(is_version) {
        Some(0) | None => Some((name, None)),
        Some(at) => Some((&name[..at], Some(&name[at + 1..]))),
    }
}

#[cfg(test)]
mod tests {
    use forewarn_engine::Wanted;
    use forewarn_proto::inventory::{Scope, Source};

    use super::*;

    const HASH: &str = "sn94mdryh0kxvmg3blp6cchiy3mpfp1i";

    #[test]
    fn names_and_versions_are_told_apart_as_nix_does() {
        let check = |name: &str, expected: (&str, Option<&str>)| {
            assert_eq!(split(&format!("/nix/store/{HASH}-{name}")), Some(expected));
        };
        check("hello-2.12.1", ("hello", Some("2.12.1")));
        check("python3-3.11.9-env", ("python3", Some("3.11.9-env")));
        check("tor-browser", ("tor-browser", None));
        check("gtk+-unstable-2024-01-01", ("gtk+-unstable", Some("2024-01-01")));
        assert_eq!(split("/nix/store/short-a-1"), None);
        assert_eq!(split("/usr/bin/a"), None);
        assert_eq!(split(&format!("/nix/store/{HASH}-a-1/b")), None);
    }

    #[test]
    fn manifests_of_every_version_are_read() {
        let path = format!("/nix/store/{HASH}-hello-2.12");
        let list =
            format!(r#"{{"version":2,"elements":[{{"active":true,"storePaths":["{path}","/nix/store/x-doc"]}}]}}"#);
        let named = format!(r#"{{"version":3,"elements":{{"hello":{{"active":true,"storePaths":["{path}"]}}}}}}"#);
        let outputs = |text: &str| {
            let mut draft = Draft::new(Source::Nix, Scope::System, &Wanted::All);
            from_json(text.as_bytes(), Path::new("manifest.json"), &mut draft)
        };
        assert_eq!(outputs(&list).unwrap(), [path.as_str()]);
        assert_eq!(outputs(&named).unwrap(), [path.as_str()]);
        assert!(outputs("[]").unwrap_err().contains("not a manifest"));
        let nix = format!(
            r#"[ {{ meta = {{ description = "a \"}}\" b"; outPath = "no"; }}; name = "hello-2.12"; out = {{ outPath = "no"; }}; outPath = "{path}"; outputs = [ "out" ]; system = "x"; type = "derivation"; }} ]"#
        );
        assert_eq!(parse_nix(nix.as_bytes()).unwrap(), [path.as_str()]);
        assert_eq!(parse_nix(b"[ ]").unwrap(), [""; 0]);
        assert!(parse_nix(b"[ { ").is_err() && parse_nix(b"}").is_err() && parse_nix(b"\"a").is_err());
    }

    #[test]
    fn no_bytes_break_it() {
        let nix = format!(r#"[ {{ name = "a"; outPath = "/nix/store/{HASH}-a-1"; }} ]"#);
        crate::mutated::check(&[nix.as_bytes(), br#"{"elements":[{"storePaths":["/nix/store/a"]}]}"#], |bytes| {
            let mut draft = Draft::new(Source::Nix, Scope::System, &Wanted::All);
            let json = from_json(bytes, Path::new("manifest.json"), &mut draft);
            let outputs = [parse_nix(bytes), json].into_iter().flatten().flatten();
            outputs.for_each(|output| assert!(split(&output).is_none_or(|(name, _)| !name.is_empty())));
        });
    }
}
