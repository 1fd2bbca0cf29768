use super::*;
use crate::config::keyword::{Args, Block, Body, Keyword, ValueKind};
use crate::config::keywords;

/// A word that is one of `kind`.
fn sample(kind: ValueKind) -> String {
    match kind {
        ValueKind::Int { min, .. } | ValueKind::AnyBase { min, .. } => min.max(1).to_string(),
        ValueKind::Time { .. } => "1".to_owned(),
        ValueKind::Bool => "on".to_owned(),
        ValueKind::OneOf(words) | ValueKind::Known(words) | ValueKind::OneOfAnyCase(words) => {
            words[0].to_owned()
        }
        ValueKind::Link => "eth0".to_owned(),
        ValueKind::Address | ValueKind::Prefix => "192.0.2.1".to_owned(),
        ValueKind::Group | ValueKind::Group4 => "224.0.0.99".to_owned(),
        ValueKind::Group6 => "ff02::99".to_owned(),
        _ => "MTU".to_owned(),
    }
}

fn statement(keyword: &Keyword) -> String {
    let kinds = match keyword.args {
        Args::Row { kinds, .. } => kinds.to_vec(),
        Args::Many { kind, .. } => vec![kind],
        Args::Script { .. } => return format!("{} /usr/bin/true\n", keyword.name),
        Args::Options(entry) => entry.head.to_vec(),
        Args::Service => return format!("{} 192.0.2.1 80 {{\n}}\n", keyword.name),
        _ => Vec::new(),
    };
    let words: Vec<_> = kinds.into_iter().map(sample).collect();
    let block = if matches!(keyword.body, Body::None) { "" } else { " {\n}" };
    format!("{} {}{block}\n", keyword.name, words.join(" "))
}

/// Texts with each statement in effect, with its words and bare, in its block and with the required
/// settings of that block.
fn texts(block: &Block, before: &str, after: &str, out: &mut Vec<String>) {
    for keyword in block.keywords.iter().filter(|k| k.is_set) {
        let name = keyword.name;
        for statement in [statement(keyword), format!("{name}\n")] {
            out.push(format!("{before}{statement}{after}"));
        }
        let Body::Keywords(inner) = keyword.body else { continue };
        let head = statement(keyword).replace(" {\n}\n", "");
        let needed = match name {
            "vrrp_instance" => "interface eth0\nvirtual_router_id 1\n",
            "virtual_server" => "real_server 192.0.2.2 80 {\n}\n",
            _ => "",
        };
        texts(inner, &format!("{before}{head} {{\n"), &format!("{needed}}}\n{after}"), out);
    }
}

#[test]
fn every_value_has_the_shape_that_its_setter_takes() {
    let mut all = Vec::new();
    texts(keywords::ROOT, "", "", &mut all);
    assert!(all.len() > 700, "{}", all.len());
    for text in all {
        told(&text);
    }
}

#[test]
fn every_option_of_an_entry_can_be_set() {
    keywords::walk(keywords::ROOT, &mut |block| {
        for keyword in block.keywords.iter().filter(|k| k.is_set) {
            let Body::Entries(entry) = keyword.body else { continue };
            let head: Vec<_> = entry.head.iter().copied().map(sample).collect();
            for option in entry.options {
                let value = match option.name {
                    "preferred_lft" | "scope" => "10".to_owned(),
                    "brd" | "broadcast" => "+".to_owned(),
                    _ => option.value.map(sample).unwrap_or_default(),
                };
                let line = format!("{} {} {value}", head.join(" "), option.name);
                with("", &format!("{} {{\n{line}\n}}", keyword.name));
                told(&format!("{} {{\n{line}\n}}", keyword.name));
            }
        }
    });
}
