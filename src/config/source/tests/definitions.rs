//! `$definitions`.

use super::*;

#[test]
fn a_definition_is_used_with_and_without_braces() {
    let text = "$A=1\na $A\nb ${A}\nc x${A}y\nd \"${A}\"\ne ($A)\nf $A,z\n";
    assert_eq!(clean(text), "a|1\nb|1\nc|x1y\nd|\"1\"\ne|(1)\nf|1,z\n");
}

#[test]
fn without_braces_a_blank_comma_or_parenthesis_must_follow() {
    assert_eq!(clean("$A=1\na \"$A\"\nq$A.z\n"), "a|\"$A\"\nq$A.z\n");
}

#[test]
fn blanks_after_the_equals_sign_go_but_none_may_stand_before() {
    assert_eq!(clean("$A=  x y \nb $A\n$E=\nc ${E}d\n"), "b|x|y\nc|d\n");
    assert_eq!(clean("$A=1\n$A =2"), "1|=2\n");
}

#[test]
fn a_definition_may_change_anywhere_and_is_expanded_when_used() {
    assert_eq!(clean("$N=1\n$A=x${N}\nb {\n$N=2\nc $A\n}\n"), "b {\n  c|x2\n}\n");
}

#[test]
fn a_backslash_does_not_prevent_replacement() {
    assert_eq!(clean("$A=1\nb \\${A}"), "b|\\1\n");
}

#[test]
fn an_undefined_name_stays_and_its_braces_open_nothing() {
    let seen = text("b {\n  c x${NO}y\n  d ok\n}\n");
    assert_eq!(seen.outline, "b {\n  c|x${NO}y\n  d|ok\n}\n");
    assert_eq!(seen.complaints, ["2:6+5 'NO' is not defined and stays as it is"]);
    let what = "is not defined and stays as it is";
    assert_eq!(complaints("s \"sh -c 'a ${HOME}'\""), [format!("N 1:13+7 'HOME' {what}")]);
    assert_eq!(complaints("s $HOME"), [format!("N 1:3+5 'HOME' {what}")]);
    assert_eq!(clean("s pa$word\nregex a$"), "s|pa$word\nregex|a$\n");
}

#[test]
fn of_nested_forms_only_the_inner_is_replaced() {
    let seen = text("$N=A\n$A=1\nb \"${${N}}\"");
    assert_eq!(seen.outline, "b|\"${A}\"\n");
}

#[test]
fn replacement_goes_on_until_nothing_changes() {
    assert_eq!(clean("$A=1\n$E=\n$C=,\nb$A${E}\nc$A${C}\nd$A${E} $A${_HASH}\n"), "b1\nc1,\nd1|1\n");
    let seen = text("$E=\n$A=$A${E}\nb $A\nc");
    assert_eq!(seen.outline, "c\n");
    assert_eq!(seen.complaints, ["3:1+4 the definitions used here use each other without end"]);
}

#[test]
fn what_only_comes_together_by_replacement_is_no_use() {
    let seen = text("$A=1\n$D=$\nb ${D}A \"${D}{A}\"");
    assert_eq!(seen.outline, "b|$A|\"${A}\"\n");
}

#[test]
fn a_comment_hides_the_lines_of_a_definition() {
    assert_eq!(clean("$M=a \\\n b\n$C=${_HASH}\n$C $M\nx $C $M\n"), "x\n");
    assert_eq!(clean("$M=a ${_HASH} x \\\n b\n$M\n"), "a\nb\n");
}

#[test]
fn a_definition_that_uses_itself_is_an_error() {
    let seen = text("$A=x ${A}\n$B=${C}\n$C=${B}\nb ${A}\nc ${B}\nd\n");
    assert_eq!(seen.outline, "d\n");
    assert_eq!(
        seen.complaints,
        ["4:3+4 the definition 'A' uses itself", "5:3+4 the definition 'B' uses itself"]
    );
}

#[test]
fn an_inserted_comment_character_cuts_and_is_said() {
    let seen = text("$A=x\\#y\nb ${A} z\nc \"${A}\" z\nd e\\#f ${A}");
    assert_eq!(seen.outline, "b|x\nc|\"x#y\"|z\nd|e#f|x\n");
    let what = "the value contains a '#' or '!', which starts a comment here";
    let hint = "(double quotes around it make it part of the value)";
    assert_eq!(
        seen.complaints,
        [format!("W 2:3+4 {what} {hint}"), format!("W 4:8+4 {what} {hint}")]
    );
}

#[test]
fn the_built_in_hash_and_bang_may_start_a_comment() {
    assert_eq!(clean("a ${_HASH} b\nc \"${_HASH}${_BANG}\"\n$C=${_HASH}\n$C d\n"), "a\nc|\"#!\"\n");
}

#[test]
fn a_definition_of_several_lines_ends_a_line() {
    let text = "$BLK= \\\n  priority 50 \\ # comment\n  advert_int 2\na {\n$BLK\n}\n";
    assert_eq!(clean(text), "a {\n  priority|50\n  advert_int|2\n}\n");
    let text = "$B=one \\\n two\npre ${B}\n";
    assert_eq!(clean(text), "pre|one\ntwo\n");
}

#[test]
fn an_empty_line_or_the_end_ends_a_definition() {
    assert_eq!(clean("$B=one \\\n two \\\n\nx $B\n"), "x|one\ntwo\n");
    assert_eq!(clean("x\n$B=one \\\n two \\"), "x\n");
}

#[test]
fn a_definition_of_several_lines_cannot_stand_inside_one() {
    let seen = text("$B=one \\\n two\na ${B} b\nc\n");
    assert_eq!(seen.outline, "a|${B}|b\nc\n");
    let what = "'B' has several lines and can only stand at the end of a line";
    assert_eq!(seen.complaints, [format!("3:3+4 {what}")]);
}

#[test]
fn lines_of_a_definition_may_hold_everything() {
    let text = "$I=in \\\n ner\n$B= \\\n $X=7 \\\n @main a $X \\\n @other b \\\n ~SEQ(i,1,2) c ${i} \\\n $I \\\n d {\n$B\n}\n";
    assert_eq!(clean(text), "a|7\nc|1\nc|2\nin\nner\nd {\n}\n");
}

#[test]
fn a_use_in_the_first_line_of_a_definition_comes_before_its_other_lines() {
    assert_eq!(clean("$I=in \\\n ner\n$B=x $I \\\n y\n$B\n"), "x|in\nner\ny\n");
}

#[test]
fn generated_words_point_at_the_use() {
    let seen = text("$B=one \\\n two }\n  pre $B\n");
    assert_eq!(seen.complaints, ["3:7+2 this '}' closes nothing"]);
    let spans: Vec<_> = seen
        .document
        .roots()
        .map(|n| n.keyword().span)
        .map(|s| (s.line, s.column, s.len))
        .collect();
    assert_eq!(spans, [(3, 3, 3), (3, 7, 2)]);
}

#[test]
fn replaced_words_point_at_their_use_and_others_at_themselves() {
    let seen = text("$A=long value\n  é a${A}b $A c\\#d e");
    let node = seen.document.roots().next().unwrap();
    let spans: Vec<_> = node.words().map(|w| (w.text, w.span.column, w.span.len)).collect();
    assert_eq!(
        spans,
        [
            ("é", 3, 1),
            ("along", 5, 5),
            ("valueb", 6, 5),
            ("long", 12, 2),
            ("value", 12, 2),
            ("c#d", 15, 4),
            ("e", 20, 1),
        ]
    );
}

#[test]
fn built_in_definitions_have_values() {
    assert_eq!(clean("a ${_INSTANCE} $_INSTANCE\nb ${_PWD}\n"), "a|main|main\nb|/etc/k\n");
    assert_eq!(clean("a ${_ENV HOME}x ${_ENV NOSUCH}y\n"), "a|/rootx|y\n");
    assert_eq!(clean("$_PWD=/x\na ${_PWD}\n"), "a|/x\n");
}

#[test]
fn the_environment_is_not_expanded_again() {
    let mut options = options();
    options.env.insert("D".to_owned(), "$A ${A}".to_owned());
    let seen = see(&MemoryLoader::with(MAIN, "$A=1\nb \"${_ENV D}\""), MAIN, &options);
    assert_eq!(seen.outline, "b|\"$A ${A}\"\n");
}

#[test]
fn an_environment_variable_has_a_name() {
    let seen = text("a ${_ENV} b\n");
    assert_eq!(seen.outline, "a|${_ENV}|b\n");
    assert_eq!(seen.complaints, ["1:3+7 '_ENV' takes the name of one environment variable"]);
}

#[test]
fn random_numbers_lie_within_their_bounds() {
    let values = |text: &str| -> Vec<u32> {
        let seen = see(&MemoryLoader::with(MAIN, text.repeat(100)), MAIN, &options());
        assert!(seen.complaints.is_empty());
        seen.document.roots().map(|n| n.raw().parse().unwrap()).collect()
    };
    let small = values("a ${_RANDOM 5 7}\n");
    assert!(small.iter().all(|v| (5..=7).contains(v)) && small.contains(&5) && small.contains(&7));
    let default = values("a ${_RANDOM}\n");
    assert!(default.iter().all(|&v| v <= 32767) && default.iter().any(|&v| v > 1000));
    assert!(values("a ${_RANDOM 32000}\n").iter().all(|v| (32000..=32767).contains(v)));
}

#[test]
fn random_numbers_depend_on_the_seed_only() {
    let value = |random_seed| {
        let options = ReadOptions { random_seed, ..options() };
        see(&MemoryLoader::with(MAIN, "a ${_RANDOM} ${_RANDOM}"), MAIN, &options).outline
    };
    assert_eq!(value(1), value(1));
    assert_ne!(value(1), value(2));
}

#[test]
fn wrong_bounds_of_random_numbers_are_errors() {
    let seen = text("a ${_RANDOM 7 5}\nb ${_RANDOM x}\nc ${_RANDOM 1 2 3}\n");
    assert_eq!(seen.outline, "a|7\nb|${_RANDOM|x}\nc|${_RANDOM|1|2|3}\n");
    assert_eq!(
        seen.complaints,
        [
            "1:3+14 '_RANDOM': the minimum 7 is above the maximum 5",
            "2:3+12 '_RANDOM' takes a minimum and a maximum",
            "3:3+16 '_RANDOM' takes a minimum and a maximum",
        ]
    );
}
