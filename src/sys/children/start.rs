//! Starting a command: all that needs memory is made ready first, then the new process takes the
//! steps of [`become_command`], which are system calls and nothing else.

use std::ffi::{CStr, CString, OsStr, OsString};
use std::fmt;
use std::io;
use std::os::fd::{IntoRawFd as _, RawFd};
use std::os::unix::ffi::OsStrExt;
use std::sync::atomic::{AtomicU32, Ordering};

use nix::errno::Errno;
use nix::fcntl::{open, OFlag};
use nix::sched::{unshare, CloneFlags};
use nix::sys::prctl::set_pdeathsig;
use nix::sys::signal::Signal;
use nix::sys::stat::Mode;
use nix::unistd::{self, dup2_stderr, dup2_stdin, dup2_stdout, getpid, getppid, setpgid};

use super::shared::SharedWord;
use super::streams::Streams;
use super::{Outcome, Pid};
use crate::model::script::{Script, User};
use crate::sys::sched::Inherited;
use crate::sys::{check, process, reason, sched, signals, users};

/// Variables that change the behaviour of a shell or the C library: those that glibc ignores in
/// privileged programs (ld.so(8)), except the directory for temporary files. Also those of the
/// service manager for the daemon.
const WITHHELD: [&str; 21] = [
    "BASHOPTS",
    "BASH_ENV",
    "GCONV_PATH",
    "GETCONF_DIR",
    "GLIBC_TUNABLES",
    "HOSTALIASES",
    "IFS",
    super::super::takeover::VARIABLE,
    "LOCALDOMAIN",
    "LOCPATH",
    "MAINPID",
    "MANAGERPID",
    "NIS_PATH",
    "NLSPATH",
    "NOTIFY_SOCKET",
    "PS4",
    "RESOLV_HOST_CONF",
    "RES_OPTIONS",
    "SHELLOPTS",
    "TZDIR",
    "FDSTORE",
];
/// Prefixes of further such names.
const WITHHELD_FAMILIES: [&str; 5] = ["BASH_FUNC_", "LD_", "LISTEN_", "MALLOC_", "WATCHDOG_"];
const SHELL: &str = "/bin/sh";
/// In units of 16 bytes: 64 KiB, of which some hundreds of bytes are used.
const STACK: usize = 4096;
/// The exit status of a process that could not execute its command, as with a shell.
const NOT_STARTED: u8 = 127;

/// A child, as long as it has not ended.
#[derive(Debug)]
pub struct Child {
    pid: Pid,
    failure: Option<SharedWord>,
}

impl Child {
    /// A child of this process that the program before this one has started.
    pub const fn adopted(pid: i32) -> Self {
        Self { pid: Pid(pid), failure: None }
    }

    pub const fn pid(&self) -> Pid {
        self.pid
    }

    /// The actual outcome, given the kernel's exit status.
    pub fn outcome(&self, said: Outcome) -> Outcome {
        // The word is read only if it may have been written: each read costs a page.
        let failed =
            if said == Outcome::Exited(NOT_STARTED) { self.failure.as_ref() } else { None };
        let failure = failed.and_then(|f| Failure::parse(f.word().load(Ordering::Acquire)));
        failure.map_or(said, Outcome::NotStarted)
    }
}

/// Why a command could not be executed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Failure {
    step: Step,
    errno: i32,
}

impl Failure {
    /// The step and the error in one word, never zero.
    fn emit(step: Step, errno: i32) -> u32 {
        (step as u32) << 16 | u32::try_from(errno & 0xffff).unwrap_or(0)
    }

    fn parse(word: u32) -> Option<Self> {
        let step = STEPS.into_iter().find(|s| *s as u32 == word >> 16)?;
        Some(Self { step, errno: i32::try_from(word & 0xffff).unwrap_or(0) })
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let step = match self.step {
            Step::Descriptors => "let go of the daemon's descriptors",
            Step::Null => "open /dev/null",
            Step::Group => "become a process group",
            Step::User => "become its user",
            Step::Signals => "reset its signals",
            Step::Execute => "execute it",
        };
        write!(f, "cannot {step}: {}", reason(&io::Error::from_raw_os_error(self.errno)))
    }
}

impl std::error::Error for Failure {}

impl From<Failure> for io::Error {
    fn from(failure: Failure) -> Self {
        Self::new(Self::from_raw_os_error(failure.errno).kind(), failure)
    }
}

/// The file to be executed has a lease, and the daemon would wait as well.
const LEASED: Failure = Failure { step: Step::Execute, errno: libc::EWOULDBLOCK };

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u32)]
enum Step {
    Descriptors = 1,
    Null,
    Group,
    User,
    Signals,
    Execute,
}

const STEPS: [Step; 6] =
    [Step::Descriptors, Step::Null, Step::Group, Step::User, Step::Signals, Step::Execute];

/// How the new process is made.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Manner {
    /// It shares the daemon's memory, and the daemon waits until the command is executed. Only for
    /// commands that are certainly in memory, such as those executed recently. Not used if the user
    /// changes.
    Borrow,
    /// It has a copy, and the daemon continues at once.
    Copy,
}

/// Starts commands.
pub struct Starter {
    environment: Vec<CString>,
    inherited: Inherited,
    own: User,
    stack: Box<[u128; STACK]>,
}

impl Starter {
    /// Takes the daemon's environment, except variables that a command must not inherit, and the
    /// original scheduling.
    pub fn new(inherited: Inherited) -> Self {
        let kept = |(name, _): &(OsString, OsString)| !is_withheld(name);
        let environment = std::env::vars_os().filter(kept).filter_map(|(name, value)| {
            // A value from a C string has no NUL.
            CString::new([name.as_bytes(), value.as_bytes()].join(&b'=')).ok()
        });
        let own = users::own();
        Self { environment: environment.collect(), inherited, own, stack: Box::new([0; STACK]) }
    }

    /// Starts `script` with `extra` arguments after its own, as the leader of a process group.
    ///
    /// # Errors
    /// There is no room for a process, or the command cannot be executed. The latter is known here
    /// only if the daemon waits; otherwise when the child has ended ([`Child::outcome`]).
    pub fn start(&mut self, script: &Script, extra: &[&str], manner: Manner) -> io::Result<Child> {
        self.start_with(script, extra, manner, None)
    }

    /// The same for a command that reads and writes these streams, not `/dev/null`.
    ///
    /// # Errors
    /// As for [`Starter::start`].
    pub fn start_with(
        &mut self,
        script: &Script,
        extra: &[&str],
        manner: Manner,
        streams: Option<&Streams>,
    ) -> io::Result<Child> {
        let words = words(script, extra)?;
        let path = CString::new(if script.by_shell { SHELL } else { &script.path })?;
        let argv = pointers(&words);
        let environment = pointers(&self.environment);
        let waits = manner == Manner::Borrow && script.user == self.own;
        let shared = if waits { None } else { Some(SharedWord::new()?) };
        let local = AtomicU32::new(0);
        let plan = Plan {
            path: &path,
            argv: argv.as_ptr(),
            environment: environment.as_ptr(),
            user: script.user,
            inherited: self.inherited,
            own: self.own,
            parent: getpid(),
            waits,
            streams: streams.map(Streams::descriptors),
            failure: shared.as_ref().map_or(&local, SharedWord::word),
        };
        let pid = launch(&plan, &mut self.stack[..], waits)?;
        if let Some(failure) = Failure::parse(local.load(Ordering::Acquire)) {
            super::bury(pid);
            if failure == LEASED {
                // The holder may release it soon, and a separate process can wait for that.
                return self.start_with(script, extra, Manner::Copy, streams);
            }
            return Err(failure.into());
        }
        Ok(Child { pid, failure: shared })
    }
}

impl fmt::Debug for Starter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Starter").field("inherited", &self.inherited).finish_non_exhaustive()
    }
}

/// A command must not inherit the variable.
fn is_withheld(name: &OsStr) -> bool {
    WITHHELD.iter().any(|w| name == OsStr::new(w))
        || WITHHELD_FAMILIES.iter().any(|f| name.as_bytes().starts_with(f.as_bytes()))
}

/// The arguments, the name included.
fn words(script: &Script, extra: &[&str]) -> io::Result<Vec<CString>> {
    let words = script.argv.iter().map(String::as_str).chain(extra.iter().copied());
    let all: Vec<String> = if script.by_shell {
        vec!["sh".into(), "-c".into(), shell_line(&script.path, words.skip(1))]
    } else {
        words.map(str::to_owned).collect()
    };
    all.into_iter().map(|w| CString::new(w).map_err(io::Error::from)).collect()
}

/// A line that a shell reads as exactly these words.
fn shell_line<'a>(path: &'a str, arguments: impl Iterator<Item = &'a str>) -> String {
    // "</path" is a command without a name that succeeds if the file can be opened.
    let (mut line, path) = match path.strip_prefix('<') {
        Some(rest) => ("<".to_owned(), rest),
        None => (String::new(), path),
    };
    for (n, word) in std::iter::once(path).chain(arguments).enumerate() {
        if n > 0 {
            line.push(' ');
        }
        line.push('\'');
        line.push_str(&word.replace('\'', r"'\''"));
        line.push('\'');
    }
    line
}

/// As execve wants it: with a null pointer at the end.
fn pointers(strings: &[CString]) -> Vec<*const libc::c_char> {
    strings.iter().map(|s| s.as_ptr()).chain([std::ptr::null()]).collect()
}

/// All that the new process needs to know. What is pointed to lives until it has executed or has
/// memory of its own.
struct Plan<'a> {
    path: &'a CStr,
    argv: *const *const libc::c_char,
    environment: *const *const libc::c_char,
    user: User,
    own: User,
    inherited: Inherited,
    parent: unistd::Pid,
    /// The daemon waits: until it has executed, the child is as urgent as the daemon itself.
    waits: bool,
    /// `None`: `/dev/null`.
    streams: Option<[RawFd; 3]>,
    failure: &'a AtomicU32,
}

/// Makes the process. If it `waits`, memory is shared, and this returns when the command was
/// executed or the attempt has failed.
fn launch(plan: &Plan<'_>, stack: &mut [u128], waits: bool) -> io::Result<Pid> {
    let memory = if waits { libc::CLONE_VM | libc::CLONE_VFORK } else { 0 };
    // Thousands of sockets are not copied only to be closed.
    let flags = memory | libc::CLONE_FILES | libc::SIGCHLD;
    let top = stack.as_mut_ptr_range().end;
    let argument = std::ptr::from_ref(plan).cast_mut().cast();
    // The daemon's signal handler must not run in the child.
    let before = signals::block_all()?;
    // SAFETY: the stack is large enough, aligned, used for nothing else, and grows down from its end
    // on every platform we have. While memory is shared this thread is suspended, so that `plan` and
    // the stack outlive their use; otherwise the child has copies. `become_command` makes system
    // calls and touches nothing but the plan, its failure word and errno.
    let result = check(unsafe { libc::clone(become_command, top.cast(), flags, argument) });
    before.thread_set_mask()?;
    let pid = result?;
    if waits {
        // A child that has ended needs no group.
        let _ = sched::run_normally(pid);
    } else {
        // Both processes do it: the group must be there before it is signalled. It fails when the
        // command was executed, and then the child has done it.
        let child = unistd::Pid::from_raw(pid);
        let _ = setpgid(child, child);
    }
    Ok(Pid(pid))
}

/// What the new process does. Never returns to the program it was copied from.
extern "C" fn become_command(plan: *mut libc::c_void) -> libc::c_int {
    // SAFETY: `launch` passes a plan that lives.
    let plan = unsafe { &*plan.cast_const().cast::<Plan<'_>>() };
    let step = take_steps(plan);
    let errno = io::Error::last_os_error().raw_os_error().unwrap_or(0);
    plan.failure.store(Failure::emit(step, errno), Ordering::Release);
    process::exit_now(NOT_STARTED)
}

/// Everything up to the command. Returns only when something fails; which step, errno says why.
fn take_steps(plan: &Plan<'_>) -> Step {
    match plan.streams {
        Some(streams) if !take_streams(streams) => return Step::Descriptors,
        None if !leave_descriptors() => return Step::Descriptors,
        None if !open_null() => return Step::Null,
        _ => {}
    }
    let this = unistd::Pid::from_raw(0);
    if setpgid(this, this).is_err() {
        return Step::Group;
    }
    if plan.waits {
        plan.inherited.restore_but_real_time();
    } else {
        plan.inherited.restore();
    }
    if !become_user(plan.user, plan.own) {
        return Step::User;
    }
    if plan.user.uid != 0 {
        // The daemon may have been given some to do without root. Linux before 4.3 has none.
        let clear = libc::PR_CAP_AMBIENT_CLEAR_ALL as libc::c_ulong;
        // SAFETY: numbers only.
        unsafe { libc::prctl(libc::PR_CAP_AMBIENT, clear, 0, 0, 0) };
    }
    // After the change of user, which would undo it.
    let _ = set_pdeathsig(Signal::SIGTERM);
    // Unequal: the daemon died before it could be tied to us.
    if getppid() != plan.parent {
        process::exit_now(NOT_STARTED);
    }
    if signals::reset_for_child().is_err() {
        return Step::Signals;
    }
    if plan.waits && !hold(plan.path) {
        return Step::Execute;
    }
    // SAFETY: a C string and two arrays of such with a null pointer at the end, all alive.
    unsafe { libc::execve(plan.path.as_ptr(), plan.argv, plan.environment) };
    Step::Execute
}

/// A table of descriptors of our own, with the standard ones only.
fn leave_descriptors() -> bool {
    // SAFETY: close_range(2) with numbers. Nothing of the daemon's is closed: the table is made
    // anew first, without the range.
    let left =
        unsafe { libc::syscall(libc::SYS_close_range, 3u32, u32::MAX, libc::CLOSE_RANGE_UNSHARE) }
            == 0;
    // Linux before 5.9: everything is closed by being executed, as it was opened so.
    left || unshare(CloneFlags::CLONE_FILES).is_ok()
}

/// Makes these the standard streams in a table of descriptors of our own, and closes all others.
fn take_streams(streams: [RawFd; 3]) -> bool {
    // SAFETY: numbers only; they are descriptors of open files.
    let take = |(fd, to)| unsafe { libc::dup2(fd, to) } == to;
    let taken = unshare(CloneFlags::CLONE_FILES).is_ok() && streams.into_iter().zip(0..).all(take);
    // SAFETY: numbers only. The table is our own by now. Linux before 5.9 refuses, and then they are
    // closed by being executed, as they were opened so.
    unsafe { libc::syscall(libc::SYS_close_range, 3u32, u32::MAX, 0u32) };
    taken
}

/// Opens what is to be executed, so that no lease can be taken on it any more; false if one is held.
/// To execute such a file waits for its holder, and the daemon with it.
fn hold(path: &CStr) -> bool {
    let flags = OFlag::O_RDONLY | OFlag::O_NONBLOCK | OFlag::O_NOCTTY | OFlag::O_CLOEXEC;
    match open(path, flags, Mode::empty()) {
        // Closed by being executed, and not before.
        Ok(held) => held.into_raw_fd() >= 0,
        // Some may be executed and not read.
        Err(e) => e != Errno::EWOULDBLOCK,
    }
}

/// `/dev/null` as standard input, output and error of this process, whose table of descriptors is its
/// own by now.
fn open_null() -> bool {
    let null = open(c"/dev/null", OFlag::O_RDWR | OFlag::O_CLOEXEC, Mode::empty());
    null.is_ok_and(|null| {
        let in_place =
            dup2_stdin(&null).is_ok() && dup2_stdout(&null).is_ok() && dup2_stderr(&null).is_ok();
        // Whatever its number, what it leads to stays open for the command.
        let _ = null.into_raw_fd();
        in_place
    })
}

/// System calls themselves: the C library's functions speak for all threads of a process, and the
/// memory may be that of another.
fn become_user(user: User, own: User) -> bool {
    let (uid, gid) = (user.uid, user.gid);
    // SAFETY: one number is read from `gid`, which lives.
    let alone = unsafe { libc::syscall(call::SETGROUPS, 1, &raw const gid) } == 0;
    // Only root can; without a change of user it is not needed.
    if !alone && user != own {
        return false;
    }
    // SAFETY: numbers only.
    unsafe {
        libc::syscall(call::SETRESGID, gid, gid, gid) == 0
            && libc::syscall(call::SETRESUID, uid, uid, uid) == 0
    }
}

/// The calls with ids of 32 bits have names of their own on old platforms.
#[cfg(any(target_arch = "x86", target_arch = "arm"))]
mod call {
    pub(super) const SETGROUPS: libc::c_long = libc::SYS_setgroups32;
    pub(super) const SETRESGID: libc::c_long = libc::SYS_setresgid32;
    pub(super) const SETRESUID: libc::c_long = libc::SYS_setresuid32;
}

#[cfg(not(any(target_arch = "x86", target_arch = "arm")))]
mod call {
    pub(super) const SETGROUPS: libc::c_long = libc::SYS_setgroups;
    pub(super) const SETRESGID: libc::c_long = libc::SYS_setresgid;
    pub(super) const SETRESUID: libc::c_long = libc::SYS_setresuid;
}
