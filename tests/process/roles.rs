//! Roles of the processes under test. Each role is the `main` of a single-threaded process.

#![expect(clippy::disallowed_methods, reason = "tests make the files they need")]

use std::fs;
use std::os::fd::AsRawFd;
use std::path::{Path, PathBuf};
use std::process::exit;

use keepalived::model::script::{Script, User};
use keepalived::sys::children::{self, Manner, Starter};
use keepalived::sys::pidfile::PidFiles;
use keepalived::sys::signals::{Interrupt, Signal, Signals};
use keepalived::sys::{log as logging, netns, process, sched};
use mio::unix::SourceFd;
use mio::{Events, Interest, Poll, Token};

pub(crate) fn play(role: &str) {
    let argument = PathBuf::from(std::env::args_os().nth(1).unwrap_or_default());
    match role {
        "background" => background(&argument),
        "fails" => {
            let start = process::daemonise().expect("forks");
            eprintln!("the reason");
            start.failed(2);
        }
        "dies" => {
            let _start = process::daemonise().expect("forks");
            std::process::abort();
        }
        "signals" => print_signals(Interrupt::Stops),
        "uninterrupted" => print_signals(Interrupt::Ignored),
        "starts" => starts(&argument),
        "chatters" => {
            chatter(20_000);
            assert!(logging::dropped() > 0);
        }
        "bursts" => {
            chatter(3_000);
            assert!(logging::end_turn(), "more than a pipe holds");
            println!("written");
            logging::finish(super::LIMIT);
            assert_eq!(logging::dropped(), 0);
        }
        "realtime" => realtime(),
        "memory" => memory(),
        "nothing" => {}
        "netns" => enter(&argument),
        _ => exit(99),
    }
}

fn background(dir: &Path) {
    let stat = |pid: &str| fs::read_to_string(format!("/proc/{pid}/stat")).expect("reads");
    let session = |stat: &str| field(stat, 6).to_owned();
    let caller = session(&stat("self"));
    let mut files = PidFiles::claim([dir.join("k.pid")]).expect("is free");
    let start = process::daemonise().expect("forks");
    files.write(std::process::id()).expect("writes");
    start.ready().expect("detaches");

    let pid = std::process::id().to_string();
    let now = session(&stat("self"));
    let mut report = format!("cwd {}\n", std::env::current_dir().expect("is there").display());
    for fd in 0..=2 {
        let link = fs::read_link(format!("/proc/self/fd/{fd}")).expect("is open");
        report.push_str(&format!("fd{fd} {}\n", link.display()));
    }
    report.push_str(if now == pid { "leader yes\n" } else { "leader no\n" });
    report.push_str(if now == caller { "session old\n" } else { "session new\n" });
    report.push_str(&format!("pid {pid}\nend\n"));
    fs::write(dir.join("report"), report).expect("writes");
    super::wait(|| dir.join("stop").exists().then_some(()));
    files.remove();
}

/// A field of /proc/PID/stat, counted from 1 as in proc(5).
fn field(stat: &str, number: usize) -> &str {
    let after_name = stat.rsplit_once(") ").expect("a name in brackets").1;
    after_name.split(' ').nth(number - 3).expect("as many fields")
}

/// Prints the signals received, as seen by the poll loop, until one requests a stop.
fn print_signals(interrupt: Interrupt) {
    let mut signals = Signals::new(interrupt).expect("a signalfd");
    let mut poll = Poll::new().expect("polls");
    let fd = signals.as_raw_fd();
    poll.registry().register(&mut SourceFd(&fd), Token(0), Interest::READABLE).expect("registers");
    println!("ready");
    let mut events = Events::with_capacity(4);
    let mut stopped = false;
    while !stopped {
        poll.poll(&mut events, Some(super::LIMIT)).expect("polls");
        if events.is_empty() {
            exit(98);
        }
        while let Some(signal) = signals.take().expect("reads") {
            println!("{signal:?}");
            stopped |= signal == Signal::Stop;
        }
    }
}

/// Changes all process attributes that a command must not inherit, and some that it must; starts a
/// command that prints its own.
fn starts(dir: &Path) {
    let inherited = sched::Inherited::read().expect("reads");
    let _signals = Signals::new(Interrupt::Ignored).expect("a signalfd");
    process::set_umask(0o177);
    sched::set_nice(inherited.nice() + 3).expect("is allowed");
    let few = sched::limit(sched::Resource::Files).expect("reads");
    println!("files before {}", few.soft);
    let few = sched::Limit { soft: few.soft - 1, hard: few.hard };
    sched::set_limit(sched::Resource::Files, few).expect("is allowed");
    std::env::set_current_dir("/").expect("is there");
    let leaked = fs::File::open("/dev/zero").expect("opens");
    nix::fcntl::fcntl(&leaked, nix::fcntl::FcntlArg::F_SETFD(nix::fcntl::FdFlag::empty()))
        .expect("sets");
    let user = User { uid: nix::unistd::geteuid().as_raw(), gid: nix::unistd::getegid().as_raw() };
    let show = format!(
        "exec >{}; echo args \"$0 $1,$2\"; echo cwd $(pwd); echo umask $(umask); \
         echo files after $(ulimit -n); printf 'fds '; ls -x /proc/$$/fd; \
         echo input $(readlink /proc/$$/fd/0) $(readlink /proc/$$/fd/2); \
         sed 's/^/stat /' /proc/$$/stat; grep -E '^(Sig|Cap)' /proc/self/status; env | sed 's/^/env /'",
        dir.join("shown").display()
    );
    let argv = ["sh", "-c", &show, "named", "one word"].map(str::to_owned).into();
    let script = Script { path: "/bin/sh".into(), argv, user, by_shell: false };
    let manner = if dir.ends_with("copy") { Manner::Copy } else { Manner::Borrow };
    let child = Starter::new(inherited).start(&script, &["last"], manner).expect("starts");
    let outcome = super::wait(|| children::ended().expect("looks"));
    assert_eq!(outcome, Some((child.pid(), children::Outcome::Exited(0))));
    children::bury(child.pid());
    println!("pid {}\nnice {}", child.pid().number(), inherited.nice());
    print!("{}", fs::read_to_string(dir.join("shown")).expect("reads"));
}

fn chatter(lines: u32) {
    logging::install(logging::Setup {
        filter: None,
        ident: "Keepalived".into(),
        detail: logging::Detail::Normal,
        console: logging::Console::On(logging::LineForm::Stamped),
        syslog: None,
        file: None,
    })
    .expect("nothing to fail");
    for _ in 0..lines {
        log::info!("a line of the log");
    }
}

fn realtime() {
    let inherited = sched::Inherited::read().expect("reads");
    if sched::set_realtime(Some(7)).is_err() {
        exit(1);
    }
    let show = |who: &str, pid: &str| {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).expect("reads");
        println!("{who} {} {}", field(&stat, 41), field(&stat, 40));
    };
    show("self", "self");
    let user = User { uid: nix::unistd::geteuid().as_raw(), gid: nix::unistd::getegid().as_raw() };
    let argv = vec!["sleep".to_owned(), "20".to_owned()];
    let script = Script { path: "/bin/sleep".into(), argv, user, by_shell: false };
    for manner in [Manner::Borrow, Manner::Copy] {
        let child = Starter::new(inherited).start(&script, &[], manner).expect("starts");
        let pid = child.pid().number().to_string();
        super::wait(|| {
            let comm = fs::read_to_string(format!("/proc/{pid}/comm")).expect("is not buried");
            (comm.trim() == "sleep").then_some(())
        });
        show("child", &pid);
        children::signal_group(child.pid(), children::Sent::Kill);
        super::wait(|| children::ended().expect("looks"));
        children::bury(child.pid());
    }
}

fn memory() {
    if sched::lock_memory(sched::Locked::NowAndLater).is_err() {
        exit(1);
    }
    let status = fs::read_to_string("/proc/self/status").expect("reads");
    let locked = status.lines().find_map(|l| l.strip_prefix("VmLck:")).expect("is reported");
    println!("{}", locked.trim().trim_end_matches(" kB"));
}

fn enter(name: &Path) {
    let own = || fs::read_link("/proc/self/ns/net").expect("reads");
    let before = own();
    netns::enter(name.to_str().expect("text")).expect("enters");
    println!("{}", if own() == before { "still outside" } else { "entered" });
}
