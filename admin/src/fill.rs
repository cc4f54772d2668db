//! Fills a policy in before it is signed: a rule that only says which app it bans gets the app's purls from the catalogue.
//! What devices act on is then what the admins saw, whatever catalogue a device may have.

use anyhow::{Result, anyhow};
use forewarn_proto::{
    catalogue::{self, App},
    policy::{FORMAT, Pattern, Policy},
};
use toml_edit::{Array, DocumentMut, Formatted, InlineTable, Item, Table, Value};

/// The policy with every rule filled in, and with its format. Comments stay, and a text that has all that stays as it is.
///
/// # Errors
/// Names the rule whose app is not in the catalogue, and apps that are called alike.
pub(crate) fn fill(text: &str) -> Result<String> {
    // What is not TOML, or has no rules, is the parser's to refuse: it names the line.
    let Ok(mut document) = text.parse::<DocumentMut>() else { return Ok(text.to_owned()) };
    let says_format = document.contains_key("format");
    let rules = document.get_mut("rule").and_then(Item::as_array_of_tables_mut);
    let mut filled = false;
    for (index, rule) in rules.into_iter().flat_map(|rules| rules.iter_mut().enumerate()) {
        let names_something = rule.contains_key("purls") || rule.contains_key("display_names");
        if let (false, Some(name)) = (names_something, rule.get("app").and_then(Item::as_str)) {
            let app = catalogue::find(name).ok_or_else(|| unknown(index, name))?;
            fill_rule(rule, &app);
            filled = true;
        }
    }
    let text = if filled { document.to_string() } else { text.to_owned() };
    // At its head, where nothing is inside a table yet.
    Ok(if says_format { text } else { format!("format = {FORMAT}\n{text}") })
}

/// The policy as it would be published, and its text. What is wrong is told with the lines of `text`, not of what was
/// filled in.
///
/// # Errors
/// As [`fill`] and [`Policy::parse`].
pub(crate) fn read(text: &str) -> Result<(Policy, String)> {
    let filled = fill(text)?;
    match Policy::parse(filled.as_bytes()) {
        Ok(policy) => Ok((policy, filled)),
        Err(error) => Err(Policy::parse(text.as_bytes()).err().unwrap_or(error).into()),
    }
}

fn fill_rule(rule: &mut Table, app: &App) {
    let mut purls: Array = app.patterns().iter().map(value).collect();
    purls.iter_mut().for_each(|purl| purl.decor_mut().set_prefix("\n    "));
    purls.set_trailing("\n");
    purls.set_trailing_comma(true);
    rule.insert("app", Item::Value(Value::String(Formatted::new(app.name.clone()))));
    rule.insert("purls", Item::Value(Value::Array(purls)));
}

fn value(pattern: &Pattern) -> Value {
    let purl = Value::from(pattern.purl.as_str());
    if !pattern.only_warns {
        return purl;
    }
    Value::InlineTable(InlineTable::from_iter([("purl", purl), ("only_warns", true.into())]))
}

fn unknown(index: usize, name: &str) -> anyhow::Error {
    let alike: Vec<&str> = catalogue::search(name).map(|app| app.id.as_str()).take(5).collect();
    let hint = if alike.is_empty() {
        "name its packages as `purls`, or look with `forewarn-admin app search`".to_owned()
    } else {
        format!("did you mean {}?", alike.join(", "))
    };
    anyhow!("rule[{index}].app: no app of the catalogue is called `{name}`; {hint}")
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHORT: &str = r#"# Agreed on 1 December.
id = "no-tiktok"
version = 1
title = "t"
message = { en = "m" }

[[rule]]
id = "tiktok"
app = "tiktok"

[[rule]]
id = "own"
app = "Own"
purls = ["pkg:deb/own"]
"#;

    #[test]
    fn a_rule_that_only_says_its_app_is_filled_in() {
        let text = fill(SHORT).unwrap();
        let policy = Policy::parse(text.as_bytes()).unwrap();
        assert_eq!(policy.rules[0].app, "TikTok");
        assert_eq!(policy.rules[0].purls, catalogue::find("tiktok").unwrap().patterns());
        assert_eq!(policy.rules[1].purls.len(), 1);
        assert!(text.starts_with("format = 1\n# Agreed on 1 December."), "comments stay: {text}");
        assert_eq!(fill(&text).unwrap(), text, "once filled in, a policy stays as it is");
    }

    #[test]
    fn an_app_that_nobody_knows_is_refused_with_those_that_are_called_alike() {
        let error = fill(&SHORT.replace("app = \"tiktok\"", "app = \"viewer\"")).unwrap_err().to_string();
        assert!(error.contains("rule[0].app") && error.contains("teamviewer"), "{error}");
    }
}
