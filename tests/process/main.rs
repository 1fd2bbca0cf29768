//! Process attributes, observed from outside: background, signals, scheduling, namespaces, an
//! unread console.
//!
//! A test harness has threads, and these attributes belong to a whole process. So the test binary
//! re-executes itself in a role; the roles are in `roles.rs`.

#![expect(clippy::disallowed_methods, reason = "tests make the files they need")]

mod roles;

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use keepalived::base::time::Instant;
use keepalived::sys::clock::Clock;
use keepalived::sys::pidfile::{self, PidFiles};
use libtest_mimic::{Arguments, Failed, Trial};

type Outcome = Result<(), Failed>;
type Test = fn() -> Outcome;

fn main() {
    if let Ok(role) = std::env::var(ROLE) {
        return roles::play(&role);
    }
    let tests: [(&str, Test); 9] = [
        ("the_background_process_is_detached", the_background_process_is_detached),
        ("the_lock_passes_to_the_background_process", the_lock_passes_to_the_background_process),
        ("a_failed_start_is_reported_to_the_caller", a_failed_start_is_reported_to_the_caller),
        (
            "a_crash_during_startup_is_reported_to_the_caller",
            a_crash_during_startup_is_reported_to_the_caller,
        ),
        ("signals_become_readable", signals_become_readable),
        ("an_ignored_interrupt_does_nothing", an_ignored_interrupt_does_nothing),
        ("commands_start_in_a_clean_state", commands_start_in_a_clean_state),
        ("an_unread_console_does_not_block", an_unread_console_does_not_block),
        ("a_burst_reaches_a_slow_console", a_burst_reaches_a_slow_console),
    ];
    let privileged: [(&str, &str, Test); 4] = [
        ("real_time_is_not_inherited", "realtime", real_time_is_not_inherited),
        ("memory_is_locked", "memory", memory_is_locked),
        ("a_namespace_is_entered", "netns", a_namespace_is_entered),
        (
            "a_command_has_none_of_the_daemons_capabilities",
            "rights",
            a_command_has_none_of_the_daemons_capabilities,
        ),
    ];
    let mut trials: Vec<_> = tests.map(|(name, test)| Trial::test(name, test)).into();
    for (name, role, test) in privileged {
        let may = may(role);
        if !may {
            eprintln!("process: SKIPPED {name}, not allowed here");
        }
        trials.push(Trial::test(name, test).with_ignored_flag(!may));
    }
    libtest_mimic::run(&Arguments::from_args(), trials).exit();
}

/// Role of a process that is not the test harness.
const ROLE: &str = "KEEPALIVED_TEST_ROLE";
/// Some of the variables that commands must not inherit.
const WITHHELD: [&str; 12] = [
    "BASH_ENV",
    "GCONV_PATH",
    "GLIBC_TUNABLES",
    "IFS",
    "LD_AUDIT",
    "LD_LIBRARY_PATH",
    "LISTEN_FDS",
    "LOCPATH",
    "MALLOC_PERTURB_",
    "NOTIFY_SOCKET",
    "RES_OPTIONS",
    "WATCHDOG_PID",
];
/// Time limit of a step.
const LIMIT: Duration = Duration::from_secs(20);

fn role(name: &str, dir: &Path) -> Command {
    let mut command = Command::new(std::env::current_exe().expect("the name of this program"));
    command.env(ROLE, name).arg(dir).stdin(Stdio::null()).stdout(Stdio::piped());
    command
}

/// True if the host permits the role: it needs root, and the kernel may refuse.
fn may(role: &str) -> bool {
    match role {
        "netns" => {
            let name = format!("kp-may-{}", std::process::id());
            let made = ip(&["netns", "add", &name]);
            made && ip(&["netns", "del", &name])
        }
        "rights" => without_root("nothing", Path::new("/"))
            .stderr(Stdio::null())
            .spawn()
            .is_ok_and(|child| finish(child).is_some()),
        _ => finish(self::role(role, Path::new("/")).spawn().expect("starts")).is_some(),
    }
}

#[expect(clippy::disallowed_methods, reason = "a test has no loop to block")]
fn ip(arguments: &[&str]) -> bool {
    Command::new("ip").args(arguments).stderr(Stdio::null()).status().is_ok_and(|s| s.success())
}

/// Standard output of a process that exited successfully.
fn finish(mut child: Child) -> Option<String> {
    let status = status(&mut child)?;
    let mut text = String::new();
    child.stdout.take()?.read_to_string(&mut text).ok()?;
    (status == 0).then_some(text)
}

/// The exit status; a process that takes too long is killed.
fn status(child: &mut Child) -> Option<i32> {
    let ended = wait(|| child.try_wait().ok().flatten());
    if ended.is_none() {
        let _ = child.kill();
        let _ = child.wait();
    }
    ended?.code()
}

/// Polls until there is a value.
fn wait<T>(mut look: impl FnMut() -> Option<T>) -> Option<T> {
    let clock = Clock::new();
    while clock.now().since(Instant::ZERO) < LIMIT {
        if let Some(found) = look() {
            return Some(found);
        }
        #[expect(clippy::disallowed_methods, reason = "polling interval; the limit is above")]
        std::thread::sleep(Duration::from_millis(5));
    }
    None
}

struct TempDir(PathBuf);

impl TempDir {
    fn new(name: &str) -> Self {
        let dir = std::env::temp_dir().join(format!("kp-{}-{name}", std::process::id()));
        fs::create_dir(&dir).expect("a fresh directory");
        Self(dir)
    }
}

impl Drop for TempDir {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Starts a daemon in `dir`; returns its report, once the caller was released.
fn background(dir: &Path) -> Result<String, Failed> {
    let mut child = role("background", dir).stderr(Stdio::piped()).spawn()?;
    let status = status(&mut child);
    if status != Some(0) {
        return Err(format!("the caller ended with {status:?}").into());
    }
    // Standard output of the daemon is our pipe until startup is complete, when it is closed.
    let mut rest = String::new();
    child.stdout.take().expect("is piped").read_to_string(&mut rest)?;
    let report =
        wait(|| fs::read_to_string(dir.join("report")).ok().filter(|r| r.ends_with("end\n")));
    report.ok_or_else(|| "no report".into())
}

/// Lets the daemon of [`background`] exit.
fn release(dir: &Path) -> Outcome {
    fs::write(dir.join("stop"), "")?;
    let gone = wait(|| (!dir.join("k.pid").exists()).then_some(()));
    gone.ok_or_else(|| "the daemon goes on".into())
}

fn the_background_process_is_detached() -> Outcome {
    let dir = TempDir::new("background");
    let report = background(&dir.0)?;
    release(&dir.0)?;
    for wanted in ["cwd /\n", "fd0 /dev/null\n", "fd1 /dev/null\n", "fd2 /dev/null\n"] {
        assert!(report.contains(wanted), "{report}");
    }
    // Not a session leader, so that it cannot acquire a terminal.
    assert!(report.contains("leader no\nsession new\n"), "{report}");
    Ok(())
}

fn the_lock_passes_to_the_background_process() -> Outcome {
    let dir = TempDir::new("lock");
    let report = background(&dir.0)?;
    let path = dir.0.join("k.pid");
    let taken = PidFiles::claim([path.clone()]);
    assert!(matches!(taken, Err(pidfile::Error::Locked(_))), "{taken:?}");
    let pid = fs::read_to_string(&path)?;
    assert!(report.contains(&format!("pid {pid}")), "{pid} {report}");
    release(&dir.0)
}

fn a_failed_start_is_reported_to_the_caller() -> Outcome {
    let mut child = role("fails", Path::new("/")).stderr(Stdio::piped()).spawn()?;
    assert_eq!(status(&mut child), Some(2));
    let mut text = String::new();
    child.stderr.take().expect("is piped").read_to_string(&mut text)?;
    assert_eq!(text, "the reason\n");
    Ok(())
}

fn a_crash_during_startup_is_reported_to_the_caller() -> Outcome {
    let mut child = role("dies", Path::new("/")).spawn()?;
    assert_eq!(status(&mut child), Some(1));
    Ok(())
}

/// Sends a signal as a script does.
#[expect(clippy::disallowed_methods, reason = "a test has no loop to block")]
fn kill(child: &Child, signal: &str) {
    let sent = Command::new("/bin/sh")
        .args(["-c", &format!("kill -{signal} {}", child.id())])
        .status()
        .expect("a shell");
    assert!(sent.success());
}

/// Starts `role`, sends `signals` one after the other, and returns its response to each.
fn answers(name: &str, signals: &[&str]) -> Result<Vec<String>, Failed> {
    let mut child = role(name, Path::new("/")).spawn()?;
    let mut lines = BufReader::new(child.stdout.take().expect("is piped")).lines();
    let mut said = vec![lines.next().ok_or("it never became ready")??];
    for signal in signals {
        kill(&child, signal);
        said.push(lines.next().unwrap_or_else(|| Ok("gone".into()))?);
    }
    assert_eq!(status(&mut child), Some(0));
    Ok(said)
}

fn signals_become_readable() -> Outcome {
    let said = answers("signals", &["HUP", "USR1", "USR2", "63", "36", "37", "TERM"])?;
    let wanted = ["ready", "Reload", "Data", "Stats", "StatsClear", "Json", "Json", "Stop"];
    assert_eq!(said, wanted);
    assert_eq!(answers("signals", &["INT"])?, ["ready", "Stop"]);
    Ok(())
}

fn an_ignored_interrupt_does_nothing() -> Outcome {
    let mut child = role("uninterrupted", Path::new("/")).spawn()?;
    let mut lines = BufReader::new(child.stdout.take().expect("is piped")).lines();
    assert_eq!(lines.next().ok_or("it never became ready")??, "ready");
    kill(&child, "INT");
    kill(&child, "HUP");
    kill(&child, "TERM");
    let rest: Result<Vec<_>, _> = lines.collect();
    assert_eq!(rest?, ["Reload", "Stop"]);
    assert_eq!(status(&mut child), Some(0));
    Ok(())
}

fn commands_start_in_a_clean_state() -> Outcome {
    let dir = TempDir::new("starts");
    for manner in ["borrow", "copy"] {
        let dir = dir.0.join(manner);
        fs::create_dir(&dir)?;
        starts_clean(&dir)?;
    }
    Ok(())
}

fn starts_clean(dir: &Path) -> Outcome {
    let mut role = role("starts", dir);
    for name in WITHHELD {
        role.env(name, "/nosuch");
    }
    role.env("LD_PRELOAD", "").env("KEPT", "yes");
    let said = finish(role.spawn()?).ok_or("it failed")?;
    let value = |name: &str| said.lines().find_map(|l| l.strip_prefix(name)).map(str::trim);
    assert_eq!(value("args"), Some("named one word,last"), "{said}");
    assert_eq!(value("cwd"), Some("/"));
    assert_eq!(value("umask"), Some("0177"));
    assert_eq!(value("fds"), Some("0  1  2"), "{said}");
    assert_eq!(value("input"), Some("/dev/null /dev/null"));
    assert_eq!(value("SigBlk:"), Some("0000000000000000"));
    // The C library keeps 32 and 33 for itself and does not let them be changed.
    let ignored = u64::from_str_radix(value("SigIgn:").unwrap_or_default(), 16)?;
    assert_eq!(ignored & !(0b11 << 31), 0, "{said}");
    let stat: Vec<_> = value("stat").ok_or("no stat")?.split(' ').collect();
    assert_eq!(Some(stat[4]), value("pid"), "leads a group");
    assert_eq!(Some(stat[18]), value("nice"));
    assert_eq!(value("files after"), value("files before"));
    let environment: Vec<_> = said.lines().filter_map(|l| l.strip_prefix("env ")).collect();
    assert!(environment.contains(&"KEPT=yes"));
    for name in WITHHELD {
        let is_it = |e: &&str| e.split('=').next() == Some(name);
        assert!(!environment.iter().any(is_it), "{name}: {said}");
    }
    Ok(())
}

/// A non-root daemon gets capabilities from its service manager, and does not pass them on.
fn a_command_has_none_of_the_daemons_capabilities() -> Outcome {
    for manner in ["borrow", "copy"] {
        let dir = TempDir::new(&format!("rights-{manner}"));
        let inner = dir.0.join(manner);
        fs::create_dir(&inner)?;
        for dir in [&dir.0, &inner] {
            fs::set_permissions(dir, fs::Permissions::from_mode(0o777))?;
        }
        let said = finish(without_root("starts", &inner).spawn()?).ok_or("it failed")?;
        for set in ["CapPrm:", "CapEff:", "CapAmb:"] {
            let value = said.lines().find_map(|l| l.strip_prefix(set)).map(str::trim);
            assert_eq!(value, Some("0000000000000000"), "{set} {said}");
        }
    }
    Ok(())
}

/// A role run as a user with one inheritable capability.
fn without_root(name: &str, dir: &Path) -> Command {
    let mut command = Command::new("setpriv");
    command
        .args(["--reuid=65534", "--regid=65534", "--clear-groups"])
        .args(["--inh-caps=+net_admin", "--ambient-caps=+net_admin"])
        .arg(std::env::current_exe().expect("the name of this program"))
        .env(ROLE, name)
        .arg(dir)
        .stdin(Stdio::null())
        .stdout(Stdio::piped());
    command
}

fn an_unread_console_does_not_block() -> Outcome {
    let mut child = role("chatters", Path::new("/")).stderr(Stdio::piped()).spawn()?;
    assert_eq!(status(&mut child), Some(0));
    let mut text = String::new();
    child.stderr.take().expect("is piped").read_to_string(&mut text)?;
    assert!(text.len() > 4096 && text.lines().all(|l| l.ends_with(": a line of the log")));
    Ok(())
}

fn a_burst_reaches_a_slow_console() -> Outcome {
    let mut child = role("bursts", Path::new("/")).stderr(Stdio::piped()).spawn()?;
    let mut written = String::new();
    BufReader::new(child.stdout.take().expect("is piped")).read_line(&mut written)?;
    let mut text = String::new();
    // Until it exits: it waits for this process.
    child.stderr.take().expect("is piped").read_to_string(&mut text)?;
    assert_eq!(status(&mut child), Some(0));
    assert_eq!(text.lines().filter(|l| l.ends_with(": a line of the log")).count(), 3_000);
    Ok(())
}

fn real_time_is_not_inherited() -> Outcome {
    let said = finish(role("realtime", Path::new("/")).spawn()?).ok_or("it failed")?;
    assert_eq!(said, "self 2 7\nchild 0 0\nchild 0 0\n");
    Ok(())
}

fn memory_is_locked() -> Outcome {
    let said = finish(role("memory", Path::new("/")).spawn()?).ok_or("it failed")?;
    let locked: u64 = said.trim().parse()?;
    assert!(locked > 0);
    Ok(())
}

fn a_namespace_is_entered() -> Outcome {
    let name = format!("kp-{}", std::process::id());
    assert!(ip(&["netns", "add", &name]));
    let said = role("netns", Path::new(&name)).spawn().map(finish);
    assert!(ip(&["netns", "del", &name]));
    assert_eq!(said?.as_deref(), Some("entered\n"));
    Ok(())
}
