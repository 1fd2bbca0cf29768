use super::*;
use crate::base::diag::Diagnostics;
use crate::config::tests::document;
use crate::config::tests::machine;

/// The document as indented keywords after mending, and its diagnostics.
fn mended(text: &str) -> (String, Vec<String>) {
    let doc = document(text);
    let mut diags = Diagnostics::default();
    let mut out = Complaints::new(&mut diags);
    let made = mend(&doc, &mut out, &machine());
    out.finish();
    let mut shown = String::new();
    if let Some(made) = made {
        made.roots().for_each(|node| show(node, 0, &mut shown));
    }
    (shown, diags.iter().map(|d| format!("{} {}", d.span.unwrap().line, d.message)).collect())
}

fn show(node: Node<'_>, depth: usize, out: &mut String) {
    let words: Vec<_> = node.words().map(|w| w.text).collect();
    out.push_str(&format!("{}{}\n", " ".repeat(depth), words.join(" ")));
    node.children().for_each(|child| show(child, depth + 1, out));
}

#[test]
fn what_is_in_order_is_left_alone() {
    let text = "global_defs {\nrouter_id x\n}\nvrrp_instance A {\nvirtual_ipaddress {\n192.0.2.1\n}\n}\nbogus {\nvrrp_instance B {\n}\n}";
    let (shown, told) = mended(text);
    assert_eq!((shown.as_str(), told.len()), ("", 0));
}

#[test]
fn an_opening_brace_is_missing_at_the_top() {
    let (shown, told) = mended(
        "vrrp_instance A\nstate MASTER\nvirtual_ipaddress {\n192.0.2.1\n}\npriority 5\n}\nvrrp_instance B {\nstate BACKUP\n}",
    );
    assert_eq!(told, ["1 'vrrp_instance' needs a block: '{' is missing"]);
    assert_eq!(
        shown,
        "vrrp_instance A\n state MASTER\n virtual_ipaddress\n  192.0.2.1\n priority 5\nvrrp_instance B\n state BACKUP\n"
    );
}

#[test]
fn an_opening_brace_is_missing_within() {
    let (shown, told) = mended(
        "vrrp_instance A {\nvirtual_ipaddress\n192.0.2.1\n192.0.2.2\n}\npriority 5\n}\nvrrp_instance B {\nstate BACKUP\n}",
    );
    assert_eq!(told, ["2 'virtual_ipaddress' needs a block: '{' is missing"]);
    assert_eq!(
        shown,
        "vrrp_instance A\n virtual_ipaddress\n  192.0.2.1\n  192.0.2.2\n priority 5\nvrrp_instance B\n state BACKUP\n"
    );
}

#[test]
fn a_closing_brace_is_missing_at_the_end_of_an_instance() {
    let (shown, told) = mended(
        "vrrp_instance A {\nstate MASTER\nvrrp_instance B {\nstate BACKUP\n}\nglobal_defs {\nrouter_id x\n}",
    );
    assert_eq!(told, ["3 '}' is missing before 'vrrp_instance'"]);
    assert_eq!(
        shown,
        "vrrp_instance A\n state MASTER\nvrrp_instance B\n state BACKUP\nglobal_defs\n router_id x\n"
    );
}

#[test]
fn a_closing_brace_is_missing_after_the_addresses() {
    let (shown, told) = mended(
        "vrrp_instance A {\nvirtual_ipaddress {\n192.0.2.1\ntrack_interface {\neth1\n}\npriority 5\n}\nvrrp_instance B {\nstate BACKUP\n}",
    );
    assert_eq!(told, ["4 '}' is missing before 'track_interface'"]);
    assert_eq!(
        shown,
        "vrrp_instance A\n virtual_ipaddress\n  192.0.2.1\n track_interface\n  eth1\n priority 5\nvrrp_instance B\n state BACKUP\n"
    );
}

#[test]
fn two_closing_braces_are_missing() {
    let (shown, told) = mended(
        "vrrp_sync_group G {\ngroup {\nA\nvrrp_instance A {\nstate MASTER\n}\nvrrp_instance B {\nvrrp_instance C {\n}\n}",
    );
    assert_eq!(
        told,
        ["4 '}' is missing before 'vrrp_instance'", "8 '}' is missing before 'vrrp_instance'"]
    );
    assert_eq!(
        shown,
        "vrrp_sync_group G\n group\n  A\nvrrp_instance A\n state MASTER\nvrrp_instance B\nvrrp_instance C\n"
    );
}
