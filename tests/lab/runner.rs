//! Test runner: runs tests, or skips them with a reason.

use std::fmt::Display;
use std::os::unix::process::CommandExt;
use std::process::{Command, ExitCode, Stdio};
use std::sync::{PoisonError, RwLock};

use libtest_mimic::{Arguments, Completion, Failed, Trial};

use super::{Namespace, Program};

/// Reason why a test cannot run on this machine.
#[derive(Debug)]
pub(crate) struct Skip(pub(super) String);

impl Skip {
    pub(crate) fn new(reason: impl Display) -> Self {
        Self(reason.to_string())
    }
}

/// A test fails by panicking.
pub(crate) type Outcome = Result<(), Skip>;

/// Skips a test of behaviour that only this package's program guarantees.
pub(crate) fn ours_only() -> Outcome {
    if Program::under_test().ours {
        Ok(())
    } else {
        Err(Skip::new("not guaranteed by the program that KEEPALIVED names"))
    }
}

/// Skips a test if a program it needs is missing.
pub(crate) fn require_program(name: &str, package: &str) -> Outcome {
    let path = std::env::var_os("PATH").unwrap_or_default();
    if std::env::split_paths(&path)
        .chain(["/usr/sbin".into(), "/sbin".into()])
        .any(|folder| folder.join(name).exists())
    {
        Ok(())
    } else {
        Err(Skip::new(format!("{name} is missing: apt-get install {package}")))
    }
}

/// Skips a test if the kernel has no macvlans, or ping is missing.
pub(crate) fn require_macvlan() -> Outcome {
    require_program("ping", "iputils-ping")?;
    let host = Namespace::new();
    host.ip("link add eth0 type veth peer name other");
    match host.try_ip("link add link eth0 name probe type macvlan mode private") {
        true => Ok(()),
        false => Err(Skip::new("the kernel has no macvlan")),
    }
}

/// A test that may run in parallel with others.
static QUIET: RwLock<()> = RwLock::new(());

pub(crate) fn test(name: &str, body: fn() -> Outcome) -> Trial {
    Trial::ignorable_test(name.replace(' ', ""), move || {
        let _beside_others = QUIET.read().unwrap_or_else(PoisonError::into_inner);
        run(body)
    })
}

/// A test that loads the machine so much that no other test would be reliable meanwhile.
pub(crate) fn test_alone(name: &str, body: fn() -> Outcome) -> Trial {
    Trial::ignorable_test(name.replace(' ', ""), move || {
        let _alone = QUIET.write().unwrap_or_else(PoisonError::into_inner);
        run(body)
    })
}

fn run(body: fn() -> Outcome) -> Result<Completion, Failed> {
    match body() {
        Ok(()) => Ok(Completion::Completed),
        Err(Skip(reason)) => skipped(reason),
    }
}

fn skipped(reason: String) -> Result<Completion, Failed> {
    if std::env::var_os("REQUIRE_ALL").is_some_and(|v| v == "1") {
        return Err(format!("skipped, and REQUIRE_ALL is set: {reason}").into());
    }
    Ok(Completion::ignored_with(reason))
}

/// Runs the tests; if the laboratory is unavailable, each is skipped with the reason.
pub(crate) fn main(tests: Vec<Trial>) -> ExitCode {
    become_root_of_a_user_namespace();
    let mut arguments = Arguments::from_args();
    // Tests mostly wait, so more of them can run than there are cores.
    arguments.test_threads.get_or_insert(8);
    let tests = match laboratory() {
        Ok(()) => tests,
        Err(Skip(reason)) => tests.iter().map(|t| impossible(t.name(), &reason)).collect(),
    };
    libtest_mimic::run(&arguments, tests).exit_code()
}

fn impossible(name: &str, reason: &str) -> Trial {
    let reason = reason.to_owned();
    Trial::ignorable_test(name, move || skipped(reason))
}

fn laboratory() -> Outcome {
    require_program("ip", "iproute2")?;
    require_program("setpriv", "util-linux")?;
    let program = Program::under_test();
    if !program.version().contains("Keepalived v") {
        return Err(Skip::new(format!("{} does not answer to -v", program.path.display())));
    }
    Namespace::try_new().map_err(|e| {
        Skip::new(format!("no network namespaces (root is needed, or user namespaces): {e}"))
    })?;
    Ok(())
}

/// An unprivileged user re-executes the program as root of a user namespace, if the kernel permits
/// it, with a network namespace that threads can return to.
fn become_root_of_a_user_namespace() {
    const MARK: &str = "KEEPALIVED_LAB_USER_NAMESPACE";
    if nix::unistd::geteuid().is_root() || std::env::var_os(MARK).is_some() {
        return;
    }
    let mut probe = Command::new("unshare");
    probe.args(["-Urn", "true"]).stdout(Stdio::null()).stderr(Stdio::null());
    if probe.status().is_ok_and(|status| status.success()) {
        let Ok(own) = std::env::current_exe() else { return };
        let mut again = Command::new("unshare");
        again.arg("-Urn").arg(own).args(std::env::args_os().skip(1)).env(MARK, "1");
        // Returns only on failure; the tests are then skipped with the reason.
        let _ = again.exec();
    }
}
