//! Claws Mail's `folderlist.xml`: one `<folder>` element for each store, its folders inside.
//!
//! Source of the format: Claws Mail's `folder.c` (`folder_write_list`) and what Claws Mail 4.1.1 wrote. It writes one element a line.

use crate::lines::Part;
use crate::lines::lines;

/// Each top `<folder>` element, by the number of its account; everything else line by line.
pub(super) fn parts(bytes: &[u8]) -> Vec<Part<'_>> {
    let mut parts: Vec<Part<'_>> = Vec::new();
    let mut open: Option<(usize, Option<String>)> = None;
    let mut at = 0;
    for line in lines(bytes) {
        let (start, end) = (at, at + line.len());
        at = end;
        let text = line.trim_ascii();
        if open.is_none() && text.starts_with(b"<folder ") {
            open = Some((start, attribute(text, "account_id").map(|id| format!("folder {id}"))));
        }
        let closes = text == b"</folder>" || (text.starts_with(b"<folder ") && text.ends_with(b"/>"));
        match open.take() {
            Some((begun, name)) if closes => parts.push(Part { raw: &bytes[begun..end], name }),
            Some(begun) => open = Some(begun),
            None => parts.push(Part { raw: line, name: None }),
        }
    }
    if let Some((begun, _)) = open {
        parts.push(Part { raw: &bytes[begun..], name: None });
    }
    parts
}

fn attribute(element: &[u8], name: &str) -> Option<String> {
    let element = String::from_utf8_lossy(element);
    let (_, rest) = element.split_once(&format!(" {name}=\""))?;
    Some(rest.split_once('"')?.0.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_are_known_by_their_account() {
        let text = b"<?xml version=\"1.0\"?>\n<folderlist>\n  <folder type=\"mh\" name=\"M\">\n    <folderitem name=\"a\"/>\n  </folder>\n  <folder type=\"imap\" account_id=\"2\">\n  </folder>\n</folderlist>\n";
        let parts = parts(text);
        let names: Vec<_> = parts.iter().map(|part| part.name.as_deref()).collect();
        assert_eq!(names, [None, None, None, Some("folder 2"), None]);
        assert_eq!(parts.iter().flat_map(|part| part.raw).copied().collect::<Vec<_>>(), text);
    }
}
