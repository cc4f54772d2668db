use proptest::prelude::*;

use super::*;

#[track_caller]
fn check(text: &str, name: Option<&str>, version: Option<&str>) {
    let expected = Metainfo { name: name.map(str::to_owned), version: version.map(str::to_owned) };
    assert_eq!(parse(text.as_bytes()), expected, "{text:?}");
}

/// A component with these children.
#[track_caller]
fn check_component(children: &str, name: Option<&str>, version: Option<&str>) {
    let head = "<?xml version=\"1.0\"?>\n<!-- <component><name>no</name> -->\n<!DOCTYPE component>";
    check(&format!("{head}\n<component type='desktop-application'>\n{children}</component>\n"), name, version);
}

#[test]
fn the_component_s_own_name_and_first_release_count() {
    check_component(
        "<id>a.b.C</id><developer id='x'><name>Them</name></developer><name xml:lang='de'>Uhr</name>
         <name> Clock </name><name>Second</name>
         <releases><release date='2026-01-02' version='2.0'><description/></release><release version='1.9'/></releases>",
        Some("Clock"),
        Some("2.0"),
    );
    check_component("<releases><release\n version = \"1\"\n></release></releases>", None, Some("1"));
    check_component("<provides><release version='1'/></provides>", None, None);
    check_component("<releases type='external'/>", None, None);
    check_component("<releases><release type='development'/></releases>", None, None);
}

#[test]
fn quotes_comments_and_entities_are_seen_through() {
    check_component("<name>A &amp; B</name>", Some("A & B"), None);
    check_component("<name>A &copy; B</name>", None, None);
    check_component(
        "<releases><!-- <release version='9'/> --><release a='>' version='1'/></releases>",
        None,
        Some("1"),
    );
    check_component("<releases><![CDATA[<release version='9'/>]]><release version='1'/></releases>", None, Some("1"));
}

#[test]
fn broken_files_say_what_comes_before_the_break() {
    check("", None, None);
    check("no markup", None, None);
    check("<component><name>A</name><releases><release version='1", Some("A"), None);
    check("<component><name>A</name><!-- ", Some("A"), None);
    check("<>", None, None);
    check(&"<a>".repeat(100_000), None, None);
}

proptest! {
    #[test]
    fn random_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..1000)) {
        let _ = parse(&bytes);
    }

    #[test]
    fn random_markup_never_panics(text in "(<|>|/|!|-|\\?|\\[|\\]|component|releases|release|version|=|'|\"|&|;| |\u{e4}){0,60}") {
        let _ = parse(text.as_bytes());
    }
}
