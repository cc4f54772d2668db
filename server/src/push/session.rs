//! TLS without a socket: bytes in, bytes out. It keeps no buffers between two calls, so that a device that only listens
//! costs the server little more than its keys.

use std::sync::Arc;

use anyhow::{Result, bail, ensure};
use rustls::{
    ServerConfig,
    pki_types::CertificateDer,
    server::{ServerConnectionData, UnbufferedServerConnection},
    unbuffered::{ConnectionState, EncodeError, EncryptError, InsufficientSizeError, UnbufferedStatus, WriteTraffic},
};

/// The server's side of one TLS connection.
pub(super) struct Session {
    tls: Box<UnbufferedServerConnection>,
    /// What came and could not be dealt with yet: a part of a record, seldom anything. TLS remembers places in it.
    unread: Vec<u8>,
    /// After an error TLS must not be asked anything more.
    is_over: bool,
}

/// How far a connection is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    /// The handshake waits for the client.
    Handshake,
    /// Both sides may speak.
    Open,
    /// The client said that it closes.
    Closed,
}

impl Session {
    pub(super) fn new(config: Arc<ServerConfig>) -> Result<Self> {
        let tls = Box::new(UnbufferedServerConnection::new(config)?);
        Ok(Self { tls, unread: Vec::new(), is_over: false })
    }

    /// The certificate that the client proved to hold the key of.
    pub(super) fn peer(&self) -> Option<&CertificateDer<'static>> {
        self.tls.peer_certificates().and_then(<[_]>::first)
    }

    /// Where what comes is added to, before [`Self::read`].
    pub(super) fn incoming(&mut self) -> &mut Vec<u8> {
        &mut self.unread
    }

    /// Deals with what came. What is to be sent is added to `outgoing`, and what the client says to `heard`. After an error
    /// `outgoing` has what tells the client the reason, and the connection is over.
    pub(super) fn read(&mut self, outgoing: &mut Vec<u8>, heard: &mut Vec<u8>) -> Result<Standing> {
        ensure!(!self.is_over, "the connection is over");
        let result = self.process(outgoing, heard);
        if result.is_err() {
            self.is_over = true;
            // The alert, if there is one, is the first that TLS wants sent.
            if let Ok(ConnectionState::EncodeTlsData(mut data)) = self.tls.process_tls_records(&mut self.unread).state {
                append(outgoing, |buffer| data.encode(buffer).map_err(too_small_to_encode))?;
            }
        }
        if self.unread.is_empty() {
            self.unread = Vec::new();
        }
        result
    }

    /// What was dealt with is removed from `unread` whatever comes of it.
    fn process(&mut self, outgoing: &mut Vec<u8>, heard: &mut Vec<u8>) -> Result<Standing> {
        loop {
            let UnbufferedStatus { discard, state } = self.tls.process_tls_records(&mut self.unread);
            let standing = state.map_err(anyhow::Error::from).and_then(|state| step(state, outgoing, heard));
            self.unread.drain(..discard);
            if let Some(standing) = standing? {
                return Ok(standing);
            }
        }
    }

    /// Adds `plain`, encrypted, to `outgoing`.
    pub(super) fn write(&mut self, plain: &[u8], outgoing: &mut Vec<u8>) -> Result<()> {
        self.speak(outgoing, |traffic, buffer| traffic.encrypt(plain, buffer))
    }

    /// Adds the word that we close to `outgoing`.
    pub(super) fn close(&mut self, outgoing: &mut Vec<u8>) -> Result<()> {
        self.speak(outgoing, |traffic, buffer| traffic.queue_close_notify(buffer))
    }

    fn speak(
        &mut self,
        outgoing: &mut Vec<u8>,
        mut what: impl FnMut(&mut WriteTraffic<'_, ServerConnectionData>, &mut [u8]) -> Result<usize, EncryptError>,
    ) -> Result<()> {
        ensure!(!self.is_over, "the connection is over");
        let UnbufferedStatus { discard, state } = self.tls.process_tls_records(&mut self.unread);
        let ConnectionState::WriteTraffic(mut traffic) = state? else {
            bail!("the connection is not open");
        };
        append(outgoing, |buffer| what(&mut traffic, buffer).map_err(too_small_to_encrypt))?;
        self.unread.drain(..discard);
        Ok(())
    }
}

/// Does what TLS wants done in a state. None where it then wants to go on at once.
#[expect(clippy::wildcard_enum_match_arm, reason = "the enum is the library's and open")]
fn step(
    state: ConnectionState<'_, '_, ServerConnectionData>,
    outgoing: &mut Vec<u8>,
    heard: &mut Vec<u8>,
) -> Result<Option<Standing>> {
    match state {
        ConnectionState::EncodeTlsData(mut data) => {
            append(outgoing, |buffer| data.encode(buffer).map_err(too_small_to_encode))?;
            Ok(None)
        }
        ConnectionState::TransmitTlsData(data) => {
            // The caller sends `outgoing` before anything else.
            data.done();
            Ok(None)
        }
        ConnectionState::ReadTraffic(mut traffic) => {
            while let Some(record) = traffic.next_record() {
                heard.extend_from_slice(record?.payload);
            }
            Ok(None)
        }
        ConnectionState::BlockedHandshake => Ok(Some(Standing::Handshake)),
        ConnectionState::WriteTraffic(_) => Ok(Some(Standing::Open)),
        ConnectionState::PeerClosed | ConnectionState::Closed => Ok(Some(Standing::Closed)),
        state => bail!("TLS is in a state that was not asked for: {state:?}"),
    }
}

/// Why `write` in [`append`] did not write.
enum NotWritten {
    TooSmall(usize),
    Other(anyhow::Error),
}

/// Makes room in `outgoing` and lets `write` fill it, which says how much it needs or has written.
fn append(outgoing: &mut Vec<u8>, mut write: impl FnMut(&mut [u8]) -> Result<usize, NotWritten>) -> Result<()> {
    let filled = outgoing.len();
    loop {
        match write(outgoing.get_mut(filled..).unwrap_or_default()) {
            Ok(written) => {
                outgoing.truncate(filled + written);
                return Ok(());
            }
            Err(NotWritten::TooSmall(needed)) if outgoing.len() < filled + needed => {
                outgoing.resize(filled + needed, 0);
            }
            Err(NotWritten::TooSmall(_)) => bail!("TLS wants more room than it said"),
            Err(NotWritten::Other(error)) => return Err(error),
        }
    }
}

fn too_small_to_encode(error: EncodeError) -> NotWritten {
    match error {
        EncodeError::InsufficientSize(InsufficientSizeError { required_size }) => NotWritten::TooSmall(required_size),
        EncodeError::AlreadyEncoded => NotWritten::Other(error.into()),
    }
}

fn too_small_to_encrypt(error: EncryptError) -> NotWritten {
    match error {
        EncryptError::InsufficientSize(InsufficientSizeError { required_size }) => NotWritten::TooSmall(required_size),
        EncryptError::EncryptExhausted => NotWritten::Other(error.into()),
    }
}
