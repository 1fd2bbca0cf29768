//! Facts of the file system about a command: its path, its owners and modes, its format.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use super::{open, reason};
use crate::config::{resolve, CommandFacts, Form, Look};
use crate::model::script::User;

/// Where commands are searched for if the environment does not say.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
/// Bytes at the beginning that tell the form of a file.
const HEAD: u64 = 128;

/// The file that is executed for `name` by `user`.
///
/// # Errors
/// The system's reason.
pub fn command(name: &str, user: User) -> Result<CommandFacts, String> {
    if name.contains('/') {
        return facts(name, user);
    }
    let path = std::env::var("PATH").unwrap_or_else(|_| PATH.to_owned());
    let mut best = Err("No such file or directory".to_owned());
    for directory in path.split(':').filter(|d| d.starts_with('/')) {
        match facts(&format!("{directory}/{name}"), user) {
            Ok(facts) if facts.executable => return Ok(facts),
            // Found, but not executable for this user: reported if nothing better is found.
            Ok(facts) if best.is_err() => best = Ok(facts),
            _ => {}
        }
    }
    best
}

fn facts(path: &str, user: User) -> Result<CommandFacts, String> {
    let path = std::path::absolute(path).map_err(told)?;
    let path = path.into_os_string().into_string().map_err(|_| "its path is not UTF-8")?;
    let (real, parts) = resolve(&path, &look)?;
    let file = fs::metadata(&real).map_err(told)?;
    let (mode, uid, gid) = (file.mode(), file.uid(), file.gid());
    let becomes_root = (mode & 0o4000 != 0 && uid == 0) || (mode & 0o2000 != 0 && gid == 0);
    Ok(CommandFacts {
        executable: file.is_file() && may_execute(mode, uid, gid, user),
        form: if file.is_file() { form(&real) } else { Form::Binary },
        path,
        real,
        parts,
        becomes_root,
    })
}

fn look(path: &str) -> Result<Look, String> {
    let file = fs::symlink_metadata(path).map_err(told)?;
    let target = if file.is_symlink() {
        let target = fs::read_link(path).map_err(told)?.into_os_string();
        Some(target.into_string().map_err(|_| "a link leads to a path that is not UTF-8")?)
    } else {
        None
    };
    Ok(Look { uid: file.uid(), gid: file.gid(), mode: file.mode(), target })
}

fn told(error: std::io::Error) -> String {
    reason(&error)
}

/// By the bits of the mode; supplementary groups are dropped before a command runs.
const fn may_execute(mode: u32, uid: u32, gid: u32, user: User) -> bool {
    let right = if user.uid == 0 {
        0o111
    } else if user.uid == uid {
        0o100
    } else if user.gid == gid {
        0o010
    } else {
        0o001
    };
    mode & right != 0
}

/// Interpretation of the first bytes by the kernel. A file that cannot be read is left to the
/// kernel.
fn form(path: &str) -> Form {
    let Ok(head) = open::read_head(Path::new(path), HEAD) else { return Form::Binary };
    if head.starts_with(b"\x7fELF") {
        Form::Binary
    } else if head.starts_with(b"#!") {
        Form::Interpreted
    } else if head.contains(&0) {
        Form::Binary
    } else {
        Form::Text
    }
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "tests make the files they need")]
mod tests {
    use std::os::unix::fs::{symlink, PermissionsExt as _};

    use super::*;
    use crate::sys::tests::TempDir;

    fn write(dir: &TempDir, name: &str, content: &[u8], mode: u32) -> String {
        let path = dir.path().join(name);
        fs::write(&path, content).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        path.to_str().unwrap().to_owned()
    }

    #[test]
    fn the_form_is_told_by_the_first_bytes() {
        let dir = TempDir::new("forms");
        for (content, form) in [
            (&b"#!/bin/sh\n"[..], Form::Interpreted),
            (b"\x7fELF\x02", Form::Binary),
            (b"MZ\0\x01", Form::Binary),
            (b"exit 0\n", Form::Text),
            (b"", Form::Text),
        ] {
            let path = write(&dir, "x", content, 0o755);
            assert_eq!(command(&path, User::ROOT).unwrap().form, form, "{content:?}");
        }
    }

    #[test]
    fn the_mode_says_who_may_execute() {
        let own = crate::sys::users::own();
        let (owner, group) = (own, User { uid: 54_321, ..own });
        let other = User { uid: 54_321, gid: 54_321 };
        let dir = TempDir::new("modes");
        let path = write(&dir, "x", b"#!", 0o750);
        let may = |user| command(&path, user).unwrap().executable;
        assert!(may(owner) && may(group) && !may(other) && may(User::ROOT));
        let plain = write(&dir, "plain", b"#!", 0o644);
        assert!(!command(&plain, User::ROOT).unwrap().executable);
        let folder = dir.path().to_str().unwrap();
        assert!(!command(folder, User::ROOT).unwrap().executable);
    }

    #[test]
    fn every_part_of_every_way_is_told() {
        let dir = TempDir::new("links");
        let path = write(&dir, "real", b"#!", 0o755);
        let folder = dir.path().to_str().unwrap().to_owned();
        symlink(
            "../".to_owned() + folder.rsplit('/').next().unwrap() + "/real",
            dir.path().join("l"),
        )
        .unwrap();
        symlink(dir.path().join("l"), dir.path().join("link")).unwrap();
        let facts = command(&format!("{folder}/link"), User::ROOT).unwrap();
        assert_eq!(facts.real, fs::canonicalize(&path).unwrap().to_str().unwrap());
        assert_eq!(facts.path, format!("{folder}/link"));
        let has = |path: String| facts.parts.iter().filter(|p| p.path == path).count();
        for path in
            ["/".to_owned(), folder.clone(), format!("{folder}/link"), format!("{folder}/l"), path]
        {
            assert_eq!(has(path.clone()), 1, "{path}");
        }
    }

    #[test]
    fn names_are_searched_for_and_links_end() {
        let sh = command("sh", User::ROOT).unwrap();
        assert!(sh.path.ends_with("/sh") && sh.executable);
        assert_eq!(
            command("no-such-command", User::ROOT).unwrap_err(),
            "No such file or directory"
        );
        let dir = TempDir::new("loop");
        let at = dir.path().join("loop");
        symlink(&at, &at).unwrap();
        let error = command(at.to_str().unwrap(), User::ROOT).unwrap_err();
        assert_eq!(error, "Too many levels of symbolic links");
    }
}
