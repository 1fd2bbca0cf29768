//! Patterns match the same texts as in PCRE2, or are refused with a reason.

use super::Pattern;

fn matches(pattern: &str, options: &[&str], text: &str) -> bool {
    let compiled = Pattern::compile(pattern, options).unwrap_or_else(|e| panic!("{e}"));
    compiled.find(text.as_bytes(), 0).is_some()
}

fn refusal(pattern: &str) -> String {
    Pattern::compile::<&str>(pattern, &[]).expect_err(pattern).to_string()
}

#[test]
fn a_dollar_ignores_the_last_line_break() {
    assert!(matches("OK$", &[], "OK\n"));
    assert!(matches("OK$", &[], "OK"));
    assert!(!matches("OK$", &[], "OK\n\n"));
    assert!(!matches("OK$", &[], "OK\nBAD"));
    assert!(!matches("OK$", &["dollar_endonly"], "OK\n"));
    assert!(matches("OK$", &["multiline"], "OK\nBAD"));
    assert!(matches("(?m)OK$", &[], "OK\nBAD"));
    assert!(matches(r"OK\Z", &[], "OK\n"));
    assert!(!matches(r"OK\z", &[], "OK\n"));
    assert!(matches("[$]$", &[], "a$\n"));
}

#[test]
fn braces_without_a_repetition_are_literal() {
    assert!(matches(r#"{"status": *"UP"}"#, &[], r#"{"status":"UP"}"#));
    assert!(matches("a{2,3}b", &[], "aab"));
    assert!(!matches("a{2}b", &[], "ab"));
    assert!(matches("a{,3}", &[], "a{,3}"));
    assert!(matches(r"\x{41}{2}", &[], "AA"));
}

#[test]
fn brackets_mean_the_same_as_in_pcre() {
    assert!(matches("^[[]$", &[], "["));
    assert!(matches("^[]a]+$", &[], "]a"));
    assert!(matches("^[[:digit:]&~]+$", &[], "1&~"));
    assert!(matches("^[a&&b]+$", &[], "a&b"));
    assert!(matches(r"^[\]\-\h]+$", &[], "] -\t"));
    assert!(matches("^[a b]+$", &["extended"], "a b"));
    assert!(!matches("[]", &["allow_empty_class"], "]"));
}

#[test]
fn options_have_their_effect() {
    assert!(matches("up", &["caseless"], "UP"));
    assert!(!matches("up", &[], "UP"));
    assert!(!matches("a.b", &[], "a\nb"));
    assert!(matches("a.b", &["dotall"], "a\nb"));
    assert!(matches("a b # c [", &["extended"], "ab"));
    assert!(matches("^é$", &[], "é"));
    assert!(!matches("^.$", &[], "é"));
    assert!(matches("^.$", &["utf"], "é"));
    assert!(matches(r"^\w$", &["utf", "ucp"], "é"));
}

#[test]
fn escapes_missing_in_the_crate_are_translated() {
    assert!(matches(r"^\Qa.b*\E$", &[], "a.b*"));
    assert!(matches(r"a\Rb", &[], "a\r\nb"));
    assert!(matches(r"^\<\>\/\ \033\cA$", &[], "<>/ \x1b\x01"));
    assert!(matches(r"(?#note)a", &[], "a"));
}

#[test]
fn unsupported_constructs_are_refused_by_name() {
    for (pattern, word) in [
        ("a(?=b)", "look-around"),
        ("(?<!a)b", "look-around"),
        (r"(a)\1", "back references"),
        ("a++", "possessive"),
        ("(?>a)", "atomic"),
        ("(?R)", "recursion"),
        ("(*UTF8)a", "verbs"),
        (r"a\Kb", r"\K"),
        ("(a", "unclosed group"),
        ("[a", "not closed"),
        ("((((a{1000}){1000}){1000}){1000})", "make it smaller"),
    ] {
        let text = refusal(pattern);
        assert!(text.contains(word) && !text.contains('\n'), "{pattern}: {text}");
    }
    let ucp = Pattern::compile("a", &["ucp"]).expect_err("ucp").to_string();
    assert!(ucp.contains("utf"), "{ucp}");
}

#[test]
fn patterns_with_the_same_source_are_equal() {
    let a = |s: &str, o: &[&str]| Pattern::compile(s, o).expect("compiles");
    assert_eq!(a("x", &[]), a("x", &[]));
    assert_ne!(a("x", &[]), a("x", &["caseless"]));
    assert_ne!(a("x", &[]), a("y", &[]));
}

proptest::proptest! {
    #[test]
    fn no_text_causes_a_panic(source in ".{0,40}", hostile in r"[\\\[\]{}()?*+$#^:0-9a-zQEx ]{0,24}") {
        for text in [source, hostile] {
            let _ = Pattern::compile(&text, &["extended"]);
            let _ = Pattern::compile(&text, &["utf"]);
        }
    }
}
