//! Conditions, sequences and lists in lines.

use super::*;

#[test]
fn a_condition_keeps_a_line_for_its_id_only() {
    assert_eq!(clean("@main a\n@other b\n@^main c\n@^other d\n@Main e\n@mai f"), "a\nd\n");
}

#[test]
fn a_condition_may_guard_anything() {
    let text = "@main $X=1\n@other $X=2\n@main ~SEQ(i,1,2) s ${i} $X\n@main v {\n@main }\n";
    assert_eq!(clean(text), "s|1|1\ns|2|1\nv {\n}\n");
}

#[test]
fn a_condition_without_a_line_is_nothing() {
    assert_eq!(clean("@main\n@other\n@other \"x\n@ a\n@^ b\n"), "b\n");
}

#[test]
fn conditions_may_follow_each_other() {
    assert_eq!(clean("@main @^other a\n@main @other b"), "a\n");
}

#[test]
fn the_id_of_a_condition_is_not_replaced() {
    let seen = text("$X=main\n@$X a\nb");
    assert_eq!(seen.outline, "b\n");
    assert_eq!(seen.complaints, ["W 2:1+3 definitions are not replaced in a condition"]);
}

#[test]
fn a_condition_leaves_out_all_lines_of_a_definition() {
    assert_eq!(clean("@other $X= \\\n a \\\n b\nc\n"), "c\n");
}

#[test]
fn a_condition_that_left_out_a_brace_explains_the_surplus_one() {
    let seen = complaints("@other a {\n  b\n}\n");
    assert_eq!(seen, ["3:1+1 this '}' closes nothing (a condition left out the '{' in line 1)"]);
}

#[test]
fn a_condition_from_a_definition_counts() {
    assert_eq!(clean("$IF=@main\n$NOT=@other\n$IF a\n$NOT b\n${IF} c\n"), "a\nc\n");
    assert_eq!(clean("$A=$B\n$B=@other\n$A x\n${A} y\nz"), "z\n");
}

#[test]
fn a_sequence_from_a_definition_counts_before_its_variable_is_used() {
    assert_eq!(clean("$i=9\n$S=~SEQ(i,1,2)\n$S x${i}\n"), "x1\nx2\n");
    assert_eq!(clean("$L=~LST(v,a,b) y${v}\n$L\n"), "ya\nyb\n");
}

#[test]
fn the_first_line_of_a_definition_may_be_guarded() {
    assert_eq!(clean("$B=@other a \\\n b\n$B\n"), "b\n");
}

#[test]
fn sequences_count() {
    assert_eq!(clean("~SEQ(i, 3) a ${i}"), "a|1\na|2\na|3\n");
    assert_eq!(clean("~SEQ (i , 1 , 2 )a${i}"), "a1\na2\n");
    assert_eq!(clean("~SEQx(i, 9, 11) a ${i}"), "a|9\na|a\na|b\n");
    assert_eq!(clean("$N=2\n~SEQ(i, $N) a\n~SEQ(i, ${N}, 3) b"), "a\na\nb\nb\n");
}

#[test]
fn the_leftmost_sequence_is_the_outer_loop() {
    assert_eq!(clean("~SEQ(a,1,2) ~SEQ(b,1,2) ${a}${b}"), "11\n12\n21\n22\n");
}

#[test]
fn the_variable_keeps_its_last_value() {
    assert_eq!(clean("~SEQ(a,1,3)\nx ${a}"), "x|3\n");
}

#[test]
fn a_sequence_may_make_blocks() {
    assert_eq!(clean("~SEQ(a,1,2) v ${a} { p ${a} }"), "v|1 {\n  p|1\n}\nv|2 {\n  p|2\n}\n");
    let text = "$B= \\\n  v ${a} { \\\n  p \\\n  }\n~SEQ(a,1,2) $B\n";
    assert_eq!(clean(text), "v|1 {\n  p\n}\nv|2 {\n  p\n}\n");
}

#[test]
fn a_sequence_starts_its_line() {
    assert_eq!(clean("foo ~SEQ(i,1,2)"), "foo|~SEQ(i,1,2)\n");
    assert_eq!(clean("~FOO(i,1,2)"), "~FOO(i,1,2)\n");
}

#[test]
fn a_sequence_makes_no_definitions() {
    assert_eq!(clean("$V=0\n~SEQ(i,1,2) $V${i}=x\n"), "$V1=x\n$V2=x\n");
}

#[test]
fn a_malformed_sequence_is_left_out_with_its_line() {
    let seen = text("  ~SEQ(i,1,0,5) a ${i}\n~SEQ(i,1\n~SEQ\nb");
    assert_eq!(seen.outline, "b\n");
    assert_eq!(
        seen.complaints,
        [
            "1:3+13 '~SEQ': steps of 0 do not lead from 1 to 5",
            "2:1+8 '~SEQ' lacks its ')'",
            "3:1+4 '~SEQ' lacks its '('",
        ]
    );
}

#[test]
fn lists_set_their_names() {
    assert_eq!(clean("~LST(v, a, b) x ${v}"), "x|a\nx|b\n");
    assert_eq!(clean("~LST({x, y}, {a, 1}, {b, 2}) ${x}${y}"), "a1\nb2\n");
}

#[test]
fn definitions_in_a_list_are_replaced_when_the_name_is_used() {
    assert_eq!(clean("$L=one\n~LST(x, $L) a ${x}"), "a|one\n");
}

#[test]
fn the_same_complaint_of_every_turn_is_made_once() {
    assert_eq!(complaints("~SEQ(i,1,5) x }"), ["1:15+1 this '}' closes nothing"]);
}

#[test]
fn words_of_a_sequence_point_at_themselves_and_its_variables_at_their_use() {
    let seen = text("~SEQ(i,1,2) abc x${i}y ${i}");
    for node in seen.document.roots() {
        let spans: Vec<_> = node.words().map(|w| (w.span.column, w.span.len)).collect();
        assert_eq!(spans, [(13, 3), (17, 6), (24, 4)]);
    }
}
