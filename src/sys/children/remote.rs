//! Files of a server that may stop answering: executing one can block for ever. So can querying the
//! file system itself, so the kernel's list of mounts is used.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt as _;
use std::path::{Path, PathBuf};

use crate::sys::open;

const REMOTE: [&str; 13] = [
    "nfs", "nfs4", "cifs", "smb3", "smbfs", "ceph", "9p", "afs", "lustre", "beegfs", "gfs2",
    "ocfs2", "coda",
];

/// Whether a path is on such a file system. Symbolic links are not followed: a path that was
/// configured unresolved stands for what it leads to at the time.
pub fn is_remote(path: &str) -> bool {
    open::kernel_read(Path::new("/proc/self/mountinfo"))
        .is_ok_and(|mounts| is_mounted_remote(&mounts, Path::new(path)))
}

/// The mount of the longest path counts, and of those on one place the last.
fn is_mounted_remote(mounts: &[u8], path: &Path) -> bool {
    let holds = |(point, _): &(PathBuf, bool)| path.starts_with(point);
    let mounts = mounts.split(|b| *b == b'\n').filter_map(parse).filter(holds);
    mounts.max_by_key(|(point, _)| point.components().count()).is_some_and(|(_, remote)| remote)
}

/// One line, as proc_pid_mountinfo(5) has it: where it is mounted, and whether it is remote.
fn parse(line: &[u8]) -> Option<(PathBuf, bool)> {
    let mut words = line.split(|b| *b == b' ');
    let point = PathBuf::from(OsString::from_vec(unescape(words.nth(4)?)));
    let mut rest = words.skip_while(|w| *w != b"-");
    let kind = std::str::from_utf8(rest.nth(1)?).ok()?;
    Some((point, REMOTE.contains(&kind) || kind.starts_with("fuse")))
}

/// White space and backslashes are octal numbers.
fn unescape(mut word: &[u8]) -> Vec<u8> {
    let mut text = Vec::new();
    while let [first, rest @ ..] = word {
        let octal = (*first == b'\\').then(|| rest.get(..3)).flatten();
        let octal = octal.and_then(|o| u8::from_str_radix(std::str::from_utf8(o).ok()?, 8).ok());
        match octal {
            Some(byte) => {
                text.push(byte);
                word = &rest[3..];
            }
            None => {
                text.push(*first);
                word = rest;
            }
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOUNTS: &[u8] = b"\
        22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw\n\
        30 22 0:40 / /srv rw shared:5 master:1 - nfs4 server:/srv rw\n\
        31 30 8:2 / /srv/own rw - xfs /dev/sdb rw\n\
        32 22 0:41 / /my\\040share rw - fuse.sshfs host: rw\n\
        33 22 0:42 / /over rw - nfs a:/ rw\n\
        34 22 0:43 / /over rw - tmpfs tmpfs rw\n\
        garbage\n";

    #[test]
    fn the_mount_that_a_path_is_on_decides() {
        let cases = [
            ("/usr/bin/true", false),
            ("/srv/check.sh", true),
            ("/srvice/check.sh", false),
            ("/srv/own/check.sh", false),
            ("/my share/check.sh", true),
            ("/over/check.sh", false),
        ];
        for (path, expected) in cases {
            assert_eq!(is_mounted_remote(MOUNTS, Path::new(path)), expected, "{path}");
        }
        assert!(!is_mounted_remote(b"", Path::new("/srv")));
        assert!(!is_remote("/proc/self/exe"));
    }
}
