//! A real Dovecot on loopback addresses, for the tests. What it logs is what counts.

use std::{
    fmt::Write as _,
    net::{TcpListener, TcpStream},
    os::unix::fs::{PermissionsExt, chown},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use anyhow::{Context, Result, bail};

use crate::process::wait_until;

/// A mail server that stops with this value.
#[derive(Debug)]
pub struct Dovecot {
    process: Child,
    log: PathBuf,
    /// The port on which it speaks IMAP, on each of its addresses.
    pub port: u16,
}

/// Whose mail it keeps: Dovecot keeps none of root's.
const NOBODY: u32 = 65534;

impl Dovecot {
    /// Starts it in a folder that is there. `passwords` are password files (`me@corp.example:{PLAIN}secret`), asked one
    /// after the other; `more` is added to its configuration.
    ///
    /// # Errors
    /// When it isn't installed, or does not listen.
    #[expect(clippy::disallowed_methods, reason = "the tests run the real mail server")]
    pub fn start(folder: &Path, addresses: &[&str], passwords: &[String], more: &str) -> Result<Self> {
        let first = addresses.first().context("it has to listen somewhere")?;
        let port = TcpListener::bind((*first, 0))?.local_addr()?.port();
        let log = folder.join("dovecot.log");
        let mail = folder.join("mail");
        fs_err::create_dir_all(&mail)?;
        fs_err::set_permissions(folder, PermissionsExt::from_mode(0o755))?;
        if is_root()? {
            chown(&mail, Some(NOBODY), Some(NOBODY))?;
        }
        for (index, file) in passwords.iter().enumerate() {
            fs_err::write(folder.join(format!("users-{index}")), file)?;
        }
        let configuration = configuration(folder, addresses, port, passwords.len())? + more;
        fs_err::write(folder.join("dovecot.conf"), configuration)?;
        let mut command = Command::new("/usr/sbin/dovecot");
        command.arg("-F").arg("-c").arg(folder.join("dovecot.conf")).stdin(Stdio::null());
        let process = command.spawn().context("this test needs dovecot: apt-get install dovecot-imapd")?;
        let mut dovecot = Self { process, log, port };
        wait_until("Dovecot listens", || {
            if let Some(status) = dovecot.process.try_wait()? {
                bail!("Dovecot ended ({status}):\n{}", dovecot.log());
            }
            Ok(TcpStream::connect((*first, port))?)
        })?;
        Ok(dovecot)
    }

    /// All that it has logged.
    pub fn log(&self) -> String {
        fs_err::read_to_string(&self.log).unwrap_or_default()
    }
}

impl Drop for Dovecot {
    #[expect(clippy::disallowed_methods, reason = "it stops its own processes only when it is asked to")]
    fn drop(&mut self) {
        let _ = Command::new("kill").arg(self.process.id().to_string()).status();
        let _ = self.process.wait();
    }
}

/// dovecot.conf(5) of Dovecot 2.3.
fn configuration(folder: &Path, addresses: &[&str], port: u16, passwords: usize) -> Result<String> {
    let (root, me) = (is_root()?, own_name()?);
    let pick = |name: &str| if root { name.to_owned() } else { me.clone() };
    let (internal, login, folder) = (pick("dovecot"), pick("dovenull"), folder.display());
    let user = if root { NOBODY.to_string() } else { me.clone() };
    let mut text = format!(
        "base_dir = {folder}/run\nstate_dir = {folder}/run\nlog_path = {folder}/dovecot.log\nprotocols = imap\nssl = no\n\
         disable_plaintext_auth = no\nauth_mechanisms = plain login\ndefault_internal_user = {internal}\n\
         default_internal_group = {internal}\ndefault_login_user = {login}\nfirst_valid_uid = 1\nfirst_valid_gid = 1\n\
         mail_max_userip_connections = 100\nmail_location = maildir:{folder}/mail/%u\n\
         userdb {{\n driver = static\n args = uid={user} gid={user} home={folder}/mail/%u\n}}\n\
         namespace inbox {{\n inbox = yes\n}}\n"
    );
    for index in 0..passwords {
        writeln!(text, "passdb {{\n driver = passwd-file\n args = {folder}/users-{index}\n}}")?;
    }
    writeln!(text, "service imap-login {{\n chroot =\n inet_listener imap {{\n port = 0\n }}")?;
    for (index, address) in addresses.iter().enumerate() {
        writeln!(text, " inet_listener imap{index} {{\n address = {address}\n port = {port}\n }}")?;
    }
    writeln!(text, "}}\nservice anvil {{\n chroot =\n}}")?;
    Ok(text)
}

fn is_root() -> Result<bool> {
    use std::os::unix::fs::MetadataExt as _;
    Ok(fs_err::metadata("/proc/self")?.uid() == 0)
}

#[expect(clippy::disallowed_methods, reason = "nothing else tells a user's name")]
fn own_name() -> Result<String> {
    Ok(String::from_utf8(Command::new("id").arg("-un").output()?.stdout)?.trim().to_owned())
}
