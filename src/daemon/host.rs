//! The host as the configuration sees it: its interfaces, users, commands and its name.

use super::links::LinkTable;
use crate::config::{CommandFacts, Host, LinkFacts};
use crate::model::script::User;
use crate::sys::{process, scriptfacts, users};

/// Answers the questions of the lowering from what the kernel last said.
pub(super) struct KernelHost<'a> {
    pub(super) links: &'a LinkTable,
}

impl Host for KernelHost<'_> {
    fn link(&self, name: &str) -> Option<LinkFacts> {
        let link = self.links.get(name)?;
        Some(LinkFacts {
            index: link.index,
            mtu: link.mtu,
            multicast: link.multicast,
            ethernet: link.mac.is_some(),
            arp: link.arp,
        })
    }

    fn hostname(&self) -> Option<String> {
        Some(process::uname().host)
    }

    fn user(&self, name: &str) -> Option<User> {
        users::user(name).map(|account| User { uid: account.uid, gid: account.gid })
    }

    fn group(&self, name: &str) -> Option<u32> {
        users::group(name)
    }

    fn own_user(&self) -> User {
        let (uid, gid) = users::own();
        User { uid, gid }
    }

    fn own_user_name(&self) -> Option<String> {
        users::with_uid(users::own().0).map(|account| account.name)
    }

    fn command(&self, name: &str, user: User) -> Result<CommandFacts, String> {
        scriptfacts::command(name, user)
    }
}
