//! Names of routing tables, protocols, scopes and the like, from the files of iproute2.
//!
//! A number is always accepted in place of a name. The files are those of the host, so reading one
//! is bounded: what is too large or unreadable counts as empty, with a warning.

use std::cell::OnceCell;
use std::collections::HashMap;

use super::host::Host;
use super::loader::Unusable;
use super::value::any_base;

/// A list of names.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum List {
    Tables,
    Protocols,
    Scopes,
    Realms,
    TosValues,
    LinkGroups,
    /// `/etc/protocols`, which is not of iproute2: protocols above IP.
    IpProtocols,
}

/// Limits of one list: bytes of all its files, and the files in its directories.
const MOST_BYTES: u64 = 256 << 10;
const MOST_FILES: usize = 100;
const IP_PROTOCOLS: &str = "/etc/protocols";

impl List {
    const ALL: [Self; 7] = [
        Self::Tables,
        Self::Protocols,
        Self::Scopes,
        Self::Realms,
        Self::TosValues,
        Self::LinkGroups,
        Self::IpProtocols,
    ];

    /// The name of its file.
    pub(super) const fn file(self) -> &'static str {
        match self {
            Self::Tables => "rt_tables",
            Self::Protocols => "rt_protos",
            Self::Scopes => "rt_scopes",
            Self::Realms => "rt_realms",
            Self::TosValues => "rt_dsfield",
            Self::LinkGroups => "group",
            Self::IpProtocols => "protocols",
        }
    }

    /// The largest number.
    pub(super) const fn max(self) -> u32 {
        match self {
            Self::Tables => u32::MAX,
            // A larger number would stand for none.
            Self::LinkGroups => i32::MAX.unsigned_abs(),
            _ => 255,
        }
    }

    /// Names that need no file. One in a file comes first.
    const fn built_in(self) -> &'static [(&'static str, u32)] {
        match self {
            Self::Tables => &[("default", 253), ("main", 254), ("local", 255)],
            Self::Protocols => &[
                ("none", 0),
                ("redirect", 1),
                ("kernel", 2),
                ("boot", 3),
                ("static", 4),
                ("gated", 8),
                ("ra", 9),
                ("mrt", 10),
                ("zebra", 11),
                ("bird", 12),
                ("dnrouted", 13),
                ("xorp", 14),
                ("ntk", 15),
                ("dhcp", 16),
                ("keepalived", 18),
                ("babel", 42),
            ],
            Self::Scopes => {
                &[("global", 0), ("site", 200), ("link", 253), ("host", 254), ("nowhere", 255)]
            }
            Self::Realms | Self::TosValues | Self::LinkGroups => &[],
            Self::IpProtocols => &[
                ("icmp", 1),
                ("igmp", 2),
                ("tcp", 6),
                ("udp", 17),
                ("dccp", 33),
                ("gre", 47),
                ("esp", 50),
                ("ah", 51),
                ("ipv6-icmp", 58),
                ("ospf", 89),
                ("pim", 103),
                ("vrrp", 112),
                ("sctp", 132),
                ("udplite", 136),
            ],
        }
    }
}

/// `iproute_etc_dir` and `iproute_usr_dir`.
pub(super) struct Directories {
    pub etc: String,
    pub usr: String,
}

impl Default for Directories {
    fn default() -> Self {
        Self { etc: "/etc/iproute2".to_owned(), usr: "/usr/share/iproute2".to_owned() }
    }
}

/// The lists, each read when a name is looked up in it for the first time.
#[derive(Default)]
pub(super) struct Names {
    directories: Directories,
    lists: [OnceCell<Read>; List::ALL.len()],
}

/// One list as it was read.
#[derive(Default)]
struct Read {
    names: HashMap<String, u32>,
    /// Files that were not used, and why.
    unusable: Vec<(String, Unusable)>,
}

impl Names {
    pub(super) fn new(directories: Directories) -> Self {
        Self { directories, lists: Default::default() }
    }

    /// The number that a word stands for.
    pub(super) fn number(&self, host: &dyn Host, list: List, word: &str) -> Option<u32> {
        if let Some(number) = any_base(word) {
            return u32::try_from(number).ok().filter(|&n| n <= list.max());
        }
        let read = self.lists[list as usize].get_or_init(|| self.read(host, list));
        let built_in = || list.built_in().iter().find(|(name, _)| *name == word);
        read.names.get(word).copied().or_else(|| built_in().map(|(_, number)| *number))
    }

    /// The files that were not used, and why.
    pub(super) fn unusable(&self) -> impl Iterator<Item = &(String, Unusable)> {
        self.lists.iter().filter_map(OnceCell::get).flat_map(|read| &read.unusable)
    }

    fn read(&self, host: &dyn Host, list: List) -> Read {
        let mut read = Read::default();
        let mut left = MOST_BYTES;
        let mut take = |path: &str| match host.name_file(path, left) {
            Ok(content) => {
                left = left.saturating_sub(content.len() as u64);
                parse(&content, list, &mut read.names, &|| host.breathe());
                true
            }
            Err(Unusable::Missing) => false,
            Err(why) => {
                read.unusable.push((path.to_owned(), why));
                true
            }
        };
        if list == List::IpProtocols {
            take(IP_PROTOCOLS);
            return read;
        }
        let (etc, usr, file) = (&self.directories.etc, &self.directories.usr, list.file());
        if !take(&format!("{etc}/{file}")) {
            take(&format!("{usr}/{file}"));
        }
        let own = parts(host, &format!("{etc}/{file}.d"));
        let shipped = parts(host, &format!("{usr}/{file}.d"));
        for name in shipped.iter().filter(|name| !own.contains(name)) {
            take(&format!("{usr}/{file}.d/{name}"));
        }
        for name in &own {
            take(&format!("{etc}/{file}.d/{name}"));
        }
        read
    }
}

/// The files of a directory that count, in order.
fn parts(host: &dyn Host, directory: &str) -> Vec<String> {
    let mut names = host.name_files(directory);
    names.retain(|name| name.ends_with(".conf") && !name.starts_with('.'));
    names.sort();
    names.truncate(MOST_FILES);
    names
}

/// Adds the names of one file: lines of a number and a name. Of a name that is there twice, the last
/// one counts.
fn parse(content: &[u8], list: List, names: &mut HashMap<String, u32>, breathe: &dyn Fn()) {
    /// Lines in one breath.
    const BREATH: usize = 256;
    let text = String::from_utf8_lossy(content);
    for (n, line) in text.lines().enumerate() {
        if n % BREATH == 0 {
            breathe();
        }
        let mut words = line.split('#').next().unwrap_or_default().split_whitespace();
        let (number, rest) = if list == List::IpProtocols {
            // The name comes first, and further names last.
            let Some(name) = words.next() else { continue };
            (words.next(), [Some(name)].into_iter().chain(words.map(Some)).collect::<Vec<_>>())
        } else {
            let number = words.next();
            let name = words.next();
            (number, vec![name.filter(|_| words.next().is_none())])
        };
        let number = number.and_then(any_base).and_then(|n| u32::try_from(n).ok());
        let Some(number) = number.filter(|&n| n <= list.max()) else { continue };
        for name in rest.into_iter().flatten() {
            names.insert(name.to_owned(), number);
        }
    }
}

#[cfg(test)]
mod tests;
