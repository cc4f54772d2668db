//! A real Dovecot with a mailbox of each domain, and a server that takes outgoing mail. What they saw is what counts.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{IpAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// A domain, and the address on which its mail server listens.
pub(crate) const DOMAINS: [(&str, &str); 2] = [("corp.example", "127.0.5.1"), ("private.example", "127.0.5.2")];

/// What the mail servers have seen of each domain, in the order of [`DOMAINS`].
pub(crate) type Seen = [bool; 2];

pub(crate) struct Servers {
    dovecot: Child,
    log: PathBuf,
    /// The port of both IMAP servers.
    pub(crate) imap: u16,
    /// The port of both outgoing servers.
    pub(crate) smtp: u16,
    sent: Arc<Mutex<Vec<String>>>,
}

impl Servers {
    pub(crate) fn start(dir: &Path) -> Self {
        let imap = free_port();
        let log = dir.join("dovecot.log");
        fs_err::write(dir.join("dovecot.conf"), configuration(dir, imap)).unwrap();
        let users = DOMAINS.map(|(domain, _)| format!("me@{domain}:{{PLAIN}}incoming password of me@{domain}\n"));
        fs_err::write(dir.join("users"), users.concat()).unwrap();
        for (domain, _) in DOMAINS {
            let folder = dir.join("mail").join(domain);
            fs_err::create_dir_all(&folder).unwrap();
            let (user, group) = mail_user();
            std::os::unix::fs::chown(&folder, Some(user), Some(group)).unwrap();
        }
        fs_err::set_permissions(dir, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
        let mut command = Command::new("/usr/sbin/dovecot");
        command.arg("-F").arg("-c").arg(dir.join("dovecot.conf")).stdin(Stdio::null());
        let dovecot = command.spawn().expect("this test needs dovecot: apt-get install dovecot-imapd");
        let (smtp, sent) = take_outgoing_mail();
        let servers = Self { dovecot, log, imap, smtp, sent };
        let end = Instant::now() + Duration::from_secs(20);
        while TcpStream::connect((DOMAINS[1].1, imap)).is_err() {
            assert!(Instant::now() < end, "Dovecot does not listen:\n{}", servers.logged());
            std::thread::sleep(Duration::from_millis(20));
        }
        servers
    }

    fn logged(&self) -> String {
        fs_err::read_to_string(&self.log).unwrap_or_default()
    }

    /// Does something; gives who has logged in or sent mail meanwhile.
    pub(crate) fn watch(&self, work: impl FnOnce()) -> Seen {
        let before = self.logged().len();
        self.sent.lock().unwrap_or_else(PoisonError::into_inner).clear();
        work();
        let logged = self.logged().split_off(before);
        let sent = self.sent.lock().unwrap_or_else(PoisonError::into_inner).clone();
        DOMAINS.map(|(domain, address)| {
            logged.contains(&format!("Login: user=<me@{domain}>")) || sent.iter().any(|over| over == address)
        })
    }

    /// Whether it was seen within a time that is long enough for any program.
    pub(crate) fn has_seen(&self, since: usize, domain: &str) -> bool {
        self.logged().get(since..).is_some_and(|logged| logged.contains(&format!("Login: user=<me@{domain}>")))
    }

    pub(crate) fn position(&self) -> usize {
        self.logged().len()
    }
}

impl Drop for Servers {
    fn drop(&mut self) {
        let pid = rustix::process::Pid::from_child(&self.dovecot);
        let _ = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
        let _ = self.dovecot.wait();
    }
}

fn configuration(dir: &Path, port: u16) -> String {
    let me = if rustix::process::geteuid().is_root() { ("dovecot", "dovenull") } else { ("", "") };
    let (dir, user) = (dir.display(), String::from_utf8(run("id", &["-un"])).unwrap().trim().to_owned());
    let pick = |name: &'static str| if name.is_empty() { user.clone() } else { name.to_owned() };
    let listeners = DOMAINS.map(|(domain, address)| {
        format!("inet_listener {domain} {{\n address = {address}\n port = {port}\n }}\n")
            .replace("corp.example {", "corp {")
            .replace("private.example {", "private {")
    });
    format!(
        "base_dir = {dir}/run\nstate_dir = {dir}/run\nlog_path = {dir}/dovecot.log\nprotocols = imap\nssl = no\n\
         disable_plaintext_auth = no\nauth_mechanisms = plain login\ndefault_internal_user = {}\n\
         default_login_user = {}\ndefault_internal_group = {}\nfirst_valid_uid = 1\nfirst_valid_gid = 1\n\
         mail_max_userip_connections = 100\nmail_location = maildir:{dir}/mail/%d\n\
         passdb {{\n driver = passwd-file\n args = {dir}/users\n}}\n\
         userdb {{\n driver = static\n args = uid={} gid={} home={dir}/mail/%d\n}}\n\
         namespace inbox {{\n inbox = yes\n}}\n\
         service imap-login {{\n chroot =\n inet_listener imap {{\n port = 0\n }}\n {} }}\n\
         service anvil {{\n chroot =\n}}\n",
        pick(me.0),
        pick(me.1),
        if me.0.is_empty() {
            String::from_utf8(run("id", &["-gn"])).unwrap().trim().to_owned()
        } else {
            "dovecot".to_owned()
        },
        mail_user().0,
        mail_user().1,
        listeners.concat(),
    )
}

/// Whose the mail is: nobody's, because Dovecot keeps none of root's.
fn mail_user() -> (u32, u32) {
    let me = rustix::process::geteuid();
    if me.is_root() { (65534, 65534) } else { (me.as_raw(), rustix::process::getegid().as_raw()) }
}

pub(crate) fn run(program: &str, arguments: &[&str]) -> Vec<u8> {
    Command::new(program).args(arguments).output().unwrap().stdout
}

fn free_port() -> u16 {
    TcpListener::bind(("127.0.5.1", 0)).unwrap().local_addr().unwrap().port()
}

/// Accepts every message on both addresses, and notes over which it came.
fn take_outgoing_mail() -> (u16, Arc<Mutex<Vec<String>>>) {
    let port = free_port();
    let sent: Arc<Mutex<Vec<String>>> = Arc::default();
    for (_, address) in DOMAINS {
        let listener = TcpListener::bind((address.parse::<IpAddr>().unwrap(), port)).unwrap();
        let sent = sent.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if talk(stream).is_some_and(|taken| taken) {
                    sent.lock().unwrap_or_else(PoisonError::into_inner).push(address.to_owned());
                }
            }
        });
    }
    (port, sent)
}

/// RFC 5321, as far as a client that sends one message goes. Gives whether one was taken.
fn talk(mut stream: TcpStream) -> Option<bool> {
    let mut lines = BufReader::new(stream.try_clone().ok()?).lines();
    let (mut in_text, mut taken) = (false, false);
    stream.write_all(b"220 test\r\n").ok()?;
    while let Some(Ok(line)) = lines.next() {
        let command = line.split_whitespace().next().unwrap_or_default().to_ascii_uppercase();
        let answer = match command.as_str() {
            "." if in_text => {
                (in_text, taken) = (false, true);
                "250 taken\r\n"
            }
            _ if in_text => continue,
            "EHLO" => "250-test\r\n250 AUTH PLAIN\r\n",
            "AUTH" => "235 yes\r\n",
            "DATA" => {
                in_text = true;
                "354 go on\r\n"
            }
            "QUIT" => {
                stream.write_all(b"221 bye\r\n").ok()?;
                return Some(taken);
            }
            _ => "250 yes\r\n",
        };
        stream.write_all(answer.as_bytes()).ok()?;
    }
    Some(taken)
}
