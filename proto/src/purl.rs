//! Package URLs: the name that a rule and a package share.
//!
//! Format: the package URL specification, ECMA-427 (<https://github.com/package-url/purl-spec>). Besides its types
//! (`deb`, `rpm`, `alpm`, `apk`, `chrome-extension`, `vscode-extension`) Forewarn writes
//!
//! | purl | names |
//! |---|---|
//! | `pkg:flatpak/org.example.App` | a Flatpak application, by its application id |
//! | `pkg:snap/example` | a snap |
//! | `pkg:appimage/Example` | an AppImage, by the name in its desktop entry, else in its file's name; anybody can give it, so it only warns |
//! | `pkg:brew/example?kind=cask` | a cask of Homebrew's own tap, or a `formula`; of others `pkg:brew/owner/tap/example` |
//! | `pkg:nix/example` | a package in a Nix profile |
//! | `pkg:firefox-extension/<add-on id>` | an extension of Firefox |
//! | `pkg:desktop/org.example.App` | a desktop entry, by its desktop-file id without `.desktop` |
//! | `pkg:webapp/chromium/<app id>` | a web app that a Chromium-family browser installed, by its 32-letter app id |
//! | `pkg:webapp/firefox/<ULID>` | a web app that PWAsForFirefox installed, by the id that it made on this device |

use std::{borrow::Cow, fmt, str::FromStr};

use packageurl::PackageUrl;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

/// A package URL in canonical form, such as `pkg:deb/debian/firefox-esr@128.3.0esr-1?arch=amd64`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Purl {
    /// The canonical text. Two purls are the same package exactly when these are equal.
    text: String,
    kind: String,
    namespace: Option<String>,
    name: String,
    version: Option<String>,
    /// Sorted by key, as the canonical form has them.
    qualifiers: Vec<(String, String)>,
}

/// Why a text is not a package URL.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a package URL: {reason}")]
pub struct PurlError {
    text: String,
    reason: String,
}

/// The longest purl that is accepted, in bytes: far above any real one, so that a policy or a package database cannot
/// make the agent hold megabytes for one name.
pub const MAX_PURL_BYTES: usize = 1024;

/// The types whose namespace and name are the same in capital and small letters, and are written in small ones, by their
/// definitions in purl-spec (`types/<type>-definition.json`). The library knows some of them, or only of the namespace.
const WITHOUT_CASE: [&str; 5] = ["alpm", "apk", "brew", "deb", "vscode-extension"];

/// A name or namespace as purls of this type have it: `copilot` for a `vscode-extension` that is called `Copilot`.
pub fn cased<'t>(kind: &str, text: &'t str) -> Cow<'t, str> {
    let has_capitals = || text.chars().any(char::is_uppercase);
    if WITHOUT_CASE.contains(&kind) && has_capitals() { text.to_lowercase().into() } else { text.into() }
}

/// The kinds of Homebrew's packages, each with the tap that one is from whose purl has no namespace. As purl-spec has it, a
/// rule without a tap means these too: whoever makes a tap gives names to what is in it.
pub const OWN_TAPS: [(&str, &str); 2] = [("formula", "homebrew/core"), ("cask", "homebrew/cask")];

impl Purl {
    /// Builds a purl from its parts: `Purl::new("deb", Some("debian"), "vim", Some("2:9.0"), &[("arch", "amd64")])`.
    ///
    /// # Errors
    /// When a part is empty or does not belong in its place, or the whole is longer than [`MAX_PURL_BYTES`].
    pub fn new(
        kind: &str,
        namespace: Option<&str>,
        name: &str,
        version: Option<&str>,
        qualifiers: &[(&str, &str)],
    ) -> Result<Self, PurlError> {
        let error = |reason: String| PurlError { text: format!("{kind}/{name}"), reason };
        let mut url = PackageUrl::new(kind, cased(kind, name)).map_err(|e| error(e.to_string()))?;
        if let Some(namespace) = namespace {
            url.with_namespace(cased(kind, namespace)).map_err(|e| error(e.to_string()))?;
        }
        if let Some(version) = version {
            // The library writes it as it is, and would read what follows as the name of another package.
            if version.contains('/') {
                return Err(error(format!("its version `{version}` has a slash")));
            }
            url.with_version(version).map_err(|e| error(e.to_string()))?;
        }
        for (key, value) in qualifiers {
            url.add_qualifier(*key, *value).map_err(|e| error(e.to_string()))?;
        }
        // What is put together may break rules of its type that only reading checks. It is stored, and has to be read again.
        Self::from_url(&url)?.text.parse()
    }

    /// The type: `deb` in `pkg:deb/debian/vim`.
    pub fn kind(&self) -> &str {
        &self.kind
    }

    /// The name: `vim` in `pkg:deb/debian/vim`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The version, if one is given.
    pub fn version(&self) -> Option<&str> {
        self.version.as_deref()
    }

    /// The value of a qualifier, if it is given: `amd64` of `arch`.
    pub fn qualifier(&self, key: &str) -> Option<&str> {
        self.qualifiers.iter().find(|(k, _)| k == key).map(|(_, value)| value.as_str())
    }

    /// The canonical text.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether this purl, taken as a rule's pattern, names `package`.
    ///
    /// Type and name must be equal. Namespace, version and each qualifier must be equal where the pattern has them;
    /// what the pattern leaves out is not compared, but for Homebrew's tap, which is then its own.
    pub fn names(&self, package: &Self) -> bool {
        self.kind == package.kind
            && self.name == package.name
            && self.leaves_open_or_has_namespace_of(package)
            && self.version.as_ref().is_none_or(|v| package.version.as_ref() == Some(v))
            && self.qualifiers.iter().all(|q| package.qualifiers.contains(q))
    }

    fn leaves_open_or_has_namespace_of(&self, package: &Self) -> bool {
        match &self.namespace {
            None => self.kind != "brew" || package.is_of_own_tap(),
            Some(namespace) => package.namespace.as_deref().or(package.own_tap()) == Some(namespace),
        }
    }

    /// The tap of Homebrew's that it is from, if it has no namespace.
    fn own_tap(&self) -> Option<&'static str> {
        let kind = self.qualifier("kind").filter(|_| self.kind == "brew")?;
        OWN_TAPS.iter().find(|(of, _)| *of == kind).map(|(_, tap)| *tap)
    }

    fn is_of_own_tap(&self) -> bool {
        self.namespace.as_deref().is_none_or(|namespace| OWN_TAPS.iter().any(|(_, tap)| *tap == namespace))
    }

    fn read(text: &str) -> Result<Self, PurlError> {
        let error = |e: packageurl::Error| PurlError { text: text.chars().take(80).collect(), reason: e.to_string() };
        let url = PackageUrl::from_str(text).map_err(error)?;
        Self::from_url(&recased(&url).map_err(error)?)
    }

    fn from_url(url: &PackageUrl<'_>) -> Result<Self, PurlError> {
        let text = url.to_string();
        if text.len() > MAX_PURL_BYTES {
            let reason = format!("it has {} bytes, the limit is {MAX_PURL_BYTES}", text.len());
            return Err(PurlError { text: text.chars().take(80).collect(), reason });
        }
        let mut qualifiers: Vec<(String, String)> =
            url.qualifiers().iter().map(|(k, v)| (k.to_string(), v.to_string())).collect();
        qualifiers.sort();
        Ok(Self {
            kind: url.ty().to_owned(),
            namespace: url.namespace().map(str::to_owned),
            name: url.name().to_owned(),
            version: url.version().map(str::to_owned),
            qualifiers,
            text,
        })
    }
}

/// The same with its namespace and name as its type has them.
fn recased<'u>(url: &'u PackageUrl<'_>) -> Result<PackageUrl<'u>, packageurl::Error> {
    let kind = url.ty();
    let mut recased = PackageUrl::new(kind, cased(kind, url.name()))?;
    url.namespace().map_or(Ok(()), |namespace| recased.with_namespace(cased(kind, namespace)).map(drop))?;
    url.version().map_or(Ok(()), |version| recased.with_version(version).map(drop))?;
    url.subpath().map_or(Ok(()), |subpath| recased.with_subpath(subpath).map(drop))?;
    url.qualifiers().iter().try_for_each(|(key, value)| recased.add_qualifier(&**key, &**value).map(drop))?;
    Ok(recased)
}

impl FromStr for Purl {
    type Err = PurlError;

    fn from_str(text: &str) -> Result<Self, PurlError> {
        let purl = Self::read(text)?;
        // `pkg:apk/./a` is read as `pkg:apk//a`, which is read as `pkg:apk/a`: which of them is it?
        if Self::read(&purl.text)? != purl {
            let reason = "its canonical form is that of another".to_owned();
            return Err(PurlError { text: purl.text.chars().take(80).collect(), reason });
        }
        Ok(purl)
    }
}

impl fmt::Display for Purl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for Purl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Serialize for Purl {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

impl<'de> Deserialize<'de> for Purl {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for Purl {
    fn schema_name() -> Cow<'static, str> {
        "Purl".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "pattern": "^pkg:",
            "maxLength": MAX_PURL_BYTES,
            "description": "A package URL, such as pkg:deb/debian/tiktok or pkg:flatpak/com.tiktok.TikTok.",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(pattern: &str, package: &str, expected: bool) {
        let pattern: Purl = pattern.parse().unwrap();
        let package: Purl = package.parse().unwrap();
        assert_eq!(pattern.names(&package), expected, "{pattern} names {package}");
    }

    #[test]
    fn what_could_not_be_read_again_is_no_purl() {
        for (kind, namespace, version) in [("apk", Some("."), "1"), ("chrome-extension", None, "Temp")] {
            let name = "cjpalhdlnbpafiamejdnhcphjbkeiagm";
            assert!(Purl::new(kind, namespace, name, Some("1.58.0"), &[]).is_ok() || namespace.is_some());
            assert!(Purl::new(kind, namespace, name, Some(version), &[]).is_err(), "{kind}");
        }
        assert!("pkg:apk/./a".parse::<Purl>().is_err());
    }

    #[test]
    fn a_version_makes_no_package_another() {
        let error = Purl::new("flatpak", None, "org.good.App", Some("1/org.banned.App"), &[]).unwrap_err();
        assert!(error.to_string().ends_with("its version `1/org.banned.App` has a slash"), "{error}");
    }

    #[test]
    fn a_pattern_names_what_it_leaves_open() {
        check("pkg:deb/debian/vim", "pkg:deb/debian/vim@2:9.0.1378-2?arch=amd64", true);
        check("pkg:deb/vim", "pkg:deb/debian/vim@1", true);
        check("pkg:deb/ubuntu/vim", "pkg:deb/debian/vim@1", false);
        check("pkg:deb/debian/vim@1", "pkg:deb/debian/vim@2", false);
        check("pkg:deb/debian/vim?arch=arm64", "pkg:deb/debian/vim@1?arch=amd64", false);
        check("pkg:deb/debian/vi", "pkg:deb/debian/vim", false);
        check("pkg:flatpak/com.tiktok.TikTok", "pkg:flatpak/com.tiktok.TikTok@1?arch=x86_64", true);
        check("pkg:webapp/chromium/abc", "pkg:desktop/abc", false);
    }

    #[test]
    fn names_keep_their_case() {
        check("pkg:flatpak/com.tiktok.TikTok", "pkg:flatpak/com.tiktok.tiktok", false);
    }

    #[test]
    fn a_rule_without_a_tap_means_homebrew_s_own() {
        let (own, other) = ("pkg:brew/hydra@9.5?kind=formula", "pkg:brew/ory/tap/hydra@2.3.0?kind=formula");
        for (pattern, names_own, names_other) in [
            ("pkg:brew/hydra?kind=formula", true, false),
            ("pkg:brew/hydra", true, false),
            ("pkg:brew/homebrew/core/hydra", true, false),
            ("pkg:brew/ory/tap/hydra", false, true),
            ("pkg:brew/Ory/tap/hydra?kind=formula", false, true),
            ("pkg:brew/homebrew/cask/hydra", false, false),
        ] {
            check(pattern, own, names_own);
            check(pattern, other, names_other);
        }
        check("pkg:brew/homebrew/cask/zoom", "pkg:brew/zoom@6?kind=cask", true);
        check("pkg:brew/zoom", "pkg:brew/homebrew/cask/zoom@6?kind=cask", true);
    }

    #[test]
    fn what_a_type_does_not_tell_apart_is_one() {
        check("pkg:vscode-extension/GitHub/Copilot", "pkg:vscode-extension/github/copilot@1.0.0", true);
        check("pkg:vscode-extension/github/copilot", "pkg:vscode-extension/GitHub/copilot@1.0.0", true);
        check("pkg:brew/Hydra?kind=formula", "pkg:brew/hydra@9.5?kind=formula", true);
        check("pkg:alpm/Arch/Vim#a/B", "pkg:alpm/arch/vim@1", true);
        let read: Purl = "pkg:vscode-extension/GitHub/Copilot@1.0.0-RC?Platform=A#B".parse().unwrap();
        assert_eq!(read.as_str(), "pkg:vscode-extension/github/copilot@1.0.0-RC?platform=A#B");
        let made = Purl::new("vscode-extension", Some("GitHub"), "Copilot", None, &[]).unwrap();
        assert_eq!(made.as_str(), "pkg:vscode-extension/github/copilot");
    }

    #[test]
    fn what_is_not_a_purl_says_so() {
        for text in ["", "tiktok", "pkg:", "pkg:deb", "http://example.com/a"] {
            let error = text.parse::<Purl>().unwrap_err().to_string();
            assert!(error.contains("is not a package URL"), "{error}");
        }
        let long = format!("pkg:deb/{}", "x".repeat(MAX_PURL_BYTES));
        assert!(long.parse::<Purl>().unwrap_err().to_string().contains("the limit is 1024"));
    }
}
