//! Users and groups by name or number.
//!
//! The files in `/etc` are read first; only other names are looked up by the C library, which may
//! block on a server. So another process does that (`lookup.rs`).

use std::path::Path;

use nix::unistd::{getegid, geteuid, Group, User as Entry};

use super::open;
use crate::model::script::User;

/// A user's number, and the group of the account.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Account {
    pub name: String,
    pub uid: u32,
    pub gid: u32,
}

/// Size limit of a list of users or groups. Longer ones are kept by a server, not in a file.
const LIMIT: u64 = 64 << 20;

/// The text of a list; nothing if it cannot be read.
fn listed(path: &str) -> String {
    let bytes = open::read(Path::new(path), LIMIT).unwrap_or_default();
    String::from_utf8_lossy(&bytes).into_owned()
}

/// A user by name or number. Those not listed are looked up with `ask`, which returns the answer of
/// [`answer_about_user`].
pub fn user(name: &str, ask: impl FnOnce() -> Option<String>) -> Option<Account> {
    let listed = listed("/etc/passwd");
    account_in(&listed, |a| a.name == name)
        .or_else(|| with_uid_in(&listed, name.parse().ok()?))
        .or_else(|| {
            let answer = ask()?;
            let (uid, gid) = answer.trim().split_once(' ')?;
            let (uid, gid) = (uid.parse().ok()?, gid.parse().ok()?);
            Some(Account { name: name.to_owned(), uid, gid })
        })
}

/// The account of a number.
pub fn with_uid(uid: u32) -> Option<Account> {
    with_uid_in(&listed("/etc/passwd"), uid)
}

fn with_uid_in(listed: &str, uid: u32) -> Option<Account> {
    account_in(listed, |a| a.uid == uid)
}

/// The number of a group by name or number. Those not listed are looked up with `ask`, which
/// returns the answer of [`answer_about_group`].
pub fn group(name: &str, ask: impl FnOnce() -> Option<String>) -> Option<u32> {
    let listed = listed("/etc/group");
    group_in(&listed, name)
        .or_else(|| name.parse().ok())
        .or_else(|| ask().and_then(|answer| answer.trim().parse().ok()))
}

/// The C library's entry of a user: `UID GID`, or nothing. May block.
pub fn answer_about_user(name: &str) -> String {
    let found = Entry::from_name(name).ok().flatten();
    found.map_or_else(String::new, |user| format!("{} {}\n", user.uid, user.gid))
}

/// The C library's entry of a group: its number, or nothing. May block.
pub fn answer_about_group(name: &str) -> String {
    let found = Group::from_name(name).ok().flatten();
    found.map_or_else(String::new, |group| format!("{}\n", group.gid))
}

/// The user and the group that this process acts as.
pub fn own() -> User {
    User { uid: geteuid().as_raw(), gid: getegid().as_raw() }
}

/// `name:password:uid:gid:...`, a line each.
fn account_in(listed: &str, wanted: impl Fn(&Account) -> bool) -> Option<Account> {
    listed.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?.to_owned();
        let account =
            Account { name, uid: fields.nth(1)?.parse().ok()?, gid: fields.next()?.parse().ok()? };
        wanted(&account).then_some(account)
    })
}

/// `name:password:gid:...`, a line each.
fn group_in(listed: &str, name: &str) -> Option<u32> {
    listed.lines().find_map(|line| {
        let mut fields = line.split(':');
        (fields.next()? == name).then(|| fields.nth(1)?.parse().ok()).flatten()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_read_by_field() {
        let listed = "# comment\nroot:x:0:0:root:/root:/bin/sh\nbad:x:y:1\nops:x:1000:100::/:\n";
        let ops = Account { name: "ops".into(), uid: 1000, gid: 100 };
        assert_eq!(account_in(listed, |a| a.name == "ops"), Some(ops.clone()));
        assert_eq!(with_uid_in(listed, 1000), Some(ops));
        assert_eq!(account_in(listed, |a| a.name == "bad"), None);
        assert_eq!(group_in("root:x:0:\nadm:x:4:ops\n", "adm"), Some(4));
        assert_eq!(group_in("root:x:0:\n", "ad"), None);
    }

    #[test]
    fn what_is_listed_or_a_number_is_not_asked_for() {
        let never = || -> Option<String> { panic!("it is not asked") };
        assert_eq!(user("root", never).map(|a| (a.uid, a.gid)), Some((0, 0)));
        assert_eq!(group("root", never), Some(0));
        assert_eq!(group("4242", never), Some(4242));
    }

    #[test]
    fn what_is_not_listed_is_asked_for() {
        let known = user("no such user", || Some("1003 1004\n".to_owned()));
        assert_eq!(known.map(|a| (a.uid, a.gid)), Some((1003, 1004)));
        assert_eq!(group("no such group", || Some("1005\n".to_owned())), Some(1005));
        for nonsense in ["", "1003", "x y", "! no"] {
            assert_eq!(user("no such user", || Some(nonsense.to_owned())), None, "{nonsense}");
        }
        assert_eq!(group("no such group", || None), None);
    }

    #[test]
    fn the_c_library_is_asked_by_name() {
        assert_eq!(answer_about_user("root"), "0 0\n");
        assert_eq!(answer_about_group("root"), "0\n");
        assert_eq!(answer_about_user("no such user"), "");
        assert_eq!(answer_about_user("nul\0"), "");
    }
}
