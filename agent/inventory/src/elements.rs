//! JSON lists whose elements are parsed one by one: one that isn't what it should be does not take the others with it.

use std::{fmt, marker::PhantomData, path::Path};

use serde::{
    Deserialize, Deserializer,
    de::{DeserializeOwned, MapAccess, SeqAccess, Visitor},
};
use serde_json::value::RawValue;

use crate::{draft::Draft, limits::MAX_GAPS};

/// A JSON list, `[...]`, or an object of which each value is an element, `{"hello": ...}`.
#[derive(Debug)]
pub(crate) struct Elements<'a, T> {
    /// Those that could be parsed, each with its name in the object.
    pub(crate) good: Vec<(Option<String>, T)>,
    /// The others, at most [`MAX_GAPS`] and one more.
    bad: Vec<Bad<'a>>,
    /// Those above.
    unnamed: usize,
    is_list: bool,
}

/// An element that could not be parsed.
#[derive(Debug)]
struct Bad<'a> {
    name: Option<String>,
    text: &'a RawValue,
    reason: String,
}

impl<T> Default for Elements<'_, T> {
    fn default() -> Self {
        Self { good: Vec::new(), bad: Vec::new(), unnamed: 0, is_list: false }
    }
}

impl<'a, T: DeserializeOwned> Elements<'a, T> {
    fn take(&mut self, name: Option<String>, text: &'a RawValue) {
        match serde_json::from_str(text.get()) {
            Ok(element) => self.good.push((name, element)),
            Err(_) if self.bad.len() > MAX_GAPS => self.unnamed += 1,
            Err(error) => self.bad.push(Bad { name, text, reason: without_place(&error) }),
        }
    }
}

impl<T> Elements<'_, T> {
    /// The same, if it is a list.
    ///
    /// # Errors
    /// When it is an object, in words.
    pub(crate) fn list(self) -> Result<Self, &'static str> {
        if self.is_list { Ok(self) } else { Err("an object where a list is expected") }
    }

    /// The same, if it is an object.
    ///
    /// # Errors
    /// When it is a list, in words.
    pub(crate) fn object(self) -> Result<Self, &'static str> {
        if self.is_list { Err("a list where an object is expected") } else { Ok(self) }
    }

    /// Notes a gap for each element that could not be parsed, and gives the others. `bytes` are those of the file at
    /// `path` that the elements were read from, and `what` is what each should be: `an add-on`.
    pub(crate) fn noted(
        self,
        bytes: &[u8],
        what: &str,
        path: &Path,
        draft: &mut Draft<'_>,
    ) -> Vec<(Option<String>, T)> {
        for Bad { name, text, reason } in self.bad {
            let name = name.map_or_else(|| "an element".to_owned(), |name| format!("`{name}`"));
            draft.gap(path, offset(bytes, text), format!("{name} is not {what}: {reason}"));
        }
        (0..self.unnamed).for_each(|_| draft.gap(path, None, format!("an element is not {what}")));
        self.good
    }
}

/// Where an element begins, in bytes. It is a part of the text that it was read from.
fn offset(bytes: &[u8], text: &RawValue) -> Option<u64> {
    let at = text.get().as_ptr().addr().checked_sub(bytes.as_ptr().addr())?;
    u64::try_from(at).ok().filter(|at| *at < bytes.len() as u64)
}

/// What was wrong, without ` at line 1 column 7`, which counts from the element's start.
fn without_place(error: &serde_json::Error) -> String {
    let text = error.to_string();
    text.rsplit_once(" at line ").map(|(reason, _)| reason.to_owned()).unwrap_or(text)
}

impl<'de: 'a, 'a, T: DeserializeOwned> Deserialize<'de> for Elements<'a, T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Each(PhantomData))
    }
}

/// Takes an element at a time, so that no more than one that is broken is held.
struct Each<T>(PhantomData<T>);

impl<'de, T: DeserializeOwned> Visitor<'de> for Each<T> {
    type Value = Elements<'de, T>;

    fn expecting(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str("a list or an object")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        let mut elements = Elements { is_list: true, ..Elements::default() };
        while let Some(text) = list.next_element()? {
            elements.take(None, text);
        }
        Ok(elements)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Self::Value, A::Error> {
        let mut elements = Elements::default();
        while let Some((name, text)) = object.next_entry()? {
            elements.take(Some(name), text);
        }
        Ok(elements)
    }
}

#[cfg(test)]
mod tests {
    use forewarn_engine::{Gap, Wanted};
    use forewarn_proto::inventory::{Scope, Source};

    use super::*;

    fn numbers(text: &str) -> (Vec<u8>, Vec<Gap>) {
        let mut draft = Draft::new(Source::Nix, Scope::System, &Wanted::All);
        let elements: Elements<'_, u8> = serde_json::from_str(text).unwrap();
        let good = elements.noted(text.as_bytes(), "a number", Path::new("list"), &mut draft);
        (good.into_iter().map(|(_, number)| number).collect(), draft.finish().gaps)
    }

    fn gap(offset: u64, reason: &str) -> Gap {
        Gap { path: "list".into(), offset: Some(offset), reason: reason.into() }
    }

    #[test]
    fn each_element_stands_for_itself() {
        let reason = "an element is not a number: invalid type: null, expected u8";
        assert_eq!(numbers("[1, null, 2]"), (vec![1, 2], vec![gap(4, reason)]));
        let reason = "`b` is not a number: invalid type: string \" at line 1\", expected u8";
        assert_eq!(numbers(r#"{"a": 1, "b": " at line 1", "c": 2}"#), (vec![1, 2], vec![gap(14, reason)]));
        assert_eq!(numbers("[]"), (vec![], vec![]));
        let parsed = |text| serde_json::from_str::<Elements<'_, u8>>(text);
        assert!(parsed("7").is_err());
        assert!(parsed("{}").unwrap().list().is_err() && parsed("[]").unwrap().object().is_err());
    }

    #[test]
    fn a_million_broken_elements_are_counted_and_not_kept() {
        let (good, gaps) = numbers(&format!("[{}3]", "[],".repeat(1_000_000)));
        assert_eq!((good, gaps.len()), (vec![3], MAX_GAPS));
        assert!(gaps.last().unwrap().reason.ends_with("(and 999900 more gaps)"), "{:?}", gaps.last());
    }
}
