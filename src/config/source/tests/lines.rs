//! Lines, comments, quotes, blocks.

use super::*;

#[test]
fn words_are_split_at_blanks_and_carriage_returns_go() {
    assert_eq!(clean("\t a  b\tc\x0bd\x0ce \r\nf\r\ng"), "a|b|c|d|e\nf\ng\n");
    assert_eq!(clean("\n\n  \n"), "");
}

#[test]
fn a_byte_order_mark_is_no_part_of_the_first_word() {
    assert_eq!(clean("\u{feff}a b"), "a|b\n");
}

#[test]
fn long_lines_are_lines() {
    let long = "x".repeat(5000);
    assert_eq!(clean(&format!("a {long} b\nc")), format!("a|{long}|b\nc\n"));
}

#[test]
fn a_nul_byte_drops_its_line() {
    let seen = text("a\nb \0 {\nc\n");
    assert_eq!(seen.outline, "a\nc\n");
    assert_eq!(seen.complaints, ["2:3+1 a NUL byte; the line is left out"]);
}

#[test]
fn bytes_that_are_not_utf8_are_wrong_except_in_comments() {
    let loader = MemoryLoader::with(MAIN, b"# caf\xe9\na caf\xe9 x # \xe9\n\xc3\xa9 b\n".to_vec());
    let seen = see(&loader, MAIN, &options());
    assert_eq!(seen.outline, "a|café|x\né|b\n");
    assert_eq!(seen.complaints, ["2:6+1 this is not UTF-8"]);
}

#[test]
fn comments_start_anywhere() {
    assert_eq!(
        clean("bogus_a#b\nrouter_id a!b\n# x {\n! y }\na # {\n"),
        "bogus_a\nrouter_id|a\na\n"
    );
}

#[test]
fn double_quotes_and_backslashes_protect_comment_characters() {
    assert_eq!(clean(r##"a "b # c ! d" # e"##), "a|\"b # c ! d\"\n");
    assert_eq!(clean("a x\\#y \\! z # c"), "a|x#y|!|z\n");
    assert_eq!(clean(r#"a "x\#y""#), "a|\"x\\#y\"\n");
    assert_eq!(clean("a '# b'"), "a|'\n");
    assert_eq!(clean("a b\\\\# c"), "a|b\\\\\n");
}

#[test]
fn a_quote_starts_a_word_and_may_be_empty() {
    assert_eq!(clean(r#"bogus"x y"z "" "k""#), "bogus|\"x y\"|z|\"\"|\"k\"\n");
    assert_eq!(clean("a 'b c'"), "a|'b|c'\n");
}

#[test]
fn words_know_no_escapes() {
    let seen = text("a \"bo\\\"gus\"\nb");
    assert_eq!(seen.outline, "b\n");
    assert_eq!(seen.complaints, ["1:11+1 nothing closes this quote; the statement is left out"]);
}

#[test]
fn what_a_script_escapes_protects_comments_and_braces() {
    let seen = text(r#"script "/bin/sh -c \"echo #1 {2}\"" user # comment"#);
    assert_eq!(seen.complaints, [""; 0]);
    let node = seen.document.roots().next().unwrap();
    assert_eq!(node.raw(), r#""/bin/sh -c \"echo #1 {2}\"" user"#);
    let words = crate::config::lex::script::script_words(node.raw()).unwrap();
    assert_eq!(words, ["/bin/sh", "-c", "\"echo", "#1", "{2}\""]);
}

#[test]
fn a_statement_with_an_open_quote_is_left_out_unless_it_has_a_block() {
    let expected = "nothing closes this quote; the statement is left out";
    let seen = text("a\nb \"c # d {x\ne\n");
    assert_eq!(seen.outline, "a\ne\n");
    assert_eq!(seen.complaints, [format!("2:3+1 {expected}")]);
    let seen = text("vrrp_instance \"V {\n a\n}\nb");
    assert_eq!(seen.outline, "vrrp_instance|\"V\" {\n  a\n}\nb\n");
    assert_eq!(seen.complaints.len(), 1);
    let seen = text("vrrp_instance \"V\n{\n a\n}\nb");
    assert_eq!(seen.outline, "vrrp_instance|\"V\" {\n  a\n}\nb\n");
    assert_eq!(seen.complaints.len(), 1);
    let seen = text("x { script \"foo }\nb");
    assert_eq!(seen.outline, "x {\n}\nb\n");
    assert_eq!(seen.complaints.len(), 1);
}

#[test]
fn a_backslash_does_not_continue_a_line() {
    let seen = text("router_id a \\\nX\nauth_pass abc\\\n\\\n");
    assert_eq!(seen.outline, "router_id|a\nX\nauth_pass|abc\\\n");
    let what = "a '\\' continues definitions only; it is left out";
    assert_eq!(seen.complaints, [format!("1:13+1 {what}"), format!("4:1+1 {what}")]);
}

#[test]
fn every_brace_stands_alone() {
    let expected = "global_defs {\n  router_id|X\n}\n";
    for same in [
        "global_defs { router_id X }",
        "global_defs{router_id X}",
        "global_defs\n{\nrouter_id X\n}",
        "global_defs\n\n# comment\n{ router_id X\n}\n",
        "global_defs {\n router_id X }",
    ] {
        assert_eq!(clean(same), expected, "{same}");
    }
    assert_eq!(clean("a { b { c } d } e { }"), "a {\n  b {\n    c\n  }\n  d\n}\ne {\n}\n");
}

#[test]
fn braces_in_quotes_and_comments_do_not_count() {
    assert_eq!(clean("a \"{\" # }\nb # {\n"), "a|\"{\"\nb\n");
}

#[test]
fn a_brace_without_keyword_opens_nothing_but_is_closed() {
    let seen = text("a {\n  b\n  }\n{\n c\n}\nd {\n{ e }\n}\nf\n");
    assert_eq!(seen.outline, "a {\n  b\n}\nc\nd {\n  e\n}\nf\n");
    let what = "this '{' follows no keyword";
    assert_eq!(seen.complaints, [format!("4:1+1 {what}"), format!("8:1+1 {what}")]);
}

#[test]
fn a_block_cannot_be_opened_for_a_statement_in_a_closed_block() {
    let seen = text("a { b }\n{ c }\nd");
    assert_eq!(seen.outline, "a {\n  b\n}\nc\nd\n");
    assert_eq!(seen.complaints, ["2:1+1 this '{' follows no keyword"]);
}

#[test]
fn a_closing_brace_too_many_is_pointed_at() {
    assert_eq!(complaints("a {\n}\n  }\nb"), ["3:3+1 this '}' closes nothing"]);
}

#[test]
fn a_closing_brace_too_many_may_have_a_missing_one_as_its_cause() {
    let seen = complaints("vrrp_instance V\n  state MASTER\n}\n");
    let hint = "a '{' may be missing after 'vrrp_instance' in line 1";
    assert_eq!(seen, [format!("3:1+1 this '}}' closes nothing ({hint})")]);
}

#[test]
fn blocks_never_closed_are_named_outermost_first() {
    let seen = text("vrrp_instance V {\n  authentication {\n    auth_type PASS\n");
    assert_eq!(seen.outline, "vrrp_instance|V {\n  authentication {\n    auth_type|PASS\n  }\n}\n");
    assert_eq!(
        seen.complaints,
        [
            "1:1+13 'vrrp_instance' opened here is never closed",
            "2:3+14 'authentication' opened here is never closed",
        ]
    );
}

#[test]
fn indentation_tells_where_a_closing_brace_may_be_missing() {
    let seen = complaints("a {\n  b 1\n  c 2\nd {\n  e\n}\n");
    assert_eq!(
        seen,
        ["1:1+1 'a' opened here is never closed (a '}' may be missing before line 4)"]
    );
}

#[test]
fn columns_count_characters() {
    assert_eq!(complaints("é \"ä\" }"), ["1:7+1 this '}' closes nothing"]);
    let seen = text("  vrrp_instance \"V 1\" x\n");
    let node = seen.document.roots().next().unwrap();
    let spans: Vec<_> = node.words().map(|w| (w.span.line, w.span.column, w.span.len)).collect();
    assert_eq!(spans, [(1, 3, 13), (1, 17, 5), (1, 23, 1)]);
}

#[test]
fn the_text_after_the_keyword_is_kept_as_it_was_written() {
    let seen = text("  notify_master  \"/bin/x 'a b'\"  user  # c\n\"q\" 'x'{y}\n");
    let raw: Vec<_> = seen.document.roots().map(|n| n.raw().to_owned()).collect();
    assert_eq!(raw, ["\"/bin/x 'a b'\"  user", "'x'"]);
}
