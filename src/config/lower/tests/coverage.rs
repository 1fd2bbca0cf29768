use super::*;
use crate::config::keyword::{Args, Block, Body, Keyword, Kind};
use crate::config::keywords;

/// A word that is one of `kind`.
fn sample(kind: Kind) -> String {
    match kind {
        Kind::Int { min, .. } | Kind::AnyBase { min, .. } => min.max(1).to_string(),
        Kind::Time { .. } => "1".to_owned(),
        Kind::Bool => "on".to_owned(),
        Kind::OneOf(words) | Kind::Known(words) | Kind::OneOfAnyCase(words) => words[0].to_owned(),
        Kind::Link => "eth0".to_owned(),
        Kind::Address | Kind::Prefix => "192.0.2.1".to_owned(),
        Kind::Group | Kind::Group4 => "224.0.0.99".to_owned(),
        Kind::Group6 => "ff02::99".to_owned(),
        _ => "MTU".to_owned(),
    }
}

fn statement(keyword: &Keyword) -> String {
    let kinds = match keyword.args {
        Args::Row { kinds, .. } => kinds.to_vec(),
        Args::Many { kind, .. } => vec![kind],
        Args::Script { .. } => return format!("{} /usr/bin/true\n", keyword.name),
        Args::Options(entry) => entry.head.to_vec(),
        _ => Vec::new(),
    };
    let words: Vec<_> = kinds.into_iter().map(sample).collect();
    let block = if matches!(keyword.body, Body::None) { "" } else { " {\n}" };
    format!("{} {}{block}\n", keyword.name, words.join(" "))
}

/// Each statement in effect, with its first words and bare. One that nobody reads ends in an
/// assertion of the lowering.
fn statements(block: &Block) -> Vec<String> {
    let in_effect = block.keywords.iter().filter(|k| k.in_effect);
    in_effect.flat_map(|k| [statement(k), format!("{}\n", k.name)]).collect()
}

#[test]
fn somebody_reads_every_keyword_that_is_in_effect() {
    for line in statements(&keywords::GLOBAL_DEFS) {
        told(&format!("global_defs {{\n{line}}}"));
    }
    for line in statements(&keywords::VRRP_INSTANCE) {
        with("", &line);
    }
    for line in statements(&keywords::VRRP_SYNC_GROUP) {
        told(&format!("vrrp_sync_group G {{\n{line}}}"));
    }
    for (name, block) in [
        ("vrrp_script", &keywords::VRRP_SCRIPT),
        ("track_file", &keywords::TRACK_FILE),
        ("vrrp_track_process", &keywords::VRRP_TRACK_PROCESS),
    ] {
        for line in statements(block) {
            told(&format!("{name} N {{\n{line}}}"));
        }
    }
    for line in statements(&keywords::ROOT) {
        told(&line);
    }
}

#[test]
fn somebody_reads_every_keyword_of_virtual_servers() {
    let server = |lines: &str| {
        lowered(&format!(
            "virtual_server 192.0.2.1 80 {{\n{lines}\nreal_server 192.0.2.2 80 {{\n}}\n}}"
        ));
    };
    for line in statements(&keywords::VIRTUAL_SERVER) {
        server(&line);
    }
    for line in statements(&keywords::REAL_SERVER) {
        server(&format!("real_server 192.0.2.9 80 {{\n{line}}}"));
    }
    for check in keywords::REAL_SERVER.keywords {
        let Body::Keywords(block) = check.body else { continue };
        let inside = |lines: &str| {
            server(&format!("real_server 192.0.2.9 80 {{\n{} {{\n{lines}}}\n}}", check.name));
        };
        for line in statements(block) {
            inside(&line);
        }
        for inner in block.keywords {
            let Body::Keywords(block) = inner.body else { continue };
            for line in statements(block) {
                inside(&format!("{} {{\n{line}}}\n", inner.name));
            }
        }
    }
    for line in statements(&keywords::SSL) {
        lowered(&format!("SSL {{\n{line}}}"));
    }
}

#[test]
fn somebody_reads_every_option_of_an_address() {
    for option in keywords::VIRTUAL_IPADDRESS.options {
        let value = match option.name {
            "preferred_lft" | "scope" => "10".to_owned(),
            "brd" | "broadcast" => "+".to_owned(),
            _ => option.value.map(sample).unwrap_or_default(),
        };
        let line = format!("virtual_ipaddress {{\n192.0.2.7 {} {value}\n}}", option.name);
        with("", &line);
    }
}
