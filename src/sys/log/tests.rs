#![expect(clippy::disallowed_methods, reason = "tests make the files they need")]

use super::*;

#[test]
fn facilities_have_the_numbers_of_rfc_3164() {
    let number = |name| Facility::from_name(name).map(|f| f.0);
    assert_eq!(number("user"), Some(1));
    assert_eq!(number("daemon"), Some(3));
    assert_eq!(number("local0"), Some(16));
    assert_eq!(number("local7"), Some(23));
    assert_eq!(number("5"), Some(21));
    for bad in ["", "kern", "local8", "8", "local", "-1", "DAEMON"] {
        assert_eq!(number(bad), None, "{bad}");
    }
}

fn stream(form: LineForm, text: &str) -> String {
    let mut out = b"left over".to_vec();
    stream_line(&mut out, form, "Sun Nov 22 19:11:50 2026", text);
    String::from_utf8(out).expect("UTF-8")
}

#[test]
fn console_lines_carry_the_date_of_the_original() {
    assert_eq!(
        stream(LineForm::Stamped, "(VI_1) Entering MASTER STATE"),
        "Sun Nov 22 19:11:50 2026: (VI_1) Entering MASTER STATE\n"
    );
    assert_eq!(stream(LineForm::Plain, "(Line 1) x"), "(Line 1) x\n");
}

#[test]
fn syslog_lines_have_the_form_of_rfc_3164() {
    let mut out = Vec::new();
    let priority = Facility::DAEMON.0 * 8 + severity(Level::Info);
    syslog_line(&mut out, priority, "Nov 22 19:11:50", ["Keepalived", "_vrrp", ""], 42, "x");
    let line = String::from_utf8(out).expect("UTF-8");
    assert_eq!(line, "<30>Nov 22 19:11:50 Keepalived_vrrp[42]: x");
}

#[test]
fn nothing_in_a_line_can_forge_another_or_drive_a_terminal() {
    assert_eq!(stream(LineForm::Plain, "a\r\u{1b}[2Jb\tc\u{7f}é"), "a??[2Jb\tc?é\n");
}

#[test]
fn long_lines_are_cut_between_characters() {
    assert_eq!(cut("short"), "short");
    let long = format!("{}é", "x".repeat(LONGEST - 1));
    assert_eq!(cut(&long), "x".repeat(LONGEST - 1));
    assert_eq!(cut(&"x".repeat(LONGEST + 1)).len(), LONGEST);
}

#[test]
fn a_message_of_several_lines_becomes_several_lines() {
    let dir = crate::sys::tests::TempDir::new("lines");
    let path = dir.path().join("log");
    let mut backend = Backend::open(Setup {
        ident: "Keepalived".into(),
        detail: Detail::Normal,
        filter: None,
        console: Console::Off,
        syslog: None,
        file: Some(FileTarget { path: path.clone(), form: LineForm::Plain }),
    })
    .expect("opens");
    for (level, text) in [(Level::Info, "one\ntwo\n"), (Level::Warn, "three")] {
        let mut builder = Record::builder();
        backend.write(&builder.level(level).args(format_args!("{text}")).build(), WallTime(0));
    }
    assert_eq!(std::fs::read_to_string(path).expect("reads"), "one\ntwo\nthree\n");
    assert_eq!(backend.dropped(), 0);
}

#[test]
fn the_stamp_follows_the_clock() {
    let mut stamps = Stamps::default();
    stamps.update(WallTime(1_999_999));
    let first = stamps.long.clone();
    stamps.update(WallTime(2_000_000));
    assert_eq!(stamps.long, clock::local(WallTime(2_000_000)).long());
    assert_ne!(stamps.long, first);
}
