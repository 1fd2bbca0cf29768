//! Files and a machine that exist only in memory, for tests and fuzzing.
//!
//! The module that this file is put into has `config` and `model` of the crate in scope.

#![allow(dead_code, reason = "each of the test programs uses its own part")]

use std::collections::BTreeMap;
use std::net::IpAddr;

use super::config::{
    resolve, CommandFacts, Form, Host, KeyFile, LinkFacts, Loader, Look, Unusable,
};
use super::model::script::User;
use super::model::secret::Secret;

/// A tree of files by absolute name; directories exist where a file lies below them.
#[derive(Clone, Default, Debug)]
pub(crate) struct MemoryLoader {
    files: BTreeMap<String, Result<Vec<u8>, Unusable>>,
}

impl MemoryLoader {
    /// With one file.
    pub(crate) fn with(path: &str, content: impl Into<Vec<u8>>) -> Self {
        Self::default().and(path, content)
    }

    /// With one more file.
    #[must_use]
    pub(crate) fn and(mut self, path: &str, content: impl Into<Vec<u8>>) -> Self {
        self.files.insert(normal(path), Ok(content.into()));
        self
    }

    /// With a file that cannot be read.
    #[must_use]
    pub(crate) fn and_unusable(mut self, path: &str, why: Unusable) -> Self {
        self.files.insert(normal(path), Err(why));
        self
    }

    fn below(&self, directory: &str) -> impl Iterator<Item = &str> {
        let prefix = match normal(directory) {
            root if root == "/" => root,
            other => other + "/",
        };
        let from = prefix.clone();
        self.files.range(from..).map_while(move |(path, _)| path.strip_prefix(prefix.as_str()))
    }
}

impl Loader for MemoryLoader {
    fn list(&self, directory: &str) -> Option<Vec<String>> {
        let first = |rest: &str| rest.split('/').next().unwrap_or_default().to_owned();
        let mut names: Vec<String> = self.below(directory).map(first).collect();
        names.dedup();
        (!names.is_empty()).then_some(names)
    }

    fn exists(&self, path: &str) -> bool {
        self.files.contains_key(&normal(path)) || self.below(path).next().is_some()
    }

    fn read(&self, path: &str, limit: u64) -> Result<Vec<u8>, Unusable> {
        match self.files.get(&normal(path)) {
            Some(Ok(content)) if content.len() as u64 > limit => Err(Unusable::TooLarge),
            Some(content) => content.clone(),
            None if self.below(path).next().is_some() => Err(Unusable::Directory),
            None => Err(Unusable::Missing),
        }
    }

    fn absolute(&self, path: &str) -> String {
        normal(path)
    }
}

/// The absolute name without `.`, `..` and doubled slashes; the working directory is the root.
fn normal(path: &str) -> String {
    let mut parts = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            name => parts.push(name),
        }
    }
    format!("/{}", parts.join("/"))
}

const DIRECTORY: u32 = 0o040_000;
const FILE: u32 = 0o100_000;
const LINK: u32 = 0o120_000;

#[derive(Clone, Debug)]
struct Entry {
    owner: User,
    mode: u32,
    form: Form,
    /// Where a link leads.
    target: Option<String>,
}

/// Interfaces, users and files. Directories exist where something lies below them, and are root's;
/// `PATH` is `/usr/bin`.
#[derive(Clone, Default, Debug)]
pub(crate) struct MemoryHost {
    links: BTreeMap<String, LinkFacts>,
    any_link: Option<LinkFacts>,
    /// `None`: not known.
    addresses: Option<Vec<IpAddr>>,
    made: Vec<String>,
    users: BTreeMap<String, User>,
    files: BTreeMap<String, Entry>,
    name_files: BTreeMap<String, String>,
    key_files: BTreeMap<String, KeyFile>,
    vrf_tables: BTreeMap<String, u32>,
    hostname: Option<String>,
}

impl MemoryHost {
    /// With a name.
    #[must_use]
    pub(crate) fn named(mut self, hostname: &str) -> Self {
        self.hostname = Some(hostname.to_owned());
        self
    }

    /// With one more interface.
    #[must_use]
    pub(crate) fn and_link(mut self, name: &str, facts: LinkFacts) -> Self {
        self.links.insert(name.to_owned(), facts);
        self
    }

    /// With an interface of whatever name is asked for.
    #[must_use]
    pub(crate) fn and_any_link(mut self, facts: LinkFacts) -> Self {
        self.any_link = Some(facts);
        self
    }

    /// With virtual interfaces of these names.
    #[must_use]
    pub(crate) fn with_made(mut self, made: &[&str]) -> Self {
        self.made = made.iter().map(|name| (*name).to_owned()).collect();
        self
    }

    /// With these addresses and no others.
    #[must_use]
    pub(crate) fn and_addresses(mut self, addresses: &[IpAddr]) -> Self {
        self.addresses = Some(addresses.to_vec());
        self
    }

    /// With one more user, and a group of the same name.
    #[must_use]
    pub(crate) fn and_user(mut self, name: &str, uid: u32, gid: u32) -> Self {
        self.users.insert(name.to_owned(), User { uid, gid });
        self
    }

    /// With one more file.
    #[must_use]
    pub(crate) fn and_file(self, path: &str, owner: User, mode: u32, form: Form) -> Self {
        self.and(path, Entry { owner, mode: FILE | mode, form, target: None })
    }

    /// With a program of root's.
    #[must_use]
    pub(crate) fn and_program(self, path: &str) -> Self {
        self.and_file(path, User::ROOT, 0o755, Form::Binary)
    }

    /// With one more directory, where the one that exists anyway will not do.
    #[must_use]
    pub(crate) fn and_directory(self, path: &str, owner: User, mode: u32) -> Self {
        self.and(path, Entry { owner, mode: DIRECTORY | mode, form: Form::Text, target: None })
    }

    /// With one more symbolic link of root's, to an absolute path.
    #[must_use]
    pub(crate) fn and_symlink(self, path: &str, target: &str) -> Self {
        let target = Some(target.to_owned());
        self.and(path, Entry { owner: User::ROOT, mode: LINK | 0o777, form: Form::Text, target })
    }

    /// With a file of names, as `/etc/iproute2/rt_tables`.
    #[must_use]
    pub(crate) fn and_names(mut self, path: &str, text: &str) -> Self {
        self.name_files.insert(path.to_owned(), text.to_owned());
        self
    }

    /// With a file that has a key, which others may read or not.
    #[must_use]
    pub(crate) fn and_key(mut self, path: &str, text: &str, is_open: bool) -> Self {
        let file = KeyFile { text: Secret::new(text.as_bytes()), is_open };
        self.key_files.insert(path.to_owned(), file);
        self
    }

    /// With a VRF, which is not among its interfaces.
    #[must_use]
    pub(crate) fn and_vrf(mut self, name: &str, table: u32) -> Self {
        self.vrf_tables.insert(name.to_owned(), table);
        self
    }

    fn and(mut self, path: &str, entry: Entry) -> Self {
        self.files.insert(path.to_owned(), entry);
        self
    }

    fn entry(&self, path: &str) -> Option<Entry> {
        let implied =
            || Entry { owner: User::ROOT, mode: DIRECTORY | 0o755, form: Form::Text, target: None };
        let prefix = if path == "/" { "/".to_owned() } else { format!("{path}/") };
        let below = || self.files.range(prefix.clone()..).next();
        match self.files.get(path) {
            Some(entry) => Some(entry.clone()),
            None => below().filter(|(p, _)| p.starts_with(&prefix)).map(|_| implied()),
        }
    }

    fn look(&self, path: &str) -> Result<Look, String> {
        let entry = self.entry(path).ok_or_else(|| "No such file or directory".to_owned())?;
        let User { uid, gid } = entry.owner;
        Ok(Look { uid, gid, mode: entry.mode, target: entry.target })
    }
}

impl Host for MemoryHost {
    fn link_names(&self) -> Vec<String> {
        self.links.keys().cloned().collect()
    }

    fn has_address(&self, addr: &IpAddr) -> Option<bool> {
        self.addresses.as_ref().map(|list| list.contains(addr))
    }

    fn has_made(&self, name: &str) -> bool {
        self.made.iter().any(|made| made == name)
    }

    fn link(&self, name: &str) -> Option<LinkFacts> {
        self.links.get(name).copied().or(self.any_link)
    }

    fn name_file(&self, path: &str, _limit: u64) -> Result<Vec<u8>, Unusable> {
        self.name_files.get(path).map(|text| text.clone().into_bytes()).ok_or(Unusable::Missing)
    }

    fn key_file(&self, path: &str, _limit: u64) -> Result<KeyFile, Unusable> {
        self.key_files.get(path).cloned().ok_or(Unusable::Missing)
    }

    fn vrf_table(&self, name: &str) -> Option<u32> {
        self.vrf_tables.get(name).copied()
    }

    fn hostname(&self) -> Option<String> {
        self.hostname.clone()
    }

    fn user(&self, name: &str) -> Option<User> {
        if name == "root" {
            return Some(User::ROOT);
        }
        let numbered = || self.users.values().find(|u| u.uid.to_string() == name);
        self.users.get(name).or_else(numbered).copied()
    }

    fn group(&self, name: &str) -> Option<u32> {
        self.user(name).map(|user| user.gid).or_else(|| name.parse().ok())
    }

    fn own_user(&self) -> User {
        User::ROOT
    }

    fn own_user_name(&self) -> Option<String> {
        Some("root".to_owned())
    }

    fn command(&self, name: &str, user: User) -> Result<CommandFacts, String> {
        let path = if name.contains('/') { name.to_owned() } else { format!("/usr/bin/{name}") };
        let (real, parts) = resolve(&path, &|path| self.look(path))?;
        let entry = self.entry(&real).ok_or("No such file or directory")?;
        let right = if user.uid == 0 {
            0o111
        } else if user.uid == entry.owner.uid {
            0o100
        } else if user.gid == entry.owner.gid {
            0o010
        } else {
            0o001
        };
        Ok(CommandFacts {
            path,
            real,
            executable: entry.mode & FILE != 0 && entry.mode & right != 0,
            form: entry.form,
            parts,
            becomes_root: entry.mode & 0o4000 != 0 && entry.owner.uid == 0,
        })
    }
}
