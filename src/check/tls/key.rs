//! Private keys, also those that a password protects: as OpenSSL writes them today (PKCS #8, RFC
//! 5958, with RFC 8018) and as it used to (headers inside the PEM, RFC 1421).

use std::num::NonZeroU32;

use cbc::cipher::block_padding::Pkcs7;
use cbc::cipher::{BlockModeDecrypt, KeyIvInit};
use md5::{Digest, Md5};
use ring::pbkdf2::{self, Algorithm};
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs1KeyDer, PrivatePkcs8KeyDer, PrivateSec1KeyDer};

/// More rounds would keep VRRP waiting at a reload. OpenSSL makes 2048.
const MOST_ROUNDS: u32 = 200_000;

const AGAIN: &str = "write it again: openssl pkcs8 -topk8 -v2 aes-256-cbc";

/// The first key of a file. `Err` says what is wrong with it.
pub(super) fn private_key(
    text: &[u8],
    password: Option<&str>,
) -> Result<PrivateKeyDer<'static>, String> {
    let text = String::from_utf8_lossy(text);
    let Some(lock) = Lock::of(&text)? else { return parse(&text) };
    let Some(password) = password else {
        return Err("it needs a password: give it with 'password' in the SSL block".to_owned());
    };
    let clear = match lock {
        Lock::Pkcs8(text) => {
            let locked = parse(&text)?;
            let clear = open_pkcs8(locked.secret_der(), password.as_bytes())?;
            PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(clear))
        }
        Lock::Headers { text, cipher, iv } => {
            let locked = parse(&text)?;
            let key = old_key(password.as_bytes(), &iv, cipher.key_length());
            let clear = cipher.decrypt(&key, &iv, locked.secret_der())?;
            match locked {
                PrivateKeyDer::Pkcs1(_) => PrivateKeyDer::Pkcs1(PrivatePkcs1KeyDer::from(clear)),
                _ => PrivateKeyDer::Sec1(PrivateSec1KeyDer::from(clear)),
            }
        }
    };
    // With a wrong password, one time in 256 something comes out that ends as it should.
    match clear.secret_der().first() {
        Some(&SEQUENCE) => Ok(clear),
        _ => Err(WRONG.to_owned()),
    }
}

const WRONG: &str = "the password is wrong, or the file is damaged";

fn parse(text: &str) -> Result<PrivateKeyDer<'static>, String> {
    PrivateKeyDer::from_pem_slice(text.as_bytes()).map_err(|e| match e {
        pem::Error::NoItemsFound => "there is none in the file".to_owned(),
        other => other.to_string(),
    })
}

/// How a key is locked, with PEM text that has it in the place of one that is not.
enum Lock {
    Pkcs8(String),
    Headers { text: String, cipher: Cipher, iv: Vec<u8> },
}

impl Lock {
    /// `None` when the first key is not locked, or there is none.
    fn of(text: &str) -> Result<Option<Self>, String> {
        let begins =
            |line: &str| line.starts_with("-----BEGIN ") && line.ends_with("PRIVATE KEY-----");
        let mut lines = text.lines().map(str::trim).skip_while(|line| !begins(line));
        let Some(first) = lines.next() else { return Ok(None) };
        let rest: Vec<_> = lines.take_while(|line| !line.starts_with("-----END ")).collect();
        let pem = |begin: &str, body: &[&str]| {
            format!("{begin}\n{}\n{}\n", body.join("\n"), begin.replace("BEGIN", "END"))
        };
        if first.contains(" ENCRYPTED ") {
            return Ok(Some(Self::Pkcs8(pem("-----BEGIN PRIVATE KEY-----", &rest))));
        }
        if rest.first() != Some(&"Proc-Type: 4,ENCRYPTED") {
            return Ok(None);
        }
        let info = rest.iter().find_map(|line| line.strip_prefix("DEK-Info: ")).unwrap_or_default();
        let (name, iv) = info.split_once(',').unwrap_or((info, ""));
        let cipher = Cipher::named(name).ok_or_else(|| {
            format!("it is encrypted with '{name}', which is not supported; {AGAIN}")
        })?;
        let iv = hex(iv).filter(|iv| iv.len() >= 8).ok_or_else(|| WRONG.to_owned())?;
        // The headers end with an empty line.
        let body = rest.iter().position(|line| line.is_empty()).map_or(&[][..], |at| &rest[at..]);
        Ok(Some(Self::Headers { text: pem(first, body), cipher, iv }))
    }
}

fn hex(text: &str) -> Option<Vec<u8>> {
    let digits = text.bytes().map(|b| char::from(b).to_digit(16)).collect::<Option<Vec<_>>>()?;
    let byte = |pair: &[u32]| u8::try_from(pair.iter().fold(0, |n, digit| n * 16 + digit)).ok();
    digits.chunks(2).map(byte).collect()
}

/// How OpenSSL made a key of a password before PKCS #8: the initial vector is the salt.
fn old_key(password: &[u8], iv: &[u8], length: usize) -> Vec<u8> {
    let (mut key, mut last) = (Vec::new(), Vec::new());
    while key.len() < length {
        let salt = &iv[..iv.len().min(8)];
        let digest = Md5::new().chain_update(&last).chain_update(password).chain_update(salt);
        last = digest.finalize().to_vec();
        key.extend_from_slice(&last);
    }
    key.truncate(length);
    key
}

#[derive(Clone, Copy)]
enum Cipher {
    Aes128,
    Aes192,
    Aes256,
    TripleDes,
}

impl Cipher {
    fn named(name: &str) -> Option<Self> {
        Some(match name {
            "AES-128-CBC" => Self::Aes128,
            "AES-192-CBC" => Self::Aes192,
            "AES-256-CBC" => Self::Aes256,
            "DES-EDE3-CBC" => Self::TripleDes,
            _ => return None,
        })
    }

    fn of_oid(oid: &[u8]) -> Option<Self> {
        Some(match oid {
            [0x60, 0x86, 0x48, 1, 0x65, 3, 4, 1, 2] => Self::Aes128,
            [0x60, 0x86, 0x48, 1, 0x65, 3, 4, 1, 0x16] => Self::Aes192,
            [0x60, 0x86, 0x48, 1, 0x65, 3, 4, 1, 0x2a] => Self::Aes256,
            [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 3, 7] => Self::TripleDes,
            _ => return None,
        })
    }

    const fn key_length(self) -> usize {
        match self {
            Self::Aes128 => 16,
            Self::Aes192 | Self::TripleDes => 24,
            Self::Aes256 => 32,
        }
    }

    fn decrypt(self, key: &[u8], iv: &[u8], data: &[u8]) -> Result<Vec<u8>, String> {
        fn cbc<C: KeyIvInit + BlockModeDecrypt>(
            key: &[u8],
            iv: &[u8],
            data: &[u8],
        ) -> Option<Vec<u8>> {
            C::new_from_slices(key, iv).ok()?.decrypt_padded_vec::<Pkcs7>(data).ok()
        }
        let clear = match self {
            Self::Aes128 => cbc::<cbc::Decryptor<aes::Aes128>>(key, iv, data),
            Self::Aes192 => cbc::<cbc::Decryptor<aes::Aes192>>(key, iv, data),
            Self::Aes256 => cbc::<cbc::Decryptor<aes::Aes256>>(key, iv, data),
            Self::TripleDes => cbc::<cbc::Decryptor<des::TdesEde3>>(key, iv, data),
        };
        clear.ok_or_else(|| WRONG.to_owned())
    }
}

const SEQUENCE: u8 = 0x30;
const OID: u8 = 0x06;
const OCTETS: u8 = 0x04;
const INTEGER: u8 = 0x02;

/// `EncryptedPrivateKeyInfo` of RFC 5958, section 3.
fn open_pkcs8(der: &[u8], password: &[u8]) -> Result<Vec<u8>, String> {
    let unknown = || format!("it is encrypted in a way that is not supported; {AGAIN}");
    let locked = Locked::parse(der).ok_or_else(unknown)?;
    if locked.rounds.get() > MOST_ROUNDS {
        let rounds = locked.rounds;
        return Err(format!(
            "its password takes {rounds} rounds, at most {MOST_ROUNDS} are supported; {AGAIN}"
        ));
    }
    let mut key = vec![0; locked.cipher.key_length()];
    pbkdf2::derive(locked.algorithm, locked.rounds, locked.salt, password, &mut key);
    locked.cipher.decrypt(&key, locked.iv, locked.data)
}

/// What is inside, with PBES2 and PBKDF2 (RFC 8018, A.2 and A.4).
struct Locked<'a> {
    algorithm: Algorithm,
    salt: &'a [u8],
    rounds: NonZeroU32,
    cipher: Cipher,
    iv: &'a [u8],
    data: &'a [u8],
}

impl<'a> Locked<'a> {
    fn parse(der: &'a [u8]) -> Option<Self> {
        const PBES2: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 5, 0x0d];
        const PBKDF2: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 5, 0x0c];
        let mut outer = Der(der).sequence()?;
        let mut scheme = outer.sequence()?;
        let data = outer.value(OCTETS)?;
        let mut inner = (scheme.value(OID)? == PBES2).then(|| scheme.sequence())??;
        let (mut derivation, mut cipher) = (inner.sequence()?, inner.sequence()?);
        let mut how = (derivation.value(OID)? == PBKDF2).then(|| derivation.sequence())??;
        let salt = how.value(OCTETS)?;
        let rounds = number(how.value(INTEGER)?)?;
        // The length of the key may be given, and is that of the cipher.
        let _ = how.value(INTEGER);
        let algorithm = match how.sequence() {
            Some(mut function) => hmac(function.value(OID)?)?,
            None => pbkdf2::PBKDF2_HMAC_SHA1,
        };
        let (cipher, iv) = (Cipher::of_oid(cipher.value(OID)?)?, cipher.value(OCTETS)?);
        Some(Self { algorithm, salt, rounds, cipher, iv, data })
    }
}

fn number(bytes: &[u8]) -> Option<NonZeroU32> {
    let n = bytes.iter().try_fold(0_u32, |n, b| n.checked_mul(256)?.checked_add(u32::from(*b)))?;
    NonZeroU32::new(n)
}

fn hmac(oid: &[u8]) -> Option<Algorithm> {
    Some(match oid.strip_prefix(&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 2])? {
        [7] => pbkdf2::PBKDF2_HMAC_SHA1,
        [9] => pbkdf2::PBKDF2_HMAC_SHA256,
        [10] => pbkdf2::PBKDF2_HMAC_SHA384,
        [11] => pbkdf2::PBKDF2_HMAC_SHA512,
        _ => return None,
    })
}

/// What is left of a sequence.
struct Der<'a>(&'a [u8]);

impl<'a> Der<'a> {
    /// The next value, if it has this tag; otherwise it stays where it is.
    fn value(&mut self, tag: u8) -> Option<&'a [u8]> {
        let (first, rest) = self.0.split_first()?;
        let (length, rest) = rest.split_first()?;
        let (length, rest) = match *length {
            short @ ..=0x7f => (usize::from(short), rest),
            long @ 0x81..=0x84 => {
                let (bytes, rest) = rest.split_at_checked(usize::from(long & 0x7f))?;
                (bytes.iter().fold(0, |n, b| n << 8 | usize::from(*b)), rest)
            }
            _ => return None,
        };
        let (value, rest) = (*first == tag).then(|| rest.split_at_checked(length))??;
        self.0 = rest;
        Some(value)
    }

    fn sequence(&mut self) -> Option<Self> {
        self.value(SEQUENCE).map(Der)
    }
}

#[cfg(test)]
mod tests;
