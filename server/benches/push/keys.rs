//! What every part needs: certificates, enrolled devices, and servers in turn.

use std::{
    io::{Read, Write},
    net::TcpStream,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    thread::sleep,
    time::Duration,
};

use anyhow::{Context, Result, bail, ensure};
use rcgen::{CertificateParams, DnType, KeyPair};
use rustls::{ClientConnection, StreamOwned};

use super::{
    child::Process,
    clients::{client, name},
    wire::{self, Protocol},
};

/// Where everything listens, in turn. Ours has the next port as well.
pub(crate) const PORT: u16 = 17_440;

/// A folder with keys, and devices that are enrolled.
pub(crate) struct Lab {
    pub(crate) folder: PathBuf,
}

/// Who is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Who {
    Floor,
    Ours,
    Mosquitto,
    Nats,
}

impl Who {
    pub(crate) const ALL: [Self; 4] = [Self::Floor, Self::Ours, Self::Mosquitto, Self::Nats];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Floor => "floor",
            Self::Ours => "forewarn-server",
            Self::Mosquitto => "mosquitto",
            Self::Nats => "nats-server",
        }
    }

    pub(crate) fn protocol(self) -> Protocol {
        match self {
            Self::Floor | Self::Ours => Protocol::Sse,
            Self::Mosquitto => Protocol::Mqtt,
            Self::Nats => Protocol::Nats,
        }
    }

    /// Where devices connect.
    pub(crate) fn port(self) -> u16 {
        if self == Self::Ours { PORT + 1 } else { PORT }
    }
}

/// A server that runs, and the one who publishes there.
pub(crate) struct Running {
    pub(crate) process: Process,
    protocol: Protocol,
    publisher: Option<StreamOwned<ClientConnection, TcpStream>>,
}

impl Running {
    /// Pushes 4 KiB to everyone.
    pub(crate) fn push(&mut self, round: u64) -> Result<()> {
        match &mut self.publisher {
            None => self.process.tell(&format!("push {round}")),
            Some(publisher) => {
                publisher.write_all(&self.protocol.publish(&wire::payload(round)))?;
                Ok(publisher.flush()?)
            }
        }
    }
}

impl Lab {
    /// Makes the certificate of the servers that are not ours, and enrolls devices with ours.
    pub(crate) fn prepare(folder: &Path, devices: usize) -> Result<Self> {
        let key = KeyPair::generate()?;
        let mut params = CertificateParams::new(vec!["127.0.0.1".to_owned()])?;
        params.distinguished_name.push(DnType::CommonName, "peer");
        fs_err::write(folder.join("peer.pem"), params.self_signed(&key)?.pem())?;
        fs_err::write(folder.join("peer.key"), key.serialize_pem())?;
        let lab = Self { folder: folder.to_owned() };
        let mut server = lab.start(Who::Ours)?;
        anstream::println!("{devices} devices enroll");
        server.process.ask(&format!("tokens {devices}"), "tokens")?;
        let enrolled = lab.load()?.ask(&format!("enroll {PORT}"), "enrolled")?;
        ensure!(enrolled == [devices as f64], "{enrolled:?} of {devices} devices are enrolled");
        Ok(lab)
    }

    pub(crate) fn load(&self) -> Result<Process> {
        Process::part(&["load", &self.folder.display().to_string()])
    }

    pub(crate) fn start(&self, who: Who) -> Result<Running> {
        let (folder, port) = (self.folder.display().to_string(), PORT.to_string());
        let protocol = who.protocol();
        let (process, publisher) = match who {
            Who::Floor | Who::Ours => {
                let part = if who == Who::Ours { "server" } else { "floor" };
                let mut process = Process::part(&[part, &folder, &port])?;
                process.hear("listening")?;
                (process, None)
            }
            Who::Mosquitto | Who::Nats => {
                let mut command = self.broker(who)?;
                let process = Process::start(command.stderr(Stdio::null()))?;
                let publisher = self.publisher(protocol).with_context(|| format!("{} does not answer", who.name()))?;
                (process, Some(publisher))
            }
        };
        sleep(Duration::from_secs(1));
        Ok(Running { process, protocol, publisher })
    }

    fn broker(&self, who: Who) -> Result<Command> {
        let (certificate, key) = (self.folder.join("peer.pem"), self.folder.join("peer.key"));
        let (certificate, key, config) = (certificate.display(), key.display(), self.folder.join("broker.conf"));
        let (program, flag, text) = match who {
            Who::Mosquitto => (
                "mosquitto",
                "-c",
                format!(
                    "listener {PORT} 127.0.0.1\nallow_anonymous true\npersistence false\nuser root\nlog_type none\n\
                     set_tcp_nodelay true\ncertfile {certificate}\nkeyfile {key}\ntls_version tlsv1.3\n"
                ),
            ),
            Who::Floor | Who::Ours | Who::Nats => (
                "nats-server",
                "-c",
                format!(
                    "listen: \"127.0.0.1:{PORT}\"\nmax_connections: 64000\nmax_subscriptions: 0\n\
                     tls {{ cert_file: \"{certificate}\", key_file: \"{key}\" }}\n"
                ),
            ),
        };
        fs_err::write(&config, text)?;
        let mut command = Command::new(program);
        command.arg(flag).arg(config);
        Ok(command)
    }

    fn publisher(&self, protocol: Protocol) -> Result<StreamOwned<ClientConnection, TcpStream>> {
        let mut socket = None;
        for _ in 0..500 {
            socket = TcpStream::connect(("127.0.0.1", PORT)).ok();
            if socket.is_some() {
                break;
            }
            sleep(Duration::from_millis(20));
        }
        let mut socket = socket.context("nobody listens")?;
        socket.set_nodelay(true)?;
        socket.set_read_timeout(Some(Duration::from_secs(10)))?;
        if protocol.speaks_first() {
            read_line(&mut socket)?;
        }
        let connection = ClientConnection::new(client(&self.folder, None)?, name()?)?;
        let mut stream = StreamOwned::new(connection, socket);
        stream.write_all(&protocol.hello(999_999))?;
        let (mut heard, mut chunk) = (Vec::new(), [0; 1024]);
        while !protocol.is_ready(&heard) {
            match stream.read(&mut chunk)? {
                0 => bail!("the broker closed"),
                length => heard.extend(chunk.iter().take(length)),
            }
        }
        Ok(stream)
    }
}

/// Reads a line, and no byte after it.
fn read_line(socket: &mut TcpStream) -> Result<()> {
    let mut byte = [0];
    while byte != *b"\n" {
        socket.read_exact(&mut byte)?;
    }
    Ok(())
}
