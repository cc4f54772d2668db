use super::*;

/// A register in a folder of this test's, and who it has met.
struct Device {
    folder: tempfile::TempDir,
    drawn: u64,
}

/// An account as it is found: its number, name and home, and when that was made. None: it is not there.
type Found<'t> = (u32, &'t str, &'t str, Option<i64>);

impl Device {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap(), drawn: 0 }
    }

    /// A start of the daemon: who these are, and whether they are told anew.
    fn start(&mut self, found: &[Found<'_>]) -> Vec<(u64, bool)> {
        let mut register = Register::load(self.folder.path()).unwrap();
        let seen: Vec<Sighting> = found.iter().map(sighting).collect();
        let drawn = &mut self.drawn;
        let draw = || {
            *drawn += 1;
            Ok(Person::from_bits(*drawn))
        };
        let persons = register.meet(&seen, draw).unwrap();
        let anew = register.to_be_told_anew();
        for person in &anew {
            register.forget_to_tell(*person).unwrap();
        }
        let number = |person: &Person| u64::from_str_radix(&person.to_string(), 16).unwrap();
        persons.iter().map(|person| (number(person), anew.contains(person))).collect()
    }
}

fn sighting(&(user, name, path, born): &Found<'_>) -> Sighting {
    let home = born.map_or(Home::Absent, |second| Home::There(Some((second, 0))));
    Sighting { user, name: Some(name.to_owned()), path: path.into(), home, by_number: false }
}

/// Ann is met first, as `(1000, "ann", "/home/ann")`, whose home was made in second 1. Who are these afterwards?
#[track_caller]
fn check(why: &str, later: &[Found<'_>], expected: &[(u64, bool)]) {
    let mut device = Device::new();
    assert_eq!(device.start(&[(1000, "ann", "/home/ann", Some(1))]), [(1, false)]);
    assert_eq!(device.start(later), expected, "{why}");
    // Nobody is told anew twice, and whoever was met stays who they are.
    let settled: Vec<(u64, bool)> = expected.iter().map(|(person, _)| (*person, false)).collect();
    assert_eq!(device.start(later), settled, "{why}, again");
}

#[test]
fn promise_1_whoever_gets_a_number_is_not_who_had_it() {
    check("all is as it was", &[(1000, "ann", "/home/ann", Some(1))], &[(1, false)]);
    check("the number is another", &[(1005, "ann", "/home/ann", Some(1))], &[(1, false)]);
    check("the home is not there", &[(1000, "ann", "/home/ann", None)], &[(1, false)]);
    check("nor where it will be", &[(1000, "ann", "/srv/ann", None)], &[(1, false)]);
    check("the home was moved", &[(1000, "ann", "/srv/ann", Some(1))], &[(1, true)]);
    check("the home was made anew", &[(1000, "ann", "/home/ann", Some(2))], &[(1, true)]);
    check("the account was renamed", &[(1000, "anna", "/home/ann", Some(1))], &[(1, true)]);
    check("both are others", &[(1000, "ben", "/home/ben", Some(2))], &[(2, false)]);
    check("both are others, the path is not", &[(1000, "ben", "/home/ann", Some(2))], &[(2, false)]);
    check("the other has no home yet", &[(1000, "ben", "/home/ann", None)], &[(2, false)]);
    check(
        "one has the name, another the home",
        &[(1001, "ben", "/home/ann", Some(1)), (1000, "ann", "/home/anns", Some(2))],
        &[(2, false), (1, true)],
    );
    check(
        "a number is given to somebody else, and its owner has another",
        &[(1000, "ben", "/home/ben", Some(2)), (1001, "ann", "/home/ann", Some(1))],
        &[(2, false), (1, false)],
    );
}

/// Somebody's account is gone, their home is named in the configuration, and their number is another's, whose home is elsewhere.
#[test]
fn promise_1_whoever_owns_a_home_by_a_number_alone_is_not_who_had_it() {
    let had = sighting(&(1000, "ann", "/home/ann", Some(1)));
    let register = Register::of([(Person::from_bits(1), had.clone())].into_iter());
    let now = Sighting { name: Some("ben".into()), by_number: true, ..had.clone() };
    assert!(register.known[0].fits(&now).is_none());
    assert!(register.known[0].fits(&Sighting { by_number: false, ..now }) == Some(Fit::Home), "they were renamed");
    assert!(register.known[0].fits(&Sighting { by_number: true, ..had }) == Some(Fit::Whole), "it was so before");
}

#[test]
fn a_home_that_is_mounted_and_unmounted_is_one_s_own_both_times() {
    let mut device = Device::new();
    let (mounted, unmounted) = ((1000, "ann", "/home/ann", Some(1)), (1000, "ann", "/home/ann", Some(7)));
    assert_eq!(device.start(&[mounted]), [(1, false)]);
    assert_eq!(device.start(&[unmounted]), [(1, true)], "nobody has seen it before");
    for seen in [mounted, unmounted, mounted] {
        assert_eq!(device.start(&[seen]), [(1, false)]);
    }
}

#[test]
fn where_no_birth_is_kept_the_path_tells() {
    let at = |path: &str| {
        let home = Home::There(None);
        Sighting { user: 1000, name: Some("ann".into()), path: path.into(), home, by_number: false }
    };
    let mut register = Register::of([(Person::from_bits(1), at("/home/ann"))].into_iter());
    assert!(register.known[0].fits(&at("/home/ann")) == Some(Fit::Whole));
    assert!(register.known[0].fits(&at("/srv/ann")) == Some(Fit::Name));
    register.known[0].name = None;
    assert!(register.known[0].fits(&Sighting { name: None, ..at("/home/ann") }) == Some(Fit::Whole));
    assert!(register.known[0].fits(&Sighting { name: None, user: 1001, ..at("/home/ann") }) == Some(Fit::Home));
    assert!(register.known[0].fits(&Sighting { name: None, ..at("/srv/ann") }).is_none());
}

/// Of somebody whose name nobody knows there is the number, and that is given again.
#[test]
fn promise_1_a_number_without_a_name_is_nobody_without_the_home() {
    let ghost = |home| Sighting { user: 1000, name: None, path: "/home/ghost".into(), home, by_number: false };
    let mut register = Register::of([(Person::from_bits(1), ghost(Home::There(Some((1, 0)))))].into_iter());
    let known = &mut register.known[0];
    let ben =
        |path: &str, home| Sighting { user: 1000, name: Some("ben".into()), path: path.into(), home, by_number: false };
    assert!(known.fits(&ghost(Home::Absent)) == Some(Fit::Whole), "it is not mounted yet");
    assert!(known.fits(&ben("/home/ben", Home::Absent)).is_none(), "another home, which is not mounted yet");
    assert!(known.fits(&ben("/home/ben", Home::There(Some((2, 0))))).is_none(), "another home");
    assert!(known.fits(&ben("/home/ghost", Home::There(Some((1, 0))))) == Some(Fit::Whole), "the name is known now");
    known.name = Some("ann".into());
    let nameless = |path: &str| Sighting { path: path.into(), ..ghost(Home::Absent) };
    assert!(known.fits(&nameless("/home/ghost")) == Some(Fit::Whole), "nobody says the name now");
    assert!(known.fits(&nameless("/home/ben")).is_none());
}

#[test]
fn what_changes_while_the_daemon_runs_is_noticed_once_and_told_until_that_is_stored() {
    let mut device = Device::new();
    device.start(&[(1000, "ann", "/home/ann", Some(1))]);
    let mut register = Register::load(device.folder.path()).unwrap();
    let (ann, other) = (Person::from_bits(1), sighting(&(1000, "ann", "/home/ann", Some(2))));
    assert!(register.notice(ann, &sighting(&(1000, "ann", "/home/ann", Some(1)))).unwrap());
    assert!(!register.notice(ann, &other).unwrap());
    assert!(register.notice(ann, &other).unwrap(), "it is theirs now");
    // The power goes before the engine has it.
    let mut register = Register::load(device.folder.path()).unwrap();
    assert_eq!(register.to_be_told_anew(), [ann].into());
    register.forget_to_tell(ann).unwrap();
    assert_eq!(Register::load(device.folder.path()).unwrap().to_be_told_anew(), BTreeSet::new());
}

#[test]
fn what_is_kept_for_somebody_who_left_is_given_by_root_s_word_alone() {
    let mut device = Device::new();
    device.start(&[(1000, "ann", "/home/ann", Some(1))]);
    let anns_heir = (1000, "ben", "/home/ben", Some(2));
    assert_eq!(device.start(&[anns_heir]), [(2, false)], "nobody inherits by a number");
    let mut register = Register::load(device.folder.path()).unwrap();
    let former = register.give(Person::from_bits(1), &sighting(&anns_heir)).unwrap();
    assert_eq!(former.name.as_deref(), Some("ann"));
    assert_eq!(device.start(&[anns_heir]), [(1, true)]);
    let nobody = register.give(Person::from_bits(9), &sighting(&anns_heir)).unwrap_err();
    assert!(nobody.to_string().starts_with("nobody is known as 0000000000000009"), "{nobody}");
}

#[test]
fn a_register_that_can_t_be_read_is_put_aside_and_nobody_is_taken_for_anybody() {
    let mut device = Device::new();
    device.start(&[(1000, "ann", "/home/ann", Some(1))]);
    fs_err::write(device.folder.path().join(FILE), "[{\"person\":").unwrap();
    assert_eq!(device.start(&[(1000, "ann", "/home/ann", Some(1))]), [(2, false)]);
    assert_eq!(fs_err::read_to_string(device.folder.path().join("people.damaged")).unwrap(), "[{\"person\":");
}
