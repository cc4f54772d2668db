//! The mail programs as Debian has them: how each is set up with an account of both domains, and how it is run.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use forewarn_mail::Client;

use crate::dovecot::{DOMAINS, Servers};

/// One program.
pub(crate) struct Program {
    pub(crate) client: Client,
    /// Its name, and the Debian package that it is from.
    pub(crate) package: &'static str,
    /// Writes its configuration into a home.
    pub(crate) set_up: fn(&Path, &Servers),
    /// Fetches or sends with every account that it has.
    pub(crate) run: fn(&Path, &Servers),
    /// Whether it writes its files anew when it runs.
    pub(crate) rewrites: bool,
}

pub(crate) const PROGRAMS: [Program; 6] = [
    Program { client: Client::Isync, package: "isync", set_up: set_up_isync, run: run_isync, rewrites: false },
    Program {
        client: Client::OfflineImap,
        package: "offlineimap3",
        set_up: set_up_offlineimap,
        run: run_offlineimap,
        rewrites: false,
    },
    Program { client: Client::Msmtp, package: "msmtp", set_up: set_up_msmtp, run: run_msmtp, rewrites: false },
    Program { client: Client::Neomutt, package: "neomutt", set_up: set_up_neomutt, run: run_neomutt, rewrites: false },
    Program { client: Client::Aerc, package: "aerc", set_up: set_up_aerc, run: run_aerc, rewrites: false },
    Program {
        client: Client::Thunderbird,
        package: "thunderbird",
        set_up: set_up_thunderbird,
        run: run_thunderbird,
        rewrites: true,
    },
];

/// Writes a text for each domain, with `$DOMAIN`, `$HOST`, `$IMAP`, `$SMTP` and `$PASSWORD` filled in.
fn for_each_domain(servers: &Servers, text: &str) -> String {
    let filled = DOMAINS.iter().rev().map(|(domain, host)| {
        text.replace("$PASSWORD", &format!("incoming password of me@{domain}"))
            .replace("$ENCODED", &format!("incoming%20password%20of%20me%40{domain}"))
            .replace("$DOMAIN", domain)
            .replace("$HOST", host)
            .replace("$IMAP", &servers.imap.to_string())
            .replace("$SMTP", &servers.smtp.to_string())
    });
    filled.collect()
}

fn write(home: &Path, path: &str, text: &str) {
    let path = home.join(path);
    fs_err::create_dir_all(path.parent().unwrap()).unwrap();
    fs_err::write(&path, text).unwrap();
    fs_err::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
}

fn command(home: &Path, program: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(program);
    command.args(arguments).current_dir(home).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.env_clear().env("HOME", home).env("PATH", "/usr/local/bin:/usr/bin:/bin:/usr/sbin").env("TERM", "xterm");
    command.env("LANG", "C.UTF-8").env("XDG_RUNTIME_DIR", home.join(".run"));
    command
}

/// Runs a program that ends by itself.
fn run_to_end(home: &Path, program: &str, arguments: &[&str]) {
    let status = command(home, program, arguments).status();
    status.unwrap_or_else(|error| panic!("this test needs {program}: {error}"));
}

/// Runs a program until it has logged in with every account that it has: those that it must have, and then a while for those that it must not.
fn run_until_seen(home: &Path, servers: &Servers, program: &str, arguments: &[&str], patience: Duration) {
    let since = servers.position();
    let mut child = command(home, program, arguments).spawn().unwrap_or_else(|error| panic!("{program}: {error}"));
    let end = Instant::now() + patience;
    let seen = || DOMAINS.map(|(domain, _)| servers.has_seen(since, domain));
    while Instant::now() < end && child.try_wait().unwrap().is_none() && seen() != [true, true] {
        std::thread::sleep(Duration::from_millis(100));
    }
    let pid = rustix::process::Pid::from_child(&child);
    let _ = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
    let end = Instant::now() + Duration::from_secs(20);
    while child.try_wait().unwrap().is_none() {
        if Instant::now() > end {
            child.kill().unwrap();
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn set_up_isync(home: &Path, servers: &Servers) {
    let text = "IMAPAccount $DOMAIN\nHost $HOST\nPort $IMAP\nSSLType None\nAuthMechs LOGIN\nUser me@$DOMAIN\nPass \"$PASSWORD\"\n\n\
                IMAPStore $DOMAIN-far\nAccount $DOMAIN\n\nMaildirStore $DOMAIN-near\nPath ~/Mail/$DOMAIN/\n\
                Inbox ~/Mail/$DOMAIN/INBOX\n\nChannel $DOMAIN\nFar :$DOMAIN-far:\nNear :$DOMAIN-near:\nCreate Near\n\n";
    write(home, ".mbsyncrc", &for_each_domain(servers, text));
    DOMAINS.iter().for_each(|(domain, _)| fs_err::create_dir_all(home.join("Mail").join(domain)).unwrap());
}

fn run_isync(home: &Path, _: &Servers) {
    run_to_end(home, "mbsync", &["-a"]);
}

fn set_up_offlineimap(home: &Path, servers: &Servers) {
    let text = "\n[Account $DOMAIN]\nlocalrepository = $DOMAIN-near\nremoterepository = $DOMAIN-far\n\n\
                [Repository $DOMAIN-near]\ntype = Maildir\nlocalfolders = ~/Mail/$DOMAIN\n\n\
                [Repository $DOMAIN-far]\ntype = IMAP\nremotehost = $HOST\nremoteport = $IMAP\nremoteuser = me@$DOMAIN\n\
                remotepass = $PASSWORD\nssl = no\nstarttls = no\n";
    let accounts = "[general]\naccounts = private.example, corp.example\n";
    write(home, ".offlineimaprc", &format!("{accounts}{}", for_each_domain(servers, text)));
    fs_err::create_dir_all(home.join("Mail")).unwrap();
}

fn run_offlineimap(home: &Path, _: &Servers) {
    run_to_end(home, "timeout", &["60", "offlineimap", "-o", "-u", "quiet"]);
}

fn set_up_msmtp(home: &Path, servers: &Servers) {
    let text = "account $DOMAIN\nhost $HOST\nport $SMTP\nauth plain\ntls off\nfrom me@$DOMAIN\nuser me@$DOMAIN\n\
                password \"$PASSWORD\"\n\n";
    write(home, ".msmtprc", &format!("{}account default : corp.example\n", for_each_domain(servers, text)));
}

/// Sends with both, and without naming an account: that must never go over the other's server.
fn run_msmtp(home: &Path, _: &Servers) {
    for account in [&["-a", "private.example"][..], &["-a", "corp.example"], &[]] {
        let mut send = command(home, "msmtp", &[account, &["you@example.org"]].concat());
        let mut child = send.stdin(Stdio::piped()).spawn().expect("this test needs msmtp");
        let mut text = child.stdin.take().unwrap();
        let _ = std::io::Write::write_all(&mut text, b"Subject: test\n\ntest\n");
        drop(text);
        let _ = child.wait();
    }
}

fn set_up_neomutt(home: &Path, servers: &Servers) {
    let text = "set from = \"me@$DOMAIN\"\nset imap_user = \"me@$DOMAIN\"\nset imap_pass = \"$PASSWORD\"\n\
                set folder = \"imap://$HOST:$IMAP/\"\nset spoolfile = \"+INBOX\"\n";
    let both = for_each_domain(servers, &format!("{text}---"));
    let (private, company) = both.trim_end_matches("---").split_once("---").unwrap();
    let general = "set ssl_starttls = no\nset ssl_force_tls = no\nset sort = threads\n";
    write(home, ".config/neomutt/neomuttrc", &format!("{general}{private}"));
    write(home, ".config/neomutt/company", &format!("{general}{company}"));
    // How people have a second account: a macro that reads its file.
    let path = home.join(".config/neomutt/neomuttrc");
    let text = fs_err::read_to_string(&path).unwrap();
    fs_err::write(path, text + "macro index <F3> '<enter-command>source ~/.config/neomutt/company<enter>'\n").unwrap();
}

fn run_neomutt(home: &Path, _: &Servers) {
    for file in ["neomuttrc", "company"] {
        let line = format!("neomutt -n -F ~/.config/neomutt/{file} -e 'push x'");
        run_to_end(home, "timeout", &["6", "script", "-qec", &line, "/dev/null"]);
    }
}

fn set_up_aerc(home: &Path, servers: &Servers) {
    let text = "[$DOMAIN]\nsource = imap+insecure://me%40$DOMAIN:$ENCODED@$HOST:$IMAP\nfrom = Me <me@$DOMAIN>\n\n";
    write(home, ".config/aerc/accounts.conf", &for_each_domain(servers, text));
}

fn run_aerc(home: &Path, servers: &Servers) {
    run_until_seen(home, servers, "script", &["-qec", "aerc", "/dev/null"], Duration::from_secs(8));
}

/// The profile that a real Thunderbird has written, whose hosts are the test's servers now. The saved passwords are as they were.
fn set_up_thunderbird(home: &Path, servers: &Servers) {
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/thunderbird-two-accounts");
    let to = home.join(".thunderbird");
    fs_err::create_dir_all(&to).unwrap();
    assert!(Command::new("cp").arg("-a").arg(from.join(".")).arg(&to).status().unwrap().success());
    let profile = profile(home);
    for name in ["prefs.js", "logins.json"] {
        let path = profile.join(name);
        let mut text = fs_err::read_to_string(&path).unwrap();
        for (domain, host) in DOMAINS {
            text = text.replace(&format!("mail.{domain}"), host);
        }
        text = text.replace("/home/me/", &format!("{}/", home.display()));
        text = text.replace("port\", 993", &format!("port\", {}", servers.imap));
        text = text.replace("socketType\", 3", "socketType\", 0");
        fs_err::write(&path, text).unwrap();
    }
    let own = [
        "app.update.enabled",
        "datareporting.policy.dataSubmissionEnabled",
        "mail.provider.enabled",
        "offline.autoDetect",
        "mail.rights.override",
    ];
    let off: String = own.iter().map(|key| format!("user_pref(\"{key}\", false);\n")).collect();
    let more = "user_pref(\"mail.rights.version\", 1);\nuser_pref(\"mailnews.start_page.enabled\", false);\n";
    fs_err::write(profile.join("user.js"), format!("{off}{more}")).unwrap();
}

fn profile(home: &Path) -> std::path::PathBuf {
    let found = fs_err::read_dir(home.join(".thunderbird")).unwrap().map(|entry| entry.unwrap().path());
    found.into_iter().find(|path| path.join("prefs.js").exists()).unwrap()
}

fn run_thunderbird(home: &Path, servers: &Servers) {
    let profile = profile(home);
    let arguments = ["--headless", "--profile", profile.to_str().unwrap()];
    run_until_seen(home, servers, "thunderbird", &arguments, Duration::from_secs(25));
}
