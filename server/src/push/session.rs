//! TLS without a socket: bytes in, bytes out. It keeps no buffers between two calls, so that a device that only listens
//! costs the server little more than its keys.

use std::sync::Arc;

use anyhow::{Result, bail};
use rustls::{
    ServerConfig,
    pki_types::CertificateDer,
    server::UnbufferedServerConnection,
    unbuffered::{ConnectionState, EncodeError, EncryptError, InsufficientSizeError, UnbufferedStatus},
};

/// The server's side of one TLS connection.
pub(super) struct Session(Box<UnbufferedServerConnection>);

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
        Ok(Self(Box::new(UnbufferedServerConnection::new(config)?)))
    }

    /// The certificate that the client proved to hold the key of.
    pub(super) fn peer(&self) -> Option<&CertificateDer<'static>> {
        self.0.peer_certificates().and_then(<[_]>::first)
    }

    /// Takes what came from `incoming`; a part of a record stays in it for the next call. What is to be sent is added to
    /// `outgoing`, and what the client says to `heard`. After an error `outgoing` has what tells the client the reason.
    pub(super) fn read(
        &mut self,
        incoming: &mut Vec<u8>,
        outgoing: &mut Vec<u8>,
        heard: &mut Vec<u8>,
    ) -> Result<Standing> {
        let result = self.process(incoming, outgoing, heard);
        if result.is_err() {
            // The alert is queued. Processing nothing yields it, and then the same error again.
            let _ = self.process(&mut Vec::new(), outgoing, heard);
        }
        result
    }

    fn process(&mut self, incoming: &mut Vec<u8>, outgoing: &mut Vec<u8>, heard: &mut Vec<u8>) -> Result<Standing> {
        let mut done = 0;
        let standing = loop {
            let UnbufferedStatus { discard, state } = self.0.process_tls_records(&mut incoming[done..]);
            let standing = match state? {
                ConnectionState::EncodeTlsData(mut data) => {
                    append(outgoing, |buffer| data.encode(buffer).map_err(too_small_to_encode))?;
                    None
                }
                ConnectionState::TransmitTlsData(data) => {
                    // The caller sends `outgoing` before anything else.
                    data.done();
                    None
                }
                ConnectionState::ReadTraffic(mut traffic) => {
                    while let Some(record) = traffic.next_record() {
                        heard.extend_from_slice(record?.payload);
                    }
                    None
                }
                ConnectionState::BlockedHandshake => Some(Standing::Handshake),
                ConnectionState::WriteTraffic(_) => Some(Standing::Open),
                ConnectionState::PeerClosed | ConnectionState::Closed => Some(Standing::Closed),
                state => bail!("TLS is in a state that was not asked for: {state:?}"),
            };
            done += discard;
            if let Some(standing) = standing {
                break standing;
            }
        };
        incoming.drain(..done);
        Ok(standing)
    }

    /// Adds `plain`, encrypted, to `outgoing`.
    pub(super) fn write(&mut self, plain: &[u8], outgoing: &mut Vec<u8>) -> Result<()> {
        let ConnectionState::WriteTraffic(mut traffic) = self.0.process_tls_records(&mut []).state? else {
            bail!("the connection is not open");
        };
        append(outgoing, |buffer| traffic.encrypt(plain, buffer).map_err(too_small_to_encrypt))
    }

    /// Adds the word that we close to `outgoing`.
    pub(super) fn close(&mut self, outgoing: &mut Vec<u8>) -> Result<()> {
        let ConnectionState::WriteTraffic(mut traffic) = self.0.process_tls_records(&mut []).state? else {
            return Ok(());
        };
        append(outgoing, |buffer| traffic.queue_close_notify(buffer).map_err(too_small_to_encrypt))
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
