//! The key with which Thunderbird encrypts the names in its saved logins, as far as no primary password closes it. It is used to tell whose a login is, where a private account uses the same host; passwords are never opened.
//!
//! Source of the format: NSS's `sftkdb.c`, `lgglue` and `sdrobj` (`key4.db`: tables `metaData` and `nssPrivate`; PBES2 of RFC 8018 with PBKDF2-HMAC-SHA-256 over SHA-1 of salt and password, AES-256-CBC whose IV is its own DER encoding), `pk11sdr.c` (a login's DER), and what Thunderbird 153 wrote.

use std::io::Cursor;
use std::num::NonZeroU32;

use aws_lc_rs::cipher::{AES_256, DecryptionContext, PaddedBlockDecryptingKey, UnboundCipherKey};
use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use aws_lc_rs::iv::FixedLength;
use aws_lc_rs::pbkdf2::{PBKDF2_HMAC_SHA256, derive};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use rusqlite::{Connection, MAIN_DB, OptionalExtension as _};

/// 1.2.840.113549.1.5.13
const PBES2: &[u8] = b"\x2a\x86\x48\x86\xf7\x0d\x01\x05\x0d";
/// 2.16.840.1.101.3.4.1.42
const AES256_CBC: &[u8] = b"\x60\x86\x48\x01\x65\x03\x04\x01\x2a";
/// What NSS encrypts to know whether a password is right.
const CHECK: &[u8] = b"password-check";
/// NSS makes one round without a primary password, and 10,000 with one.
const MAX_ROUNDS: u32 = 100_000;

const INTEGER: u8 = 0x02;
const OCTETS: u8 = 0x04;
const OID: u8 = 0x06;
const SEQUENCE: u8 = 0x30;

pub(crate) struct LoginKey([u8; 32]);

impl LoginKey {
    /// The key in a `key4.db`. `None` when a primary password closes it, or it is of another kind.
    pub(crate) fn read(key4: &[u8]) -> Option<Self> {
        let mut database = Connection::open_in_memory().ok()?;
        database.deserialize_read_exact(MAIN_DB, Cursor::new(key4), key4.len(), true).ok()?;
        database.pragma_update(None, "trusted_schema", false).ok()?;
        let check = "SELECT item1, item2 FROM metaData WHERE id = 'password'";
        let pair = |row: &rusqlite::Row<'_>| Ok((row.get::<_, Vec<u8>>(0)?, row.get::<_, Vec<u8>>(1)?));
        let (salt, check) = database.query_row(check, [], pair).optional().ok()??;
        if !open_with_no_password(&salt, &check)?.starts_with(CHECK) {
            return None;
        }
        let key =
            database.query_row("SELECT a11 FROM nssPrivate", [], |row| row.get::<_, Vec<u8>>(0)).optional().ok()??;
        open_with_no_password(&salt, &key)?.try_into().ok().map(Self)
    }

    /// An encrypted login name, as it stands in `logins.json`.
    pub(crate) fn open(&self, encrypted: &str) -> Option<String> {
        let bytes = STANDARD.decode(encrypted).ok()?;
        let mut login = Der(&bytes).part(SEQUENCE)?;
        login.part(OCTETS)?;
        let mut algorithm = login.part(SEQUENCE)?;
        (algorithm.part(OID)?.0 == AES256_CBC).then_some(())?;
        let iv = algorithm.part(OCTETS)?.0.try_into().ok()?;
        String::from_utf8(decrypt(&self.0, iv, login.part(OCTETS)?.0)?).ok()
    }
}

/// Opens what is encrypted under the empty password.
fn open_with_no_password(salt: &[u8], encrypted: &[u8]) -> Option<Vec<u8>> {
    let mut whole = Der(encrypted).part(SEQUENCE)?;
    let mut algorithm = whole.part(SEQUENCE)?;
    (algorithm.part(OID)?.0 == PBES2).then_some(())?;
    let mut parameters = algorithm.part(SEQUENCE)?;
    let mut derivation = parameters.part(SEQUENCE)?;
    derivation.part(OID)?;
    let mut derivation = derivation.part(SEQUENCE)?;
    let key_salt = derivation.part(OCTETS)?.0;
    let rounds = derivation
        .part(INTEGER)?
        .0
        .iter()
        .try_fold(0_u32, |sum, byte| sum.checked_mul(256)?.checked_add((*byte).into()));
    let rounds = NonZeroU32::new(rounds?).filter(|rounds| rounds.get() <= MAX_ROUNDS)?;
    let mut cipher = parameters.part(SEQUENCE)?;
    (cipher.part(OID)?.0 == AES256_CBC).then_some(())?;
    // With the two bytes of its encoding it has the sixteen that AES needs.
    let iv = [&[OCTETS, 14], cipher.part(OCTETS)?.0].concat().try_into().ok()?;
    let password = digest(&SHA1_FOR_LEGACY_USE_ONLY, salt);
    let mut key = [0; 32];
    derive(PBKDF2_HMAC_SHA256, rounds, key_salt, password.as_ref(), &mut key);
    decrypt(&key, iv, whole.part(OCTETS)?.0)
}

fn decrypt(key: &[u8; 32], iv: [u8; 16], text: &[u8]) -> Option<Vec<u8>> {
    let key = PaddedBlockDecryptingKey::cbc_pkcs7(UnboundCipherKey::new(&AES_256, key).ok()?).ok()?;
    let mut text = text.to_vec();
    Some(key.decrypt(&mut text, DecryptionContext::Iv128(FixedLength::from(iv))).ok()?.to_vec())
}

/// Parts of a DER encoding (X.690), one after the other; as much of it as these formats use.
struct Der<'a>(&'a [u8]);

impl<'a> Der<'a> {
    /// The next part, if it has this tag.
    fn part(&mut self, tag: u8) -> Option<Der<'a>> {
        let (&found, rest) = self.0.split_first()?;
        let (&first, rest) = rest.split_first()?;
        let (length, rest) = match first {
            0..=0x7f => (usize::from(first), rest),
            0x81 => (usize::from(*rest.first()?), rest.get(1..)?),
            0x82 => (usize::from(*rest.first()?) << 8 | usize::from(*rest.get(1)?), rest.get(2..)?),
            _ => return None,
        };
        let (part, rest) = rest.split_at_checked(length)?;
        self.0 = rest;
        (found == tag).then_some(Der(part))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PROFILE: &str =
        concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/thunderbird-two-accounts/5ee0q7cw.default-default");

    #[test]
    fn the_names_in_a_real_profile_are_read() {
        let key = LoginKey::read(&fs_err::read(format!("{PROFILE}/key4.db")).unwrap()).unwrap();
        let logins: serde_json::Value =
            serde_json::from_slice(&fs_err::read(format!("{PROFILE}/logins.json")).unwrap()).unwrap();
        let names: Vec<_> = logins["logins"]
            .as_array()
            .unwrap()
            .iter()
            .map(|login| key.open(login["encryptedUsername"].as_str().unwrap()).unwrap())
            .collect();
        assert_eq!(names, ["me@private.example", "me@private.example", "me@corp.example", "me@corp.example"]);
    }

    #[test]
    fn what_is_closed_or_broken_gives_nothing() {
        assert!(LoginKey::read(b"").is_none() && LoginKey::read(b"SQLite format 3\0").is_none());
        let whole = fs_err::read(format!("{PROFILE}/key4.db")).unwrap();
        assert!(LoginKey::read(&whole[..whole.len() / 2]).is_none());
        // Another salt is what another password looks like.
        assert_eq!(open_with_no_password(b"another", &[]), None);
        let key = LoginKey::read(&whole).unwrap();
        assert_eq!((key.open(""), key.open("MFMEEPgA"), key.open("%")), (None, None, None));
        assert_eq!(LoginKey([0; 32]).open("MFMEEPgAAAAAAAAAAAAAAAAAAAEwHQYJYIZIAWUDBAEqBBCGW/4XksP3vNr2Prkn1TpKBCCnewlilBDbt8iS/bwcLHNSmJz/0BXRUtN1hBAKJjM1Tw=="), None);
    }
}
