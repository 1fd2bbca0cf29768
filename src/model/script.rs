//! Commands that the daemon runs for the operator.

/// Who a command runs as.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct User {
    pub uid: u32,
    pub gid: u32,
}

impl User {
    pub const ROOT: Self = Self { uid: 0, gid: 0 };

    /// Root, by user or by group: then the path of a command must be safe.
    pub const fn is_root(self) -> bool {
        self.uid == 0 || self.gid == 0
    }
}

/// A command, checked when the configuration was read. All but those of checks were there then, and
/// may be executed.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Script {
    /// What is executed: the resolved path, or the given one with `use_symlink_paths`. Empty if
    /// there was none: to start it fails, even if there is one meanwhile that nobody has checked.
    pub path: String,
    /// The words as written, the first included: that is what the command sees as its name.
    pub argv: Vec<String>,
    pub user: User,
    /// Executed through the shell, since it has no `#!` and is no binary.
    pub by_shell: bool,
}

impl Script {
    pub const fn missing(argv: Vec<String>, user: User) -> Self {
        Self { path: String::new(), argv, user, by_shell: false }
    }

    /// The command as it is shown to people.
    pub fn shown(&self) -> String {
        self.argv.join(" ")
    }
}
