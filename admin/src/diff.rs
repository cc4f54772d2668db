//! What differs between two versions of a policy, field by field and in the words that admins read before they sign.

use anstyle::{AnsiColor, Style};
use forewarn_proto::{
    foreign::{MARGIN, folded, line},
    policy::{Consequence, Contact, Offline, Policy, Rule},
};
use serde::Serialize;

use crate::words;

/// One difference. Of a list, each item is one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct FieldChange {
    /// The field, as the file names it: `deadline.grace`, `rule[tiktok].purls`.
    pub(crate) field: String,
    /// What is in force; none where something is new.
    pub(crate) old: Option<String>,
    /// What the file says; none where something is gone.
    pub(crate) new: Option<String>,
}

const NEW: Style = AnsiColor::Green.on_default();
const WARN: Style = AnsiColor::Yellow.on_default();

impl FieldChange {
    /// The difference, line by line, indented and styled for a terminal.
    pub(crate) fn lines(&self) -> Vec<String> {
        let field = line(&self.field);
        let (old, new) = (self.parts(self.old.as_deref()), self.parts(self.new.as_deref()));
        match (old.as_deref(), new.as_deref()) {
            (Some([old]), Some([new])) if old.chars().count() + new.chars().count() <= 60 => {
                vec![format!("    {field}: {old} -> {new}")]
            }
            (Some([old]), None) => vec![format!("    {field}: {WARN}- {old}{WARN:#}")],
            (None, Some([new])) => vec![format!("    {field}: {NEW}+ {new}{NEW:#}")],
            // Long texts stand one below the other.
            (old, new) => {
                let heading = [format!("    {field}:")].into_iter();
                heading.chain(side(WARN, '-', old)).chain(side(NEW, '+', new)).collect()
            }
        }
    }

    /// A value as it is read: a message is a text of its own, all else is one line.
    fn parts(&self, value: Option<&str>) -> Option<Vec<String>> {
        let is_message = self.field.starts_with("message.");
        value.map(|text| if is_message { folded(text) } else { vec![line(text).into_owned()] })
    }
}

/// One side of a difference, whose further lines stand behind a margin.
fn side(style: Style, sign: char, text: Option<&[String]>) -> Vec<String> {
    let part = |(index, part): (usize, &String)| {
        let mark = if index == 0 { format!("{sign} ") } else { format!("  {MARGIN}") };
        format!("      {style}{mark}{part}{style:#}")
    };
    text.unwrap_or_default().iter().enumerate().map(part).collect()
}

/// A field's name, what tells it from others of the same name, and its value in words.
struct Field {
    name: String,
    item: String,
    words: String,
}

/// Everything that differs, in the order of the file; what is only in force comes where it was.
pub(crate) fn changed(old: &Policy, new: &Policy) -> Vec<FieldChange> {
    let (old, new) = (fields(old), fields(new));
    let same = |a: &Field, b: &Field| (&a.name, &a.item) == (&b.name, &b.item);
    let gone = old.iter().filter(|field| !new.iter().any(|other| same(field, other)));
    let gone = gone.map(|field| FieldChange { field: field.name.clone(), old: Some(field.words.clone()), new: None });
    let come = new.iter().filter_map(|field| {
        let former = old.iter().find(|other| same(field, other));
        let differs = former.is_none_or(|former| former.words != field.words);
        differs.then(|| FieldChange {
            field: field.name.clone(),
            old: former.map(|former| former.words.clone()),
            new: Some(field.words.clone()),
        })
    });
    let mut changes: Vec<FieldChange> = gone.chain(come).collect();
    let place = |change: &FieldChange| {
        let at = |fields: &[Field]| fields.iter().position(|field| field.name == change.field);
        at(&new).or_else(|| at(&old))
    };
    changes.sort_by_key(place);
    changes
}

/// All fields but `id` and `version`. Every one has to be here: what is not is not shown.
fn fields(policy: &Policy) -> Vec<Field> {
    let Policy { format, id: _, version: _, title, contact, deadline, rollout, until, message, consequence, rules } =
        policy;
    let Consequence { mail, lock, whole_app, offline } = consequence;
    let mut all = Vec::new();
    let mut say = |name: &str, item: &str, words: String| {
        all.push(Field { name: name.to_owned(), item: item.to_owned(), words });
    };
    say("format", "", format.to_string());
    say("title", "", title.english().to_owned());
    title.translations().for_each(|(language, text)| say(&format!("title.{language}"), "", text.to_owned()));
    deadline.at.iter().for_each(|at| say("deadline.at", "", at.to_string()));
    say("deadline.grace", "", deadline.grace.to_string());
    say("deadline.min_notice", "", deadline.min_notice.to_string());
    say("deadline.ramp", "", words::spread(deadline.ramp));
    deadline.quiet_hours.iter().for_each(|hours| say("deadline.quiet_hours", "", words::quiet(*hours)));
    deadline.days_off.iter().for_each(|day| say("deadline.days_off", day.name(), words::day_off(day.name())));
    words::rollout_in_words(rollout).into_iter().for_each(|(field, words)| say(field, "", words));
    until.iter().for_each(|until| say("until", "", words::end(until)));
    message.iter().for_each(|(language, text)| say(&format!("message.{language}"), "", text.clone()));
    for (way, texts) in contact.iter().flat_map(Contact::ways) {
        texts.iter().for_each(|(language, text)| say(&format!("contact.{way}.{language}"), "", text.to_owned()));
    }
    if mail.is_empty() {
        say("consequence.mail", "", words::ONLY_WARNS.to_owned());
    }
    mail.iter().for_each(|domain| say("consequence.mail", domain.as_str(), words::takes(domain)));
    say("consequence.lock", "", if *lock { words::LOCKS } else { "the stored mail stays open" }.to_owned());
    let whole = if *whole_app { words::WHOLE_APP } else { "on Android, no app is hidden as a whole" };
    say("consequence.whole_app", "", whole.to_owned());
    let offline = match offline {
        Offline::Hold => "revokes nothing on devices that have not reached the server for long",
        Offline::Revoke => words::ACTS_OFFLINE,
    };
    say("consequence.offline", "", offline.to_owned());
    for Rule { id, app, purls, display_names, signers } in rules {
        let field = |name: &str| format!("rule[{id}].{name}");
        say(&field("app"), "", app.clone());
        purls.iter().for_each(|pattern| say(&field("purls"), &pattern.to_string(), words::purl(pattern)));
        display_names.iter().for_each(|name| say(&field("display_names"), name, words::display_name(name)));
        signers.iter().for_each(|signer| say(&field("signers"), signer.as_str(), words::signed_by(signer)));
    }
    all
}
