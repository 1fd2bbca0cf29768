use super::*;
use crate::cli::flags::Arg;

fn args(words: &[&str]) -> Vec<OsString> {
    std::iter::once("keepalived").chain(words.iter().copied()).map(OsString::from).collect()
}

fn outcome(words: &[&str]) -> Parsed {
    parse(&args(words))
}

fn options(words: &[&str]) -> Options {
    let parsed = outcome(words);
    match parsed.request {
        Request::Run(options) if parsed.complaints.is_empty() => *options,
        _ => panic!("{words:?}: {parsed:?}"),
    }
}

fn errors(words: &[&str]) -> Vec<String> {
    let parsed = outcome(words);
    let lines = parsed.complaints.into_iter().map(|complaint| match complaint {
        Complaint::Stderr(line) | Complaint::Stdout(line) => line,
    });
    lines.collect()
}

/// Options without what differs by the way they were written.
fn meaning(words: &[&str]) -> Parsed {
    let mut parsed = outcome(words);
    if let Request::Run(options) = &mut parsed.request {
        options.argv.clear();
    }
    parsed
}

/// A value that the option takes.
fn sample(flag: &Flag) -> &'static str {
    match flag.long {
        "log-filter" => "info",
        "sandbox" => "off",
        _ => "07",
    }
}

#[test]
fn no_name_and_no_letter_twice() {
    let mut names: Vec<_> = FLAGS.iter().map(|f| f.long).collect();
    let mut letters: Vec<_> = FLAGS.iter().filter_map(|f| f.short).collect();
    names.sort_unstable();
    letters.sort_unstable();
    let (n, l) = (names.len(), letters.len());
    names.dedup();
    letters.dedup();
    assert_eq!((names.len(), letters.len()), (n, l));
}

#[test]
fn all_options_of_the_original_are_there() {
    let letters: String = FLAGS.iter().filter_map(|f| f.short).collect();
    let missing: String =
        "fPCBlDSgGXVIRndprcbTaseixAumMtvh".chars().filter(|&c| !letters.contains(c)).collect();
    assert_eq!(missing, "");
    for long in ["all", "flush-log-file", "signum", "config-fd", "ignore-sigint"] {
        assert!(FLAGS.iter().any(|f| f.long == long), "--{long}");
    }
}

#[test]
fn every_option_means_the_same_short_and_long() {
    for flag in FLAGS {
        let sample = sample(flag);
        let long = match flag.arg {
            Arg::None => format!("--{}", flag.long),
            _ => format!("--{}={sample}", flag.long),
        };
        let by_name = meaning(&[&long]);
        assert_eq!(by_name.complaints, [], "{long}");
        assert_ne!(by_name, meaning(&[]), "{long} changes nothing");
        let Some(letter) = flag.short else { continue };
        let attached = match flag.arg {
            Arg::None => format!("-{letter}"),
            _ => format!("-{letter}{sample}"),
        };
        assert_eq!(meaning(&[&attached]), by_name, "{attached}");
        if let Arg::Required(_) = flag.arg {
            assert_eq!(meaning(&[&format!("-{letter}"), sample]), by_name, "{attached}");
            assert_eq!(meaning(&[&format!("--{}", flag.long), sample]), by_name, "{long}");
        }
    }
}

#[test]
fn values_land_in_their_fields() {
    let o = options(&["-nlDD", "-f", "a.conf", "-S3", "-p/p", "-rv", "-c", "c", "--bfd_pid=b"]);
    assert!(o.foreground && o.log_console);
    assert_eq!(o.log_detail, 2);
    assert_eq!(o.config_file(), Path::new("a.conf"));
    assert_eq!(o.log_facility, Facility::local(3).expect("local3"));
    let files = [o.pid_file, o.vrrp_pid_file, o.checkers_pid_file, o.bfd_pid_file];
    assert_eq!(files, ["/p", "v", "c", "b"].map(|p| Some(PathBuf::from(p))));
}

#[test]
fn subsystems_are_on_unless_switched_off() {
    let which = |words: &[&str]| {
        let o = options(words);
        (o.run_vrrp, o.run_checkers, o.run_bfd)
    };
    assert_eq!(which(&[]), (true, true, true));
    assert_eq!(which(&["-P"]), (true, false, true));
    assert_eq!(which(&["-C"]), (false, true, true));
    assert_eq!(which(&["-B"]), (true, true, false));
}

#[test]
fn a_unique_beginning_of_a_long_option_is_enough() {
    assert_eq!(options(&["--use=x"]).config_file(), Path::new("x"));
    assert_eq!(options(&["--pi", "x"]).pid_file, Some("x".into()));
    assert!(options(&["--dump"]).dump_conf);
    // Whole although it is the beginning of another one.
    assert!(options(&["--snmp"]).snmp);
    assert!(!options(&["--check"]).run_vrrp);
}

#[test]
fn an_ambiguous_beginning_is_unknown() {
    assert_eq!(
        errors(&["--che"]),
        ["Unknown option --che", "    it may mean --check, --checkers_pid"]
    );
    assert_eq!(outcome(&["--che"]).request, Request::Refuse);
}

#[test]
fn every_unknown_option_is_named() {
    assert_eq!(
        errors(&["-ZnY", "--bogus2=3", "-\u{e9}x"]),
        [
            "Unknown option -Z",
            "Unknown option -Y",
            "Unknown option --bogus2=3",
            "Unknown option -éx"
        ]
    );
    assert_eq!(errors(&["--vrrp=foo"]), ["Unknown option --vrrp=foo"]);
    assert_eq!(outcome(&["-Z"]).request, Request::Refuse);
}

#[test]
fn a_missing_value_is_named_as_it_was_typed() {
    for (words, line) in [
        (&["--pid"][..], "Missing parameter for option --pid"),
        (&["--pid="], "Missing parameter for option --pid"),
        (&["--pid", ""], "Missing parameter for option --pid"),
        (&["-np"], "Missing parameter for option -p"),
        (&["-s"], "Missing parameter for option -s"),
    ] {
        assert_eq!(errors(words), [line]);
        assert_eq!(outcome(words).request, Request::Refuse);
    }
}

#[test]
fn an_empty_value_of_a_letter_leaves_the_default() {
    let o = options(&["-s", "", "-p", "", "-f", ""]);
    assert_eq!((o.namespace, o.pid_file, o.config_file), (None, None, None));
}

#[test]
fn an_optional_value_is_taken_only_when_attached() {
    let parsed = outcome(&["-t", "out"]);
    let hint = "The file to test is named by -f: keepalived -t -f FILE";
    assert_eq!(
        parsed.complaints,
        [Complaint::Stdout("Unexpected argument(s): out ".into()), Complaint::Stderr(hint.into())]
    );
    let Request::Run(o) = parsed.request else { panic!("runs all the same") };
    assert_eq!(o.config_test, Some(ConfigTest { output: None }));
    let test = |words: &[&str]| options(words).config_test.expect("-t").output;
    assert_eq!(test(&["-tout"]), Some("out".into()));
    assert_eq!(test(&["--config-test=out"]), Some("out".into()));
    assert_eq!(test(&["--config-test="]), None);
    assert_eq!(options(&["-M"]).core_pattern.as_deref(), Some("core"));
    assert_eq!(options(&["-g"]).log_file, Some("/tmp/keepalived.log".into()));
    assert_eq!(options(&["-g/x"]).log_file, Some("/x".into()));
}

#[test]
fn words_that_are_no_options_may_stand_anywhere() {
    let parsed = outcome(&["a", "-n", "--", "-D", "b"]);
    assert_eq!(parsed.complaints, [Complaint::Stdout("Unexpected argument(s): a -D b ".into())]);
    let Request::Run(o) = parsed.request else { panic!("runs all the same") };
    assert!(o.foreground);
    assert_eq!(o.log_detail, 0);
}

#[test]
fn a_bad_facility_or_mask_is_ignored_with_a_complaint() {
    for bad in ["foo", "local9", "9", "LOCAL1", ""] {
        let parsed = outcome(&["-S", bad]);
        let line = format!("Invalid log facility '{bad}'");
        assert_eq!(parsed.complaints, [Complaint::Stderr(line)]);
        assert!(matches!(parsed.request, Request::Run(o) if o.log_facility == Facility::DAEMON));
    }
    for bad in ["999", "0999", "foo", "0777x", "--", "-1", "+7", "0x", "01000", "99999999999"] {
        let parsed = outcome(&["-u", bad]);
        let line = format!("Invalid --umask option {bad}");
        assert_eq!(parsed.complaints, [Complaint::Stderr(line)]);
        assert!(matches!(parsed.request, Request::Run(o) if o.umask.is_none()));
    }
}

#[test]
fn a_bad_filter_is_refused() {
    let parsed = outcome(&["--log-filter", "vrrp=trace", "-n"]);
    assert_eq!(parsed.request, Request::Refuse);
    let [Complaint::Stderr(line)] = &parsed.complaints[..] else { panic!("{parsed:?}") };
    assert!(
        line.starts_with("Invalid log filter 'vrrp=trace': there is no module 'vrrp'"),
        "{line}"
    );
    let good = options(&["--log-filter=keepalived::vrrp=trace"]);
    assert_eq!(good.log_setup().filter, Spec::parse("keepalived::vrrp=trace").ok());
}

#[test]
fn masks_have_the_bases_of_c() {
    for (typed, mask) in [("022", 0o22), ("18", 18), ("0x1ff", 0o777), ("0", 0), ("0177", 0o177)] {
        assert_eq!(options(&["-u", typed]).umask, Some(mask), "{typed}");
    }
}

#[test]
fn help_version_and_signum_end_the_scan() {
    assert_eq!(outcome(&["-v", "-Z"]), Parsed { complaints: vec![], request: Request::Version });
    assert_eq!(outcome(&["-nh", "-Z"]).request, Request::Help);
    let late = outcome(&["-Z", "-v"]);
    assert_eq!(late.complaints, [Complaint::Stderr("Unknown option -Z".into())]);
    assert_eq!(late.request, Request::Version);
    assert_eq!(outcome(&["--signum=STOP"]).request, Request::Signum("STOP".into()));
}

#[test]
fn genhash_takes_all_that_follows() {
    let wanted = Request::Genhash(["-s", "192.0.2.1", "-v"].map(OsString::from).into());
    assert_eq!(
        outcome(&["-T", "-s", "192.0.2.1", "-v"]),
        Parsed { complaints: vec![], request: wanted.clone() }
    );
    let late = outcome(&["-n", "--genhash", "-s", "192.0.2.1", "-v"]);
    assert_eq!(late.complaints, [Complaint::Stderr(GENHASH_LATE.into())]);
    assert_eq!(late.request, wanted);
}

#[test]
fn the_console_is_for_the_foreground() {
    assert_eq!(options(&["-l"]).log_setup().console, Console::Off);
    assert_eq!(options(&["-nl"]).log_setup().console, Console::On(LineForm::Stamped));
    assert_eq!(options(&["-n"]).log_setup().syslog, Some(Facility::DAEMON));
    assert_eq!(options(&["-nG"]).log_setup().syslog, None);
}

#[test]
fn a_configuration_test_stays_in_the_foreground_and_off_the_syslog() {
    let o = options(&["-t"]);
    assert!(o.foreground && o.dont_respawn && o.no_syslog);
    let setup = o.log_setup();
    assert_eq!((setup.console, setup.syslog), (Console::On(LineForm::Plain), None));
    let setup = options(&["-tout", "-l", "-g"]).log_setup();
    assert_eq!(setup.console, Console::Off);
    assert_eq!(setup.file, Some(FileTarget { path: "out".into(), form: LineForm::Plain }));
}

#[test]
fn options_without_effect_are_told_once_each() {
    let o = options(&["-R", "-n", "-xR"]);
    let notes: Vec<_> = o.notes().collect();
    assert_eq!(notes, ["Option --snmp has no effect: SNMP is not in this version",]);
}

#[test]
fn relative_paths_survive_a_change_of_directory() {
    let mut o = options(&["-fa", "-p", "/b", "-gc"]);
    o.make_absolute(Path::new("/home"));
    assert_eq!(o.config_file(), Path::new("/home/a"));
    assert_eq!(o.pid_file, Some("/b".into()));
    assert_eq!(o.log_file, Some("/home/c".into()));
    let mut o = options(&[]);
    o.make_absolute(Path::new("/home"));
    assert_eq!(o.config_file(), Path::new(DEFAULT_CONFIG_FILE));
}
