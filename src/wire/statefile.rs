//! The state file: what a run of the daemon leaves for the next one, if it ends without warning.
//!
//! The file is mapped into memory and written with plain stores, so a run may end between any two of
//! them. Each record has a checksum, and a record that does not match it does not exist.
//!
//! ```text
//! head     magic, version, boot id (4), device (2), inode (2), checksum, 5 unused
//! record   kind and values, key (3), interval or number, time (2), checksum
//! ```
//!
//! All words have 32 bits in the byte order of the host, which no reader outlives: the head names the
//! boot, and the file itself, so that neither a restart of the host nor a copy is believed.

use sha2::{Digest as _, Sha256};

use crate::base::time::Duration;

/// Words of a record.
pub const RECORD: usize = 8;
/// Words of the head.
pub const HEAD: usize = 16;

const MAGIC: u32 = u32::from_be_bytes(*b"KaRs");
/// Another layout has another number.
const VERSION: u32 = 1;

/// One boot of the host, and one file on it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Identity {
    pub boot: [u32; 4],
    pub device: u64,
    pub inode: u64,
}

/// Why a file is of no use.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Refusal {
    Short,
    Format,
    Version(u32),
    Boot,
    Copy,
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Short => f.write_str("it is truncated"),
            Self::Format => f.write_str("it is no state file, or it is damaged"),
            Self::Version(version) => write!(f, "it has version {version}, this is {VERSION}"),
            Self::Boot => f.write_str("it is from before the host was booted"),
            Self::Copy => f.write_str("it is a copy"),
        }
    }
}

/// What a record is about: a digest of the names in the configuration.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Key([u32; 3]);

impl Key {
    /// Their lengths count, so that `ab`, `c` differs from `a`, `bc`.
    pub fn of(parts: &[&str]) -> Self {
        let mut digest = Sha256::new();
        for part in parts {
            digest.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_ne_bytes());
            digest.update(part);
        }
        let digest = digest.finalize();
        let mut words =
            digest.chunks_exact(4).map(|c| u32::from_ne_bytes([c[0], c[1], c[2], c[3]]));
        Self(std::array::from_fn(|_| words.next().unwrap_or_default()))
    }
}

/// What is known of an object.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Value {
    /// A virtual router is MASTER: its interval, and the time of its last advertisement by
    /// CLOCK_MONOTONIC.
    Master { interval: Duration, advertised: Duration },
    /// A tracked script, or a real server.
    Verdict { is_up: bool },
    /// The last sequence number of authenticated advertisements.
    Sequence(u64),
    /// An operator ordered something, with this number, until this time by CLOCK_MONOTONIC.
    Order { code: OrderCode, number: u32, until: Option<Duration> },
}

/// What an operator orders.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum OrderCode {
    Priority,
    Failover,
    Maintenance,
    Drain,
    Disable,
    Weight,
}

impl OrderCode {
    const ALL: [Self; 6] = [
        Self::Priority,
        Self::Failover,
        Self::Maintenance,
        Self::Drain,
        Self::Disable,
        Self::Weight,
    ];
}

const MASTER: u32 = 1;
const VERDICT: u32 = 2;
const SEQUENCE: u32 = 3;
const ORDER: u32 = 4;
/// The end of an order that has none.
const NEVER: u64 = u64::MAX;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Record {
    pub key: Key,
    pub value: Value,
}

impl Record {
    pub fn words(&self) -> [u32; RECORD] {
        let Key([a, b, c]) = self.key;
        let (kind, interval, time) = match self.value {
            Value::Master { interval, advertised } => {
                (MASTER, micros(interval), micros(advertised))
            }
            Value::Sequence(last) => (SEQUENCE, 0, last),
            Value::Order { code, number, until } => {
                let until = until.map_or(NEVER, micros);
                (ORDER | (code as u32) << 8, number.into(), until)
            }
            Value::Verdict { is_up } => (VERDICT | u32::from(is_up) << 8, 0, 0),
        };
        let interval = u32::try_from(interval).unwrap_or(u32::MAX);
        let mut words = [kind, a, b, c, interval, low(time), high(time), 0];
        words[RECORD - 1] = checksum(&words[..RECORD - 1]);
        words
    }

    /// `None` where there is no record.
    pub fn parse(words: &[u32; RECORD]) -> Option<Self> {
        let [kind, a, b, c, interval, time_low, time_high, sum] = *words;
        if sum != checksum(&words[..RECORD - 1]) {
            return None;
        }
        let value = match (kind & 0xff, kind >> 8) {
            (MASTER, 0) => Value::Master {
                interval: Duration::from_micros(interval.into()),
                advertised: Duration::from_micros(joined(time_low, time_high)),
            },
            (SEQUENCE, 0) => Value::Sequence(joined(time_low, time_high)),
            (VERDICT, up @ 0..=1) => Value::Verdict { is_up: up == 1 },
            (ORDER, code) => Value::Order {
                code: *OrderCode::ALL.get(code as usize)?,
                number: interval,
                until: Some(joined(time_low, time_high))
                    .filter(|until| *until != NEVER)
                    .map(Duration::from_micros),
            },
            _ => return None,
        };
        Some(Self { key: Key([a, b, c]), value })
    }
}

pub fn head(identity: &Identity) -> [u32; HEAD] {
    let Identity { boot: [a, b, c, d], device, inode } = *identity;
    let (device, inode) = ([low(device), high(device)], [low(inode), high(inode)]);
    let mut words = [0; HEAD];
    words[..10]
        .copy_from_slice(&[MAGIC, VERSION, a, b, c, d, device[0], device[1], inode[0], inode[1]]);
    words[10] = checksum(&words[..10]);
    words
}

/// The records of a whole file.
///
/// # Errors
/// The file is not of this boot, or not this file, or damaged.
pub fn parse(bytes: &[u8], identity: &Identity) -> Result<Vec<Record>, Refusal> {
    let words = bytes.chunks_exact(4);
    let rest = words.remainder();
    let words: Vec<u32> =
        words.map(|word| u32::from_ne_bytes([word[0], word[1], word[2], word[3]])).collect();
    let (found, records) = words.split_first_chunk::<HEAD>().ok_or(Refusal::Short)?;
    let expected = head(identity);
    if found[0] != MAGIC || found[10] != checksum(&found[..10]) {
        return Err(Refusal::Format);
    } else if found[1] != VERSION {
        return Err(Refusal::Version(found[1]));
    } else if found[2..6] != expected[2..6] {
        return Err(Refusal::Boot);
    } else if found[6..10] != expected[6..10] {
        return Err(Refusal::Copy);
    }
    let records = records.chunks_exact(RECORD);
    if !records.remainder().is_empty() || !rest.is_empty() {
        return Err(Refusal::Short);
    }
    Ok(records.filter_map(|words| Record::parse(words.first_chunk()?)).collect())
}

fn micros(span: Duration) -> u64 {
    u64::try_from(span.as_micros()).unwrap_or(u64::MAX)
}

fn low(n: u64) -> u32 {
    (n & u64::from(u32::MAX)) as u32
}

fn high(n: u64) -> u32 {
    low(n >> 32)
}

fn joined(low: u32, high: u32) -> u64 {
    u64::from(high) << 32 | u64::from(low)
}

/// FNV-1a by words. It finds a write that was cut off; it is no protection against forgery, which
/// takes the rights of the daemon. Zeros do not match it.
fn checksum(words: &[u32]) -> u32 {
    words.iter().fold(0x811c_9dc5, |sum, word| (sum ^ word).wrapping_mul(0x0100_0193))
}

#[cfg(test)]
mod tests {
    use super::*;

    const IDENTITY: Identity = Identity { boot: [1, 2, 3, 4], device: 5 << 33, inode: u64::MAX };

    fn records() -> Vec<Record> {
        let advertised = Duration::from_secs(1 << 33);
        let master = Value::Master { interval: Duration::from_millis(10), advertised };
        let sequence = Value::Sequence(u64::MAX - 7);
        let until = Some(Duration::from_secs(9));
        let orders = [
            Value::Order { code: OrderCode::Weight, number: u32::MAX, until: None },
            Value::Order { code: OrderCode::Maintenance, number: 0, until },
        ];
        [master, Value::Verdict { is_up: true }, Value::Verdict { is_up: false }, sequence]
            .into_iter()
            .chain(orders)
            .zip(["a", "b", "c", "d", "e", "f"])
            .map(|(value, name)| Record { key: Key::of(&["vrrp", name]), value })
            .collect()
    }

    fn file() -> Vec<u8> {
        let words = records().into_iter().flat_map(|record| record.words());
        head(&IDENTITY).into_iter().chain(words).flat_map(u32::to_ne_bytes).collect()
    }

    #[test]
    fn a_file_is_read_as_it_was_written() {
        assert_eq!(parse(&file(), &IDENTITY), Ok(records()));
        let zeros = [0; 4 * RECORD];
        assert_eq!(parse(&[&file()[..], &zeros].concat(), &IDENTITY), Ok(records()));
    }

    #[test]
    fn another_boot_or_another_file_is_refused() {
        let other = Identity { boot: [1, 2, 3, 5], ..IDENTITY };
        assert_eq!(parse(&file(), &other), Err(Refusal::Boot));
        for copy in [Identity { device: 5, ..IDENTITY }, Identity { inode: 7, ..IDENTITY }] {
            assert_eq!(parse(&file(), &copy), Err(Refusal::Copy));
        }
        let mut newer = head(&IDENTITY);
        newer[1] = 2;
        newer[10] = checksum(&newer[..10]);
        let newer: Vec<u8> = newer.into_iter().flat_map(u32::to_ne_bytes).collect();
        assert_eq!(parse(&newer, &IDENTITY), Err(Refusal::Version(2)));
    }

    #[test]
    fn a_truncated_file_is_refused_or_has_fewer_records() {
        let all = records();
        for len in 0..file().len() {
            match parse(&file()[..len], &IDENTITY) {
                Ok(found) => assert_eq!(found, all[..found.len()], "{len}"),
                Err(refusal) => assert_eq!(refusal, Refusal::Short, "{len}"),
            }
        }
    }

    #[test]
    fn a_flipped_bit_never_makes_up_a_record() {
        let (file, all) = (file(), records());
        for bit in 0..file.len() * 8 {
            let mut damaged = file.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            if let Ok(found) = parse(&damaged, &IDENTITY) {
                assert!(found.iter().all(|record| all.contains(record)), "bit {bit}");
                assert!(found.len() >= all.len() - 1, "bit {bit}");
            }
        }
    }

    #[test]
    fn names_are_told_apart() {
        assert_ne!(Key::of(&["ab", "c"]), Key::of(&["a", "bc"]));
        assert_ne!(Key::of(&["a"]), Key::of(&["a", ""]));
    }
}
