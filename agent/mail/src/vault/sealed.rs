//! Contents as they are on the disk: encrypted, and bound to the person, entry and label under which they were kept.
//!
//! A sealed content is `FWV1`, the key's id (8 bytes), the nonce (12 bytes), and AES-256-GCM-SIV's ciphertext and tag (RFC 8452). What it is bound to is the associated data.

use aws_lc_rs::aead::{AES_256_GCM_SIV, Aad, Nonce, RandomizedNonceKey};
use sha2::{Digest as _, Sha256};

const MAGIC: &[u8; 4] = b"FWV1";
const ID_BYTES: usize = 8;
const NONCE_BYTES: usize = 12;
const HEAD_BYTES: usize = MAGIC.len() + ID_BYTES + NONCE_BYTES;

/// The length of a vault's key, in bytes.
pub const KEY_BYTES: usize = 32;

/// The keys of this device's vaults: one that seals, and all that open.
pub struct Keys {
    current: Key,
    former: Vec<Key>,
}

struct Key {
    id: [u8; ID_BYTES],
    key: RandomizedNonceKey,
}

/// The bytes aren't what was sealed, or not with a key that is here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NotOpened {
    UnknownKey,
    Damaged,
}

impl Keys {
    /// Seals with `current`; opens what that or one of the `former` sealed.
    pub fn new(current: &[u8; KEY_BYTES], former: &[[u8; KEY_BYTES]]) -> Self {
        Self { current: Key::new(current), former: former.iter().map(Key::new).collect() }
    }

    pub(crate) fn seal(&self, bound: &[u8], bytes: &[u8]) -> Result<Vec<u8>, NotOpened> {
        let mut text = bytes.to_vec();
        let sealed = self.current.key.seal_in_place_append_tag(Aad::from(bound), &mut text);
        let nonce = sealed.map_err(|_| NotOpened::Damaged)?;
        Ok([&MAGIC[..], &self.current.id, nonce.as_ref(), &text].concat())
    }

    pub(crate) fn open(&self, bound: &[u8], sealed: &[u8]) -> Result<Vec<u8>, NotOpened> {
        let (head, text) = sealed.split_at_checked(HEAD_BYTES).ok_or(NotOpened::Damaged)?;
        let rest = head.strip_prefix(MAGIC).ok_or(NotOpened::Damaged)?;
        let (id, nonce) = rest.split_at(ID_BYTES);
        let key = [&self.current].into_iter().chain(&self.former).find(|key| key.id == id);
        let key = key.ok_or(NotOpened::UnknownKey)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| NotOpened::Damaged)?;
        let mut text = text.to_vec();
        let plain = key.key.open_in_place(nonce, Aad::from(bound), &mut text).map_err(|_| NotOpened::Damaged)?.len();
        text.truncate(plain);
        Ok(text)
    }
}

impl Key {
    fn new(bytes: &[u8; KEY_BYTES]) -> Self {
        let digest = Sha256::new().chain_update(b"forewarn vault key id").chain_update(bytes).finalize();
        let mut id = [0; ID_BYTES];
        id.copy_from_slice(&digest[..ID_BYTES]);
        #[expect(clippy::expect_used, reason = "the key's type has the cipher's length")]
        let key = RandomizedNonceKey::new(&AES_256_GCM_SIV, bytes).expect("32 bytes are a key");
        Self { id, key }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_content_opens_only_where_it_was_kept_and_unchanged() {
        let keys = Keys::new(&[1; 32], &[]);
        let sealed = keys.seal(b"me", b"secret").unwrap();
        assert!(!sealed.windows(6).any(|window| window == b"secret"));
        assert_ne!(sealed, keys.seal(b"me", b"secret").unwrap(), "a nonce is used once");
        assert_eq!(keys.open(b"me", &sealed).unwrap(), b"secret");
        assert_eq!(keys.open(b"you", &sealed), Err(NotOpened::Damaged));
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert!(keys.open(b"me", &changed).is_err(), "{at}");
            assert!(keys.open(b"me", &sealed[..at]).is_err(), "{at}");
        }
    }

    #[test]
    fn a_former_key_opens_and_an_unknown_one_does_not() {
        let old = Keys::new(&[1; 32], &[]).seal(b"", b"x").unwrap();
        let keys = Keys::new(&[2; 32], &[[1; 32]]);
        assert_eq!(keys.open(b"", &old).unwrap(), b"x");
        assert_eq!(Keys::new(&[2; 32], &[]).open(b"", &old), Err(NotOpened::UnknownKey));
        assert_eq!(Keys::new(&[1; 32], &[]).open(b"", &keys.seal(b"", b"y").unwrap()), Err(NotOpened::UnknownKey));
    }
}
