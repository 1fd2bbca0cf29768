//! Includes and the main file.

use super::*;

/// The main file and some beside it.
fn files(main: &str) -> MemoryLoader {
    MemoryLoader::with(MAIN, main)
        .and("/etc/k/a.conf", "in_a\n")
        .and("/etc/k/b.conf", "in_b\n")
        .and("/etc/k/d/1.conf", "in_1\ninclude 2.inc\n")
        .and("/etc/k/d/2.inc", "in_2 ${_PWD}\n")
        .and_unusable("/etc/k/x/exe", Unusable::Executable)
}

fn included(main: &str) -> Seen {
    see(&files(main), MAIN, &options())
}

fn outline_of(main: &str) -> String {
    let seen = included(main);
    assert_eq!(seen.complaints, [""; 0], "of {main:?}");
    seen.outline
}

#[test]
fn an_include_stands_for_the_lines_of_its_files() {
    assert_eq!(outline_of("x\ninclude a.conf\ny"), "x\nin_a\ny\n");
    assert_eq!(outline_of("include [ab].conf # comment"), "in_a\nin_b\n");
    assert_eq!(outline_of("include {b,a}.conf\n"), "in_b\nin_a\n");
    assert_eq!(outline_of("include /etc/k/a.conf\n"), "in_a\n");
}

#[test]
fn an_include_may_stand_in_any_line() {
    assert_eq!(outline_of("x {\ninclude a.conf\n}"), "x {\n  in_a\n}\n");
    assert_eq!(outline_of("x { include a.conf\n}"), "x {\n  in_a\n}\n");
    assert_eq!(outline_of("x { include {a,b}.conf }\ny"), "x {\n  in_a\n  in_b\n}\ny\n");
    assert_eq!(outline_of("@main include a.conf\n@other include b.conf"), "in_a\n");
    assert_eq!(outline_of("~LST(f,a,b) include ${f}.conf"), "in_a\nin_b\n");
    assert_eq!(outline_of("$M= \\\n include a.conf \\\n y\n$M\n"), "in_a\ny\n");
}

#[test]
fn names_are_relative_to_the_including_file() {
    assert_eq!(outline_of("include d/*.conf\nx ${_PWD}"), "in_1\nin_2|/etc/k/d\nx|/etc/k\n");
}

#[test]
fn a_block_may_end_in_another_file() {
    let loader = files("v {\ninclude end\nx").and("/etc/k/end", "y\n}\n");
    assert_eq!(see(&loader, MAIN, &options()).outline, "v {\n  y\n}\nx\n");
}

#[test]
fn definitions_of_an_included_file_stay() {
    let loader = files("include def\nx $A\n").and("/etc/k/def", "$A=1\n$B=open \\");
    assert_eq!(see(&loader, MAIN, &options()).outline, "x|1\n");
}

#[test]
fn quotes_and_blanks_belong_to_the_name() {
    let missing =
        |name: &str| [format!("N 1:9+{} there is no file '{name}' to include", name.len())];
    let seen = included("include \"a.conf\"").complaints.remove(0);
    let hint = " (quotes are part of the name here)";
    assert_eq!(seen, missing("\"a.conf\"").concat() + hint);
    assert_eq!(included("include a b").complaints, missing("a b"));
}

#[test]
fn other_letters_and_no_pattern_make_a_keyword() {
    assert_eq!(
        outline_of("includex a.conf\ninclude\ninclude # a"),
        "includex|a.conf\ninclude\ninclude\n"
    );
}

/// Whether each form of include refuses a pattern: plain, r, m, w, b, a.
fn refusals(pattern: &str) -> String {
    let refuses = |letter: &str| {
        let seen = included(&format!("include{letter} {pattern}\n"));
        let worst = seen.diagnostics.worst();
        match worst {
            None => '-',
            Some(crate::base::diag::Severity::Note) => 'n',
            Some(crate::base::diag::Severity::Security) => 'S',
            Some(other) => panic!("{other:?}"),
        }
    };
    ["", "r", "m", "w", "b", "a"].iter().map(|l| refuses(l)).collect()
}

#[test]
fn each_form_of_include_refuses_what_its_letter_says() {
    assert_eq!(refusals("a.conf"), "------");
    assert_eq!(refusals("x/exe"), "nSSSSS", "executable");
    assert_eq!(refusals("d"), "nSSSSS", "directory");
    assert_eq!(refusals("nosuch"), "nnSSnS", "plain name");
    assert_eq!(refusals("nosuch*"), "---S-S", "wildcard");
    assert_eq!(refusals("{a.conf,nosuch}"), "nnnnSS", "one of two");
    assert_eq!(refusals("{nosuch,neither}"), "nnnnSS", "none of two");
}

#[test]
fn what_can_be_used_of_a_pattern_is_used() {
    let seen = included("includea {a.conf,x/exe,nosuch,b.conf}");
    assert_eq!(seen.outline, "in_a\nin_b\n");
    assert_eq!(
        seen.complaints,
        [
            "S 1:10+28 there is no file 'nosuch' to include",
            "S 1:10+28 cannot read '/etc/k/x/exe': it is executable",
        ]
    );
}

#[test]
fn include_check_changes_plain_includes_up_to_the_end_of_its_file() {
    let severities = |main: &str| -> String {
        included(main).complaints.iter().map(|c| c.chars().next().unwrap_or(' ')).collect()
    };
    assert_eq!(severities("include n1\nglobal_defs {\ninclude_check\n}\ninclude n2"), "NS");
    assert_eq!(severities("global_defs { include_check read }\ninclude n1\ninclude x/exe"), "NS");
    assert_eq!(severities("include_check\nvrrp { include_check }\ninclude n1"), "N");
    let loader =
        files("include c\ninclude n2").and("/etc/k/c", "global_defs { include_check }\ninclude n1");
    let seen = see(&loader, MAIN, &options());
    assert_eq!(
        seen.complaints,
        ["S 2:9+2 there is no file 'n1' to include", "N 2:9+2 there is no file 'n2' to include"]
    );
}

#[test]
fn words_that_are_no_checks_are_warned_of() {
    let seen = included("global_defs {\n  include_check read nonsense\n}");
    assert_eq!(seen.complaints, ["W 2:22+8 'nonsense' is no check of include; ignored"]);
}

#[test]
fn a_file_that_includes_itself_is_an_error() {
    let loader = files("include e\ny").and("/etc/k/e", "x\ninclude ./../k/k.conf\nz");
    let seen = see(&loader, MAIN, &options());
    assert_eq!(seen.outline, "x\nz\ny\n");
    let chain = "/etc/k/k.conf -> /etc/k/e -> /etc/k/k.conf";
    assert_eq!(
        seen.complaints,
        [format!("2:9+13 '/etc/k/./../k/k.conf' includes itself: {chain}")]
    );
}

#[test]
fn a_file_included_twice_is_shown_and_complained_about_once() {
    let loader = files("include e\ninclude e\n").and("/etc/k/e", "x\n}\n");
    let seen = see(&loader, MAIN, &options());
    assert_eq!(seen.outline, "x\nx\n");
    assert_eq!(seen.complaints, ["2:1+1 this '}' closes nothing"]);
    let shown = seen.diagnostics.render(&seen.sources);
    assert_eq!(shown, "(/etc/k/e: Line 2) this '}' closes nothing\n    }\n    ^\n");
}

#[test]
fn the_main_file_must_be_there() {
    let what = "cannot read the configuration '/nosuch': no such file; \
                begin with a copy of /etc/keepalived/keepalived.conf.sample";
    let seen = see(&files(""), "/nosuch", &options());
    assert_eq!(seen.complaints, [what]);
    let seen = see(&files(""), "/etc/k/x/exe", &options());
    assert_eq!(seen.complaints, ["cannot read '/etc/k/x/exe': it is executable"]);
    let strict = ReadOptions { include_check: IncludeCheck::ALL, ..options() };
    let seen = see(&files(""), "/nosuch", &strict);
    assert_eq!(seen.complaints, [format!("S {what}")]);
}

#[test]
fn several_main_files_are_one_text() {
    let seen = see(&files(""), "/etc/k/[ab].conf", &options());
    assert_eq!(seen.outline, "in_a\nin_b\n");
    let what = "2 files match '/etc/k/[ab].conf'; all are read, in order";
    assert_eq!(seen.complaints, [format!("W {what}")]);
}
