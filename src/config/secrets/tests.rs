use super::*;
use crate::base::diag::Diagnostics;
use crate::config::keyword::ValueKind;
use crate::config::tests::{machine, MemoryLoader};
use crate::config::{lower, print, read, ReadOptions, Secrets};

/// Unlike every other word here, and long enough for an HMAC key.
const SECRET: &str = "Xyzzy-4711-plugh-Xyzzy-4711-plugh";

/// All output about a configuration: diagnostics with their lines, and the model.
fn said(text: &str) -> String {
    let loader = MemoryLoader::with("/etc/k.conf", text);
    let (document, sources, mut diagnostics) =
        read(&loader, "/etc/k.conf", &ReadOptions::default());
    let config = lower(&document, &sources, &machine(), &mut diagnostics);
    let complaints: Diagnostics = diagnostics;
    complaints.render(&sources) + &print(&config, Secrets::Hidden)
}

/// The block that a secret keyword belongs into, with a statement in it.
fn home(block: &str, statement: &str) -> String {
    let instance = |inner: &str| {
        format!(
            "vrrp_instance V {{\ninterface eth0\nvirtual_router_id 1\n{inner}\n\
             virtual_ipaddress {{\n192.0.2.1\n}}\n}}\n"
        )
    };
    match block {
        "authentication" => {
            instance(&format!("authentication {{\nauth_type PASS\n{statement}\n}}"))
        }
        "auth_hmac" => instance(&format!("auth_hmac {{\nactive_key 1\n{statement}\n}}")),
        "auth" => format!(
            "bfd_instance b {{\nneighbor_ip 192.0.2.9\nauth {{\ntype sha1\n{statement}\n}}\n}}\n"
        ),
        "SSL" => format!("SSL {{\n{statement}\n}}\n"),
        other => panic!("{other} has a secret, and the test knows no place for it"),
    }
}

/// Ways to write a statement: as it should be, and wrong. `{p}` is what stands before the secret.
fn forms(name: &str, before: &str) -> Vec<String> {
    let p = before;
    let s = SECRET;
    let mut misspelt = name.to_owned();
    misspelt.pop();
    vec![
        format!("{name} {p}{s}"),
        format!("{name} {p}\"{s}\""),
        format!("{name} {p}\"{s}"),
        format!("{name} {p}'{s}'"),
        format!("{name} {p}\"{s} and more\" extra"),
        format!("{name} {p}“{s}”"),
        format!("{name} {p}“{s} and more”"),
        format!("{name} {p}{s},"),
        format!("{name} {p}hex:{s}"),
        format!("{name} {p}hex: {s}"),
        format!("{name} {p}hex:{s} extra"),
        format!("{name} {p}file:{s}"),
        format!("{name} {p}{p}{s}"),
        format!("{name} 0 {s}"),
        format!("{name} 256 {s}"),
        format!("{name} x {s}"),
        format!("{name} {p}{p}{p}{s} {s}"),
        format!("{name} {p}//{s}"),
        format!("{name} {p}{s} extra"),
        format!("{name} {p}extra {s}"),
        format!("{name} {s}"),
        format!("{name} {p}{s} # {s}"),
        format!("{name} {p}{s};"),
        format!("{name} {p}{s}{s}{s}{s}{s}{s}"),
        format!("{name} {p}{s}\n{name} {p}{s}"),
        format!("{name} = {p}{s}"),
        format!("{name}={s}"),
        format!("{name}:{s}"),
        format!("{name} : {s}"),
        format!("{name} {p}= {s}"),
        format!("{name} {p}\n{s}"),
        format!("{name} {p}\n\n# why\n{s}"),
        format!("{name} {p}\\\n{s}"),
        format!("{name} {p}\"\n{s}\""),
        format!("{name} {p}{{ {s} }}"),
        format!("{name} {p}{{\n{s}\n}}"),
        format!("{name} {p}{s} {{"),
        format!("{name} {p}{s} }}"),
        format!("{name} {p}{s}\0"),
        format!("{name} {p}$ {s}"),
        format!("{name} {p}$UNKNOWN {s}"),
        format!("{name} {p}${s}"),
        format!("{name} {p}${{_ENV {s}}}"),
        format!("~SEQ(x, 1, 2) {name} {p}{s} extra"),
        format!("@other {name} {p}{s}\n@^ {name} {p}{s}"),
        format!("{misspelt} {p}{s}"),
        format!("{} {p}{s}", name.to_uppercase()),
        format!("{} {p}{s}", name.replace('_', "-")),
        format!("x {name} {p}{s}"),
        format!("{s} {name}"),
        format!("auth_type PASS {name} {p}{s}"),
        format!("{name}{s}"),
        format!("$LINE = {name} {p}{s} extra\n$LINE"),
        format!("$PASSWORD = {s} {s}\n{name} {p}$PASSWORD"),
        format!("$PASSWORD {s}\n{name} {p}$PASSWORD"),
        format!("PASSWORD={s}"),
    ]
}

#[test]
fn no_form_of_any_secret_is_told() {
    let mut seen = Vec::new();
    keywords::walk(keywords::ROOT, &mut |block| {
        for keyword in block.keywords.iter().filter(|k| k.is_secret()) {
            if seen.contains(&(block.name, keyword.name)) {
                continue;
            }
            seen.push((block.name, keyword.name));
            let Args::Row { kinds, .. } = keyword.args else { panic!("{}", keyword.name) };
            let before = if kinds[0].is_secret() { "" } else { "1 " };
            for form in forms(keyword.name, before) {
                let joined = format!("key{SECRET}");
                let is_recognised =
                    |form: &str| !form.starts_with("ke ") && !form.starts_with(&joined);
                let places = [
                    home(block.name, &form),
                    format!("{form}\n"),
                    format!("global_defs {{\n{form}\n}}\n"),
                    format!("vrrp_instance V {{\n{form}\n}}\n"),
                    format!("vrrp_instance V {{ virtual_ipaddress {{\n{form}\n}} }}\n"),
                    format!("vrrp_sync_group G {{ group {{\n{form}\n}} }}\n"),
                ];
                let known = if is_recognised(&form) { places.len() } else { 1 };
                for text in &places[..known] {
                    let said = said(text);
                    let part = &SECRET[..8];
                    assert!(!said.contains(part), "{text}\nis answered with\n{said}");
                }
            }
        }
    });
    seen.sort_unstable();
    assert_eq!(
        seen,
        [
            ("SSL", "password"),
            ("auth", "key"),
            ("auth_hmac", "key"),
            ("authentication", "auth_pass")
        ]
    );
}

#[test]
fn what_is_no_secret_is_shown_as_ever() {
    for (line, shown) in [
        ("prioritty 100", true),
        ("passive", true),
        ("auth_type PASS", true),
        ("auth_pass x", false),
        ("auth_pas x", false),
        ("$PASS = x", false),
    ] {
        let is_secret = veiled("text", line, "").is_some();
        assert_eq!(is_secret, !shown, "{line}");
    }
    let told = |text, line, before| veiled(text, line, before);
    assert_eq!(
        told("Unknown keyword 'auth_pass=x y'", "auth_pass=x y", ""),
        Some("Unknown keyword 'auth_pass=******** ********'".to_owned())
    );
    assert_eq!(told("'certificate' again", "certificate x", "password y"), None);
    assert_eq!(told("'x' again", "x", "key 1"), Some("'********' again".to_owned()));
    assert_eq!(
        told("'priority' of x", "auth_pass priority x", ""),
        Some("'priority' of ********".to_owned()),
        "a word that everybody knows"
    );
}

#[test]
fn every_secret_is_said_to_be_one() {
    assert!(
        ValueKind::Secret(8).is_secret()
            && ValueKind::Hidden.is_secret()
            && !ValueKind::Text.is_secret()
    );
}
