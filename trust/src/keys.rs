//! Ed25519 keys and their TUF names.

use aws_lc_rs::{
    digest::SHA256,
    encoding::AsDer,
    signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey},
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tough::schema::key::Key;

/// The field of a TUF key that holds its owner's name. It is part of the key id, so a name can't be exchanged.
pub(crate) const NAME_FIELD: &str = "x-forewarn-name";

/// Whoever can sign with an admin's or the server's key: the key itself, or something that holds it and never gives it
/// out, such as an ssh-agent.
pub trait Signer {
    /// The public half.
    fn public(&self) -> PublicKey;

    /// The Ed25519 signature (RFC 8032) over `message`: 64 bytes.
    ///
    /// # Errors
    /// When whoever holds the key does not sign.
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, KeyError>;

    /// The `Authorization` header of a request: `Forewarn <key id> <second> <signature>`.
    ///
    /// # Errors
    /// As [`Signer::sign`].
    fn authorize(&self, method: &str, path: &str, second: i64, body: &[u8]) -> Result<String, KeyError> {
        let signature = hex::encode(self.sign(&request_text(method, path, second, body))?);
        Ok(format!("{SIGNED}{} {second} {signature}", self.public().id()?))
    }
}

/// A private key in memory. It has no `Debug`, so that it can't be logged.
pub struct SigningKey {
    pair: Ed25519KeyPair,
    name: String,
}

/// A public key and whose it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PublicKey {
    /// The owner's name, such as `alice`.
    pub name: String,
    /// The Ed25519 public key, 32 bytes in hexadecimal.
    pub public: String,
}

/// Why a key can't be used.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The system's random source or the crypto library failed.
    #[error("a key could not be made")]
    NotMade,
    /// The PKCS#8 document holds no Ed25519 key.
    #[error("this is not an Ed25519 key in PKCS#8")]
    NotEd25519,
    /// The public key is not 32 bytes in hexadecimal.
    #[error("{name}'s public key is not 32 bytes in hexadecimal")]
    NotPublic {
        /// The owner's name.
        name: String,
    },
    /// What holds the key does not sign with it.
    #[error("{holder} does not sign: {reason}")]
    NotSigned {
        /// What holds the key: `the ssh-agent`.
        holder: String,
        /// Why not, and what to do.
        reason: String,
    },
}

impl SigningKey {
    /// Makes a new key.
    ///
    /// # Errors
    /// When the system gives no randomness.
    pub fn generate(name: &str) -> Result<Self, KeyError> {
        let pair = Ed25519KeyPair::generate().map_err(|_| KeyError::NotMade)?;
        Ok(Self { pair, name: name.to_owned() })
    }

    /// Reads a key from PKCS#8 (RFC 5958), in DER.
    ///
    /// # Errors
    /// When it holds no Ed25519 key.
    pub fn from_pkcs8(name: &str, der: &[u8]) -> Result<Self, KeyError> {
        let pair = Ed25519KeyPair::from_pkcs8(der).map_err(|_| KeyError::NotEd25519)?;
        Ok(Self { pair, name: name.to_owned() })
    }

    /// The private key in PKCS#8, in DER. Encrypt it before it goes anywhere.
    ///
    /// # Errors
    /// When the crypto library fails.
    pub fn to_pkcs8(&self) -> Result<Vec<u8>, KeyError> {
        let der = AsDer::<aws_lc_rs::encoding::Pkcs8V1Der<'_>>::as_der(&self.pair).map_err(|_| KeyError::NotMade)?;
        Ok(der.as_ref().to_vec())
    }

    /// The public half.
    pub fn public(&self) -> PublicKey {
        PublicKey { name: self.name.clone(), public: hex::encode(self.pair.public_key().as_ref()) }
    }
}

impl Signer for SigningKey {
    fn public(&self) -> PublicKey {
        self.public()
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, KeyError> {
        Ok(self.pair.sign(message).as_ref().to_vec())
    }
}

/// What an admin's name may be, in words.
pub const ADMIN_NAME: &str = "use 1 to 64 letters, digits, hyphens, dots and underscores";

/// Whether this can be an admin's name. It has no `@`, which is for people who sign in, and nothing that a terminal obeys.
pub fn is_admin_name(name: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    (1..=64).contains(&name.len()) && name.bytes().all(allowed)
}

impl PublicKey {
    /// The key as TUF metadata has it (section 4.2, keytype `ed25519`).
    pub(crate) fn to_json(&self) -> Value {
        json!({ "keytype": "ed25519", "scheme": "ed25519", "keyval": { "public": self.public }, NAME_FIELD: self.name })
    }

    /// The key itself, by which it is told from others: its hexadecimal digits, its id and its owner's name are spellings.
    ///
    /// # Errors
    /// When it is malformed.
    pub(crate) fn bytes(&self) -> Result<[u8; 32], KeyError> {
        let bytes = hex::decode(&self.public).ok().and_then(|bytes| bytes.try_into().ok());
        bytes.ok_or_else(|| KeyError::NotPublic { name: self.name.clone() })
    }

    /// Whether this is the same key, whatever it is called and however it is written.
    pub fn is_same_key(&self, other: &Self) -> bool {
        self.bytes().is_ok_and(|bytes| other.bytes().is_ok_and(|others| others == bytes))
    }

    /// The key id: SHA-256 of the key's canonical JSON, in hexadecimal.
    ///
    /// # Errors
    /// When the public key is malformed.
    pub fn id(&self) -> Result<String, KeyError> {
        let malformed = || KeyError::NotPublic { name: self.name.clone() };
        self.bytes()?;
        let key: Key = serde_json::from_value(self.to_json()).map_err(|_| malformed())?;
        Ok(hex::encode(key.key_id().map_err(|_| malformed())?))
    }

    /// Whether `signature` is this key's over `message`.
    pub fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        let public = hex::decode(&self.public).unwrap_or_default();
        UnparsedPublicKey::new(&ED25519, public).verify(message, signature).is_ok()
    }

    /// The first 16 digits of the key id in groups of four, for people to compare: `3f2a 90bc 11d4 77e0`.
    ///
    /// # Errors
    /// As [`PublicKey::id`].
    pub fn fingerprint(&self) -> Result<String, KeyError> {
        let id = self.id()?;
        Ok([&id[0..4], &id[4..8], &id[8..12], &id[12..16]].join(" "))
    }
}

/// How the `Authorization` header of a signed request begins.
pub const SIGNED: &str = "Forewarn ";

/// What an admin signs so that the server knows who asks: method, path, time in whole seconds, and the body's digest.
fn request_text(method: &str, path: &str, second: i64, body: &[u8]) -> Vec<u8> {
    format!("forewarn request\n{method}\n{path}\n{second}\n{}", digest(body)).into_bytes()
}

/// Whether `header` was made by `key` for this request; gives the second that it states.
pub(crate) fn authorized_at(header: &str, key: &Key, method: &str, path: &str, body: &[u8]) -> Option<i64> {
    let mut words = header.strip_prefix(SIGNED)?.split(' ');
    let (id, second, signature) = (words.next()?, words.next()?.parse().ok()?, hex::decode(words.next()?).ok()?);
    let Key::Ed25519 { keyval, .. } = key else {
        return None;
    };
    if hex::encode(key.key_id().ok()?) != id {
        return None;
    }
    let public = UnparsedPublicKey::new(&ED25519, keyval.public.as_ref());
    public.verify(&request_text(method, path, second, body), &signature).ok()?;
    Some(second)
}

/// Whose key it is, if the key says.
pub(crate) fn name_of(key: &Key) -> Option<String> {
    match key {
        Key::Ed25519 { _extra, .. } => _extra.get(NAME_FIELD)?.as_str().map(str::to_owned),
        Key::Rsa { .. } | Key::Ecdsa { .. } | Key::EcdsaOld { .. } => None,
    }
}

/// The public half itself; none where the key is of another kind than the admins'.
pub(crate) fn public_bytes(key: &Key) -> Option<&[u8]> {
    match key {
        Key::Ed25519 { keyval, .. } => Some(keyval.public.as_ref()),
        Key::Rsa { .. } | Key::Ecdsa { .. } | Key::EcdsaOld { .. } => None,
    }
}

/// SHA-256 in hexadecimal.
pub fn digest(bytes: &[u8]) -> String {
    hex::encode(aws_lc_rs::digest::digest(&SHA256, bytes).as_ref())
}

/// 32 random bytes in hexadecimal, for one-time secrets.
///
/// # Errors
/// When the system gives no randomness.
pub fn random_secret() -> Result<String, KeyError> {
    let mut bytes = [0; 32];
    aws_lc_rs::rand::fill(&mut bytes).map_err(|_| KeyError::NotMade)?;
    Ok(hex::encode(bytes))
}
