//! The last resort: removes the daemon's addresses from the kernel when nothing else works any
//! more.
//!
//! An address that stays behind a daemon that died means two masters. So the message that removes
//! it is prepared while the address exists, in memory that a signal handler can read at any time. A
//! failed allocation and a stack overflow end in SIGABRT and SIGSEGV, which cannot be unwound.

mod handler;

use std::io;
use std::net::IpAddr;
use std::os::fd::AsRawFd;
use std::sync::atomic::{AtomicU32, Ordering};

use netlink_sys::{protocols::NETLINK_ROUTE, Socket};

use super::netlink::removal;
use crate::base::addr::Prefix;
use crate::base::sorted::SortedMap;

/// Prepared messages, by keys of the caller. One of them at most can be [`Rescue::arm`]ed.
pub struct Rescue<K> {
    socket: Socket,
    table: Box<[Message]>,
    places: SortedMap<K, u32>,
    /// Places below `used` that hold nothing.
    free: Vec<usize>,
    used: usize,
    armed: bool,
}

/// The longest message, for IPv6, has 44 bytes.
const WORDS: usize = 11;

/// One message, or nothing where the first word is zero: it holds the length. Words rather than
/// bytes, so that a signal may come while one is written; of 32 bits, as some routers have no
/// longer atomics.
#[derive(Default)]
struct Message([AtomicU32; WORDS]);

impl Message {
    fn put(&self, bytes: &[u8]) {
        let mut words = [0; WORDS];
        for (word, chunk) in words.iter_mut().zip(bytes.chunks(4)) {
            let mut full = [0; 4];
            full[..chunk.len()].copy_from_slice(chunk);
            *word = u32::from_ne_bytes(full);
        }
        self.clear();
        for (to, word) in self.0.iter().zip(words).skip(1) {
            to.store(word, Ordering::Release);
        }
        self.0[0].store(words[0], Ordering::Release);
    }

    fn clear(&self) {
        self.0[0].store(0, Ordering::Release);
    }

    fn words(&self) -> [u32; WORDS] {
        std::array::from_fn(|n| self.0[n].load(Ordering::Acquire))
    }
}

impl<K: Ord> Rescue<K> {
    /// # Errors
    /// No socket is available.
    pub fn open() -> io::Result<Self> {
        let mut socket = Socket::new(NETLINK_ROUTE)?;
        socket.bind_auto()?;
        Ok(Self {
            socket,
            table: Box::default(),
            places: SortedMap::default(),
            free: Vec::new(),
            used: 0,
            armed: false,
        })
    }

    /// From now on, a signal that indicates a defect removes the held addresses, and then ends the
    /// process as usual. A line is written to standard error and, with `syslog`, to syslog.
    ///
    /// # Errors
    /// The kernel has no memory for the stack of the handler.
    pub fn arm(&mut self, syslog: bool) -> io::Result<()> {
        self.armed = true;
        self.publish();
        handler::install(syslog)
    }

    /// The same for a daemon that is started again at once and goes on where it was: nothing is
    /// removed, and a line is written.
    ///
    /// # Errors
    /// The kernel has no memory for the stack of the handler.
    pub fn stand_by(&self, syslog: bool) -> io::Result<()> {
        handler::install(syslog)
    }

    /// Notes an address that the daemon added to the interface with this index. With a `peer`, the
    /// prefix length is the peer's.
    pub fn hold(&mut self, key: K, index: u32, prefix: Prefix, peer: Option<IpAddr>) {
        let place = match self.places.get(&key) {
            Some(place) => *place as usize,
            None => {
                let place = self.free.pop().unwrap_or(self.used);
                if place == self.table.len() {
                    self.grow();
                }
                self.places.insert(key, u32::try_from(place).expect("fewer than 2^32 addresses"));
                place
            }
        };
        self.table[place].put(&removal(index, prefix, peer));
        if place == self.used {
            self.used += 1;
            self.publish();
        }
    }

    /// The address was removed.
    pub fn release(&mut self, key: &K) {
        if let Some(place) = self.places.remove(key) {
            let place = place as usize;
            self.table[place].clear();
            self.free.push(place);
        }
    }

    /// All addresses for whose keys `is_gone` returns true were removed.
    pub fn release_all(&mut self, is_gone: impl Fn(&K) -> bool) {
        let Self { places, table, free, .. } = self;
        places.retain(|key, place| {
            let gone = is_gone(key);
            if gone {
                table[*place as usize].clear();
                free.push(*place as usize);
            }
            !gone
        });
    }

    /// Has the kernel remove all held addresses. Refusals are final, since nothing is left to try.
    pub fn fire(&self) {
        handler::send(self.socket.as_raw_fd(), &self.table[..self.used]);
    }

    fn grow(&mut self) {
        let copy = |message: &Message| Message(message.words().map(AtomicU32::new));
        let room = (self.table.len() / 4 * 5).max(64);
        let more = std::iter::repeat_with(Message::default).take(room - self.table.len());
        let table: Box<[Message]> = self.table.iter().map(copy).chain(more).collect();
        // The handler must use the new one before the old one is freed.
        let old = std::mem::replace(&mut self.table, table);
        self.publish();
        drop(old);
    }

    fn publish(&self) {
        if self.armed {
            handler::publish(self.socket.as_raw_fd(), &self.table[..self.used]);
        }
    }
}

impl<K> Rescue<K> {
    /// For a copy of the process, which holds no address: a defect there removes none.
    pub fn disarm(&mut self) {
        if std::mem::take(&mut self.armed) {
            handler::publish(-1, &[]);
        }
    }
}

impl<K> Drop for Rescue<K> {
    fn drop(&mut self) {
        self.disarm();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prefix(text: &str) -> Prefix {
        Prefix { addr: text.parse().expect("an address"), len: 24 }
    }

    fn held<K: Ord>(rescue: &Rescue<K>) -> Vec<Vec<u8>> {
        let filled = rescue.table[..rescue.used].iter().filter(|m| m.words()[0] != 0);
        filled.map(|m| handler::bytes(&m.words()).to_vec()).collect()
    }

    #[test]
    fn a_message_names_interface_address_and_prefix() {
        let message = removal(7, prefix("10.0.0.1"), None);
        let (header, body) = crate::wire::netlink::messages(&message).next().expect("a message");
        assert_eq!((header.kind, header.flags), (libc::RTM_DELADDR, 1));
        assert_eq!(body[..8], [&[2, 24, 0, 0], &7u32.to_ne_bytes()[..]].concat());
        assert_eq!(message.len(), 40);
        let v6 = removal(7, prefix("fd00::1"), None);
        assert_eq!((v6.len(), v6[16]), (44, 10));
    }

    #[test]
    fn what_is_released_is_not_sent_and_its_place_is_used_again() {
        let mut rescue = Rescue::open().expect("a socket");
        for n in 0..200 {
            rescue.hold(n, n, prefix("10.0.0.1"), None);
        }
        assert_eq!((held(&rescue).len(), rescue.used), (200, 200));
        for n in 0..200 {
            let of_it = removal(n, prefix("10.0.0.1"), None);
            assert_eq!(held(&rescue)[n as usize], of_it, "grown tables keep what they held");
        }
        rescue.release_all(|n| n % 2 == 0);
        rescue.release(&1);
        rescue.release(&1);
        assert_eq!(held(&rescue).len(), 99);
        assert!(!rescue.places.contains_key(&1) && rescue.places.contains_key(&3));
        for n in 1000..1101 {
            rescue.hold(n, n, prefix("fd00::1"), None);
        }
        assert_eq!((held(&rescue).len(), rescue.used), (200, 200));
    }

    #[test]
    fn a_second_word_about_an_address_replaces_the_first() {
        let mut rescue = Rescue::open().expect("a socket");
        rescue.hold((), 1, prefix("10.0.0.1"), None);
        rescue.hold((), 2, prefix("10.0.0.1"), None);
        assert_eq!(held(&rescue), [removal(2, prefix("10.0.0.1"), None)]);
    }
}
