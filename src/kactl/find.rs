//! Which socket to connect to.

use std::path::{Path, PathBuf};

use super::exit::Exit;
use super::talk::Trouble;

/// The one of a daemon without a name or namespace.
const USUAL: &str = "/run/keepalived.sock";
/// Below it are those of daemons with a name or namespace.
const OTHERS: &str = "/run/keepalived";

/// Names one in the environment, for the unit and the init script.
const VARIABLE: &str = "KACTL_SOCKET";

/// The given one, or else that of the environment, or else the usual one, or else the only one.
pub(super) fn socket(given: Option<&Path>) -> Result<PathBuf, Trouble> {
    let named = std::env::var_os(VARIABLE).filter(|name| !name.is_empty());
    if let Some(path) = given.map(Path::to_owned).or_else(|| named.map(PathBuf::from)) {
        return Ok(path);
    }
    if Path::new(USUAL).exists() {
        return Ok(USUAL.into());
    }
    let mut found = Vec::new();
    collect(Path::new(OTHERS), 1, &mut found);
    found.sort();
    match found.as_slice() {
        [] => Err(Trouble {
            exit: Exit::NoDaemon,
            text: format!(
                "no daemon has a socket {USUAL} or below {OTHERS}; --socket names another"
            ),
        }),
        [only] => Ok(only.clone()),
        several => {
            let list: Vec<_> = several.iter().map(|path| path.display().to_string()).collect();
            let text =
                format!("several daemons run: choose one with --socket: {}", list.join(", "));
            Err(Trouble { exit: Exit::Failure, text })
        }
    }
}

fn collect(directory: &Path, depth: usize, found: &mut Vec<PathBuf>) {
    let Ok(entries) = std::fs::read_dir(directory) else { return };
    for path in entries.filter_map(|entry| Some(entry.ok()?.path())) {
        if path.extension().is_some_and(|end| end == "sock") {
            found.push(path);
        } else if depth > 0 {
            collect(&path, depth - 1, found);
        }
    }
}
