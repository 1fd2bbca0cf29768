//! Facts about the host that lowering needs. A trait, so that the code stays pure.

use std::net::IpAddr;

use super::loader::Unusable;
use crate::base::addr::Mac;
use crate::base::link::LinkKind;
use crate::model::script::User;
use crate::model::secret::Secret;

/// An interface, as far as a configuration depends on it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LinkFacts {
    pub index: u32,
    pub mtu: u32,
    /// IFF_MULTICAST
    pub multicast: bool,
    /// It has an Ethernet address.
    pub ethernet: bool,
    /// Not IFF_NOARP.
    pub arp: bool,
    pub mac: Option<Mac>,
    pub kind: LinkKind,
    /// Index of the interface that it is on; 0: none.
    pub parent: u32,
}

impl LinkFacts {
    /// An Ethernet interface, of which nothing else is known.
    pub const fn plain(index: u32) -> Self {
        Self {
            index,
            mtu: 1500,
            multicast: true,
            ethernet: true,
            arp: true,
            mac: None,
            kind: LinkKind::Other,
            parent: 0,
        }
    }

    /// Index of the interface that carries a virtual interface made on this one.
    pub const fn carrier(&self) -> u32 {
        self.kind.carrier(self.index, self.parent)
    }
}

/// Format of an executable file, as the kernel sees it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Form {
    /// ELF, or another form the kernel knows by itself.
    Binary,
    /// Begins with `#!`.
    Interpreted,
    /// Neither: only a shell runs it.
    Text,
}

/// One part of a path: a directory, a link or the file at its end.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PathPart {
    pub path: String,
    pub uid: u32,
    pub gid: u32,
    /// With the bits of its type.
    pub mode: u32,
}

impl PathPart {
    const TYPE: u32 = 0o170_000;

    pub const fn is_link(&self) -> bool {
        self.mode & Self::TYPE == 0o120_000
    }

    pub const fn is_directory(&self) -> bool {
        self.mode & Self::TYPE == 0o040_000
    }
}

/// A command, as it was found.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CommandFacts {
    /// Absolute, before links are followed.
    pub path: String,
    /// Absolute, with every link resolved.
    pub real: String,
    /// The user it is for may execute it.
    pub executable: bool,
    pub form: Form,
    /// Every part of both paths from the root on, each once.
    pub parts: Vec<PathPart>,
    /// It runs as root, whichever user starts it.
    pub becomes_root: bool,
}

/// One file, as [`resolve`] asks for it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Look {
    pub uid: u32,
    pub gid: u32,
    /// With the bits of its type.
    pub mode: u32,
    /// Where a link leads.
    pub target: Option<String>,
}

/// Follows an absolute path as the kernel does, and keeps every part of the way.
///
/// Gives the path without links, and the parts from the root on, each once; the file itself is the
/// last part looked at, not always the last of the list.
///
/// # Errors
/// The error of `look` for a missing part, or too many links.
pub fn resolve(
    path: &str,
    look: &dyn Fn(&str) -> Result<Look, String>,
) -> Result<(String, Vec<PathPart>), String> {
    // The kernel's limit of links.
    const MAX_LINKS: u32 = 40;
    let mut rest: Vec<String> = words(path);
    let mut parts: Vec<PathPart> = Vec::new();
    let mut links = 0;
    let mut at = String::new();
    loop {
        let shown = if at.is_empty() { "/" } else { at.as_str() };
        let found = look(shown)?;
        if parts.iter().all(|part| part.path != shown) {
            let Look { uid, gid, mode, .. } = found;
            parts.push(PathPart { path: shown.to_owned(), uid, gid, mode });
        }
        if let Some(target) = found.target {
            links += 1;
            if links > MAX_LINKS {
                return Err("Too many levels of symbolic links".to_owned());
            }
            let parent = at.rfind('/').map_or("", |slash| &at[..slash]).to_owned();
            at = if target.starts_with('/') { String::new() } else { parent };
            rest.extend(words(&target));
            continue;
        }
        match rest.pop() {
            None => return Ok((shown.to_owned(), parts)),
            Some(word) if word == ".." => at.truncate(at.rfind('/').unwrap_or(0)),
            Some(word) => {
                at.push('/');
                at.push_str(&word);
            }
        }
    }
}

/// The words of a path, the first of them last.
fn words(path: &str) -> Vec<String> {
    path.split('/').rev().filter(|w| !matches!(*w, "" | ".")).map(str::to_owned).collect()
}

/// A file with a key.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct KeyFile {
    pub text: Secret,
    /// Users other than its owner may read or change it.
    pub is_open: bool,
}

pub trait Host {
    /// The names of all interfaces, for suggestions.
    fn link_names(&self) -> Vec<String> {
        Vec::new()
    }

    /// Whether some interface has this address; `None` where that is not known.
    fn has_address(&self, _addr: &IpAddr) -> Option<bool> {
        None
    }

    /// A file of names (`/etc/iproute2/rt_tables`) of at most `limit` bytes.
    ///
    /// # Errors
    /// It is missing, or cannot be used.
    fn name_file(&self, _path: &str, _limit: u64) -> Result<Vec<u8>, Unusable> {
        Err(Unusable::Missing)
    }

    /// A file with a key, of at most `limit` bytes.
    ///
    /// # Errors
    /// It is missing, or cannot be used.
    fn key_file(&self, _path: &str, _limit: u64) -> Result<KeyFile, Unusable> {
        Err(Unusable::Missing)
    }

    /// The names in a directory of such files, in any order; not all of very many.
    fn name_files(&self, _directory: &str) -> Vec<String> {
        Vec::new()
    }

    /// The routing table of an interface that is a VRF.
    fn vrf_table(&self, _name: &str) -> Option<u32> {
        None
    }

    /// Whether the interface of that name was made by the configuration that runs.
    fn has_made(&self, _name: &str) -> bool {
        false
    }

    /// The interface of that name, if there is one now.
    fn link(&self, name: &str) -> Option<LinkFacts>;
    /// Default of `router_id`.
    fn hostname(&self) -> Option<String>;
    /// A user with an account, by name or by number, and the group of that account.
    fn user(&self, name: &str) -> Option<User>;
    /// A group by name or by number.
    fn group(&self, name: &str) -> Option<u32>;
    /// User of the daemon.
    fn own_user(&self) -> User;
    /// The name of that user.
    fn own_user_name(&self) -> Option<String>;
    /// The file that `name` stands for when `user` executes it; a name without a slash is searched
    /// for in the directories of `PATH`.
    ///
    /// # Errors
    /// The system's reason.
    fn command(&self, name: &str, user: User) -> Result<CommandFacts, String>;

    /// Called between two blocks, for work that cannot wait.
    fn breathe(&self) {}
}
