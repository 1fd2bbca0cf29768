//! Original values of settings, and interfaces that were made, in a file that survives a crash of the
//! daemon: the next run restores what the one before has changed.

use std::fmt::Write as _;
use std::io;
use std::path::{Path, PathBuf};

use super::{dumpfile, legacy, open};
use crate::base::addr::Family;

/// More than any host with interfaces for all its virtual routers needs.
const LIMIT: u64 = 4 << 20;
/// First line of the file; with another one, the file is of another version.
const HEAD: &str = "keepalived settings 1";

/// A setting that was changed.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Original {
    /// Index of the interface; 0 for `all` and `default`.
    pub index: u32,
    pub link: String,
    pub family: Family,
    pub setting: String,
    /// The value to restore.
    pub before: String,
    /// The value that was set. Another one is the operator's, and stays.
    pub ours: String,
}

/// What has to be undone after a crash.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Traces {
    pub settings: Vec<Original>,
    /// Index and name of each interface that was made. 0: the kernel has not reported it yet.
    pub links: Vec<(u32, String)>,
}

impl Traces {
    fn is_empty(&self) -> bool {
        self.settings.is_empty() && self.links.is_empty()
    }
}

/// The file that belongs to a pid file, and is used by one daemon as that is.
pub fn beside(pid_file: &Path) -> PathBuf {
    legacy::beside(pid_file, "settings")
}

/// What an earlier run has left; nothing if there is no file.
///
/// # Errors
/// The file is unreadable or too large, or others can write it.
pub fn load(path: &Path) -> io::Result<Traces> {
    let text = "it is not ours, or others can write it";
    let Some((file, metadata)) = legacy::open(path, 0o022, text)? else {
        return Ok(Traces::default());
    };
    Ok(decoded(&open::whole(file, &metadata, LIMIT, &|| {})?))
}

/// Replaces the file; without contents it is removed.
///
/// # Errors
/// The directory is not writable or full. The file is then unchanged.
pub fn save(path: &Path, traces: &Traces) -> io::Result<()> {
    if traces.is_empty() {
        return legacy::remove(path);
    }
    dumpfile::replace(path, &encoded(traces), dumpfile::PRIVATE)
}

/// One line each. Names of interfaces have no blanks.
fn encoded(traces: &Traces) -> String {
    let mut text = format!("{HEAD}\n");
    for Original { index, link, family, setting, before, ours } in &traces.settings {
        let family = match family {
            Family::V4 => 4,
            Family::V6 => 6,
        };
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{index} {link} {family} {setting} {before} {ours}");
    }
    for (index, name) in &traces.links {
        let _ = writeln!(text, "{index} {name}");
    }
    text
}

/// Lines that are not understood are left out.
fn decoded(bytes: &[u8]) -> Traces {
    let text = String::from_utf8_lossy(bytes);
    // Without its end, a line may lack a digit.
    let mut lines = text.split_inclusive('\n').filter_map(|line| line.strip_suffix('\n'));
    let mut traces = Traces::default();
    if lines.next() != Some(HEAD) {
        return traces;
    }
    for line in lines {
        match line.split_once(' ') {
            Some((index, name)) if !name.is_empty() && !name.contains(' ') => {
                traces.links.extend(index.parse().ok().map(|index| (index, name.to_owned())));
            }
            _ => traces.settings.extend(setting(line)),
        }
    }
    traces
}

fn setting(line: &str) -> Option<Original> {
    let words: Vec<_> = line.split(' ').collect();
    let [index, link, family, setting, before, ours] = *words.as_slice() else { return None };
    let is_value = |text: &str| text.parse::<i64>().is_ok();
    if !is_value(before) || !is_value(ours) {
        return None;
    }
    Some(Original {
        index: index.parse().ok()?,
        link: link.to_owned(),
        family: match family {
            "4" => Family::V4,
            "6" => Family::V6,
            _ => return None,
        },
        setting: setting.to_owned(),
        before: before.to_owned(),
        ours: ours.to_owned(),
    })
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "tests make the files they need")]
mod tests {
    use std::fs;
    use std::os::unix::fs::{symlink, PermissionsExt as _};

    use super::super::tests::TempDir;
    use std::io::ErrorKind;

    use super::*;

    fn original(index: u32, link: &str, setting: &str) -> Original {
        Original {
            index,
            link: link.into(),
            family: if setting == "disable_ipv6" { Family::V6 } else { Family::V4 },
            setting: setting.into(),
            before: "-1".into(),
            ours: "12".into(),
        }
    }

    fn some() -> Traces {
        let link = "\u{e9}th@0#";
        Traces {
            settings: vec![original(0, "all", "rp_filter"), original(7, link, "disable_ipv6")],
            links: vec![(12, "vrrp.51".into())],
        }
    }

    /// The settings alone, or the first one.
    fn settings(count: usize) -> Traces {
        Traces { settings: some().settings[..count].to_vec(), links: Vec::new() }
    }

    #[test]
    fn originals_are_decoded_as_they_were() {
        let text = encoded(&some());
        assert_eq!(
            text,
            "keepalived settings 1\n0 all 4 rp_filter -1 12\n7 \u{e9}th@0# 6 disable_ipv6 -1 12\n\
             12 vrrp.51\n"
        );
        assert_eq!(decoded(text.as_bytes()), some());
    }

    #[test]
    fn what_is_not_understood_is_left_out() {
        for line in [
            "",
            "x",
            "7 ",
            "x vrrp.51",
            "7 eth0 4 rp_filter 1",
            "7 eth0 4 rp_filter 1 2 3",
            "7 eth0 5 rp_filter 1 2",
            "-7 eth0 4 rp_filter 1 2",
            "7 eth0 4 rp_filter one 2",
            "7  4 rp_filter 1 2 ",
        ] {
            let text = format!("{HEAD}\n{line}\n0 all 4 rp_filter -1 12\n");
            assert_eq!(decoded(text.as_bytes()), settings(1), "{line}");
        }
        let of_others = b"keepalived settings 2\n0 all 4 rp_filter 0 1\n";
        assert_eq!(decoded(of_others), Traces::default());
        assert_eq!(decoded(&[0xff, 0, 10]), Traces::default());
    }

    #[test]
    fn a_truncated_text_never_makes_up_an_original() {
        let text = encoded(&some());
        for len in 0..text.len() {
            let found = decoded(&text.as_bytes()[..len]);
            assert!(found.settings.iter().all(|f| some().settings.contains(f)), "{len}");
            assert!(found.links.iter().all(|f| some().links.contains(f)), "{len}");
        }
    }

    #[test]
    fn the_file_is_there_while_there_are_traces() {
        let dir = TempDir::new("originals");
        let path = beside(&dir.path().join("vrrp.pid"));
        assert_eq!(path, dir.path().join("vrrp.settings"));
        assert_eq!(load(&path).expect("no file is no trace"), Traces::default());
        save(&path, &some()).expect("writes");
        assert_eq!(load(&path).expect("reads"), some());
        save(&path, &settings(1)).expect("writes again");
        assert_eq!(load(&path).expect("reads"), settings(1));
        save(&path, &Traces::default()).expect("removes");
        assert!(!path.exists());
        save(&path, &Traces::default()).expect("nothing to remove");
    }

    #[test]
    fn a_file_of_others_is_refused() {
        let dir = TempDir::new("originals-others");
        let path = dir.path().join("vrrp.settings");
        save(&path, &some()).expect("writes");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o666)).expect("ours");
        assert_eq!(load(&path).expect_err("writable").kind(), ErrorKind::PermissionDenied);
        let link = dir.path().join("link");
        symlink(&path, &link).expect("links");
        assert!(load(&link).is_err());
        fs::write(&path, vec![b'x'; usize::try_from(LIMIT).expect("small") + 1]).expect("writes");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).expect("ours");
        assert!(load(&path).is_err(), "too large");
    }
}
