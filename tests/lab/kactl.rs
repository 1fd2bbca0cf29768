//! kactl, connected to the daemon of a test.

use std::path::PathBuf;
use std::process::Command;

use super::{output_of, Daemon, Program};

/// The control socket.
pub(crate) fn socket(daemon: &Daemon) -> PathBuf {
    daemon.file("main.sock")
}

/// The binary under its third name.
pub(crate) fn kactl(daemon: &Daemon) -> Command {
    let path = daemon.file("kactl");
    if !path.exists() {
        let program = std::fs::canonicalize(&Program::under_test().path).expect("it is built");
        std::os::unix::fs::symlink(program, &path).expect("the folder is the test's");
    }
    let mut command = Command::new(path);
    command.arg("--socket").arg(socket(daemon));
    command
}

/// The output of a command that succeeds.
#[track_caller]
pub(crate) fn kactl_says(daemon: &Daemon, words: &[&str]) -> String {
    let (status, text) = output_of(kactl(daemon).args(words));
    assert_eq!(status, Some(0), "kactl {words:?}: {text}");
    text
}
