//! A key that an ssh-agent holds: it signs, and never gives the key out. Protocol: draft-ietf-sshm-ssh-agent, of which this
//! speaks two requests. An Ed25519 signature by an agent is over the bytes themselves, so it is one that TUF knows.

use std::{
    io::{self, Read, Write},
    os::unix::net::UnixStream,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context, Result, bail};
use base64::{Engine, engine::general_purpose::STANDARD_NO_PAD};
use forewarn_trust::{KeyError, PublicKey, Signer};

/// Where the agent listens, by the name that every SSH program knows.
const SOCKET_VARIABLE: &str = "SSH_AUTH_SOCK";
/// The name of the only kind of key that is used (RFC 8709).
const ED25519: &[u8] = b"ssh-ed25519";
/// How long the agent may take. It may ask its owner, who has to find the right window.
const PATIENCE: Duration = Duration::from_secs(120);
/// The largest message in bytes, as OpenSSH has it. Stops whatever listens there from filling the memory.
const MAX_MESSAGE: usize = 256 * 1024;

const REQUEST_IDENTITIES: u8 = 11;
const IDENTITIES_ANSWER: u8 = 12;
const SIGN_REQUEST: u8 = 13;
const SIGN_RESPONSE: u8 = 14;

/// An Ed25519 key that an agent holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Identity {
    /// The public key, 32 bytes in hexadecimal.
    pub(crate) public: String,
    /// What its owner calls it: `alice@laptop`.
    pub(crate) comment: String,
    /// As `ssh-add -l` shows it: `SHA256:` and 43 characters.
    pub(crate) fingerprint: String,
}

/// A key by which the agent at `socket` signs.
pub(crate) struct AgentKey {
    public: PublicKey,
    socket: PathBuf,
}

/// Where the agent listens.
pub(crate) fn socket() -> Result<PathBuf> {
    let socket = std::env::var_os(SOCKET_VARIABLE).filter(|socket| !socket.is_empty());
    let missing = || format!("{SOCKET_VARIABLE} is not set; start an ssh-agent and add your key with ssh-add");
    socket.map(PathBuf::from).with_context(missing)
}

/// The one Ed25519 key whose fingerprint or comment is `wanted`; the only one, if nothing is wanted.
pub(crate) fn find(socket: &Path, wanted: &str) -> Result<Identity> {
    let all = identities(socket).with_context(|| format!("the ssh-agent at {}", socket.display()))?;
    let is_wanted = |key: &&Identity| wanted.is_empty() || key.fingerprint == wanted || key.comment == wanted;
    let found: Vec<&Identity> = all.iter().filter(is_wanted).collect();
    match found.as_slice() {
        [one] => Ok((*one).clone()),
        [] if all.is_empty() => bail!("the ssh-agent holds no Ed25519 key; add one with ssh-add"),
        others => {
            let keys = if others.is_empty() { all.iter().collect() } else { found.clone() };
            let lines: Vec<String> = keys.iter().map(|k| format!("{} {}", k.fingerprint, k.comment)).collect();
            bail!("{} keys of the ssh-agent fit; say which by its fingerprint: {}", others.len(), lines.join(", "))
        }
    }
}

impl AgentKey {
    pub(crate) fn new(public: PublicKey, socket: PathBuf) -> Self {
        Self { public, socket }
    }

    fn ask_to_sign(&self, message: &[u8]) -> io::Result<Vec<u8>> {
        let public = hex::decode(&self.public.public).map_err(|_| malformed("our own public key"))?;
        let mut request = vec![SIGN_REQUEST];
        put(&mut request, &blob(&public))?;
        put(&mut request, message)?;
        request.extend(0_u32.to_be_bytes());
        let answer = ask(&self.socket, &request, SIGN_RESPONSE)?;
        let mut signature = take(&mut answer.as_slice())?;
        let (kind, bytes) = (take(&mut signature)?, take(&mut signature)?);
        if kind != ED25519 || !self.public.verifies(message, bytes) {
            return Err(malformed("what it gave is not a signature by this key"));
        }
        Ok(bytes.to_vec())
    }
}

impl Signer for AgentKey {
    fn public(&self) -> PublicKey {
        self.public.clone()
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, KeyError> {
        self.ask_to_sign(message).map_err(|error| KeyError::NotSigned {
            holder: format!("the ssh-agent at {}", self.socket.display()),
            reason: format!("{error}; is the key in it? See `ssh-add -l`"),
        })
    }
}

/// The Ed25519 keys that the agent holds. Others can't sign TUF metadata of ours.
fn identities(socket: &Path) -> io::Result<Vec<Identity>> {
    let answer = ask(socket, &[REQUEST_IDENTITIES], IDENTITIES_ANSWER)?;
    let mut rest = answer.as_slice();
    let mut found = Vec::new();
    for _ in 0..number(&mut rest)? {
        let (key, comment) = (take(&mut rest)?, take(&mut rest)?);
        found.extend(identity(key, comment));
    }
    Ok(found)
}

fn identity(key: &[u8], comment: &[u8]) -> Option<Identity> {
    let mut rest = key;
    let (kind, public) = (take(&mut rest).ok()?, take(&mut rest).ok()?);
    if kind != ED25519 || public.len() != 32 {
        return None;
    }
    let digest = hex::decode(forewarn_trust::digest(key)).ok()?;
    Some(Identity {
        public: hex::encode(public),
        comment: String::from_utf8_lossy(comment).chars().filter(|c| !c.is_control()).collect(),
        fingerprint: format!("SHA256:{}", STANDARD_NO_PAD.encode(digest)),
    })
}

/// A public key as SSH writes it.
fn blob(public: &[u8]) -> Vec<u8> {
    let mut blob = Vec::with_capacity(ED25519.len() + public.len() + 8);
    // Neither is near the length at which this fails.
    let _ = put(&mut blob, ED25519).and_then(|()| put(&mut blob, public));
    blob
}

/// Sends a request and gives what follows the answer's number, which must be `expected`.
fn ask(socket: &Path, request: &[u8], expected: u8) -> io::Result<Vec<u8>> {
    let mut stream = UnixStream::connect(socket)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    let mut framed = Vec::with_capacity(request.len() + 4);
    put(&mut framed, request)?;
    stream.write_all(&framed)?;
    let mut length = [0; 4];
    stream.read_exact(&mut length)?;
    let length = u32::from_be_bytes(length) as usize;
    if !(1..=MAX_MESSAGE).contains(&length) {
        return Err(malformed("its answer is too long"));
    }
    let mut answer = vec![0; length];
    stream.read_exact(&mut answer)?;
    if answer.remove(0) != expected {
        return Err(io::Error::other("it refuses"));
    }
    Ok(answer)
}

/// Writes a length and the bytes.
fn put(message: &mut Vec<u8>, bytes: &[u8]) -> io::Result<()> {
    let too_long = || malformed("the message is too long");
    let length = u32::try_from(bytes.len()).ok().filter(|length| *length as usize <= MAX_MESSAGE);
    message.extend(length.ok_or_else(too_long)?.to_be_bytes());
    message.extend(bytes);
    Ok(())
}

fn number(rest: &mut &[u8]) -> io::Result<u32> {
    let (first, others) = rest.split_first_chunk::<4>().ok_or_else(|| malformed("its answer ends early"))?;
    *rest = others;
    Ok(u32::from_be_bytes(*first))
}

/// Reads a length and as many bytes.
fn take<'m>(rest: &mut &'m [u8]) -> io::Result<&'m [u8]> {
    let length = number(rest)? as usize;
    let (taken, others) = rest.split_at_checked(length).ok_or_else(|| malformed("its answer ends early"))?;
    *rest = others;
    Ok(taken)
}

fn malformed(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_read_as_ssh_add_shows_it() {
        // ssh-keygen -t ed25519 printed both lines for the key of 32 times 7.
        let found = identity(&blob(&[7; 32]), b"alice@laptop\x1b[1m").unwrap();
        assert_eq!(found.public, "07".repeat(32));
        assert_eq!(found.comment, "alice@laptop[1m", "a comment can't paint the terminal");
        assert!(found.fingerprint.starts_with("SHA256:") && found.fingerprint.len() == 50, "{found:?}");
    }

    #[test]
    fn what_is_no_ed25519_key_or_ends_early_is_passed_over() {
        let good = blob(&[7; 32]);
        for length in 0..good.len() {
            assert_eq!(identity(&good[..length], b""), None, "{length}");
        }
        assert_eq!(identity(&blob(&[7; 31]), b""), None);
        let mut rsa = Vec::new();
        put(&mut rsa, b"ssh-rsa").unwrap();
        put(&mut rsa, &[7; 32]).unwrap();
        assert_eq!(identity(&rsa, b""), None);
    }

    #[test]
    fn a_length_beyond_the_message_is_refused() {
        for bytes in [&b""[..], b"\0\0\0", b"\0\0\0\x02a", b"\xff\xff\xff\xffa"] {
            assert!(take(&mut &bytes[..]).is_err(), "{bytes:?}");
        }
        assert_eq!(take(&mut &b"\0\0\0\x01ab"[..]).unwrap(), b"a");
    }
}
