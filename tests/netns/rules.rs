//! Rules of the routing policy in the kernel, compared with what `ip` makes of the same words.

use keepalived::base::addr::{Family, PROTOCOL_KEEPALIVED};
use keepalived::base::errno::KernelReply;
use keepalived::base::rule::Rule;
use keepalived::sys::netlink;

use crate::lab::{ours_only, Namespace, Outcome};
use crate::routes::{asked, host, ip, model};

fn rule(words: &str) -> Rule {
    model(&format!("static_rules {{\n{words}\n}}\n")).static_rules[0].rule.clone()
}

fn listed(host: &Namespace) -> String {
    ["-4", "-6"].map(|family| host.output("ip", &["-d", family, "rule", "show"])).concat()
}

fn dumped(host: &Namespace) -> Vec<Rule> {
    let _inside = host.enter();
    let family =
        |family| netlink::dump_rules(family, PROTOCOL_KEEPALIVED, &mut || {}).expect("a list");
    [family(Family::V4), family(Family::V6)].concat()
}

/// Each form in the words of the configuration, and in those of `ip rule add` where these differ.
const FORMS: &[(&str, &str)] = &[
    ("from 10.1.0.0/16 table 100 priority 100", ""),
    ("from 10.1.0.1 to 10.2.0.0/16 lookup 1000 preference 100", ""),
    ("from all to any table 100 order 0x64", "table 100 priority 100"),
    ("not from 10.1.0.0/16 table 100 priority 100", ""),
    ("iif e0 oif e1 table 100 priority 100", ""),
    ("dev lo table 100 priority 100", ""),
    ("tos 0x10 table 100 priority 100", ""),
    ("fwmark 5 table 100 priority 100", ""),
    ("fwmark 0x10/0xff table 100 priority 100", ""),
    ("fwmark 0/0xff table 100 priority 100", ""),
    ("realms 3/4 table 100 priority 100", ""),
    ("table 100 suppress_prefixlength 0 priority 100", ""),
    ("table 100 sup_pl 24 sup_group 5 priority 100", ""),
    ("tunnel-id 7 table 100 priority 100", "tun_id 7 table 100 priority 100"),
    ("uidrange 0-999 table 100 priority 100", ""),
    ("ipproto tcp sport 80-80 dport 1000-2000 table 100 priority 100", ""),
    ("ipproto 47 table 100 priority 100", ""),
    ("sport 53 table 100 priority 100", ""),
    ("l3mdev priority 100", ""),
    ("goto 200 priority 100", ""),
    ("nop priority 100", "priority 100 type nop"),
    ("blackhole priority 100", ""),
    ("type unreachable priority 100", ""),
    ("8 priority 100", "prohibit priority 100"),
    ("from 2001:db8:1::/48 table 100 priority 100", ""),
    ("inet6 table 100 priority 100", "table 100 priority 100"),
    ("to 2001:db8:1::1 iif e0 fwmark 7 prohibit priority 100", ""),
    ("inet6 l3mdev priority 100", "l3mdev priority 100"),
];

pub(crate) fn every_form_is_what_ip_makes_of_it() -> Outcome {
    ours_only()?;
    let host = host();
    let before = listed(&host);
    for (words, of_ip) in FORMS {
        let rule = rule(words);
        let of_ip = if of_ip.is_empty() { words } else { of_ip };
        let reply = asked(&host, |r| r.add_rule(&rule, ()));
        assert_eq!(reply, KernelReply::DONE, "{words}: {reply}");
        let ours = listed(&host);
        assert_eq!(dumped(&host), std::slice::from_ref(&rule), "{words}");
        let again = asked(&host, |r| r.add_rule(&rule, ()));
        assert_eq!(again.errno, libc::EEXIST, "{words}");
        let reply = asked(&host, |r| r.remove_rule(&rule, ()));
        assert_eq!(reply, KernelReply::DONE, "removal of {words}: {reply}");
        assert_eq!(listed(&host), before, "{words}");
        let of_ip = of_ip.replace("order", "priority");
        let same = format!("rule add {of_ip} protocol 18");
        assert!(ip(&host, rule.family, &same), "{same}");
        assert_eq!(ours, listed(&host), "{words}");
        assert_eq!(asked(&host, |r| r.remove_rule(&rule, ())), KernelReply::DONE, "{words}");
        assert_eq!(listed(&host), before, "{words}");
    }
    let reply = asked(&host, |r| r.remove_rule(&rule("table 100 priority 100"), ()));
    assert_eq!(reply.errno, libc::ENOENT);
    Ok(())
}

pub(crate) fn a_rule_without_a_mark_is_not_one_for_mark_0() -> Outcome {
    ours_only()?;
    let host = host();
    let marked = rule("fwmark 0 table 100 priority 100");
    assert_eq!(asked(&host, |r| r.add_rule(&marked, ())), KernelReply::DONE);
    assert_eq!(dumped(&host), [marked]);
    Ok(())
}
