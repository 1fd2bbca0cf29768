//! A program that runs beside a test.

use std::fs::File;
use std::process::{Child, Command, Stdio};

use nix::sys::signal::{kill, Signal};
use nix::unistd::Pid;

use super::{wait, Namespace, Workshop, SOON};

/// A program in a namespace, with its output in a file. Killed when dropped.
pub(crate) struct Runs {
    child: Child,
    shop: Workshop,
}

impl Runs {
    pub(crate) fn new(host: &Namespace, words: &[&str]) -> Self {
        let shop = Workshop::new();
        let output = File::create(shop.path("output")).expect("the folder is new");
        let _inside = host.enter();
        let child = Command::new("setpriv")
            .args(["--pdeathsig", "KILL"])
            .args(words)
            .current_dir("/")
            .stdin(Stdio::null())
            .stdout(output.try_clone().expect("a descriptor is left"))
            .stderr(output)
            .spawn()
            .expect("the runner has seen that setpriv is there");
        Self { child, shop }
    }

    pub(crate) fn output(&self) -> String {
        self.shop.read("output")
    }

    pub(crate) fn is_running(&mut self) -> bool {
        self.child.try_wait().expect("an own child").is_none()
    }

    /// Sends SIGTERM and waits.
    #[track_caller]
    pub(crate) fn stop(&mut self) {
        let pid = i32::try_from(self.child.id()).expect("a process id");
        kill(Pid::from_raw(pid), Signal::SIGTERM).expect("it is running");
        wait("the program ends", SOON, || !self.is_running());
    }
}

impl Drop for Runs {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
