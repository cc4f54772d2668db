//! Files as nobody would think of writing them: comments, odd spacing, CRLF, any bytes. What is taken comes back exactly, and what is private is not touched.

use std::path::Path;
use std::time::Duration;

use forewarn_mail::{Folder, Found, Home, Keys, Vault, find};
use proptest::prelude::*;

const DOMAIN: &str = "corp.example";

/// Whose a piece of a file is, and its lines, without their ends.
#[derive(Debug, Clone)]
struct Piece {
    company: bool,
    lines: Vec<Vec<u8>>,
}

/// A file of pieces with what lies between them.
#[derive(Debug, Clone)]
struct File {
    path: &'static str,
    pieces: Vec<Piece>,
    between: Vec<Vec<u8>>,
    crlf: bool,
    ends: bool,
}

impl File {
    fn end(&self) -> &'static [u8] {
        if self.crlf { b"\r\n" } else { b"\n" }
    }

    fn bytes_of(&self, piece: &Piece) -> Vec<u8> {
        piece.lines.iter().flat_map(|line| [line.as_slice(), self.end()].concat()).collect()
    }

    fn bytes(&self) -> Vec<u8> {
        let mut out = Vec::new();
        for (index, piece) in self.pieces.iter().enumerate() {
            let junk = self.between.get(index).into_iter().flat_map(|line| [line.as_slice(), self.end()].concat());
            out.extend(junk);
            out.extend(self.bytes_of(piece));
            out.extend_from_slice(self.end());
        }
        let last = if self.ends { 0 } else { self.end().len() };
        out.truncate(out.len() - last);
        out
    }
}

/// A line that is a comment, or blank, or no more than blank.
fn between() -> impl Strategy<Value = Vec<u8>> {
    let comment = prop::collection::vec(any::<u8>().prop_filter("no end", |byte| !b"\r\n".contains(byte)), 0..24);
    prop_oneof![comment.prop_map(|bytes| [b"# ", &bytes[..]].concat()), "[ \t]{0,3}".prop_map(String::into_bytes)]
}

fn space() -> impl Strategy<Value = String> {
    "[ \t]{1,3}"
}

fn domain(company: bool) -> &'static str {
    if company { DOMAIN } else { "private.example" }
}

/// The company's accounts, and the private ones.
fn accounts(home: &Home) -> [Found; 2] {
    [true, false].map(|company| find(home, domain(company)))
}

fn file(
    path: &'static str,
    piece: impl Fn(bool, String) -> Vec<String> + Copy + 'static,
) -> impl Strategy<Value = File> {
    let pieces = prop::collection::vec((any::<bool>(), space()), 1..5);
    (pieces, prop::collection::vec(between(), 0..5), any::<bool>(), any::<bool>()).prop_map(
        move |(owners, between, crlf, ends)| {
            let lines = owners.into_iter().enumerate().map(|(index, (company, space))| {
                let lines = piece(company, space).into_iter().map(|line| line.replace("NAME", &format!("n{index}")));
                Piece { company, lines: lines.map(String::into_bytes).collect() }
            });
            File { path, pieces: lines.collect(), between, crlf, ends }
        },
    )
}

fn isync(company: bool, space: String) -> Vec<String> {
    let domain = domain(company);
    vec![
        format!("IMAPAccount{space}NAME"),
        format!("{space}Host mail.{domain}"),
        format!("USER \"me@{domain}\"{space}# why"),
        format!("Pass secret-of-{domain}"),
    ]
}

fn msmtp(company: bool, space: String) -> Vec<String> {
    let domain = domain(company);
    vec![format!("account{space}NAME"), format!("{space}from me@{domain}"), format!("password secret-of-{domain}")]
}

fn aerc(company: bool, space: String) -> Vec<String> {
    let domain = domain(company);
    vec![
        "[NAME]".to_owned(),
        format!("from{space}={space}M\u{e9} <me@{domain}>"),
        format!("source = imaps://me%40{domain}:secret-of-{domain}@mail.{domain}"),
    ]
}

fn offlineimap(company: bool, space: String) -> Vec<String> {
    let domain = domain(company);
    vec![
        "[Account NAME]".to_owned(),
        format!("remoterepository:{space}NAME-far"),
        "[Repository NAME-far]".to_owned(),
        format!("remoteuser = me@{domain}"),
        format!("remotepass{space}= secret-of-{domain}"),
    ]
}

/// Of a Thunderbird profile, in which an account's lines need not be together.
fn thunderbird(company: bool, space: String) -> Vec<String> {
    let (domain, number) = (domain(company), "NUMBER");
    vec![
        format!("user_pref(\"mail.account.account{number}.server\",{space}\"server{number}\");"),
        format!("user_pref( \"mail.account.account{number}.identities\", \"id{number}\" ) ;"),
        format!("user_pref(\"mail.identity.id{number}.useremail\", \"me@{domain}\");{space}// why"),
        format!("user_pref(\"mail.server.server{number}.hostname\", \"mail.{domain}\");"),
        format!("user_pref(\"mail.server.server{number}.password\", \"secret-of-{domain}\");"),
        format!("user_pref(\"mail.server.server{number}.userName\", \"me@{domain}\");"),
    ]
}

fn prefs() -> impl Strategy<Value = File> {
    file(".thunderbird/p/prefs.js", thunderbird).prop_map(|mut file| {
        let mut numbers = Vec::new();
        for (index, piece) in file.pieces.iter_mut().enumerate() {
            let number = (index + 2).to_string();
            let named = |line: &Vec<u8>| String::from_utf8_lossy(line).replace("NUMBER", &number).into_bytes();
            piece.lines = piece.lines.iter().map(named).collect();
            numbers.push(format!("account{number}"));
        }
        let list = format!("user_pref(\"mail.accountmanager.accounts\", \"{}\");", numbers.join(","));
        file.between.insert(0, list.into_bytes());
        file
    })
}

fn files() -> impl Strategy<Value = Vec<File>> {
    let all = (
        file(".mbsyncrc", isync),
        file(".msmtprc", msmtp),
        file(".config/aerc/accounts.conf", aerc),
        file(".offlineimaprc", offlineimap),
        prefs(),
    );
    all.prop_map(|(a, b, c, d, e)| vec![a, b, c, d, e])
}

fn is_in(part: &[u8], whole: &[u8]) -> bool {
    part.is_empty() || whole.windows(part.len()).any(|window| window == part)
}

fn write(home: &Path, path: &str, bytes: &[u8]) {
    let path = home.join(path);
    fs_err::create_dir_all(path.parent().unwrap()).unwrap();
    fs_err::write(path, bytes).unwrap();
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn what_is_taken_comes_back_and_what_is_private_stays(files in files(), written in between()) {
        let scratch = tempfile::tempdir().unwrap();
        let dir = scratch.path().join("me");
        write(&dir, ".thunderbird/profiles.ini", b"[Profile0]\nIsRelative=1\nPath=p\n");
        files.iter().for_each(|file| write(&dir, file.path, &file.bytes()));
        let home = Home::open(&dir).unwrap();
        let vault = Vault::new(Folder::open(&scratch.path().join("vault"), "ann", Keys::new(&[7; 32], &[]), Duration::ZERO).unwrap());
        let read = |file: &File| fs_err::read(dir.join(file.path)).unwrap();
        let before = accounts(&home);
        vault.revoke(&home, DOMAIN).unwrap();
        let [company, private] = accounts(&home);
        prop_assert_eq!(company.accounts, []);
        prop_assert_eq!(&private, &before[1]);
        for file in &files {
            let now = read(file);
            prop_assert!(!is_in(b"secret-of-corp.example", &now), "{}: {:?}", file.path, String::from_utf8_lossy(&now));
            for piece in file.pieces.iter().filter(|piece| !piece.company) {
                let mut bytes = file.bytes_of(piece);
                bytes.truncate(bytes.len() - file.end().len());
                prop_assert!(is_in(&bytes, &now), "{}: {:?}", file.path, String::from_utf8_lossy(&now));
            }
        }
        let restored = vault.restore(&home, DOMAIN).unwrap();
        prop_assert!(restored.conflicts.is_empty() && restored.merged.is_empty());
        for file in &files {
            prop_assert!(read(file) == file.bytes(), "{} is not what it was", file.path);
        }
        // And with something written meanwhile.
        vault.revoke(&home, DOMAIN).unwrap();
        for file in &files {
            let more = [&read(file)[..], file.end(), &written, file.end()].concat();
            write(&dir, file.path, &more);
        }
        prop_assert_eq!(vault.restore(&home, DOMAIN).unwrap().conflicts, []);
        prop_assert_eq!(accounts(&home), before);
        for file in &files {
            let now = read(file);
            for line in file.pieces.iter().flat_map(|piece| &piece.lines).filter(|line| !line.trim_ascii().is_empty()) {
                prop_assert!(is_in(line, &now), "{}: {:?} is not in {:?}", file.path, String::from_utf8_lossy(line), String::from_utf8_lossy(&now));
            }
            prop_assert!(is_in(&written, &now));
        }
    }
}
