use proptest::prelude::*;

use super::*;

/// Texts that people write, which a terminal gets as they are.
const INNOCENT: [&str; 6] = ["TikTok", "Zürich – “ja”", "日本語 ｶﾅ", "تيك توك", "किताब", "❤\u{fe0f} e\u{301} a\u{a0}b"];

/// A text, on a line of a terminal.
const ESCAPED: [(&str, &str); 11] = [
    ("\u{1b}[2J", r"\u{1b}[2J"),
    ("a\r\nb\tc", r"a\u{d}\u{a}b\u{9}c"),
    ("\u{9b}31m", r"\u{9b}31m"),
    ("\u{7f}", r"\u{7f}"),
    ("\u{2028}\u{2029}", r"\u{2028}\u{2029}"),
    ("\u{202e}kotkiT", r"\u{202e}kotkiT"),
    ("\u{2066}\u{61c}\u{200f}", r"\u{2066}\u{61c}\u{200f}"),
    ("Tik\u{200b}Tok\u{ad}\u{feff}", r"Tik\u{200b}Tok\u{ad}\u{feff}"),
    ("می\u{200c}خواهم", "می\\u{200c}خواهم"),
    ("\u{e0041}\u{34f}\u{180e}", r"\u{e0041}\u{34f}\u{180e}"),
    ("\u{fe0f} \u{fe0f}a\u{fe0f}\u{fe0f}", "\\u{fe0f} \\u{fe0f}a\u{fe0f}\\u{fe0f}"),
];

#[test]
fn what_people_write_passes_unchanged() {
    for text in INNOCENT {
        assert_eq!(line(text), text);
        assert_eq!(guarded(text), text);
        assert_eq!(json(text), text);
        assert_eq!(fault(text, Lines::One), None, "{text}");
    }
}

#[test]
fn what_can_not_be_seen_is_written_out() {
    for (text, expected) in ESCAPED {
        assert_eq!(line(text), expected);
        assert_eq!(format!("{:?}", Foreign::from(text)), format!("\"{expected}\""));
    }
}

#[test]
fn each_line_of_a_foreign_text_stands_behind_a_margin() {
    let text = Foreign::from("Please.\r\n\n  bans      nothing\u{1b}[A");
    assert_eq!(text.block(), ["│ Please.", "│ ", r"│   bans      nothing\u{1b}[A"]);
}

/// Else a terminal would break the line itself, and what comes after the edge would have no margin.
#[test]
fn a_long_line_is_folded_behind_the_margin() {
    let text = format!("{}deadline  in ten years", "a ".repeat(40));
    let block = block(&text);
    assert_eq!(block.len(), 2);
    assert!(block.iter().all(|line| line.starts_with(MARGIN) && line.chars().count() <= WIDTH + 2), "{block:?}");
    let whole: String = block.iter().map(|line| line.trim_start_matches(MARGIN)).collect();
    assert_eq!(whole, text);
    assert_eq!(fold(&"x".repeat(150)).iter().map(String::len).collect::<Vec<_>>(), [72, 72, 6]);
}

#[test]
fn only_our_own_styles_pass_the_guard() {
    for own in ["\u{1b}[1mTikTok\u{1b}[0m", "\u{1b}[1m\u{1b}[31m!\u{1b}[0m", "\u{1b}[3mx"] {
        assert_eq!(guarded(own), own);
    }
    let foreign = [
        ("\u{1b}[8mhidden", r"\u{1b}[8mhidden"),
        ("\u{1b}[2J", r"\u{1b}[2J"),
        ("\u{1b}[m", r"\u{1b}[m"),
        ("\u{1b}[1;8m", r"\u{1b}[1;8m"),
        ("\u{1b}]52;c;aGk=\u{7}", r"\u{1b}]52;c;aGk=\u{7}"),
        ("\u{1b}[1mbold\u{1b}[Hhome\n", "\u{1b}[1mbold\\u{1b}[Hhome\\u{a}"),
    ];
    for (text, expected) in foreign {
        assert_eq!(guarded(text), expected);
    }
}

#[test]
fn a_notification_s_text_keeps_joiners_and_steers_nothing() {
    assert_eq!(steadied("\u{202e}a\u{1b}b\nc\u{200d}\u{200c}\u{2069}"), "ab\nc\u{200d}\u{200c}");
    assert_eq!(isolated("TikTok", false), "TikTok", "there is nothing to keep apart");
    assert_eq!(isolated("TikTok", true), "\u{2068}TikTok\u{2069}");
    assert_eq!(isolated("تيك\u{2069}\nتوك", false), "\u{2068}تيك\u{2069}\n\u{2068}توك\u{2069}");
}

#[test]
fn json_stays_json_and_keeps_joiners() {
    let text = "\u{202e}a\u{200d}b\u{85}\u{e0041}\u{7f}\u{1b}ü";
    let written = json(&serde_json::to_string_pretty(&[text]).unwrap()).into_owned();
    assert_eq!(written, "[\n  \"a\\u200db\\u0085\\udb40\\udc41\\u007f\\u001bü\"\n]");
    let read: Vec<String> = serde_json::from_str(&written).unwrap();
    assert_eq!(read, [text.replace('\u{202e}', "")]);
}

#[test]
fn what_comes_in_has_no_controls_and_steers_nothing() {
    let refused = [
        ("a\nb", Lines::One, "a line feed"),
        ("a\rb", Lines::Many, r"\u{d}"),
        ("\u{1b}", Lines::Many, r"\u{1b}"),
        ("\u{9b}", Lines::One, r"\u{9b}"),
        ("\u{2029}", Lines::Many, r"\u{2029}"),
        ("\u{202e}", Lines::Many, "steers"),
        ("\u{2067}", Lines::One, "steers"),
    ];
    for (text, lines, expected) in refused {
        assert!(fault(text, lines).unwrap().contains(expected), "{text:?}");
    }
    assert_eq!(fault("a\nb", Lines::Many), None);
    assert_eq!(fault("می\u{200c}خواهم 👩\u{200d}👩", Lines::One), None);
}

/// The rule, told apart from the table: no control, nothing that steers the direction, nothing without width.
const NEVER: [(char, char); 10] = [
    ('\u{ad}', '\u{ad}'),
    ('\u{34f}', '\u{34f}'),
    ('\u{61c}', '\u{61c}'),
    ('\u{180e}', '\u{180e}'),
    ('\u{200b}', '\u{200f}'),
    ('\u{2028}', '\u{202e}'),
    ('\u{2060}', '\u{2060}'),
    ('\u{2066}', '\u{2069}'),
    ('\u{feff}', '\u{feff}'),
    ('\u{e0000}', '\u{e007f}'),
];

fn is_seen(c: char) -> bool {
    !c.is_control() && !NEVER.iter().any(|(first, last)| (*first..=*last).contains(&c))
}

/// Texts full of what is not to reach a terminal.
fn ugly() -> impl Strategy<Value = String> {
    let bad = prop::sample::select(vec![
        '\u{1b}',
        '[',
        'm',
        '1',
        '\n',
        '\r',
        '\u{9b}',
        '\u{202e}',
        '\u{2066}',
        '\u{200d}',
        '\u{fe0f}',
        '\u{e0041}',
        '\u{2028}',
    ]);
    prop::collection::vec(prop_oneof![bad, any::<char>(), Just('ü')], 0..40).prop_map(String::from_iter)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10_000))]

    #[test]
    fn no_character_outside_the_rule_reaches_a_terminal(text in ugly()) {
        for written in [line(&text).into_owned(), block(&text).concat()] {
            prop_assert!(written.chars().all(is_seen), "{written:?}");
        }
        let unstyled = OWN_STYLES.iter().fold(guarded(&text).into_owned(), |text, style| text.replace(&format!("\u{1b}[{style}m"), ""));
        prop_assert!(unstyled.chars().all(is_seen), "{unstyled:?}");
    }

    #[test]
    fn what_was_escaped_once_is_not_escaped_again(text in ugly()) {
        let once = line(&text).into_owned();
        prop_assert_eq!(line(&once), once.as_str());
    }

    #[test]
    fn json_reads_as_before_but_for_what_steers(text in ugly()) {
        let written = json(&serde_json::to_string(&text).unwrap()).into_owned();
        let read: String = serde_json::from_str(&written).unwrap();
        let kept: String = Unseen::in_text(&text).filter(|u| u.kind != Some(Kind::Bidi)).map(|u| u.c).collect();
        prop_assert_eq!(read, kept);
    }
}
