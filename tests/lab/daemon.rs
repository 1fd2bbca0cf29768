//! A keepalived in a namespace: this program, or the reference.

use std::fs::File;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::rc::Rc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::OnceLock;
use std::time::Duration;

use nix::sys::signal::{kill, Signal};
use nix::unistd::Pid;

use super::{eventually, output_of, wait, Namespace, Skip, SOON};

/// A program with the command line of keepalived.
#[derive(Clone, Debug)]
pub(crate) struct Program {
    pub(crate) path: PathBuf,
    /// This package's program, with stricter expectations than the reference.
    pub(crate) ours: bool,
}

impl Program {
    /// `KEEPALIVED` from the environment, or the binary of this package.
    pub(crate) fn under_test() -> &'static Self {
        static CHOSEN: OnceLock<Program> = OnceLock::new();
        CHOSEN.get_or_init(|| match std::env::var_os("KEEPALIVED") {
            Some(path) => Self { path: path.into(), ours: false },
            None => Self { path: env!("CARGO_BIN_EXE_keepalived").into(), ours: true },
        })
    }

    /// Debian's keepalived.
    pub(crate) fn reference() -> Result<Self, Skip> {
        let path = PathBuf::from("/usr/sbin/keepalived");
        if !path.exists() {
            return Err(Skip::new("the reference is missing: apt-get install keepalived"));
        }
        let found = Self { path, ours: false };
        if found.version().contains("v2.") {
            Ok(found)
        } else {
            Err(Skip::new("/usr/sbin/keepalived is not the reference"))
        }
    }

    /// Output of `-v`.
    pub(crate) fn version(&self) -> String {
        let said = Command::new(&self.path).arg("-v").output();
        said.map_or_else(|e| e.to_string(), |out| String::from_utf8_lossy(&out.stderr).into_owned())
    }
}

/// A running daemon with its own directory for its files. Killed when dropped.
pub(crate) struct Daemon {
    pub(crate) name: String,
    child: Child,
    program: Program,
    namespace: Rc<Namespace>,
    folder: PathBuf,
    ended: Option<ExitStatus>,
}

/// Variations of the start of a daemon.
#[derive(Clone, Copy, Default)]
struct Unlike<'a> {
    fault: Option<&'a str>,
    /// Options of setpriv.
    rights: &'a [&'a str],
    /// The user whom the daemon's directory belongs to.
    owner: Option<u32>,
    /// A directory in which commands are searched for first.
    first: Option<&'a str>,
}

impl Daemon {
    pub(super) fn start(
        program: &Program,
        namespace: Rc<Namespace>,
        name: &str,
        config: &str,
        args: &[&str],
    ) -> Self {
        let args = [&["-n", "-l", "-G", "-D"], args].concat();
        Self::run(program, namespace, name, config, &args, Unlike::default())
    }

    /// This program, with a fault injected through `KEEPALIVED_FAULT`.
    pub(super) fn start_faulty(
        program: &Program,
        namespace: Rc<Namespace>,
        name: &str,
        config: &str,
        fault: &str,
        args: &[&str],
    ) -> Self {
        let unlike = Unlike { fault: Some(fault), ..Unlike::default() };
        Self::run(program, namespace, name, config, args, unlike)
    }

    /// With the rights that these options of setpriv leave, in a directory of `owner`.
    pub(super) fn start_confined(
        namespace: Rc<Namespace>,
        name: &str,
        config: &str,
        (rights, owner): (&[&str], Option<u32>),
        args: &[&str],
    ) -> Self {
        let unlike = Unlike { rights, owner, ..Unlike::default() };
        let args = [&["-n", "-l", "-G", "-D"], args].concat();
        Self::run(Program::under_test(), namespace, name, config, &args, unlike)
    }

    /// With a directory in which commands are searched for first.
    pub(super) fn start_finding(
        program: &Program,
        namespace: Rc<Namespace>,
        name: &str,
        config: &str,
        first: &str,
    ) -> Self {
        let unlike = Unlike { first: Some(first), ..Unlike::default() };
        Self::run(program, namespace, name, config, &["-n", "-l", "-G", "-D"], unlike)
    }

    pub(super) fn start_in_background(
        program: &Program,
        namespace: Rc<Namespace>,
        name: &str,
        config: &str,
    ) -> Self {
        Self::run(program, namespace, name, config, &["-G", "-D"], Unlike::default())
    }

    /// In the background, with its log in `log.txt`.
    pub(super) fn start_detached(
        program: &Program,
        namespace: Rc<Namespace>,
        name: &str,
        config: &str,
        args: &[&str],
    ) -> Self {
        let args = [&["-G", "-D"], args].concat();
        Self::run(program, namespace, name, config, &args, Unlike::default())
    }

    fn run(
        program: &Program,
        namespace: Rc<Namespace>,
        name: &str,
        config: &str,
        args: &[&str],
        unlike: Unlike<'_>,
    ) -> Self {
        let folder = fresh_folder(name);
        let conf = folder.join("keepalived.conf");
        std::fs::write(&conf, config).expect("the folder is new");
        let mut program = program.clone();
        if let Some(owner) = unlike.owner {
            std::os::unix::fs::chown(&folder, Some(owner), Some(owner)).expect("it is ours");
            // The owner may have no access to the tree, and executes the program for a restart.
            let copy = folder.join("keepalived");
            std::fs::copy(&program.path, &copy).expect("there is room");
            program.path = copy;
        }
        let child = Self::spawn(&program, &namespace, &folder, args, unlike);
        Self { name: name.to_owned(), child, program, namespace, folder, ended: None }
    }

    /// The program once more, in the place of one that has ended.
    pub(crate) fn start_again(&mut self) {
        assert!(!self.is_running(), "{} runs", self.name);
        let args = ["-n", "-l", "-G", "-D"];
        self.child =
            Self::spawn(&self.program, &self.namespace, &self.folder, &args, Unlike::default());
        self.ended = None;
    }

    fn spawn(
        program: &Program,
        namespace: &Namespace,
        folder: &Path,
        args: &[&str],
        unlike: Unlike<'_>,
    ) -> Child {
        let log = File::options().append(true).create(true).open(folder.join("log"));
        let log = log.expect("the folder is there");
        let _inside = namespace.enter();
        // setpriv: the daemons die with the tests if those are killed.
        Command::new("setpriv")
            .args(["--pdeathsig", "KILL"])
            .args(unlike.rights)
            .arg(&program.path)
            .arg("-f")
            .arg(folder.join("keepalived.conf"))
            .args(pid_files(folder))
            .args(args)
            .env("TMPDIR", folder)
            .env_remove("NOTIFY_SOCKET")
            .envs(unlike.fault.map(|fault| ("KEEPALIVED_FAULT", fault)))
            .envs(
                unlike
                    .first
                    .map(|first| ("PATH", format!("{first}:/usr/sbin:/usr/bin:/sbin:/bin"))),
            )
            .current_dir("/")
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("a descriptor is left"))
            .stderr(log)
            .spawn()
            .expect("the runner has seen that setpriv is there")
    }

    pub(crate) fn pid(&self) -> Pid {
        Pid::from_raw(i32::try_from(self.child.id()).expect("a process id"))
    }

    /// CPU time used.
    pub(crate) fn cpu(&self) -> Duration {
        let text = std::fs::read_to_string(format!("/proc/{}/schedstat", self.pid()));
        let text = text.unwrap_or_default();
        let nanos = text.split_whitespace().next().and_then(|n| n.parse().ok());
        Duration::from_nanos(nanos.unwrap_or(0))
    }

    /// A file in the daemon's directory, which is also its TMPDIR.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    pub(crate) fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.file(name)).unwrap_or_default()
    }

    /// The log without the time at the start of each line.
    pub(crate) fn log(&self) -> Vec<String> {
        self.read("log").lines().map(|line| text_of(line).to_owned()).collect()
    }

    /// Number of lines in the log: a position to continue from.
    pub(crate) fn mark(&self) -> usize {
        self.log().len()
    }

    /// True if the log has exactly this line.
    pub(crate) fn logged(&self, line: &str) -> bool {
        self.logged_since(0, line)
    }

    pub(crate) fn logged_since(&self, mark: usize, line: &str) -> bool {
        self.log().iter().skip(mark).any(|l| l == line)
    }

    #[track_caller]
    pub(crate) fn wait_log(&self, line: &str) {
        self.wait_log_since(0, line);
    }

    #[track_caller]
    pub(crate) fn wait_log_since(&self, mark: usize, line: &str) {
        wait(&format!("{} logs '{line}'", self.name), SOON, || self.logged_since(mark, line));
    }

    /// Waits for a line that contains this.
    #[track_caller]
    pub(crate) fn wait_log_part(&self, mark: usize, part: &str) {
        let seen = || self.log().iter().skip(mark).any(|l| l.contains(part));
        wait(&format!("{} logs a line with '{part}'", self.name), SOON, seen);
    }

    /// Lines since `mark` about changes of state.
    pub(crate) fn state_changes(&self, mark: usize) -> Vec<String> {
        self.log()
            .into_iter()
            .skip(mark)
            .filter(|l| l.contains(" STATE") || l.contains("FAULT state"))
            .collect()
    }

    #[track_caller]
    pub(crate) fn wait_master(&self, instance: &str) {
        self.wait_log(&format!("({instance}) Entering MASTER STATE"));
    }

    /// BACKUP from the start.
    #[track_caller]
    pub(crate) fn wait_backup(&self, instance: &str) {
        self.wait_log(&format!("({instance}) Entering BACKUP STATE (init)"));
    }

    /// BACKUP after it was MASTER at `mark`.
    #[track_caller]
    pub(crate) fn wait_yielded(&self, mark: usize, instance: &str) {
        self.wait_log_since(mark, &format!("({instance}) Entering BACKUP STATE"));
    }

    /// FAULT from the start; the reference has several messages for it.
    #[track_caller]
    pub(crate) fn wait_fault(&self, instance: &str) {
        let of_it = |line: &String| {
            line.starts_with(&format!("({instance})"))
                && line.to_uppercase().contains("FAULT STATE")
        };
        wait(&format!("{} says that {instance} is in FAULT", self.name), SOON, || {
            self.log().iter().any(of_it)
        });
    }

    pub(crate) fn rewrite(&self, config: &str) {
        std::fs::write(self.file("keepalived.conf"), config).expect("the folder is there");
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill(self.pid(), signal)
            .unwrap_or_else(|e| panic!("{} cannot be signalled: {e}", self.name));
    }

    pub(crate) fn reload(&self) {
        self.signal(Signal::SIGHUP);
    }

    /// `--reload-and-wait`: its status and its output.
    pub(crate) fn reload_and_wait(&self) -> (Option<i32>, String) {
        let mut command = Command::new(&Program::under_test().path);
        command.arg("-f").arg(self.file("keepalived.conf")).args(pid_files(&self.folder));
        output_of(command.arg("--reload-and-wait"))
    }

    pub(crate) fn is_running(&mut self) -> bool {
        if self.ended.is_none() {
            self.ended = self.child.try_wait().expect("an own child");
        }
        self.ended.is_none()
    }

    /// The exit status of a daemon that ends by itself.
    #[track_caller]
    pub(crate) fn wait_end(&mut self) -> ExitStatus {
        let name = self.name.clone();
        wait(&format!("{name} ends"), SOON, || !self.is_running());
        self.ended.expect("it has ended")
    }

    /// Sends SIGTERM and waits.
    #[track_caller]
    pub(crate) fn stop(&mut self) -> ExitStatus {
        if self.is_running() {
            self.signal(Signal::SIGTERM);
        }
        self.wait_end()
    }

    /// SIGKILL to the daemon and its children, so that no cleanup can run.
    pub(crate) fn crash(&mut self) {
        if !self.is_running() {
            return;
        }
        // The parent is stopped first: it would restart a killed child.
        self.signal(Signal::SIGSTOP);
        for child in descendants(self.pid()) {
            let _ = kill(child, Signal::SIGKILL);
        }
        self.signal(Signal::SIGKILL);
        let _ = self.wait_end();
    }

    /// SIGSTOP to the daemon and its children.
    pub(crate) fn freeze(&self) {
        self.signal_all(Signal::SIGSTOP);
    }

    pub(crate) fn thaw(&self) {
        self.signal_all(Signal::SIGCONT);
    }

    fn signal_all(&self, signal: Signal) {
        self.signal(signal);
        for child in descendants(self.pid()) {
            let _ = kill(child, signal);
        }
    }

    /// True while the address is on the interface of the daemon's host.
    pub(crate) fn holds(&self, interface: &str, address: &str) -> bool {
        self.namespace.holds(interface, address)
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("---- log of {} ----\n{}----", self.name, self.read("log"));
        }
        if self.is_running() {
            for child in descendants(self.pid()) {
                let _ = kill(child, Signal::SIGKILL);
            }
            let _ = self.child.kill();
            let _ = eventually(Duration::from_secs(2), || !self.is_running());
        }
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

fn fresh_folder(name: &str) -> PathBuf {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let n = COUNT.fetch_add(1, Ordering::Relaxed);
    let folder =
        std::env::temp_dir().join(format!("keepalived-lab.{}.{n}.{name}", std::process::id()));
    std::fs::create_dir(&folder)
        .unwrap_or_else(|e| panic!("cannot create {}: {e}", folder.display()));
    folder
}

fn pid_files(folder: &Path) -> Vec<PathBuf> {
    let names = [
        ("-p", "main.pid"),
        ("--vrrp_pid", "vrrp.pid"),
        ("--checkers_pid", "check.pid"),
        ("--bfd_pid", "bfd.pid"),
    ];
    names.into_iter().flat_map(|(option, name)| [option.into(), folder.join(name)]).collect()
}

/// `Sun Nov 22 19:11:50 2026: TEXT`.
fn text_of(line: &str) -> &str {
    let stamped = line.get(24..26) == Some(": ") && line.get(13..14) == Some(":");
    line.get(26..).filter(|_| stamped).unwrap_or(line)
}

fn descendants(parent: Pid) -> Vec<Pid> {
    let path = format!("/proc/{parent}/task/{parent}/children");
    let children = std::fs::read_to_string(path).unwrap_or_default();
    let children =
        children.split_whitespace().filter_map(|pid| pid.parse().ok()).map(Pid::from_raw);
    children.flat_map(|child| std::iter::once(child).chain(descendants(child))).collect()
}
