//! Hostile text is bounded and reported.

use std::time::Duration;

use nix::time::ClockId;
use proptest::prelude::*;

use super::*;
use crate::base::diag::Severity;

fn small() -> ReadOptions {
    let limits = Limits {
        file_bytes: 1 << 16,
        line: 20_000,
        files: 50,
        include_depth: 8,
        generated: 1 << 16,
        sequence: 100,
        statements: 1000,
        words: 5000,
        block_depth: 8,
        complaints: 20,
    };
    ReadOptions { limits, ..options() }
}

fn hostile(content: &str) -> Seen {
    see(&MemoryLoader::with(MAIN, content), MAIN, &small())
}

#[test]
fn a_sequence_of_four_billion_is_refused() {
    let seen = text("~SEQ(i, 4000000000) a\nb");
    assert_eq!(seen.outline, "b\n");
    assert_eq!(seen.complaints, ["1:1+19 a sequence of 4000000000 turns; 1000000 is the most"]);
}

#[test]
fn nested_sequences_stop() {
    let seen = hostile("~SEQ(a,99) ~SEQ(b,99) ~SEQ(c,99)\nb");
    let what = "definitions and sequences generate more than 64 KiB of text";
    assert_eq!(seen.complaints, [format!("F 1:23+10 {what} (nothing is read after this)")]);
    assert_eq!(seen.outline, "");
}

#[test]
fn a_bomb_of_definitions_stops() {
    let mut bomb = "$a0=\n".to_owned();
    for n in 1..60 {
        bomb += &format!("$a{n}={}\n", format!("${{a{}}}", n - 1).repeat(10));
    }
    let seen = hostile(&(bomb + "x ${a59}\n"));
    assert_eq!(seen.diagnostics.worst(), Some(Severity::Fatal));
    assert_eq!(seen.complaints.len(), 1);
}

#[test]
fn a_line_that_grows_too_long_is_left_out() {
    let mut text_ = "$a0=0123456789abcdef\n".to_owned();
    for n in 1..9 {
        text_ += &format!("$a{n}={}\n", format!("${{a{}}}", n - 1).repeat(8));
    }
    let seen = text(&(text_ + "x ${a8}\ny ${a1}"));
    assert_eq!(seen.complaints, ["10:3+5 the line becomes longer than 65536 bytes"]);
    assert_eq!(seen.document.roots().next().unwrap().keyword().text, "y");
}

#[test]
fn definitions_of_several_lines_that_use_each_other_stop() {
    let seen = hostile("$A= \\\n x \\\n $A\n$A\ny\n");
    assert_eq!(seen.complaints, ["4:1+2 definitions and sequences lie too deep in each other"]);
    let seen = hostile("$A= \\\n $A \\\n $A\n$A\ny\n");
    assert_eq!(seen.diagnostics.worst(), Some(Severity::Fatal));
}

#[test]
fn heads_that_use_each_other_stop() {
    assert!(!hostile("$A=$A\n$A x").complaints.is_empty());
    assert!(!hostile("$A=@main $A\n$A x").complaints.is_empty());
    assert!(!hostile("$A=~SEQ(i,2) $A\n$A x").complaints.is_empty());
}

#[test]
fn includes_stop() {
    let mut loader = MemoryLoader::with(MAIN, "include f0");
    for n in 0..20 {
        loader = loader.and(&format!("/etc/k/f{n}"), format!("include f{}\n", n + 1));
    }
    let seen = see(&loader, MAIN, &small());
    assert_eq!(seen.complaints, ["1:9+2 '/etc/k/f7' is included too deep, by 8 files"]);
    let all = (0..20).fold(MemoryLoader::with(MAIN, "include f*"), |l, n| {
        l.and(&format!("/etc/k/f{n}"), "include f*\n")
    });
    let seen = see(&all, MAIN, &small());
    assert_eq!(seen.diagnostics.worst(), Some(Severity::Fatal));
}

#[test]
fn large_files_are_refused() {
    assert_eq!(hostile(&"#\n".repeat(1 << 15)).complaints, [""; 0]);
    let seen = hostile(&"#\n".repeat((1 << 15) + 1));
    assert_eq!(seen.diagnostics.worst(), Some(Severity::Fatal));
    let twice =
        MemoryLoader::with(MAIN, "include f\ninclude f\n").and("/etc/k/f", "#\n".repeat(20_000));
    assert_eq!(see(&twice, MAIN, &small()).diagnostics.worst(), Some(Severity::Fatal));
}

#[test]
fn statements_words_and_blocks_are_bounded() {
    assert_eq!(hostile(&"a\n".repeat(1001)).diagnostics.worst(), Some(Severity::Fatal));
    assert_eq!(hostile(&"a ".repeat(5001)).diagnostics.worst(), Some(Severity::Fatal));
    let seen = hostile(&("a {\n".repeat(9) + &"}\n".repeat(9)));
    assert_eq!(seen.complaints, ["9:3+1 more than 8 blocks in each other"]);
}

#[test]
fn complaints_are_bounded() {
    let seen = hostile(&"}\n".repeat(500));
    assert_eq!(seen.complaints.len(), 21);
    assert_eq!(seen.complaints[20], "there are more complaints than are shown");
}

#[test]
fn an_overlong_line_is_left_out_whole() {
    let seen = text(&format!("a\nb {} {{\nc\n", "x".repeat(65536)));
    assert_eq!(seen.outline, "a\nc\n");
    assert_eq!(seen.complaints, ["2:1+1 a line of 65540 bytes; it is left out"]);
}

#[test]
fn lines_full_of_one_thing_take_time_in_proportion() {
    // Of this thread's processor, so that other programs do not count. Eight times the text takes
    // eight times as long, and with a square in it 64 times.
    const LEAST: Duration = Duration::from_millis(2);
    let now = || Duration::from(ClockId::CLOCK_THREAD_CPUTIME_ID.now().expect("a clock"));
    let limits = Limits { line: usize::MAX, ..Limits::default() };
    let options = ReadOptions { limits, ..options() };
    for piece in [
        "\\\"",
        "\"#\" ",
        "\"${N}\" ",
        "é ",
        "\\#",
        "\\# ${A}",
        "${_HASH}",
        "${A}\"#\"",
        "$",
        "{",
        "a{",
    ] {
        let took = [12_500, 100_000].map(|count| {
            let line = format!("$A=\\#\na {}\n", piece.repeat(count));
            let loader = MemoryLoader::with(MAIN, line);
            let start = now();
            let _ = see(&loader, MAIN, &options);
            now() - start
        });
        assert!(took[1] < took[0].max(LEAST) * 32, "{piece}: {took:?}");
    }
}

const SAMPLE: &str = "\
# sample \u{e9}\r\n$A=1\n$B=x \\\n  y ${A} \\\n  }\n\
global_defs {\n  router_id \"a # b\" ! c\n  include_check +read\n}\n\
@main ~SEQ(i, 1, 3) v ${i} { p \\#${_RANDOM 1 3} ${_ENV HOME} }\n\
@^main ~LST({a, b}, {1, 2}, 3) w ${a}${b}\nv2 {\n$B\ninclude {e,f*}\n$_X ${NO} 'q' \"${_PWD}\n";

#[test]
fn every_truncation_of_a_sample_ends_without_panic() {
    let loader = |len: usize| {
        MemoryLoader::with(MAIN, &SAMPLE.as_bytes()[..len]).and("/etc/k/e", "x {\n${A}")
    };
    for len in 0..=SAMPLE.len() {
        let seen = see(&loader(len), MAIN, &small());
        let _ = seen.diagnostics.render(&seen.sources);
    }
}

proptest! {
    #[test]
    fn any_bytes_end_without_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let seen = see(&MemoryLoader::with(MAIN, bytes), MAIN, &small());
        let _ = seen.diagnostics.render(&seen.sources);
    }

    #[test]
    fn any_telling_pieces_end_without_panic(
        pieces in proptest::collection::vec(proptest::sample::select(PIECES), 0..60)
    ) {
        let loader = MemoryLoader::with(MAIN, pieces.concat()).and("/etc/k/f", "$A= \\\n");
        let seen = see(&loader, MAIN, &small());
        let _ = seen.diagnostics.render(&seen.sources);
        let _ = crate::config::lex::script::script_words(&pieces.concat());
    }
}

/// Tokens of the rules, so that random texts contain them.
const PIECES: &[&str] = &[
    "\n",
    "\n",
    "\n",
    " ",
    " ",
    "\t",
    "\\",
    "\\\n",
    "\"",
    "'",
    "#",
    "!",
    "{",
    "}",
    "$",
    "${",
    "$A",
    "$A=",
    "${A}",
    "${B}",
    "\n$A=",
    "\n$B=",
    "\n$A= \\\n",
    "@",
    "\n@main ",
    "\n@x ",
    "~SEQ(A,1,3)",
    "~SEQx(B,9,12)",
    "~LST(A,b,c)",
    "~LST({A,B},{1,2},3)",
    "\n~SEQ",
    "(",
    ")",
    ",",
    "include f",
    "\ninclude {f,k.conf}",
    "\nincludea *",
    "${_RANDOM 1 2}",
    "${_ENV HOME}",
    "${_ENV ODD}",
    "${_HASH}",
    "$_PWD",
    "a",
    "é",
    "\0",
    "\r\n",
    "global_defs {",
    "\ninclude_check ",
    "-7",
    "0x",
];
