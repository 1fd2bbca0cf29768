//! The command line interface: standard output, standard error and exit status.

#![expect(clippy::disallowed_methods, reason = "tests make the files they need")]

use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};

/// Result of a run.
#[derive(Debug, PartialEq, Eq)]
struct Outcome {
    status: Option<i32>,
    stdout: String,
    stderr: String,
}

fn run_as(name: &str, arguments: &[&str]) -> Outcome {
    run_in(name, arguments, "")
}

/// With this filter of log lines in its environment.
fn run_in(name: &str, arguments: &[&str], filter: &str) -> Outcome {
    let mut command = Command::new(env!("CARGO_BIN_EXE_keepalived"));
    command.arg0(name).args(arguments).env("KEEPALIVED_LOG", filter).stdin(Stdio::null());
    #[expect(clippy::disallowed_methods, reason = "a test has no loop to block")]
    let output = command.output().expect("the binary starts");
    Outcome {
        status: output.status.code(),
        stdout: String::from_utf8(output.stdout).expect("text"),
        stderr: String::from_utf8(output.stderr).expect("text"),
    }
}

fn run(arguments: &[&str]) -> Outcome {
    run_as("keepalived", arguments)
}

fn outcome(status: i32, stdout: &str, stderr: &str) -> Outcome {
    Outcome { status: Some(status), stdout: stdout.into(), stderr: stderr.into() }
}

#[test]
fn help_goes_to_stderr() {
    for option in ["-h", "--help", "--he"] {
        let help = run_as("/usr/sbin/keepalived", &[option]);
        assert_eq!((help.status, help.stdout.as_str()), (Some(0), ""));
        assert!(help
            .stderr
            .starts_with("Usage: /usr/sbin/keepalived [OPTION...]\n  -f, --use-file"));
    }
}

#[test]
fn version_goes_to_stderr() {
    for option in ["-v", "--version"] {
        let version = run(&[option]);
        assert_eq!((version.status, version.stdout.as_str()), (Some(0), ""));
        let first = version.stderr.lines().next().unwrap_or_default();
        assert_eq!(first, "Keepalived v2.4.3 (compatible)");
        let own = concat!("keepalived in Rust v", env!("CARGO_PKG_VERSION"));
        assert_eq!(version.stderr.lines().nth(1), Some(own));
        assert!(version.stderr.contains("\nconfigure options: --prefix=/usr"));
        assert!(version.stderr.contains(" --enable-json "));
        assert!(version.stderr.contains("\nRunning on Linux "), "{}", version.stderr);
    }
}

#[test]
fn signal_numbers_go_to_stdout() {
    for (function, number) in [
        ("STOP", "15\n"),
        ("RELOAD", "1\n"),
        ("DATA", "10\n"),
        ("STATS", "12\n"),
        ("STATS_CLEAR", "63\n"),
        ("JSON", "36\n"),
    ] {
        assert_eq!(run(&["--signum", function]), outcome(0, number, ""));
        assert_eq!(run(&[&format!("--signum={function}")]), outcome(0, number, ""));
    }
    assert_eq!(run(&["--signum=TDATA"]), outcome(1, "", "Unknown sigfunc TDATA\n"));
}

#[test]
fn wrong_options_are_reported_and_nothing_starts() {
    for (arguments, stderr) in [
        (&["--bogus"][..], "Unknown option --bogus\n"),
        (&["-Z"], "Unknown option -Z\n"),
        (&["-ZY", "-n"], "Unknown option -Z\nUnknown option -Y\n"),
        (&["--vrrp=foo"], "Unknown option --vrrp=foo\n"),
        (&["--pid="], "Missing parameter for option --pid\n"),
        (&["-p"], "Missing parameter for option -p\n"),
    ] {
        assert_eq!(run(arguments), outcome(1, "", stderr), "{arguments:?}");
    }
}

#[test]
fn a_wrong_filter_of_log_lines_is_refused_as_an_option_and_ignored_as_a_variable() {
    let why = "Invalid log filter 'vrrp=loud': 'loud' is not a level. A filter is a list as \
               keepalived::vrrp=trace,keepalived::check=debug; the levels are off, error, warn, \
               info, debug and trace\n";
    assert_eq!(run(&["-n", "--log-filter=vrrp=loud"]), outcome(1, "", why));
    let test = |options: &[&str], variable: &str| {
        let options = [&["-t", "-f", "/nowhere/keepalived.conf"], options].concat();
        run_in("keepalived", &options, variable)
    };
    let plain = test(&[], "");
    assert!(plain.stderr.contains("/nowhere/keepalived.conf"), "{plain:?}");
    let warned = format!("The variable KEEPALIVED_LOG is ignored: {why}{}", plain.stderr);
    assert_eq!(test(&[], "vrrp=loud"), Outcome { stderr: warned, ..plain });
    // Of the two, the option counts.
    let silent = outcome(5, "", "");
    assert_eq!(test(&[], "off"), silent);
    assert_eq!(test(&["--log-filter=off"], "vrrp=loud"), silent);
}

#[test]
fn ignored_options_are_reported_first() {
    let outputs = run(&["-S", "foo", "-u", "999", "--signum=STOP"]);
    let stderr = "Invalid log facility 'foo'\nInvalid --umask option 999\n";
    assert_eq!(outputs, outcome(0, "15\n", stderr));
}

#[test]
fn names_are_looked_up_by_a_child_process() {
    assert_eq!(run(&["--resolve-name", "127.0.0.9"]), outcome(0, "127.0.0.9\n", ""));
    let unknown = run(&["--resolve-name", "no.such.name.invalid"]);
    assert!(unknown.stdout.starts_with('!') && unknown.stderr.is_empty(), "{unknown:?}");
}

#[test]
fn a_closed_output_causes_no_crash() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_keepalived"));
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").expect("a full device");
    command.arg("-h").stderr(full);
    #[expect(clippy::disallowed_methods, reason = "a test has no loop to block")]
    let status = command.status().expect("the binary starts");
    assert_eq!(status.code(), Some(0));
}

#[test]
fn a_missing_file_has_the_statuses_of_the_manual() {
    let file = "/nowhere/keepalived.conf";
    let tested = run(&["-t", "-f", file]);
    assert_eq!(tested.status, Some(5));
    // In the foreground, and in the background without syslog.
    for mode in [&["-n", "-G"][..], &["-G"]] {
        let started = run(&[mode, &["-f", file]].concat());
        assert_eq!(started.status, Some(6));
        assert_eq!(started.stderr.lines().count(), 1, "{}", started.stderr);
        assert!(started.stderr.starts_with("keepalived: Nothing to run: "), "{}", started.stderr);
        assert!(started.stderr.contains(file), "{}", started.stderr);
    }
}

#[test]
fn an_unusable_configuration_is_reported_before_exit() {
    let path = std::env::temp_dir().join(format!("keepalived-bad-{}.conf", std::process::id()));
    std::fs::write(&path, "vrrp_instance V {\n    interface nowhere0\n}\n").expect("a file");
    let pid = path.with_extension("pid");
    let names = [&path, &pid].map(|p| p.to_str().expect("a path of text"));
    let started = run(&["-G", "-f", names[0], "-p", names[1], "-r", names[1], "-C", "-B"]);
    std::fs::remove_file(&path).expect("it is there");
    assert_eq!(started.status, Some(2), "{}", started.stderr);
    let place = format!("({}: Line 2)", names[0]);
    let line = "keepalived: The configuration cannot be used: PLACE (V) interface 'nowhere0'";
    assert!(started.stderr.starts_with(&line.replace("PLACE", &place)), "{}", started.stderr);
}

#[test]
fn the_program_name_selects_the_command() {
    for name in ["kactl", "/usr/bin/genhash"] {
        let other = run_as(name, &["-v"]);
        assert!(!other.stderr.starts_with("Keepalived v"), "{name}: {other:?}");
    }
    assert_eq!(run_as("genhash", &[]), run(&["-T"]));
    assert_eq!(run_as("genhash", &[]), run(&["--genhash"]));
}

#[test]
fn kactl_says_what_is_wrong_and_how_it_ends() {
    let help = run_as("kactl", &["--help"]);
    assert_eq!(help.status, Some(0));
    assert!(help.stdout.contains("explain NAME"), "{}", help.stdout);
    let version = run_as("kactl", &["--version"]);
    assert!(version.stdout.starts_with("kactl of Keepalived v"), "{}", version.stdout);
    for (words, status, part) in [
        (&[][..], 1, "which command?"),
        (&["dance"], 1, "'dance' is no command"),
        (&["status", "--follow"], 1, "status has no option --follow"),
        (&["-s", "/nonexistent/k.sock", "status"], 6, "cannot connect to /nonexistent/k.sock"),
    ] {
        let refused = run_as("kactl", words);
        assert_eq!((refused.status, refused.stdout.as_str()), (Some(status), ""), "{words:?}");
        assert!(refused.stderr.contains(part), "{words:?}: {}", refused.stderr);
    }
}

/// Runs with these options and this configuration text.
fn with_file(options: &[&str], name: &str, text: &str) -> Outcome {
    let name = format!("keepalived-cli-{}-{name}.conf", std::process::id());
    let path = std::env::temp_dir().join(name);
    std::fs::write(&path, text).expect("a file to test");
    let outcome = run(&[options, &["-f", path.to_str().expect("a path of text")]].concat());
    std::fs::remove_file(path).expect("it is there");
    outcome
}

/// Tests an instance that runs `command`, as root, under these global settings.
fn with_script(global: &str, command: &str) -> Outcome {
    let text = format!(
        "global_defs {{\ndynamic_interfaces\nscript_user root\n{global}\n}}\nvrrp_instance V {{\n\
         interface nowhere0\nvirtual_router_id 1\nnotify {command}\nvirtual_ipaddress {{\n\
         192.0.2.1/24\n}}\n}}\n"
    );
    with_file(&["-t"], &command.len().to_string(), &text)
}

#[test]
fn a_network_namespace_may_come_later_but_not_after_the_start() {
    let text = |line: &str| {
        format!(
            "net_namespace none-1\nvrrp_instance V {{\ninterface nowhere0\nvirtual_router_id 1\n\
             {line}\nvirtual_ipaddress {{\n192.0.2.1/24\n}}\n}}\n"
        )
    };
    let trouble = "Cannot enter network namespace none-1 (/run/netns/none-1): No such file or \
                   directory: 'ip netns add none-1' makes it";
    let tested = with_file(&["-t"], "netns", &text(""));
    assert_eq!(tested, outcome(0, "", &format!("{trouble}. Its interfaces are not checked.\n")));
    let wrong = with_file(&["-t"], "netns-wrong", &text("priority 1000"));
    assert_eq!(wrong.status, Some(5), "everything else is checked: {wrong:?}");
    let started = with_file(&["-n", "-l"], "netns-start", &text(""));
    assert_eq!(started.status, Some(1), "{started:?}");
    assert!(started.stderr.contains(trouble), "{started:?}");
}

#[test]
fn unchecked_scripts_have_their_own_status() {
    let checked = with_script("enable_script_security", "/bin/sh");
    assert_eq!(checked, outcome(0, "", ""));
    let unchecked = with_script("", "/bin/sh root");
    assert_eq!(unchecked.status, Some(6));
    let first = unchecked.stderr.lines().next().unwrap_or_default();
    assert_eq!(
        first,
        "SECURITY VIOLATION - scripts are being executed but script_security not enabled."
    );
}
