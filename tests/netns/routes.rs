//! Routes in the kernel: what the words of the configuration become there, compared with what `ip`
//! makes of them.

use keepalived::base::addr::{Family, PROTOCOL_KEEPALIVED};
use keepalived::base::errno::KernelReply;
use keepalived::base::route::Route;
use keepalived::config::{self, LinkFacts, ReadOptions};
use keepalived::model::route::VirtualRoute;
use keepalived::model::{self, Config};
use keepalived::sys::netlink::{self, Requests};

use crate::lab::{ours_only, Namespace, Outcome};

#[path = "../config/memory.rs"]
mod memory;

use memory::{MemoryHost, MemoryLoader};

/// The model of a text, which must be in order.
pub(crate) fn model(text: &str) -> Config {
    let facts = LinkFacts::plain(2);
    let loader = MemoryLoader::with("/k.conf", text);
    let host = MemoryHost::default().and_any_link(facts);
    let loaded = config::load(&loader, "/k.conf", &ReadOptions::default(), &host);
    let told = loaded.diagnostics.render(&loaded.sources);
    // But for the note that the keyword is not in effect.
    assert!(loaded.diagnostics.len() <= 1, "{told}");
    loaded.config
}

fn entry(words: &str) -> VirtualRoute {
    let config = model(&format!("static_routes {{\n{words}\n}}\n"));
    (*config.static_routes[0]).clone()
}

/// A host with `e0` and `e1`, the two ends of a wire.
pub(crate) fn host() -> Namespace {
    let host = Namespace::new();
    host.ip("link add e0 type veth peer name e1\nlink set e0 up\nlink set e1 up\n\
         address add 10.0.0.1/24 dev e0\naddress add 2001:db8::1/64 dev e0 nodad\n\
         address add fe80::1/64 dev e0 nodad\naddress add 10.0.1.1/24 dev e1\n\
         nexthop add id 12 via 10.0.0.2 dev e0");
    host
}

/// The route with the numbers that its interfaces have there.
fn numbered(host: &Namespace, route: &Route<String>) -> Route<u32> {
    let index = |name: &String| {
        let _inside = host.enter();
        nix::net::if_::if_nametoindex(name.as_str()).ok()
    };
    route.translated(index).expect("its interfaces exist")
}

fn listed(host: &Namespace) -> String {
    ["-4", "-6"]
        .map(|family| {
            let args = ["-d", family, "route", "show", "table", "all", "proto", "18"];
            host.output("ip", &args)
        })
        .concat()
}

fn dumped(host: &Namespace) -> Vec<Route<u32>> {
    let _inside = host.enter();
    let family =
        |family| netlink::dump_routes(family, PROTOCOL_KEEPALIVED, &mut || {}).expect("a list");
    [family(Family::V4), family(Family::V6)].concat()
}

/// One request, and the reply.
pub(crate) fn asked(host: &Namespace, ask: impl FnOnce(&mut Requests<()>)) -> KernelReply {
    let _inside = host.enter();
    let mut requests = Requests::open().expect("a socket");
    let mut replies: Vec<((), KernelReply)> = Vec::new();
    ask(&mut requests);
    requests.flush(&mut replies).expect("a reply");
    replies.pop().expect("one reply").1
}

fn add(host: &Namespace, entry: &VirtualRoute) -> KernelReply {
    let route = numbered(host, &entry.route);
    asked(host, |r| r.add_route(&route, entry.placement, ()))
}

fn remove(host: &Namespace, entry: &VirtualRoute) -> KernelReply {
    let route = numbered(host, &entry.route);
    asked(host, |r| r.remove_route(&route, ()))
}

/// Runs one `ip` command; false if it fails.
pub(crate) fn ip(host: &Namespace, family: Family, command: &str) -> bool {
    let family = if family == Family::V6 { "-6" } else { "-4" };
    let script = format!("ip {family} {command} && echo done");
    host.output("sh", &["-c", &script]) == "done\n"
}

/// Each form in the words of the configuration, and in those of `ip route add` where these differ.
const FORMS: &[(&str, &str)] = &[
    ("10.1.0.0/16 via 10.0.0.2", ""),
    ("10.1.0.0/16 via 10.0.0.2 dev e0", ""),
    ("10.1.0.0/16 dev e0", ""),
    ("10.1.0.0/16 dev e0 scope global", ""),
    ("default via 10.0.0.2", ""),
    ("to 10.1.0.0/16 via inet 10.0.0.2", ""),
    ("10.1.0.1 dev e0 src 10.0.0.1", ""),
    ("10.1.0.0/16 dev e0 src 10.0.1.1 table 5", ""),
    ("10.1.0.0/16 dev e0 table 1000 metric 7", ""),
    ("10.1.0.0/16 dev e0 priority 4294967295", "10.1.0.0/16 dev e0 metric 4294967295"),
    ("10.1.0.0/16 dev e0 tos 0x10", ""),
    ("10.1.0.0/16 dev e0 dsfield 16", "10.1.0.0/16 dev e0 dsfield 0x10"),
    ("10.1.0.0/16 via 10.9.9.9 dev e0 onlink", ""),
    ("10.1.0.0/16 dev e0 realms 3/4", ""),
    ("10.1.0.0/16 dev e0 realms 4", ""),
    // Without a table, ip takes the local one.
    ("local 10.1.0.0/16 dev lo", "local 10.1.0.0/16 dev lo table main"),
    ("broadcast 10.1.0.255 dev e0 table local", ""),
    ("anycast 10.1.0.255 dev e0 table local", ""),
    ("multicast 239.1.0.0/16 dev e0", ""),
    ("blackhole 10.1.0.0/16", ""),
    ("unreachable 10.1.0.0/16 metric 5", ""),
    ("prohibit 10.1.0.0/16", ""),
    ("throw 10.1.0.0/16 table 5", ""),
    ("8 10.1.0.0/16", "prohibit 10.1.0.0/16"),
    ("10.1.0.0/16 via inet6 2001:db8::2", "10.1.0.0/16 via inet6 2001:db8::2"),
    ("inet default via inet6 fe80::2 dev e0", "0.0.0.0/0 via inet6 fe80::2 dev e0"),
    ("10.1.0.0/16 nhid 12", ""),
    ("10.1.0.0/16 nexthop via 10.0.0.2 nexthop via 10.0.1.2", ""),
    (
        "10.1.0.0/16 metric 5 nexthop via 10.0.0.2 dev e0 weight 3 realms 5 \
         nexthop via 10.9.9.9 dev e1 weight 256 onlink",
        "",
    ),
    ("10.1.0.0/16 nexthop dev e0 nexthop via inet6 2001:db8::2 weight 2", ""),
    ("10.1.0.0/16 dev e0 mtu 1400 advmss 1360 window 9", ""),
    (
        "10.1.0.0/16 dev e0 mtu lock 1400 rtt lock 300ms rttvar 1s rto_min lock 250ms",
        "10.1.0.0/16 dev e0 mtu lock 1400 rtt lock 300ms rttvar 1s rto_min 250ms",
    ),
    ("10.1.0.0/16 dev e0 rtt 2400 rttvar 4000", "10.1.0.0/16 dev e0 rtt 300ms rttvar 1000ms"),
    ("10.1.0.0/16 dev e0 cwnd lock 10 ssthresh 20 reordering 5 hoplimit 64", ""),
    ("10.1.0.0/16 dev e0 initcwnd 30 initrwnd 40 quickack 1 features ecn", ""),
    ("10.1.0.0/16 dev e0 fastopen_no_cookie 1", ""),
    ("10.1.0.0/16 dev e0 congctl reno", ""),
    ("10.1.0.0/16 dev e0 congctl lock reno mtu 1400", ""),
    ("10.1.0.0/16 dev e0 ttl-propagate disabled", ""),
    (
        "10.1.0.0/16 dev e0 encap ip id 7 dst 192.0.2.9 src 10.0.0.1 tos 16 ttl 64 flags 4",
        "10.1.0.0/16 encap ip id 7 dst 192.0.2.9 src 10.0.0.1 tos 0x10 ttl 64 key dev e0",
    ),
    (
        "10.1.0.0/16 dev e0 encap ip6 id 7 dst 2001:db8::9 src 2001:db8::1 tc 16 hoplimit 64",
        "10.1.0.0/16 encap ip6 id 7 dst 2001:db8::9 src 2001:db8::1 tc 0x10 hoplimit 64 dev e0",
    ),
    (
        "2001:db8:1::/48 via 2001:db8::2 dev e0 encap ip6 dst 2001:db8::9 src 2001:db8::1 tc 16 \
         hoplimit 64 id 7",
        "2001:db8:1::/48 encap ip6 dst 2001:db8::9 src 2001:db8::1 tc 0x10 hoplimit 64 id 7 \
         via 2001:db8::2 dev e0",
    ),
    ("10.1.0.0/16 via 10.0.0.2 encap mpls 100/200", "10.1.0.0/16 encap mpls 100/200 via 10.0.0.2"),
    (
        "2001:db8:1::/96 via 2001:db8::2 encap ila 1:2:3:4",
        "2001:db8:1::/96 encap ila 1:2:3:4 via 2001:db8::2",
    ),
    (
        "10.1.0.0/16 nexthop via 10.0.0.2 encap ip id 7 dst 192.0.2.9 nexthop via 10.0.0.3 weight 2 \
         encap ip6 dst 2001:db8::9",
        "10.1.0.0/16 nexthop encap ip id 7 dst 192.0.2.9 via 10.0.0.2 nexthop encap ip6 \
         dst 2001:db8::9 via 10.0.0.3 weight 2",
    ),
    ("2001:db8:1::/48 via 2001:db8::2", ""),
    ("2001:db8:1::/48 via fe80::2 dev e0", ""),
    ("2001:db8:1::/48 dev e0 metric 5", ""),
    ("inet6 default via fe80::2 dev e0", "::/0 via fe80::2 dev e0"),
    ("2001:db8:1::/48 from 2001:db8:2::/48 dev e0", ""),
    ("2001:db8:1::1 dev e0 src 2001:db8::1 table 1000", ""),
    ("2001:db8:1::/48 dev e0 pref high", ""),
    ("2001:db8:1::/48 dev e0 pref low mtu lock 1400 hoplimit 9", ""),
    ("2001:db8:1::/48 dev e0 expires 600", ""),
    ("2001:db8:1::/48 via 2001:db8:9::9 dev e0 onlink", ""),
    ("unreachable 2001:db8:1::/48", ""),
    ("blackhole 2001:db8:1::/48 metric 5", ""),
    ("prohibit 2001:db8:1::/48", ""),
    ("throw 2001:db8:1::/48 table 5", ""),
    ("local 2001:db8:1::/48 dev lo table local", ""),
    ("anycast 2001:db8:1::7 dev e0 table local", ""),
    (
        "2001:db8:1::/48 nexthop via 2001:db8::2 dev e0 weight 3 nexthop via 2001:db8::3 dev e0",
        "",
    ),
    (
        "2001:db8:1::/48 nexthop via fe80::2 dev e0 encap ip6 dst 2001:db8::9 \
         nexthop via fe80::3 dev e1",
        "2001:db8:1::/48 nexthop encap ip6 dst 2001:db8::9 via fe80::2 dev e0 \
         nexthop via fe80::3 dev e1",
    ),
];

/// Kinds of tunnels that a kernel may lack.
const LACKING: &str = "lwt encapsulation type not supported";

pub(crate) fn every_form_is_what_ip_makes_of_it() -> Outcome {
    ours_only()?;
    let host = host();
    for (words, of_ip) in FORMS {
        let entry = entry(words);
        let of_ip = if of_ip.is_empty() { words } else { of_ip };
        let same = format!("route add proto 18 {of_ip}");
        let reply = add(&host, &entry);
        if reply.text.as_deref().is_some_and(|text| text.contains(LACKING)) {
            assert!(!ip(&host, entry.route.family, &same), "ip can do it: {words}");
            continue;
        }
        assert_eq!(reply, KernelReply::DONE, "{words}: {reply}");
        let (ours, seen) = (listed(&host), dumped(&host));
        let mut expected = numbered(&host, &entry.route).normalized();
        // The kernel finds the interface of a gateway.
        let hops = seen.first().map_or(&[][..], |seen| &seen.next_hops);
        for (hop, seen) in expected.next_hops.iter_mut().zip(hops) {
            hop.link = hop.link.or(seen.link);
        }
        // Counts down.
        if let (Some(left), Some(seen)) = (&mut expected.expires, seen.first()) {
            *left = seen.expires.filter(|s| (590..=600).contains(s)).unwrap_or(*left);
        }
        assert_eq!(seen, [expected], "{words}");
        let reply = remove(&host, &entry);
        assert_eq!(reply, KernelReply::DONE, "removal of {words}: {reply}");
        assert_eq!(listed(&host), "", "{words}");
        assert!(ip(&host, entry.route.family, &same), "{same}");
        assert_eq!(without_time(&ours), without_time(&listed(&host)), "{words}");
        // The removal also matches what ip has added.
        assert_eq!(remove(&host, &entry), KernelReply::DONE, "{words}");
        assert_eq!(listed(&host), "", "{words}");
    }
    Ok(())
}

/// The same text without seconds that pass.
fn without_time(text: &str) -> String {
    let words = text.split_inclusive(' ');
    words.filter(|word| !word.trim_end().ends_with("sec")).collect()
}

pub(crate) fn a_refusal_comes_with_the_kernels_words() -> Outcome {
    ours_only()?;
    let host = host();
    for (words, errno, text) in [
        ("10.1.0.0/16 via 10.9.9.9", libc::ENETUNREACH, "Nexthop has invalid gateway"),
        ("10.1.0.0/16 via 10.0.0.2 table 5 src 10.9.9.9", libc::EINVAL, "Invalid prefsrc address"),
        ("2001:db8:1::/48 nhid 99", libc::EINVAL, "Nexthop id does not exist"),
    ] {
        let reply = add(&host, &entry(words));
        assert_eq!(reply.errno, errno, "{words}: {reply}");
        assert_eq!(reply.text.as_deref(), Some(text), "{words}");
    }
    // Without words, there is only the number.
    let reply = remove(&host, &entry("10.1.0.0/16 via 10.0.0.2"));
    assert_eq!(reply, KernelReply::from_errno(libc::ESRCH));
    Ok(())
}

/// The gateways of a destination, in the order in which they are used.
fn gateways(host: &Namespace) -> Vec<String> {
    let lines = host.output("ip", &["route", "show", "10.1.0.0/16"]);
    let gateway = |line: &str| line.split(' ').nth(2).map(str::to_owned);
    lines.lines().filter_map(gateway).collect()
}

pub(crate) fn places_among_others() -> Outcome {
    ours_only()?;
    let host = host();
    let at = |words: &str| add(&host, &entry(words)).errno;
    assert_eq!(at("10.1.0.0/16 via 10.0.0.2"), 0);
    assert_eq!(at("append 10.1.0.0/16 via 10.0.0.3"), 0);
    assert_eq!(at("prepend 10.1.0.0/16 via 10.0.0.4"), 0);
    assert_eq!(at("add 10.1.0.0/16 via 10.0.0.5"), libc::EEXIST);
    assert_eq!(gateways(&host), ["10.0.0.4", "10.0.0.2", "10.0.0.3"]);
    Ok(())
}

pub(crate) fn only_those_of_one_protocol_are_listed() -> Outcome {
    ours_only()?;
    let host = host();
    host.ip("route add 10.1.0.0/16 via 10.0.0.2\nroute add 10.2.0.0/16 via 10.0.0.2 proto 19\n\
         route add 10.3.0.0/16 via 10.0.0.2 proto 18 table 77\n\
         route add 2001:db8:1::/48 via 2001:db8::2 proto 18");
    let found: Vec<_> =
        dumped(&host).iter().map(|r| (r.destination.to_string(), r.table, r.metric)).collect();
    let expected =
        [("10.3.0.0/16".to_owned(), 77, Some(0)), ("2001:db8:1::/48".to_owned(), 254, Some(1024))];
    assert_eq!(found, expected);
    Ok(())
}

pub(crate) fn a_removal_hits_no_other_route() -> Outcome {
    ours_only()?;
    let host = host();
    let ours = entry("10.1.0.0/16 via 10.0.0.2 dev e0 metric 5");
    let ours6 = entry("2001:db8:1::/48 via 2001:db8::2 dev e0");
    // Each differs in one thing.
    let others = "route append 10.1.0.0/16 via 10.0.0.2 dev e0 metric 6 proto 18\n\
                  route append 10.1.0.0/16 via 10.0.0.3 dev e0 metric 5 proto 18\n\
                  route append 10.1.0.0/16 via 10.0.0.2 dev e0 metric 5 proto 19\n\
                  route append 10.1.0.0/16 via 10.0.0.2 dev e0 metric 5 proto 18 tos 0x10\n\
                  route append 10.1.0.0/17 via 10.0.0.2 dev e0 metric 5 proto 18\n\
                  route append 10.1.0.0/16 via 10.0.0.2 dev e0 metric 5 proto 18 table 5\n\
                  route append prohibit 10.1.0.0/16 metric 5 proto 18\n\
                  route append 2001:db8:1::/48 via 2001:db8::2 dev e0 metric 5 proto 18\n\
                  route append 2001:db8:1::/48 via 2001:db8::3 dev e0 proto 18\n\
                  route append 2001:db8:1::/48 via 2001:db8::2 dev e0 proto 18 table 5";
    host.ip(others);
    let before = dumped(&host);
    assert_eq!(before.len(), 9, "{before:#?}");
    for entry in [&ours, &ours6] {
        assert_eq!(remove(&host, entry).errno, libc::ESRCH);
        assert_eq!(add(&host, entry), KernelReply::DONE);
        assert_ne!(dumped(&host), before);
        assert_eq!(remove(&host, entry), KernelReply::DONE);
        assert_eq!(dumped(&host), before);
    }
    Ok(())
}
