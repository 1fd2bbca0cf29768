//! The control socket and kactl.

#![expect(clippy::disallowed_methods, reason = "tests make the files they need, and measure")]

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::lab::{
    config, config_with, instance, kactl, kactl_says as ok, millis, ours_only, output_of, pass,
    secs, socket, wait, Daemon, Instance, Outcome, Program, Segment, Skip, SOON,
};

fn router(priority: u8) -> Instance {
    instance("VI_1").priority(priority).vip("10.7.1.1/16")
}

/// The exit status and the output of a command.
pub(crate) fn told(daemon: &Daemon, words: &[&str]) -> (Option<i32>, String) {
    output_of(kactl(daemon).args(words))
}

#[track_caller]
pub(crate) fn wait_told(daemon: &Daemon, words: &[&str], part: &str) {
    let mut last = String::new();
    let seen = crate::lab::eventually(SOON, || {
        last = told(daemon, words).1;
        last.contains(part)
    });
    assert!(seen, "kactl {words:?} does not say '{part}', but:\n{last}");
}

pub(crate) fn the_state_of_two_routers_is_shown_and_explained() -> Outcome {
    ours_only()?;
    let (segment, [a, b]) = Segment::with_hosts(["a", "b"]);
    let mut master = a.start(&config(&[router(200)]));
    master.wait_master("VI_1");
    let backup = b.start(&config(&[router(100)]));
    backup.wait_backup("VI_1");
    wait_told(&master, &["status"], "MASTER");
    let peer = segment.v4(1).split('/').next().unwrap_or_default().to_owned();
    wait_told(&backup, &["status"], &format!("{peer}, priority 200"));
    let table = ok(&backup, &["status"]);
    assert!(table.lines().all(|line| line.chars().count() <= 80), "{table}");
    assert!(table.contains("BACKUP") && table.contains("no reload since"), "{table}");
    ok(&backup, &["status", "--healthy", "VI_1"]);
    assert_eq!(told(&backup, &["status", "--healthy", "VI_2"]).0, Some(5));
    assert_eq!(told(&backup, &["show", "instance", "VI_2"]).0, Some(5));
    assert_eq!(told(&backup, &["dance"]).0, Some(1));

    let json = ok(&master, &["status", "--json"]);
    for part in ["\"state\": \"MASTER\"", "\"holds_addresses\": true", "\"advert_sent\": "] {
        assert!(json.contains(part), "{part} is not in {json}");
    }
    wait_told(&master, &["show", "holdings", "VI_1"], "10.7.1.1/16 on eth0, present");

    master.crash();
    backup.wait_master("VI_1");
    let story = ok(&backup, &["explain", "VI_1"]);
    assert!(story.starts_with("VI_1 is MASTER for "), "{story}");
    assert!(story.contains("VI_1 went from BACKUP to MASTER: no advertisement in "), "{story}");
    assert!(story.contains(&format!("last heard {peer} with priority 200")), "{story}");
    assert!(story.contains("Priority 100 = base 100."), "{story}");
    assert_eq!(told(&master, &["status"]).0, Some(6), "a crashed daemon serves nothing");
    Ok(())
}

pub(crate) fn a_wrong_password_of_the_peer_is_explained_and_not_shown() -> Outcome {
    ours_only()?;
    let (segment, [a, b]) = Segment::with_hosts(["a", "b"]);
    let block = |password| config(&[instance("VI_1").v2_pass(password).vip("10.7.1.1/16")]);
    let one = a.start(&block("x1er44q"));
    one.wait_master("VI_1");
    let other = b.start(&block("x1er44Q"));
    other.wait_master("VI_1");
    let peer = segment.v4(1).split('/').next().unwrap_or_default().to_owned();
    let line = format!(" from {peer}: wrong password; the last one ");
    wait_told(&other, &["explain", "VI_1"], &line);
    wait_told(&other, &["explain", "VI_1"], "it acts as a master");
    wait_told(&other, &["status"], &format!("refused: {peer} (wrong password)"));
    for words in [&["status", "--json"][..], &["explain", "VI_1"], &["events", "--json"]] {
        let text = ok(&other, words);
        assert!(!text.contains("x1er44"), "{text}");
    }
    Ok(())
}

/// A process that is ended with the test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

pub(crate) fn events_are_followed() -> Outcome {
    ours_only()?;
    let (segment, [a]) = Segment::with_hosts(["a"]);
    let daemon = a.start(&config(&[router(200)]));
    daemon.wait_master("VI_1");
    let file = daemon.file("followed");
    let output = std::fs::File::create(&file).expect("the folder is the test's");
    let child = kactl(&daemon).args(["events", "--follow"]).stdout(output).spawn();
    let _follower = Running(child.expect("kactl starts"));
    let followed = || std::fs::read_to_string(&file).unwrap_or_default();
    wait("the past is shown", SOON, || followed().contains("VI_1 went from BACKUP to MASTER"));
    segment.pull_cable(&a, "eth0");
    daemon.wait_log_part(0, "Entering FAULT STATE");
    wait("the fault is shown", SOON, || {
        followed().contains("VI_1 went from MASTER to FAULT: interface eth0 down")
    });
    let numbers: Vec<u64> =
        followed().lines().filter_map(|line| line.split(' ').next()?.parse().ok()).collect();
    let expected: Vec<u64> = (1..).take(numbers.len()).collect();
    assert_eq!(numbers, expected, "{}", followed());
    let last = numbers.len().to_string();
    assert_eq!(ok(&daemon, &["events", "--since", &last]), "");
    let (status, text) = told(&daemon, &["status", "--healthy", "VI_1"]);
    assert_eq!((status, text.contains("interface eth0 down")), (Some(3), true), "{text}");
    Ok(())
}

pub(crate) fn a_reload_says_whether_it_was_refused_and_where() -> Outcome {
    ours_only()?;
    let (_segment, [a]) = Segment::with_hosts(["a"]);
    let daemon = a.start(&config(&[router(200)]));
    daemon.wait_master("VI_1");
    // What would happen.
    let other = daemon.file("other.conf");
    std::fs::write(&other, config(&[router(90)])).expect("the folder is the test's");
    let name = other.display().to_string();
    let (status, text) = told(&daemon, &["reload", "--dry-run", &name]);
    assert_eq!(status, Some(0), "{text}");
    assert!(text.contains("VI_1 stays MASTER; priority 200 -> 90"), "{text}");
    let shown = ok(&daemon, &["show", "instance", "VI_1"]);
    assert!(shown.contains("priority: 200"), "{shown}");
    assert!(ok(&daemon, &["show", "config"]).contains("no reload since"));
    // It happens.
    daemon.rewrite(&config(&[router(90)]));
    let (status, text) = told(&daemon, &["reload"]);
    assert_eq!(status, Some(0), "{text}");
    assert!(text.starts_with("The configuration was accepted.\n"), "{text}");
    assert!(text.contains("vrrp_instance VI_1"), "{text}");
    assert!(ok(&daemon, &["show", "instance", "VI_1"]).contains("priority: 90"));
    // A refusal changes nothing, and says where.
    let wrong = config(&[router(80)]).replace("priority 80", "priority 80\n  prioritty 7");
    daemon.rewrite(&wrong);
    let line = wrong.lines().position(|l| l.contains("prioritty")).expect("it is there") + 1;
    let column = wrong.lines().nth(line - 1).and_then(|l| l.find("prioritty")).expect("there") + 1;
    let place = format!("keepalived.conf:{line}:{column}: error: Unknown keyword 'prioritty'");
    let (status, text) = told(&daemon, &["reload"]);
    assert_eq!(status, Some(2), "{text}");
    assert!(text.contains(&place), "{place} is not in {text}");
    assert!(text.contains("did you mean 'priority'?"), "{text}");
    let name = daemon.file("keepalived.conf").display().to_string();
    assert_eq!(told(&daemon, &["reload", "--dry-run", &name]).0, Some(2));
    let (status, text) = told(&daemon, &["reload", "--dry-run", "/no/such/file"]);
    assert_eq!((status, text.contains("A start would refuse")), (Some(2), true), "{text}");
    let state = ok(&daemon, &["show", "config"]);
    assert!(state.contains("reload refused") && state.contains(&place), "{state}");
    let events = ok(&daemon, &["events", "keepalived"]);
    for part in ["was asked by user", "reloaded; changes: ", "refused a reload", &place] {
        assert!(events.contains(part), "{part} is not in {events}");
    }
    Ok(())
}

pub(crate) fn a_priority_by_command_moves_the_address_until_it_is_reset() -> Outcome {
    ours_only()?;
    let (_segment, [a, b]) = Segment::with_hosts(["a", "b"]);
    let strong = a.start(&config(&[router(200)]));
    strong.wait_master("VI_1");
    let weak = b.start(&config(&[router(100)]));
    weak.wait_backup("VI_1");
    ok(&strong, &["priority", "VI_1", "50"]);
    weak.wait_master("VI_1");
    wait("the address moves", SOON, || b.holds("eth0", "10.7.1.1") && !a.holds("eth0", "10.7.1.1"));
    wait_told(&strong, &["status"], "by command, configured: 200");
    let story = ok(&strong, &["explain", "VI_1"]);
    for part in [
        "Priority 50 = base 50 by command (configured: 200).",
        "VI_1 changed its priority from 200 to 50: command of an operator.",
        "VI_1 went from MASTER to BACKUP: command of an operator: priority 200 -> 50; ",
    ] {
        assert!(story.contains(part), "{part} is not in {story}");
    }
    // A reload leaves it in force.
    ok(&strong, &["reload"]);
    assert!(ok(&strong, &["show", "instance", "VI_1"]).contains("by command: configured is 200"));
    let mark = strong.mark();
    ok(&strong, &["priority", "VI_1", "reset"]);
    strong.wait_log_since(mark, "(VI_1) Entering MASTER STATE");
    wait("the address is back", SOON, || {
        a.holds("eth0", "10.7.1.1") && !b.holds("eth0", "10.7.1.1")
    });
    assert!(!ok(&strong, &["status"]).contains("by command"));
    assert_eq!(told(&strong, &["priority", "VI_2", "50"]).0, Some(5));
    assert_eq!(told(&strong, &["priority", "VI_1", "255"]).0, Some(1));
    Ok(())
}

pub(crate) fn the_log_shows_more_by_command() -> Outcome {
    ours_only()?;
    let (_segment, [a]) = Segment::with_hosts(["a"]);
    let daemon = a.start(&config(&[router(200)]));
    daemon.wait_master("VI_1");
    ok(&daemon, &["log-level", "keepalived::vrrp=trace"]);
    wait_told(&daemon, &["status"], "log filter by command: keepalived::vrrp=trace");
    let (status, text) = told(&daemon, &["log-level", "keepalived::moon=trace"]);
    assert_eq!((status, text.contains("moon")), (Some(1), true), "{text}");
    ok(&daemon, &["log-level", "reset"]);
    assert!(!ok(&daemon, &["status"]).contains("log filter"));
    Ok(())
}

const STATUS: &[u8] = b"{\"version\":1,\"do\":\"status\"}\n";

fn connect(path: &Path) -> UnixStream {
    let stream = UnixStream::connect(path).expect("the socket is served");
    stream.set_read_timeout(Some(SOON)).expect("a socket");
    stream.set_write_timeout(Some(SOON)).expect("a socket");
    stream
}

/// The lines of one answer.
fn answer(stream: &UnixStream) -> Vec<String> {
    let mut lines = Vec::new();
    for line in BufReader::new(stream).lines() {
        let Ok(line) = line else { break };
        let is_last = line == "\"done\"" || line.starts_with("{\"error\"");
        lines.push(line);
        if is_last {
            break;
        }
    }
    lines
}

fn adverts_sent(daemon: &Daemon) -> u64 {
    let text = ok(daemon, &["status", "--json"]);
    let at = text.find("\"advert_sent\": ").expect("it is there") + 15;
    text[at..]
        .split(|c: char| !c.is_ascii_digit())
        .next()
        .and_then(|n| n.parse().ok())
        .expect("a number")
}

pub(crate) fn a_client_that_does_not_read_is_dropped_and_waited_for_by_none() -> Outcome {
    ours_only()?;
    let (_segment, [a]) = Segment::with_hosts(["a"]);
    let many: Vec<_> = (0..200)
        .map(|n| instance(&format!("VI_{n}")).vrid(n + 1).vip(&format!("10.7.2.{}/16", n + 1)))
        .collect();
    let daemon = a.start(&config(&many));
    daemon.wait_master("VI_199");
    let mut lazy = connect(&socket(&daemon));
    // Far more than the buffers of the socket and of the daemon hold.
    let asked = STATUS.repeat(100);
    let _ = lazy.write_all(&asked);
    let began = Instant::now();
    for _ in 0..5 {
        ok(&daemon, &["status"]);
    }
    assert!(began.elapsed() < secs(5), "others wait");
    // Not read before that: what it reads gives it more time.
    wait("it is dropped", secs(40), || {
        daemon.log().iter().any(|line| line.starts_with("a control client does not read"))
    });
    let mut rest = Vec::new();
    let end = lazy.read_to_end(&mut rest);
    // What the buffer of the socket holds may end with an answer.
    let answers = String::from_utf8_lossy(&rest).matches("\"done\"\n").count();
    assert!(!rest.is_empty() && answers < 100, "{end:?}: {}, {answers} answers", rest.len());
    Ok(())
}

pub(crate) fn two_hundred_clients_and_a_long_request() -> Outcome {
    ours_only()?;
    let (_segment, [a]) = Segment::with_hosts(["a"]);
    let daemon = a.start(&config(&[router(200)]));
    daemon.wait_master("VI_1");
    let path = socket(&daemon);
    let clients: Vec<_> = (0..200).map(|_| connect(&path)).collect();
    let (mut served, mut busy) = (0, 0);
    for mut client in &clients {
        let _ = client.write_all(STATUS);
        let lines = answer(client);
        match lines.last().map(String::as_str) {
            Some("\"done\"") => served += 1,
            Some(line) if line.contains("\"busy\"") => busy += 1,
            other => panic!("{other:?}"),
        }
    }
    assert_eq!((served, busy), (64, 136));
    assert_eq!(told(&daemon, &["status"]).0, Some(1), "no room for another one");
    drop(clients);
    wait("there is room again", SOON, || told(&daemon, &["status"]).0 == Some(0));

    let mut long = connect(&path);
    let line = vec![b'x'; 1 << 20];
    // The daemon reads no more than it must.
    let _ = long.write_all(&line);
    let lines = answer(&long);
    assert!(lines[0].contains("too long"), "{lines:?}");
    for (request, code) in [
        (&b"nonsense\n"[..], "request"),
        (b"{\"version\":9,\"do\":\"status\"}\n", "version"),
        (b"\0\xff\n", "request"),
    ] {
        let mut client = connect(&path);
        client.write_all(request).expect("it reads");
        let lines = answer(&client);
        assert!(lines[0].contains(&format!("\"code\":\"{code}\"")), "{lines:?}");
        // And then a proper one.
        client.write_all(STATUS).expect("it reads");
        assert_eq!(answer(&client).last().map(String::as_str), Some("\"done\""));
    }
    Ok(())
}

/// Runs a command as another user, with these groups.
fn as_user(command: &mut Command, uid: u32, gid: u32, groups: &str) -> Command {
    let mut other = Command::new("setpriv");
    other.args([format!("--reuid={uid}"), format!("--regid={gid}")]);
    match groups {
        "" => other.arg("--clear-groups"),
        list => other.arg(format!("--groups={list}")),
    };
    other.arg(command.get_program()).args(command.get_args());
    other
}

pub(crate) fn the_user_of_a_client_decides() -> Outcome {
    ours_only()?;
    if !nix::unistd::geteuid().is_root() {
        return Err(Skip::new("changing the user takes root"));
    }
    let (_segment, [a]) = Segment::with_hosts(["a"]);
    let group = "control_read_group 4711";
    let daemon = a.start(&config_with(group, &[router(200)]));
    daemon.wait_master("VI_1");
    let path = socket(&daemon);
    // A place that other users may enter.
    let shared = std::env::temp_dir().join(format!("kactl-shared.{}", std::process::id()));
    std::fs::create_dir(&shared).expect("a new name");
    let _removed = Removed(shared.clone());
    open(&shared, 0o755);
    let (program, link) = (shared.join("kactl"), shared.join("k.sock"));
    std::fs::copy(&Program::under_test().path, &program).expect("it is built");
    open(&program, 0o755);
    let found = std::fs::metadata(&path).expect("it is there");
    assert_eq!((found.mode() & 0o777, found.gid()), (0o660, 4711));
    std::fs::hard_link(&path, &link).expect("the same file system");
    let base = |words: &[&str]| {
        let mut command = Command::new(&program);
        command.arg("--socket").arg(&link).args(words);
        command
    };
    let told = |uid, gid, groups: &str, words: &[&str]| {
        output_of(&mut as_user(&mut base(words), uid, gid, groups))
    };
    // As long as another test starts a program, the copy counts as being written.
    wait("the copy can be run", SOON, || told(4242, 4242, "", &["--version"]).0 == Some(0));
    assert_eq!(told(4242, 4242, "", &["status"]).0, Some(4));
    let (status, text) = told(4242, 4711, "", &["status"]);
    assert_eq!((status, text.contains("MASTER")), (Some(0), true), "{text}");
    let (status, text) = told(4242, 4242, "100,4711", &["explain", "VI_1"]);
    assert_eq!(status, Some(0), "{text}");
    let name = daemon.file("keepalived.conf").display().to_string();
    let denied: [&[&str]; 7] = [
        &["failover", "VI_1"],
        &["failover", "VI_1", "end"],
        &["maintenance", "on"],
        &["reload"],
        &["reload", "--dry-run", &name],
        &["log-level", "debug"],
        &["priority", "VI_1", "50"],
    ];
    for words in denied {
        let (status, text) = told(4242, 4711, "", words);
        assert_eq!((status, text.contains("change nothing")), (Some(4), true), "{text}");
    }
    assert!(!daemon.log().iter().any(|l| l.contains("Reloading")));
    ok(&daemon, &["reload"]);
    // Without a group, the socket is its owner's alone.
    daemon.rewrite(&config(&[router(200)]));
    ok(&daemon, &["reload"]);
    let found = std::fs::metadata(&path).expect("it is there");
    assert_eq!(found.mode() & 0o777, 0o600);
    Ok(())
}

struct Removed(PathBuf);

impl Drop for Removed {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn open(path: &Path, mode: u32) {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).expect("it is ours");
}

pub(crate) fn a_socket_that_was_left_is_replaced_and_a_served_one_is_not() -> Outcome {
    ours_only()?;
    let (_segment, [a, b]) = Segment::with_hosts(["a", "b"]);
    let mut daemon = a.start(&config(&[router(200)]));
    daemon.wait_master("VI_1");
    let path = daemon.file("shared.sock");
    let option = path.display().to_string();
    let mut first = b.start_with(&config(&[router(100)]), &["--control", &option]);
    wait("the first one serves it", SOON, || UnixStream::connect(&path).is_ok());
    let second = a.start_with(&config(&[router(90).vrid(77)]), &["--control", &option]);
    second.wait_log_part(0, "another process serves it");
    second.wait_backup("VI_1");
    first.crash();
    assert!(path.exists() && UnixStream::connect(&path).is_err(), "left by the first one");
    second.reload();
    wait("the second one serves it", SOON, || UnixStream::connect(&path).is_ok());
    let off = b.start_with(&config(&[router(80).vrid(78)]), &["--control", "off"]);
    off.wait_backup("VI_1");
    assert!(!socket(&off).exists());
    daemon.stop();
    assert!(!socket(&daemon).exists(), "it is removed at the end");
    Ok(())
}

/// More requests than any operator makes delay no advertisement.
pub(crate) fn a_thousand_requests_a_second_delay_no_advert() -> Outcome {
    ours_only()?;
    let (segment, [a]) = Segment::with_hosts(["a"]);
    let mut capture = segment.capture();
    let daemon = a.start(&config(&[router(200)]));
    daemon.wait_master("VI_1");
    let path = socket(&daemon);
    let first = adverts_sent(&daemon);
    let began = Instant::now();
    let (mut asked, span) = (0_u32, secs(5));
    let mut clients: Vec<_> = (0..8).map(|_| connect(&path)).collect();
    while began.elapsed() < span {
        for client in &mut clients {
            client.write_all(STATUS).expect("it reads");
        }
        for client in &clients {
            let lines = answer(client);
            assert_eq!(lines.last().map(String::as_str), Some("\"done\""));
            asked += 1;
        }
        let due = Duration::from_millis(1) * asked;
        pass(due.saturating_sub(began.elapsed()));
    }
    assert!(adverts_sent(&daemon) > first + 40);
    let adverts: Vec<_> = capture.adverts().into_iter().map(|a| a.at).collect();
    let mut gaps: Vec<_> = adverts.windows(2).map(|w| w[1] - w[0]).collect();
    gaps.sort();
    let (middle, worst) = (gaps[gaps.len() / 2], gaps[gaps.len() - 1]);
    let rate = f64::from(asked) / began.elapsed().as_secs_f64();
    eprintln!("{rate:.0} requests a second: adverts every {middle:?}, at most {worst:?} apart");
    // As fast as the machine allows, which may be busy with other work.
    assert!(rate > 200.0, "{rate:.0} requests a second");
    assert!(worst < millis(150), "an advert came {worst:?} after the last one");
    Ok(())
}

/// Nothing in here may be left running.
pub(crate) fn a_follower_whose_reader_is_gone_ends() -> Outcome {
    ours_only()?;
    let (segment, [a]) = Segment::with_hosts(["a"]);
    let daemon = a.start(&config(&[router(200)]));
    daemon.wait_master("VI_1");
    let child = kactl(&daemon).args(["events", "--follow"]).stdout(Stdio::piped()).spawn();
    let mut follower = Running(child.expect("kactl starts"));
    drop(follower.0.stdout.take());
    segment.pull_cable(&a, "eth0");
    wait("kactl ends", SOON, || follower.0.try_wait().expect("a child").is_some());
    Ok(())
}
