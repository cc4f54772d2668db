use proptest::prelude::*;

use super::*;

const ID: &str = "hnpfjngllnobngcgfapefoaidbinmjnm";
const ULID: &str = "01FZ7B4VZ1MDJ1W0FDRNB4QTNE";

fn said(name: Option<&str>, hidden: bool, web_app: Option<&str>) -> Result<Entry, Broken> {
    let web_app = web_app.map(|id| WebApp { browser: "chromium", id: id.to_owned() });
    Ok(Entry { name: name.map(str::to_owned), hidden, web_app, version: None })
}

#[track_caller]
fn check(text: &str, expected: Result<Entry, Broken>) {
    assert_eq!(parse(text.as_bytes()), expected, "{text:?}");
}

#[track_caller]
fn check_exec(exec: &str, expected: Option<&str>) {
    check(&format!("[Desktop Entry]\nExec={exec}\n"), said(None, false, expected));
}

#[test]
fn only_the_desktop_entry_group_counts() {
    let actions = "[Desktop Action new]\nName=New window\nHidden=true\nExec=x --app-id=";
    check(&format!("[Desktop Entry]\nName=A\n\n{actions}{ID}"), said(Some("A"), false, None));
    check(&format!("{actions}{ID}\n[Desktop Entry]\nName=A"), said(Some("A"), false, None));
    check("[Desktop Entry ]\nName=A\n", Err(Broken::NoGroup));
}

#[test]
fn names_are_plain_and_unescaped() {
    check("[Desktop Entry]\nName[de]=Uhr\nName = Clock \nGenericName=C\n", said(Some("Clock"), false, None));
    check("[Desktop Entry]\nName[de]=Uhr\n", said(None, false, None));
    check("[Desktop Entry]\nName=\n", said(None, false, None));
    check("[Desktop Entry]\nname=A\n", said(None, false, None));
    check(
        r"[Desktop Entry]
Name=a\sb\tc\nd\re\\sf\qg\",
        said(Some("a b\tc\nd\re\\sf\\qg\\"), false, None),
    );
    check("[Desktop Entry]\nName=One\nName=Two\n", said(Some("Two"), false, None));
    let long = "\u{e4}".repeat(1000);
    check(&format!("[Desktop Entry]\nName={long}"), said(Some(&"\u{e4}".repeat(200)), false, None));
}

#[test]
fn hidden_is_deleted_and_no_display_is_not() {
    check("[Desktop Entry]\nHidden=true\n", said(None, true, None));
    check("[Desktop Entry]\nHidden = true \r\n", said(None, true, None));
    check("[Desktop Entry]\nHidden=false\nNoDisplay=true\n", said(None, false, None));
}

#[test]
fn comments_blank_lines_and_carriage_returns_are_no_harm() {
    check("#!/usr/bin/env xdg-open\r\n\r\n[Desktop Entry]\r\n# Name=B\r\nName=A\r\n", said(Some("A"), false, None));
}

#[test]
fn a_web_app_is_known_by_its_app_id() {
    check_exec(&format!("/opt/google/chrome/google-chrome --profile-directory=Default --app-id={ID}"), Some(ID));
    check_exec(&format!(r#"/usr/bin/brave "--profile-directory=Profile 1" --app-id={ID} %U"#), Some(ID));
    check_exec(&format!(r#"/usr/bin/brave "--profile-directory=a\\\\\\"b" "--app-id={ID}""#), Some(ID));
    check_exec(&format!("/usr/bin/flatpak run com.google.Chrome\t--app-id={ID}"), Some(ID));
    check_exec(&format!(r#"echo "never --app-id={ID}""#), None);
    check_exec(&format!("chrome --app-id={}", &ID[1..]), None);
    check_exec(&format!("chrome --app-id={ID}a"), None);
    check_exec(&format!("chrome --app-id={}q", &ID[1..]), None);
    check_exec(&format!("chrome --app-id {ID}"), None);
    check_exec("google-chrome %U", None);
    check_exec(r#"" \"#, None);
}

#[test]
fn a_web_app_of_firefox_s_is_known_by_its_ulid() {
    let of = |exec: &str| parse(format!("[Desktop Entry]\nExec={exec}\n").as_bytes()).unwrap().web_app;
    let app = || Some(WebApp { browser: "firefox", id: ULID.to_owned() });
    assert_eq!(of(&format!("/usr/bin/firefoxpwa site launch {ULID} --protocol %u")), app());
    assert_eq!(of(&format!("env A=B firefoxpwa site launch {ULID}")), app());
    assert_eq!(of(&format!("firefoxpwa site update {ULID}")), None);
    assert_eq!(of(&format!("other site launch {ULID}")), None);
    assert_eq!(of(&format!("firefoxpwa site launch {}", &ULID[1..])), None);
    assert_eq!(of(&format!("firefoxpwa site launch {}", ULID.replace('Z', "U"))), None);
}

#[test]
fn what_does_not_count_need_not_be_utf_8() {
    let text =
        b"# caf\xe9\n[Desktop Entry]\nComment[fr]=Le caf\xe9\nName[\xe9]=B\nName=A\n[Desktop Action \xe9]\nName=\xe9\n";
    assert_eq!(parse(text), said(Some("A"), false, None));
    assert_eq!(parse(b"[Desktop Entry]\nName=A\nExec=caf\xe9\n"), Err(Broken::NotText(3)));
    assert_eq!(parse(b"[Desktop Entry]\n\xe9\n"), Err(Broken::NotALine(2)));
}

#[test]
fn what_is_broken_says_where() {
    check("", Err(Broken::NoGroup));
    check("# nothing\n", Err(Broken::NoGroup));
    check("Name=A\n[Desktop Entry]\n", Err(Broken::BeforeGroup(1)));
    check("[Desktop Entry]\nName\n", Err(Broken::NotALine(2)));
    check("[Desktop Entry\nName=A\n", Err(Broken::NotALine(1)));
    check("<<<<<<< HEAD\n", Err(Broken::NotALine(1)));
    assert_eq!(parse(b"[Desktop Entry]\nName=\xff\n"), Err(Broken::NotText(2)));
    assert_eq!(parse(b"\0\0\0\0"), Err(Broken::NotALine(1)));
}

fn escape(text: &str) -> String {
    text.replace('\\', r"\\").replace('\n', r"\n").replace('\t', r"\t").replace('\r', r"\r")
}

proptest! {
    #[test]
    fn what_is_escaped_is_read_back(name in "[!-~]([ -~\n\t\r]{0,60}[!-~])?", before in "(X-[a-z]{1,5}=[ -~]{0,9}\n){0,3}") {
        let text = format!("[Desktop Entry]\n{before}Name={}\n", escape(&name));
        prop_assert_eq!(parse(text.as_bytes()), said(Some(&name), false, None));
    }

    #[test]
    fn a_quoted_argument_is_read_back(arguments in prop::collection::vec("[ -~]{0,20}", 0..5)) {
        let quote = |a: &String| format!("\"{}\"", a.replace('\\', r"\\").replace('"', "\\\""));
        let exec: Vec<_> = arguments.iter().map(quote).collect();
        let expected = if arguments.is_empty() { vec![String::new()] } else { arguments };
        prop_assert_eq!(super::arguments(&exec.join(" ")), expected);
    }

    #[test]
    fn random_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..1000)) {
        let _ = parse(&bytes);
    }

    #[test]
    fn random_lines_never_panic(lines in prop::collection::vec("(\\[Desktop Entry\\]|Name=|Exec=|Hidden=)?[ -~]{0,12}", 0..20)) {
        let _ = parse(lines.join("\n").as_bytes());
    }
}
