use std::{cmp::Ordering, fmt::Write as _, path::Path, process::Command};

use super::*;

/// How many generated pairs are compared with a real tool.
const PAIRS: usize = 120_000;

/// Pseudo-random numbers (Knuth's linear congruential generator): the same ones in each run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % limit
    }

    /// A version of these parts, which begins with a digit.
    fn version(&mut self, parts: &[&str], epochs: bool, releases: bool) -> String {
        let epoch = if epochs && self.below(4) == 0 { format!("{}:", self.below(3)) } else { String::new() };
        let mut text = format!("{epoch}{}", self.below(12));
        for _ in 0..self.below(6) {
            text.push_str(parts[self.below(parts.len())]);
        }
        if releases && self.below(2) == 0 {
            write!(text, "-{}{}", self.below(3), parts[self.below(parts.len())]).unwrap();
        }
        text
    }

    /// Two versions, often almost the same.
    fn pair(&mut self, parts: &[&str], epochs: bool, releases: bool) -> (String, String) {
        let one = self.version(parts, epochs, releases);
        let other = match self.below(3) {
            0 => format!("{one}{}", parts[self.below(parts.len())]),
            1 => {
                let (from, to) = (self.below(parts.len()), self.below(parts.len()));
                let changed = one.replacen(parts[from], parts[to], 1);
                let (epoch, rest) = changed.split_once(':').unwrap_or(("0", &changed));
                let valid = rest.starts_with(is_digit) && !epoch.is_empty() && epoch.chars().all(is_digit);
                if valid { changed } else { one.clone() }
            }
            _ => self.version(parts, epochs, releases),
        };
        (one, other)
    }
}

fn is_digit(c: char) -> bool {
    c.is_ascii_digit()
}

/// Compares pairs of versions here and by a real tool, which reads the file of pairs and writes -1, 0 or 1 for each.
fn agree(scheme: Scheme, parts: &[&str], tool: impl FnOnce(&Path) -> Command) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("pairs");
    let mut dice = Dice(20_200_710);
    let pairs: Vec<_> = (0..PAIRS).map(|_| dice.pair(parts, true, true)).collect();
    let text: String = pairs.iter().map(|(one, other)| format!("{one} {other}\n")).collect();
    fs_err::write(&file, text).unwrap();
    let output = tool(&file).output().unwrap_or_else(|error| panic!("the tool can't be run: {error}"));
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let answers: Vec<Ordering> = String::from_utf8(output.stdout)
        .unwrap()
        .lines()
        .filter(|line| !line.is_empty())
        .map(|line| line.parse::<i32>().unwrap().cmp(&0))
        .collect();
    assert_eq!(answers.len(), PAIRS);
    for ((one, other), answer) in pairs.iter().zip(&answers) {
        assert_eq!(scheme.compare(one, other), *answer, "{scheme:?}: {one} and {other}");
        assert_eq!(scheme.compare(other, one), answer.reverse(), "{scheme:?}: {other} and {one}");
    }
    for order in [Ordering::Less, Ordering::Equal, Ordering::Greater] {
        assert!(answers.iter().filter(|answer| **answer == order).count() > PAIRS / 100, "{order:?} is rare");
    }
}

#[expect(clippy::disallowed_methods, reason = "the real tool is what the order is compared with")]
fn command(program: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(program);
    command.args(arguments);
    command
}

const PARTS: [&str; 16] = [".", "0", "1", "10", "00", "a", "b", "rc", "~", "~~", "+", ".a", "1a", "Z", "9", "git"];

#[test]
fn debian_s_order_is_dpkg_s() {
    // Needs the Debian package libdpkg-perl.
    let script = "while (<>) { chomp; my ($a, $b) = split / /; print version_compare($a, $b), \"\\n\" }";
    agree(Scheme::Deb, &PARTS, |file| command("perl", &["-MDpkg::Version", "-e", script, file.to_str().unwrap()]));
}

#[test]
fn rpm_s_order_is_rpm_s() {
    // Needs the Debian package rpm.
    let parts: Vec<&str> = PARTS.into_iter().chain(["^", "^a", "^1", "_"]).collect();
    agree(Scheme::Rpm, &parts, |file| {
        let script = format!(
            "%{{lua: for line in io.lines('{}') do local a, b = line:match('(%S+) (%S+)'); io.stdout:write(rpm.vercmp(a, b), '\\n') end}}",
            file.display()
        );
        command("rpm", &["--eval", &script])
    });
}

#[test]
fn arch_s_order_is_pacman_s() {
    // Needs the Debian packages pacman-package-manager, for libalpm, and python3.
    let parts: Vec<&str> = PARTS.into_iter().filter(|part| !part.contains('~')).chain(["_", "..", ".-"]).collect();
    let script = "import ctypes, ctypes.util, glob, sys
alpm = ctypes.CDLL(glob.glob('/usr/lib/*/libalpm.so.*')[0])
for line in open(sys.argv[1], 'rb'):
    one, other = line.split()
    order = alpm.alpm_pkg_vercmp(one, other)
    print((order > 0) - (order < 0))";
    agree(Scheme::Alpm, &parts, |file| command("python3", &["-c", script, file.to_str().unwrap()]));
}

/// Versions from the oldest to the newest.
#[track_caller]
fn check_order(scheme: Scheme, versions: &[&str]) {
    for (place, one) in versions.iter().enumerate() {
        for (other_place, other) in versions.iter().enumerate() {
            assert_eq!(scheme.compare(one, other), place.cmp(&other_place), "{one} and {other}");
        }
    }
}

#[test]
fn alpine_s_order_is_the_documented_one() {
    // Pairs of apk-tools' own `test/version.data`, put in order.
    check_order(
        Scheme::Apk,
        &[
            "0.1_alpha",
            "0.1_alpha1",
            "0.1_beta2",
            "0.1_pre",
            "0.1_rc1",
            "0.1",
            "0.1_p1",
            "0.1.3",
            "0.12",
            "1.0",
            "1.0a",
        ],
    );
    check_order(Scheme::Apk, &["2.0", "2.0-r1", "2.0-r2", "2.0-r10", "2.0.1-r0", "20050718", "20060512_git20240101"]);
    check_order(Scheme::Apk, &["1.0.03", "1.0.1", "1.0.2", "1.0.10"]);
    check_order(Scheme::Apk, &["0.1.0_alpha_pre2", "0.1.0_alpha", "0.1.0_alpha2", "1.3-r0", "1.3.1-r0"]);
    check_order(Scheme::Apk, &["1.0~1234", "1.0~1234-r0", "1.0~1234-r1", "1.0~2345", "1.0~2345-r0"]);
    // What is missing is older than a nought.
    check_order(Scheme::Apk, &["1.0", "1.0-r0", "1.0-r1", "1.0_p", "1.0_p-r0", "1.0_p0", "1.0_p1"]);
    check_order(Scheme::Apk, &["1.0_rc", "1.0_rc0", "1.0_rc1", "1.0"]);
}

#[test]
fn the_semantic_order_is_the_semver_crate_s() {
    let parts = ["-", ".", "0", "1", "10", "a", "rc", "-rc.", "+b", ".1", "-1", "A"];
    let mut dice = Dice(20_200_710);
    let mut compared = 0;
    while compared < PAIRS {
        let core = |dice: &mut Dice| format!("{}.{}.{}", dice.below(3), dice.below(12), dice.below(3));
        let (core, other_core) = (core(&mut dice), core(&mut dice));
        let mut tail = || (0..dice.below(4)).map(|_| parts[dice.below(parts.len())]).collect::<String>();
        let (one, other) = (format!("{core}{}", tail()), format!("{core}{}", tail()));
        let other = if tail().is_empty() { format!("{other_core}{}", tail()) } else { other };
        let (Ok(a), Ok(b)) = (::semver::Version::parse(&one), ::semver::Version::parse(&other)) else { continue };
        assert_eq!(Scheme::Semver.compare(&one, &other), a.cmp_precedence(&b), "{one} and {other}");
        compared += 1;
    }
}

#[test]
fn semantic_versions_go_by_their_specification_and_others_by_numbers_and_words() {
    check_order(
        Scheme::Semver,
        &["1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-beta", "1.0.0-rc.1", "1.0.0", "1.2.0", "1.10.0"],
    );
    assert_eq!(Scheme::Semver.compare("1.0.0+one", "1.0.0+two"), Ordering::Equal);
    check_order(Scheme::Semver, &["1.9", "1.10", "2024.2.1"]);
    check_order(Scheme::Generic, &["1.0rc1", "1.0", "1.0.1", "1.2", "1.10", "2.0", "10"]);
    assert_eq!(Scheme::Generic.compare("1.0", "1-0"), Ordering::Equal);
}

#[track_caller]
fn check_range(range: &str, inside: &[&str], outside: &[&str]) {
    let vers: Vers = range.parse().unwrap();
    inside.iter().for_each(|version| assert!(vers.contains(version), "{version} is in {range}"));
    outside.iter().for_each(|version| assert!(!vers.contains(version), "{version} is not in {range}"));
    assert_eq!(vers.to_string().parse::<Vers>().unwrap(), vers);
}

#[test]
fn a_range_holds_what_its_specification_says() {
    check_range("vers:deb/*", &["1", "2:0~x"], &[]);
    check_range("vers:deb/>=2.0|<2.4-1", &["2.0", "2.3", "2.4~rc1"], &["1.9", "2.4-1", "3", "1:2.1"]);
    check_range("vers:semver/<1.0.0|>=2.0.0", &["0.9.0", "2.0.0", "3.1.0"], &["1.0.0", "1.5.0"]);
    check_range("vers:generic/1.0|2.0", &["1.0", "2.0"], &["1.5", "3"]);
    check_range("vers:generic/!=1.5", &["1.0", "2"], &["1.5"]);
    check_range("vers:generic/>=1|!=1.5|<2", &["1", "1.4", "1.6"], &["1.5", "2", "0"]);
    check_range("vers:rpm/<=1.0-2", &["1.0-1", "1.0-2", "1.0"], &["1.0-3", "1:0"]);
    check_range("vers:generic/1|>=2|<=3|5", &["1", "2", "2.5", "3", "5"], &["1.5", "4", "6"]);
}

#[test]
fn what_is_no_range_says_so() {
    for (text, what) in [
        ("2.0", "it has no scheme"),
        ("vers:debian/2", "`debian` is none of deb, rpm"),
        ("vers:deb/", "a constraint has no version"),
        ("vers:deb/>=", "a constraint has no version"),
        ("vers:deb/>1 2", "a constraint has no version"),
        ("vers:deb/>=1.0|<1.00", "its versions do not rise"),
        ("vers:deb/<2|>=1", "its versions do not rise"),
    ] {
        let error = text.parse::<Vers>().unwrap_err();
        assert!(error.contains(what) && error.contains("write \"vers:"), "{error}");
    }
}
