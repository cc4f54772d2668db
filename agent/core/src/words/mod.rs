//! What people read, in their language. Each text is a message in `agent/words/*.ftl` ([Project Fluent]); everything that
//! decides is elsewhere.
//!
//! [Project Fluent]: https://projectfluent.org/fluent/guide/

mod explain;
mod moment;
mod notice;
mod reasons;

use std::borrow::Cow;

use fluent_bundle::{FluentArgs, FluentResource, FluentValue, concurrent::FluentBundle};
use forewarn_proto::{
    foreign::{self, Foreign},
    policy::Language,
};
use unic_langid::LanguageIdentifier;

pub use self::{
    explain::{Fact, device_facts, obligation_facts, obligation_in_short},
    notice::Words,
};

/// A language, its texts, and whether it is written from right to left. The first is the fallback.
const LANGUAGES: [(&str, &str, bool); 6] = [
    ("en", include_str!("../../words/en.ftl"), false),
    ("de", include_str!("../../words/de.ftl"), false),
    ("fr", include_str!("../../words/fr.ftl"), false),
    ("es", include_str!("../../words/es.ftl"), false),
    ("ja", include_str!("../../words/ja.ftl"), false),
    ("ar", include_str!("../../words/ar.ftl"), true),
];

/// One language, spoken.
pub struct Localizer {
    bundle: FluentBundle<FluentResource>,
    /// What was asked for, best first: an admin's own message may have what we do not speak.
    pub languages: Vec<Language>,
    /// What is spoken, such as `de`.
    pub name: &'static str,
    /// Whether it is written from right to left.
    pub right_to_left: bool,
    surface: Surface,
}

/// Where a text is read, which decides what becomes of the foreign texts in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Surface {
    /// A terminal: what can't be seen is written out, ours is left out, and a message stands behind a margin.
    Terminal,
    /// A notification or a page.
    Screen,
}

impl Localizer {
    /// The first of these languages that is spoken here, else English, as a terminal may have it.
    pub fn new(languages: &[Language]) -> Self {
        Self::on(Surface::Terminal, languages)
    }

    /// The same for notifications and pages.
    pub fn for_screens(languages: &[Language]) -> Self {
        Self::on(Surface::Screen, languages)
    }

    fn on(surface: Surface, languages: &[Language]) -> Self {
        let known = |language: &Language| LANGUAGES.iter().find(|(name, ..)| *name == language.to_string());
        let [english, ..] = &LANGUAGES;
        let (name, text, right_to_left) = *languages.iter().find_map(known).unwrap_or(english);
        let language: LanguageIdentifier = name.parse().unwrap_or_default();
        let mut bundle = FluentBundle::new_concurrent(vec![language]);
        // Around what is put into a text that runs the other way, marks keep it in its place. Elsewhere they would only
        // be in the way of who copies a command.
        bundle.set_use_isolating(right_to_left && surface == Surface::Screen);
        // What can't be parsed is left out; a test sees to it that nothing is.
        let resource = FluentResource::try_new(text.to_owned()).unwrap_or_else(|(resource, _)| resource);
        bundle.add_resource_overriding(resource);
        Self { bundle, languages: languages.to_vec(), name, right_to_left, surface }
    }

    /// A text without anything to fill in.
    pub fn say(&self, message: &str) -> String {
        self.fill(message, [])
    }

    /// A text with its blanks filled in. One that is missing says its name: see the test.
    pub fn fill<'a>(&self, message: &str, blanks: impl IntoIterator<Item = (&'a str, Blank<'a>)>) -> String {
        let arguments: FluentArgs = blanks.into_iter().map(|(name, blank)| (name, blank.value(self))).collect();
        let Some(pattern) = self.bundle.get_message(message).and_then(|message| message.value()) else {
            return message.to_owned();
        };
        let text = self.bundle.format_pattern(pattern, Some(&arguments), &mut Vec::new());
        match self.surface {
            // Our own marks of direction are for who draws letters; a terminal does not, or not by them.
            Surface::Terminal => foreign::steadied(&text),
            Surface::Screen => text.into_owned(),
        }
    }

    /// A foreign text on one line of ours.
    pub fn foreign(&self, text: &Foreign) -> String {
        self.one_line(text.as_data())
    }

    fn one_line(&self, text: &str) -> String {
        match self.surface {
            Surface::Terminal => foreign::line(text).into_owned(),
            Surface::Screen => foreign::isolated(&text.replace('\n', " "), self.right_to_left),
        }
    }

    /// A foreign text with lines of its own.
    fn own_words(&self, text: &str) -> String {
        match self.surface {
            Surface::Terminal => foreign::block(text).join("\n"),
            Surface::Screen => foreign::isolated(text, self.right_to_left),
        }
    }

    /// `alice, bob or carol`.
    fn join(&self, names: &[String], last: &str) -> String {
        let pair = |message: &str, first: String, last: &String| {
            self.fill(message, [("first", Blank::ours(first)), ("last", Blank::ours(last.clone()))])
        };
        match names {
            [] => String::new(),
            [only] => only.clone(),
            [first, middle @ .., end] => {
                let start = middle.iter().fold(first.clone(), |text, name| pair("and", text, name));
                pair(last, start, end)
            }
        }
    }

    /// `alice, bob`.
    pub fn list(&self, names: impl IntoIterator<Item = impl ToString>) -> String {
        self.join(&names.into_iter().map(|name| self.one_line(&name.to_string())).collect::<Vec<_>>(), "and")
    }

    /// `alice or bob`.
    pub fn any_of(&self, names: &[String]) -> String {
        self.join(&names.iter().map(|name| self.one_line(name)).collect::<Vec<_>>(), "or")
    }
}

/// What is filled into a blank of a text.
pub enum Blank<'a> {
    /// A number, or a text that was made here.
    Ours(FluentValue<'a>),
    /// Any other text.
    Foreign(Cow<'a, str>),
}

impl<'a> Blank<'a> {
    /// A text that a [`Localizer`] has made.
    pub fn ours(text: String) -> Self {
        Self::Ours(text.into())
    }

    fn value(self, localizer: &Localizer) -> FluentValue<'a> {
        match self {
            Self::Ours(value) => value,
            Self::Foreign(text) => localizer.one_line(&text).into(),
        }
    }
}

impl From<String> for Blank<'_> {
    fn from(text: String) -> Self {
        Self::Foreign(text.into())
    }
}

impl<'a> From<&'a str> for Blank<'a> {
    fn from(text: &'a str) -> Self {
        Self::Foreign(text.into())
    }
}

impl<'a> From<&'a String> for Blank<'a> {
    fn from(text: &'a String) -> Self {
        Self::Foreign(text.as_str().into())
    }
}

macro_rules! blank_from_number {
    ($($number:ty),*) => { $(
        impl From<$number> for Blank<'_> {
            /// A number, by which a text may choose its words. It is written as it is: years have no separators.
            fn from(number: $number) -> Self {
                Self::Ours(number.into())
            }
        }
    )* };
}

blank_from_number!(i8, i16, i64, u64, usize);

/// One word to any shell: `TikTok`, `'Temu & Co'`. People paste it, and a policy chose it.
pub fn quoted(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    let option = text.starts_with('-');
    if !option && text.chars().all(plain) { text.to_owned() } else { format!("'{}'", text.replace('\'', r"'\''")) }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use fluent_syntax::ast::{Entry, Expression, InlineExpression, Pattern, PatternElement};

    use super::*;

    pub(super) fn every_language() -> impl Iterator<Item = Localizer> {
        LANGUAGES.iter().map(|(name, ..)| Localizer::new(&[name.parse().unwrap()]))
    }

    /// Every message of a language, with the blanks that it fills in.
    fn messages(text: &str) -> BTreeMap<String, Vec<String>> {
        let resource = fluent_syntax::parser::parse(text.to_owned()).unwrap_or_else(|(_, errors)| panic!("{errors:?}"));
        let message = |entry| {
            let Entry::Message(message) = entry else { return None };
            Some((message.id.name, blanks(&message.value.unwrap())))
        };
        let all: Vec<_> = resource.body.into_iter().filter_map(message).collect();
        let count = all.len();
        let map: BTreeMap<_, _> = all.into_iter().collect();
        assert_eq!(map.len(), count, "a message is there twice");
        map
    }

    fn blanks(pattern: &Pattern<String>) -> Vec<String> {
        let mut found = Vec::new();
        for element in &pattern.elements {
            let PatternElement::Placeable { expression } = element else { continue };
            match expression {
                Expression::Inline(InlineExpression::VariableReference { id }) => found.push(id.name.clone()),
                Expression::Inline(other) => panic!("{other:?} is not used in these texts"),
                Expression::Select { selector, variants } => {
                    let InlineExpression::VariableReference { id } = selector else { panic!("{selector:?}") };
                    found.push(id.name.clone());
                    found.extend(variants.iter().flat_map(|variant| blanks(&variant.value)));
                }
            }
        }
        found.sort();
        found.dedup();
        found
    }

    #[test]
    fn every_language_has_every_message_with_the_same_blanks() {
        let english = messages(LANGUAGES[0].1);
        assert!(english.len() > 100);
        for (name, text, _) in LANGUAGES {
            for (message, blanks) in messages(text) {
                assert_eq!(english.get(&message), Some(&blanks), "{message} in {name}");
            }
            assert_eq!(messages(text).len(), english.len(), "{name} lacks something");
        }
    }

    #[test]
    fn a_language_that_is_not_spoken_falls_back_to_the_next_and_then_to_english() {
        let localizer =
            |languages: &[&str]| Localizer::new(&languages.iter().map(|l| l.parse().unwrap()).collect::<Vec<_>>());
        assert_eq!(localizer(&["sv", "de", "en"]).name, "de");
        assert_eq!(localizer(&["sv"]).name, "en");
        assert_eq!(localizer(&[]).name, "en");
    }

    #[test]
    fn names_are_joined() {
        let localizer = Localizer::new(&[]);
        let names = ["alice", "bob", "carol"].map(str::to_owned);
        assert_eq!(localizer.join(&names, "or"), "alice, bob or carol");
        assert_eq!(localizer.join(&names[..2], "or"), "alice or bob");
        assert_eq!(localizer.list(&names[..1]), "alice");
        assert_eq!(localizer.list([0u8; 0]), "");
    }

    #[test]
    fn an_apps_name_is_one_word_to_a_shell() {
        assert_eq!(quoted("TikTok"), "TikTok");
        assert_eq!(quoted("Temu & Co"), "'Temu & Co'");
        assert_eq!(quoted("$(reboot)"), "'$(reboot)'");
        assert_eq!(quoted("Ray's"), r"'Ray'\''s'");
    }
}
