//! The host as seen by the configuration: its interfaces, users, commands and name.

use std::net::IpAddr;
use std::path::Path;

use crate::base::link::LinkKind;
use crate::base::route::TABLE_MAIN;
use crate::config::{CommandFacts, Host, KeyFile, LinkFacts, Loader, Unusable};
use crate::holdings::Links;
use crate::model::script::User;
use crate::sys::files::{self, DiskLoader};
use crate::sys::{lookup, open, process, scriptfacts, users};

/// Called during long work to serve whatever cannot wait.
pub(in crate::daemon) type Meanwhile<'a> = &'a dyn Fn();

/// Reads the files of this host.
pub(in crate::daemon) struct Disk<'a>(pub(in crate::daemon) Meanwhile<'a>);

impl Loader for Disk<'_> {
    fn list(&self, directory: &str) -> Option<Vec<String>> {
        DiskLoader.list(directory)
    }

    fn exists(&self, path: &str) -> bool {
        DiskLoader.exists(path)
    }

    fn read(&self, path: &str, limit: u64) -> Result<Vec<u8>, Unusable> {
        files::read(path, limit, self.0)
    }

    fn absolute(&self, path: &str) -> String {
        DiskLoader.absolute(path)
    }

    fn breathe(&self) {
        (self.0)();
    }
}

/// Answers queries of the lowering from the last known state of the kernel.
pub(in crate::daemon) struct KernelHost<'a> {
    pub(in crate::daemon) links: &'a Links,
    pub(in crate::daemon) meanwhile: Meanwhile<'a>,
    /// The interfaces are in a network namespace that does not exist yet, so every interface is
    /// assumed to exist.
    pub(in crate::daemon) elsewhere: bool,
    /// `sandbox strict`: no child process can be asked, so only the files in `/etc` count. Already
    /// at the start, so that a reload finds the same.
    pub(in crate::daemon) is_strict: bool,
}

impl KernelHost<'_> {
    /// Queries the C library in a child process while urgent work continues.
    fn ask(&self, flag: &str, name: &str) -> Option<String> {
        if self.is_strict {
            return None;
        }
        match lookup::ask(flag, name, self.meanwhile) {
            Ok(answer) => Some(answer),
            Err(why) => {
                log::warn!("Looking up '{name}' failed: {why}");
                None
            }
        }
    }
}

impl Host for KernelHost<'_> {
    fn link(&self, name: &str) -> Option<LinkFacts> {
        if self.elsewhere {
            return Some(LinkFacts::plain(1));
        }
        let link = self.links.get(name)?;
        Some(LinkFacts {
            index: link.index,
            mtu: link.mtu,
            multicast: link.multicast,
            ethernet: link.mac.is_some(),
            arp: link.arp,
            mac: link.mac,
            kind: link.kind,
            parent: link.parent,
        })
    }

    fn has_made(&self, name: &str) -> bool {
        let kind = self.links.get(name).map(|link| link.kind);
        matches!(kind, Some(LinkKind::PRIVATE_MACVLAN | LinkKind::Ipvlan { .. }))
    }

    fn name_file(&self, path: &str, limit: u64) -> Result<Vec<u8>, Unusable> {
        Ok(open::read(Path::new(path), limit)?)
    }

    fn key_file(&self, path: &str, limit: u64) -> Result<KeyFile, Unusable> {
        let (text, mode) = open::read_secret(Path::new(path), limit)?;
        Ok(KeyFile { text, is_open: mode & 0o077 != 0 })
    }

    fn name_files(&self, directory: &str) -> Vec<String> {
        files::some_names(directory)
    }

    fn vrf_table(&self, name: &str) -> Option<u32> {
        if self.elsewhere {
            return Some(TABLE_MAIN);
        }
        match self.links.get(name)?.kind {
            LinkKind::Vrf { table } => Some(table),
            _ => None,
        }
    }

    fn link_names(&self) -> Vec<String> {
        if self.elsewhere {
            return Vec::new();
        }
        self.links.all().map(|link| link.name.to_string()).collect()
    }

    fn has_address(&self, addr: &IpAddr) -> Option<bool> {
        Some(self.links.holds(addr))
    }

    fn hostname(&self) -> Option<String> {
        Some(process::uname().host)
    }

    fn user(&self, name: &str) -> Option<User> {
        let account = users::user(name, || self.ask(lookup::USER, name))?;
        Some(User { uid: account.uid, gid: account.gid })
    }

    fn group(&self, name: &str) -> Option<u32> {
        users::group(name, || self.ask(lookup::GROUP, name))
    }

    fn own_user(&self) -> User {
        users::own()
    }

    fn own_user_name(&self) -> Option<String> {
        users::with_uid(users::own().uid).map(|account| account.name)
    }

    fn command(&self, name: &str, user: User) -> Result<CommandFacts, String> {
        scriptfacts::command(name, user)
    }

    fn breathe(&self) {
        (self.meanwhile)();
    }
}
