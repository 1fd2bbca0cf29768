use sha2::{Digest as _, Sha256};

use super::*;
use crate::web::tests::{everything, made, server, HOSTILE};
use crate::web::Document;

fn page(objects: &[Reply]) -> String {
    made(Document::Page(Page::new(|at| format!("at {}", at.0 .0 / 1_000_000))), objects)
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for group in bytes.chunks(3) {
        let number = (0..3).fold(0, |n, i| n << 8 | usize::from(*group.get(i).unwrap_or(&0)));
        for place in 0..4 {
            let digit = char::from(DIGITS[number >> (18 - 6 * place) & 63]);
            out.push(if place > group.len() { '=' } else { digit });
        }
    }
    out
}

#[test]
fn the_policy_names_the_digest_of_the_style() {
    let source = format!("'sha256-{}'", base64(&Sha256::digest(STYLE)));
    assert!(POLICY.contains(&source), "put {source} into POLICY");
    assert!(!STYLE.contains("url(") && !STYLE.contains("@import") && !STYLE.contains('<'));
}

/// The tags of a page, in order, without their attributes.
fn tags(page: &str) -> Vec<&str> {
    let (_, body) = page.split_once("</style>").expect("a style");
    let tags = body.split('<').skip(1);
    tags.map(|tag| tag.split(['>', ' ']).next().unwrap_or_default()).collect()
}

#[test]
fn every_element_ends_and_no_name_makes_one() {
    let text = page(&everything());
    let mut open = Vec::new();
    for tag in tags(&text) {
        match tag.strip_prefix('/') {
            // Before the style.
            Some("head" | "html") => {}
            Some(end) => assert_eq!(open.pop(), Some(end), "{text}"),
            None => open.push(tag),
        }
    }
    assert!(open.is_empty(), "{open:?}");
    assert!(!text.contains("<script") && !text.contains("alert('"), "{text}");
    assert!(text.contains("x&quot;&gt;&lt;script&gt;alert(&#39;\\1&#39;)"), "{text}");
    // A row has as many cells as there are heads.
    for table in text.split("<table").skip(1) {
        let heads = table.matches("scope=\"col\"").count();
        for row in table.split("<tr>").skip(2) {
            let row = row.split("</tr>").next().unwrap_or_default();
            assert_eq!(row.matches("<td").count() + row.matches("<th").count(), heads, "{row}");
        }
    }
}

#[test]
fn the_page_says_who_is_master_since_when_and_why() {
    let text = page(&everything());
    for part in [
        "<html lang=\"en\">",
        "<title>keepalived x&quot;&gt;",
        "<th scope=\"row\">VI_1</th>",
        "<span class=\"state good\">MASTER</span>",
        "<span class=\"age\" title=\"at 1795386400\">3 min 20 s</span>",
        "no advertisement in 3.609 s",
        "<li>110</li><li>base 100 by command, configured 90</li><li>+5 for script chk up</li>",
        "?, priority 90, heard 3 min 30 s ago",
        "10.1.0.100/24 dev eth0 scope global (missing)",
        "<li>refused 7 from ?: ",
        "1 of 2, weight 1 of 2",
        "10.0.0.9, in use",
        "<td data-head=\"Because\">timeout while connecting</td>",
        "VI_1 went from BACKUP to MASTER",
    ] {
        assert!(text.contains(part), "{part} is not in {text}");
    }
}

#[test]
fn of_ten_thousand_servers_those_that_are_down_are_shown() {
    let mut objects: Vec<_> = (0..10_000)
        .map(|n| Reply::Server(Box::new(server(&format!("10.0.0.{n}"), true))))
        .collect();
    objects.push(Reply::Server(Box::new(server(HOSTILE, false))));
    let text = page(&objects);
    assert_eq!(text.matches("<tr>").count(), 1 + MOST_ROWS + 1);
    assert!(text.contains("And 9500 more with which nothing is wrong."), "{}", text.len());
    assert!(text.contains("timeout while connecting"));
}
