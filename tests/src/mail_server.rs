//! A mail server that takes what it is sent by SMTP, and keeps it in a Maildir.

use std::{
    net::TcpStream,
    path::{Path, PathBuf},
};

use anyhow::Result;

use crate::{
    process::{Running, wait_until},
    python,
};

/// The server; killed when it is dropped.
#[derive(Debug)]
pub struct MailServer {
    /// Where it listens, on this machine.
    pub port: u16,
    maildir: PathBuf,
    _process: Running,
}

impl MailServer {
    /// Starts one with its files in `folder`. `arguments` say how its connections are protected.
    ///
    /// # Errors
    /// When it isn't installed, or does not listen.
    pub fn start(folder: &Path, arguments: &[&str]) -> Result<Self> {
        let port = crate::free_port();
        let maildir = folder.join("Maildir");
        let mut command = python("aiosmtpd")?;
        command.args(["--nosetuid", "--listen", &format!("127.0.0.1:{port}")]).args(arguments);
        command.args(["--class", "aiosmtpd.handlers.Mailbox"]).arg(&maildir);
        let process = Running::start(command, &folder.join("smtp.log"))?;
        wait_until("the mail server listens", || Ok(TcpStream::connect(("127.0.0.1", port)).map(drop)?))?;
        Ok(Self { port, maildir, _process: process })
    }

    /// Every mail that it has taken, as it came.
    ///
    /// # Errors
    /// When they can't be read.
    pub fn mails(&self) -> Result<Vec<String>> {
        let Ok(new) = fs_err::read_dir(self.maildir.join("new")) else { return Ok(Vec::new()) };
        new.map(|mail| Ok(fs_err::read_to_string(mail?.path())?)).collect()
    }
}
