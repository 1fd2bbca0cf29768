//! Where a file is written.

use std::path::{Path, PathBuf};

/// The name of a file, made of these parts.
#[derive(Clone, Copy, Debug)]
pub(super) struct Name<'a> {
    /// What the configuration says.
    pub(super) given: Option<&'a str>,
    /// What is usual, in the temporary directory.
    pub(super) usual: &'a str,
    /// `_check` and the like, of a file beside the one that the configuration names.
    pub(super) part: &'a str,
    /// Network namespace and instance.
    pub(super) daemon: &'a str,
}

impl Name<'_> {
    /// Directory and name. A relative path would depend on the working directory at the start, so its
    /// last component alone counts, in the temporary directory.
    pub(super) fn place(self, temporary: &Path) -> (PathBuf, String) {
        let given = Path::new(self.given.unwrap_or(self.usual));
        let is_directory = self.given.is_some_and(|given| given.ends_with('/'));
        let directory = match (given.is_absolute(), is_directory) {
            (false, _) => temporary.to_path_buf(),
            (true, true) => given.to_path_buf(),
            (true, false) => given.parent().unwrap_or(given).to_path_buf(),
        };
        let name = given.file_name().filter(|_| !is_directory);
        let name = name.and_then(|name| name.to_str()).unwrap_or(self.usual);
        let (stem, extension) = match name.rsplit_once('.') {
            Some((stem, extension)) => (stem, format!(".{extension}")),
            None => (name, String::new()),
        };
        let daemon = match self.daemon {
            "" => String::new(),
            daemon => format!(".{daemon}"),
        };
        (directory, format!("{stem}{}{daemon}{extension}", self.part))
    }
}

/// `TMPDIR` if it is absolute.
pub(super) fn temporary(tmpdir: Option<PathBuf>) -> PathBuf {
    tmpdir.filter(|d| d.is_absolute()).unwrap_or_else(|| Path::new("/tmp").to_path_buf())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(given: Option<&str>, part: &str, daemon: &str) -> String {
        let name = Name { given, usual: "keepalived.data", part, daemon };
        let (directory, name) = name.place(Path::new("/tmp"));
        directory.join(name).display().to_string()
    }

    #[test]
    fn files_are_where_keepalived_has_them() {
        for (given, part, daemon, path) in [
            (None, "", "", "/tmp/keepalived.data"),
            (None, "_check", "", "/tmp/keepalived_check.data"),
            (None, "_parent", "blue_j1", "/tmp/keepalived_parent.blue_j1.data"),
            (Some("sub/my.state"), "", "", "/tmp/my.state"),
            (Some("/run/x/my.state"), "_bfd", "", "/run/x/my_bfd.state"),
            (Some("/run/x/"), "", "j1", "/run/x/keepalived.j1.data"),
            (Some("nodot"), "_check", "", "/tmp/nodot_check"),
            (Some("/"), "", "", "/keepalived.data"),
        ] {
            assert_eq!(place(given, part, daemon), path, "{given:?}");
        }
    }

    #[test]
    fn a_relative_directory_is_none() {
        assert_eq!(temporary(Some("tmp".into())), Path::new("/tmp"));
        assert_eq!(temporary(Some("/var/tmp".into())), Path::new("/var/tmp"));
        assert_eq!(temporary(None), Path::new("/tmp"));
    }
}
