use proptest::prelude::*;

use super::*;

/// A stanza, or why there is none, as text: `vim amd64 = 9.0`, `vim amd64 gone`, `@17 stanza has no Version field`.
fn scanned(bytes: &[u8]) -> Vec<String> {
    let mut lines = Vec::new();
    scan(bytes, |offset, stanza| lines.push(line(offset, &stanza)));
    lines
}

fn line(offset: usize, stanza: &Result<Stanza<'_>, Damage>) -> String {
    match stanza {
        Ok(Stanza { package, arch, installed, state }) => {
            let (arch, state) = (arch.unwrap_or("-"), state.map(|state| format!(" {state}")).unwrap_or_default());
            installed.map_or(format!("{package} {arch} gone"), |v| format!("{package} {arch} = {v}{state}"))
        }
        Err(damage) => format!("@{offset} {damage}"),
    }
}

/// The same of packages that begin with a letter from `a` to `m`, and how many others are installed.
fn skimmed(bytes: &[u8]) -> (Vec<String>, usize) {
    let mut lines = Vec::new();
    let (_, mut others) =
        skim(bytes, (!bytes.contains(&0), true), asks, |offset, stanza| lines.push(line(offset, &stanza)));
    lines.retain(|line| {
        let kept = line.starts_with('@') || is_asked_for(line);
        others += usize::from(!kept && line.contains(" = "));
        kept
    });
    (lines, others)
}

fn asks(name: &[u8]) -> bool {
    is_asked_for(std::str::from_utf8(name).unwrap())
}

fn is_asked_for(name: &str) -> bool {
    name.starts_with(|first| ('a'..='m').contains(&first))
}

#[track_caller]
fn check(text: &str, expected: &[&str]) {
    assert_eq!(scanned(text.as_bytes()), expected, "{text:?}");
}

const VIM: &str = "Package: vim\nStatus: install ok installed\nArchitecture: amd64\nVersion: 2:9.0-1\n";

#[test]
fn fields_may_come_in_any_order_and_case() {
    check(VIM, &["vim amd64 = 2:9.0-1"]);
    check("version:1\nSTATUS: install ok installed\npackage:a\n", &["a - = 1"]);
    check("Version : 1 \nStatus:\tinstall  ok\tinstalled \nPackage:  a\t\n", &["a - = 1"]);
}

#[test]
fn stanzas_end_at_an_empty_line() {
    check("", &[]);
    check("\n\n\n", &[]);
    check(&format!("\n\n{VIM}\n\n\n{VIM}"), &["vim amd64 = 2:9.0-1"; 2]);
    check(VIM.trim_end(), &["vim amd64 = 2:9.0-1"]);
    check(&VIM.replace('\n', "\r\n"), &["vim amd64 = 2:9.0-1"]);
    // dpkg refuses a file with such lines.
    check(&format!("{VIM}\r\n{VIM}\n"), &["@0 stanza has two Package fields"]);
}

#[test]
fn continuation_lines_belong_to_their_field() {
    let long = "Description: short\n Package: not-me\n .\n \n\tVersion: 7\n";
    check(&format!("{long}{VIM}"), &["vim amd64 = 2:9.0-1"]);
    check(&format!("{VIM}{long}"), &["vim amd64 = 2:9.0-1"]);
    check(&format!("{VIM} 2\n"), &["@0 stanza's Version field has a value that dpkg does not allow"]);
    check(&format!(" folded\n{VIM}"), &["@0 stanza has a line that is neither a field nor a continuation"]);
}

#[test]
fn a_package_is_there_as_long_as_its_files_are() {
    for (state, expected) in [
        ("installed", "a - = 1"),
        ("half-installed", "a - = 1 half-installed"),
        ("unpacked", "a - = 1 unpacked"),
        ("half-configured", "a - = 1 half-configured"),
        ("triggers-awaited", "a - = 1 triggers-awaited"),
        ("triggers-pending", "a - = 1 triggers-pending"),
        ("config-files", "a - gone"),
        ("not-installed", "a - gone"),
        ("melted", "@0 stanza's Status field has a value that dpkg does not allow"),
    ] {
        check(&format!("Package: a\nStatus: deinstall reinstreq {state}\nVersion: 1\n"), &[expected]);
    }
    check("Package: a\nStatus: purge ok not-installed\n", &["a - gone"]);
    check("Package: a\nStatus: hold ok installed\nVersion: 1\n", &["a - = 1 held"]);
    check(
        "Package: a\nStatus: ok installed\nVersion: 1\n",
        &["@0 stanza's Status field has a value that dpkg does not allow"],
    );
}

#[test]
fn a_version_that_dpkg_only_warns_of_is_one() {
    for version in ["7.5.51_a1243", "v1.0", "1.0,2", "1.0/2"] {
        check(&VIM.replace("2:9.0-1", version), &[&format!("vim amd64 = {version}")]);
    }
    for broken in ["9\u{1}", "9\u{7f}", "9 0"] {
        let damage = "@0 stanza's Version field has a value that dpkg does not allow";
        check(&VIM.replace("2:9.0-1", broken), &[damage]);
    }
}

#[test]
fn damage_is_named_and_placed() {
    check("Status: install ok installed\nVersion: 1\n", &["@0 stanza has no Package field"]);
    check("Package:\nStatus: install ok installed\nVersion: 1\n", &["@0 stanza has no Package field"]);
    check("Package: a\nVersion: 1\n", &["@0 stanza has no Status field"]);
    check("Package: a\nStatus: install ok installed\n", &["@0 stanza has no Version field"]);
    check(&format!("{VIM}\nPackage: a\n"), &["vim amd64 = 2:9.0-1", "@80 stanza has no Status field"]);
    check(&format!("{VIM}{VIM}"), &["@0 stanza has two Package fields"]);
    check(&format!("{VIM}\0\0\0\0\n"), &["@0 stanza has a line that is neither a field nor a continuation"]);
    check(&format!("\0\0{VIM}"), &["@0 stanza has a line that is neither a field nor a continuation"]);
    check(&VIM.replace("vim", "v\0m"), &["@0 stanza's Package field has a value that dpkg does not allow"]);
    check(&VIM.replace("vim", "v/../m"), &["@0 stanza's Package field has a value that dpkg does not allow"]);
    check(&VIM.replace("9.0", "9 0"), &["@0 stanza's Version field has a value that dpkg does not allow"]);
    check(
        &VIM.replace("amd64", "am\u{e4}64"),
        &["@0 stanza's Architecture field has a value that dpkg does not allow"],
    );
}

/// A stanza's fields, each with its line, and what it says.
fn stanza() -> impl Strategy<Value = (Vec<String>, String)> {
    let state = prop::sample::select(vec!["installed", "config-files", "not-installed"]);
    let parts = ("[a-z0-9][a-z0-9+.-]{1,20}", "([0-9]:)?[0-9][A-Za-z0-9.+~-]{0,20}", "[a-z0-9-]{1,10}", state);
    let extra = prop::collection::vec(("X-[A-Za-z-]{1,10}", "[ -~]{0,30}(\n [!-~][ -~]{0,30}){0,2}"), 0..4);
    (parts, extra).prop_flat_map(|((package, version, arch, state), extra)| {
        let mut fields = vec![
            format!("Package: {package}\n"),
            format!("Status: install ok {state}\n"),
            format!("Version: {version}\n"),
            format!("Architecture: {arch}\n"),
        ];
        fields.extend(extra.into_iter().map(|(name, value)| format!("{name}: {value}\n")));
        let there = !["config-files", "not-installed"].contains(&state);
        let what = if there { format!("{package} {arch} = {version}") } else { format!("{package} {arch} gone") };
        (Just(fields).prop_shuffle(), Just(what))
    })
}

fn render(stanzas: &[(Vec<String>, String)]) -> Vec<String> {
    stanzas.iter().map(|(fields, _)| fields.concat()).collect()
}

proptest! {
    #[test]
    fn what_is_written_is_read_whatever_the_order_of_fields(stanzas in prop::collection::vec(stanza(), 0..20)) {
        let expected: Vec<_> = stanzas.iter().map(|(_, what)| what.clone()).collect();
        prop_assert_eq!(scanned(render(&stanzas).join("\n").as_bytes()), expected);
    }

    #[test]
    fn a_damaged_stanza_drops_no_other(
        stanzas in prop::collection::vec(stanza(), 1..12),
        damaged in any::<prop::sample::Index>(),
        noise in prop::collection::vec(any::<u8>().prop_filter("ends a stanza", |b| !b"\r\n".contains(b)), 1..40),
        at in any::<prop::sample::Index>(),
    ) {
        let damaged = damaged.index(stanzas.len());
        let mut texts: Vec<Vec<u8>> = render(&stanzas).into_iter().map(String::into_bytes).collect();
        let at = at.index(texts[damaged].len());
        texts[damaged].splice(at..at, noise);
        let read = scanned(&texts.join(&b'\n'));
        prop_assert_eq!(read.len(), stanzas.len());
        for (i, (line, (_, what))) in read.iter().zip(&stanzas).enumerate() {
            prop_assert!(i == damaged || line == what, "{} is not {}", line, what);
        }
    }

    #[test]
    fn a_cut_is_found_in_the_next_chunk(stanzas in prop::collection::vec(stanza(), 1..8), at in any::<prop::sample::Index>()) {
        let text = render(&stanzas).join("\n");
        let at = at.index(text.len());
        let mut count = 0;
        let (used, _) = skim(&text.as_bytes()[..at], (true, false), |_| true, |_, stanza| { assert!(stanza.is_ok()); count += 1; });
        skim(&text.as_bytes()[used..], (true, true), |_| true, |_, stanza| { assert!(stanza.is_ok()); count += 1; });
        prop_assert_eq!(count, stanzas.len());
    }

    #[test]
    fn random_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..2000), last: bool) {
        let (used, _) = skim(&bytes, (true, last), asks, |_, _| {});
        prop_assert!(used <= bytes.len() && (!last || used == bytes.len()));
    }

    #[test]
    fn random_lines_never_panic(lines in prop::collection::vec("(Package|Status|Version|)(:| |)[ -~\0\t]{0,12}", 0..40)) {
        skim(lines.join("\n").as_bytes(), (true, true), asks, |_, _| {});
    }
}

#[test]
fn what_is_passed_over_hides_nothing_that_is_asked_for() {
    let stanza =
        |name: &str| format!("Package: {name}\nStatus: install ok installed\nVersion: 1\nDescription: d\n b\n\n");
    let seed = ["zsh", "vim", "anydesk", "xterm", "bash", "zlib"].map(stanza).concat();
    let capitals = seed.replace("Package", "PACKAGE");
    crate::mutated::check(
        &[seed.as_bytes(), capitals.as_bytes(), VIM.as_bytes(), b"Package: z\n\npackage: a\n\n"],
        |bytes| {
            let (all, (asked, passed)) = (scanned(bytes), skimmed(bytes));
            let is_said = |line: &&String| is_asked_for(line) && asked.contains(line) || !is_asked_for(line);
            let missed: Vec<&String> =
                all.iter().filter(|line| !line.starts_with('@')).filter(|line| !is_said(line)).collect();
            assert_eq!(missed, [""; 0]);
            // Damage may be passed over only together with a package that nobody asks for.
            let damaged = |lines: &[String]| lines.iter().filter(|line| line.starts_with('@')).count();
            let installed = all.iter().filter(|line| !is_asked_for(line) && line.contains(" = ")).count();
            let hidden = damaged(&all).checked_sub(damaged(&asked)).unwrap();
            assert!((installed..=installed + hidden).contains(&passed), "{passed} of {all:?}");
        },
    );
    assert_eq!(skimmed(seed.as_bytes()), (vec!["anydesk - = 1".to_owned(), "bash - = 1".to_owned()], 4));
}

#[test]
fn a_stanza_in_which_another_may_hide_is_not_passed_over() {
    let head = "Package: zsh\nStatus: install ok installed\nVersion: 1\n";
    for (text, lines) in [
        (head.to_owned(), 0),
        (format!("{head}Package: anydesk\nStatus: install ok installed\nVersion: 1\n"), 1),
        (format!("{head}package: anydesk\n"), 1),
        (format!("{head}\0\0\0\n"), 1),
        ("Package: zsh\nStatus: install ok\nVersion: 1\n".to_owned(), 1),
        ("Package: z\u{e9}\nStatus: install ok installed\nVersion: 1\n".to_owned(), 1),
    ] {
        let (damage, passed) = skimmed(format!("{text}\n").as_bytes());
        assert_eq!((damage.len(), passed), (lines, 1 - lines), "{text:?}: {damage:?}");
    }
}

#[test]
fn a_name_in_other_letters_is_not_passed_over_with_the_stanza_before_it() {
    let stanza = |field, name| format!("{field}: {name}\nStatus: install ok installed\nVersion: 1\n");
    for field in ["PACKAGE", "packagE", "pACKAGE"] {
        let text = format!("{}\n{}", stanza("Package", "zsh"), stanza(field, "anydesk"));
        assert_eq!(skimmed(text.as_bytes()), (vec!["anydesk - = 1".to_owned()], 1), "{text:?}");
    }
}

#[test]
fn a_sector_that_a_crash_has_lost_is_noticed_wherever_the_bytes_begin() {
    for base in [0, 1, 511, 512, 70_000] {
        let mut bytes = vec![b'x'; 4096];
        assert!(is_whole(&bytes, base));
        // The first whole sector after some bytes, or the rest of the file.
        let begin = usize::try_from(1024 - base % 512).unwrap();
        bytes[begin..begin + 512].fill(0);
        assert!(!is_whole(&bytes, base), "{base}");
        let mut bytes = vec![b'x'; 4096];
        bytes[begin..].fill(0);
        assert!(!is_whole(&bytes, base), "{base}");
    }
}
