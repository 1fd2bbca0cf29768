//! Directories that determine the target of a path: those of its last component, of the symbolic
//! links on the way, and of the first missing component.

use std::collections::VecDeque;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::path::{Component, Path, PathBuf};

/// As the kernel counts (path_resolution(7)).
const MOST_LINKS: usize = 40;

/// One thing to watch.
#[derive(Debug)]
pub(super) enum Link {
    /// The file itself, which need not be there.
    File { dir: PathBuf, name: OsString },
    /// What this directory has under this name: a symbolic link, or nothing that leads on.
    Entry { dir: PathBuf, name: OsString },
    /// Whether this directory stays where it is.
    Way { dir: PathBuf },
}

/// All current components of an absolute path.
pub(super) fn chain(path: &Path) -> Vec<Link> {
    let mut found = Vec::new();
    let mut dir = PathBuf::from("/");
    let mut todo: VecDeque<OsString> = words(path).collect();
    let mut links = 0;
    while let Some(name) = todo.pop_front() {
        if name == OsStr::new("..") {
            dir.pop();
            continue;
        }
        let here = dir.join(&name);
        match fs::symlink_metadata(&here) {
            Ok(m) if m.is_symlink() && links < MOST_LINKS => {
                links += 1;
                found.push(Link::Entry { dir: dir.clone(), name });
                let Ok(target) = fs::read_link(&here) else { return found };
                if target.is_absolute() {
                    dir = PathBuf::from("/");
                }
                for word in words(&target).rev() {
                    todo.push_front(word);
                }
            }
            Ok(m) if m.is_dir() && !todo.is_empty() => {
                found.push(Link::Way { dir: here.clone() });
                dir = here;
            }
            _ if todo.is_empty() => found.push(Link::File { dir: dir.clone(), name }),
            _ => {
                found.push(Link::Entry { dir, name });
                return found;
            }
        }
    }
    found
}

fn words(path: &Path) -> impl DoubleEndedIterator<Item = OsString> + '_ {
    path.components().filter_map(|c| match c {
        Component::Normal(_) | Component::ParentDir => Some(c.as_os_str().to_owned()),
        _ => None,
    })
}
