//! A real Dovecot with a mailbox of each domain, and a server that takes outgoing mail. What they saw is what counts.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{IpAddr, TcpListener, TcpStream};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use forewarn_tests::Dovecot;

/// A domain, and the address on which its mail server listens.
pub(crate) const DOMAINS: [(&str, &str); 2] = [("corp.example", "127.0.5.1"), ("private.example", "127.0.5.2")];

/// What the mail servers have seen of each domain, in the order of [`DOMAINS`].
pub(crate) type Seen = [bool; 2];

pub(crate) struct Servers {
    dovecot: Dovecot,
    /// The port of both IMAP servers.
    pub(crate) imap: u16,
    /// The port of both outgoing servers.
    pub(crate) smtp: u16,
    sent: Arc<Mutex<Vec<String>>>,
}

impl Servers {
    pub(crate) fn start(dir: &Path) -> Self {
        let users = DOMAINS.map(|(domain, _)| format!("me@{domain}:{{PLAIN}}incoming password of me@{domain}\n"));
        let dovecot = Dovecot::start(dir, &DOMAINS.map(|(_, address)| address), &[users.concat()], "").unwrap();
        let (smtp, sent) = take_outgoing_mail();
        Self { imap: dovecot.port, dovecot, smtp, sent }
    }

    fn logged(&self) -> String {
        self.dovecot.log()
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
