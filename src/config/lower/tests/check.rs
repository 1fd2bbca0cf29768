//! The rules of checks.

use std::rc::Rc;

use super::*;
use crate::base::parts;
use crate::model::check::{Check, Kind, Protocol, Record, Url};

/// The checks of a real server with `lines`, in a virtual server with `outer`.
fn checks_in(outer: &str, lines: &str) -> (Vec<Rc<Check>>, Vec<String>) {
    let (config, told) = lowered(&format!(
        "global_defs {{\nenable_script_security\nscript_user ops\n}}\n\
         track_file load {{\nfile /usr/load\nweight 3\n}}\nvirtual_server 192.0.2.1 80 {{\nlvs_sched rr\nlvs_method NAT\nprotocol TCP\n{outer}\n\
         real_server 192.0.2.10 8080 {{\n{lines}\n}}\n}}"
    ));
    (config.virtual_servers[0].servers[0].checks.clone(), without_place(told))
}

#[track_caller]
fn check_in(outer: &str, lines: &str, want: &[&str]) -> Check {
    let (checks, told) = checks_in(outer, lines);
    assert_eq!(told, want, "{lines}");
    checks[0].as_ref().clone()
}

#[track_caller]
fn check(lines: &str) -> Check {
    check_in("", lines, &[])
}

/// Diagnostics for a check that is omitted.
#[track_caller]
fn left_out(lines: &str) -> Vec<String> {
    let (checks, told) = checks_in("", lines);
    assert!(checks.is_empty(), "{checks:?}");
    told.into_iter().map(|t| t.replace("Error (192.0.2.1 80, 192.0.2.10) ", "")).collect()
}

fn url(lines: &str, want: &[&str]) -> Url {
    let check = check_in("", &format!("HTTP_GET {{\nurl {{\npath /\n{lines}\n}}\n}}"), want);
    let Kind::Http(_, http) = check.kind else { panic!("not HTTP") };
    http.urls[0].clone()
}

fn seconds(n: u64) -> Duration {
    Duration::from_secs(n)
}

#[test]
fn each_kind_has_its_own_defaults() {
    for (lines, retry, delay) in [
        ("TCP_CHECK {\n}", 1, 1),
        ("HTTP_GET {\nurl {\npath /\n}\n}", 1, 3),
        ("SSL_GET {\nurl {\npath /\n}\n}", 1, 3),
        ("SMTP_CHECK {\n}", 1, 1),
        ("DNS_CHECK {\n}", 3, 60),
        ("UDP_CHECK {\n}", 1, 1),
        ("PING_CHECK {\n}", 1, 1),
        ("MISC_CHECK {\nmisc_path /usr/bin/true\n}", 0, 1),
    ] {
        if !parts::TLS && lines.starts_with("SSL_GET") {
            continue;
        }
        let check = check(lines);
        let schedule = check.schedule;
        assert_eq!(
            (schedule.retry, schedule.delay_before_retry),
            (retry, seconds(delay)),
            "{lines}"
        );
        assert_eq!((schedule.delay_loop, schedule.warmup), (seconds(60), seconds(60)), "{lines}");
        assert!(!check.alpha && !check.log_all_failures);
        if let Some(connect) = check.kind.connect() {
            assert_eq!(connect.target(), "192.0.2.10:8080".parse().unwrap());
            assert_eq!((connect.timeout, connect.fwmark), (seconds(5), 0));
        }
    }
}

#[test]
fn the_nearest_setting_counts() {
    let outer = "delay_loop 10\nretry 7\nalpha\nconnect_timeout 3\nwarmup 1";
    let inner = "retry 8\nTCP_CHECK {\ndelay_before_retry 2\nalpha off\n}";
    let check = check_in(outer, inner, &[]);
    let s = check.schedule;
    assert_eq!((s.delay_loop, s.retry, s.delay_before_retry), (seconds(10), 8, seconds(2)));
    assert_eq!((s.warmup, check.alpha), (seconds(1), false));
    assert_eq!(check.kind.connect().unwrap().timeout, seconds(3));
    // Also when it comes after the real server.
    let (config, _) = lowered(
        "virtual_server 192.0.2.1 80 {\nreal_server 192.0.2.9 80 {\nDNS_CHECK {\n}\n}\n\
         delay_loop 4\n}",
    );
    let schedule = config.virtual_servers[0].servers[0].checks[0].schedule;
    assert_eq!((schedule.delay_loop, schedule.delay_before_retry), (seconds(4), seconds(4)));
}

#[test]
fn a_connection_goes_where_it_is_sent() {
    let check = check(
        "TCP_CHECK {\nconnect_ip 192.0.2.77\nconnect_port 81\nbindto 192.0.2.78\nbind_port 1024\n\
         bind_if eth0\nfwmark 9\n}",
    );
    let connect = check.kind.connect().unwrap();
    assert_eq!(connect.target(), "192.0.2.77:81".parse().unwrap());
    assert_eq!(connect.bind_addr, Some("192.0.2.78".parse().unwrap()));
    assert_eq!((connect.bind_port, connect.bind_if.as_deref()), (Some(1024), Some("eth0")));
    assert_eq!(connect.fwmark, 9);
}

#[test]
fn addresses_of_a_connection_are_of_one_family() {
    let other = "is of another family than";
    let connect = |lines: &str, want: &str| {
        let want = format!("Error (192.0.2.1 80, 192.0.2.10) {want}: it is ignored");
        let check = check_in("", &format!("TCP_CHECK {{\n{lines}\n}}"), &[&want]);
        check.kind.connect().unwrap().clone()
    };
    let c = connect(
        "connect_ip 2001:db8::1\nbindto 192.0.2.2",
        &format!("bindto '192.0.2.2' {other} '2001:db8::1'"),
    );
    assert_eq!((c.addr.is_ipv6(), c.bind_addr), (true, None));
    let c = connect(
        "bindto 192.0.2.2\nconnect_ip 2001:db8::1",
        &format!("connect_ip '2001:db8::1' {other} '192.0.2.2'"),
    );
    assert!(c.addr.is_ipv4() && c.bind_addr.is_some());
    let c = connect("bindto 2001:db8::1", &format!("bindto '2001:db8::1' {other} '192.0.2.10'"));
    assert_eq!(c.bind_addr, None);
}

#[test]
fn a_check_that_lacks_what_it_needs_is_left_out() {
    for (lines, want) in [
        ("MISC_CHECK {\n}", "misc_path is missing: the check is left out"),
        ("FILE_CHECK {\n}", "track_file is missing: the check is left out"),
        ("FILE_CHECK {\ntrack_file f\n}", "track_file 'f' does not exist: the check is left out"),
        ("HTTP_GET {\n}", "there is no url to ask for: the check is left out"),
        (
            "TCP_CHECK {\nconnect_ip fe80::1\n}",
            "'fe80::1' is link-local and needs bind_if: the check is left out",
        ),
    ] {
        assert_eq!(left_out(lines), [want]);
    }
    assert_eq!(
        left_out("SSL_GET {\nurl {\n}\n}"),
        [
            "path is missing: the url is left out",
            "there is no url to ask for: the check is left out"
        ]
    );
}

#[test]
fn pages_inherit_their_host_and_tls_its_name() {
    let http = |outer: &str, inner: &str| {
        let check = check_in(outer, inner, &[]);
        let Kind::Http(_, http) = check.kind else { panic!("not HTTP") };
        http
    };
    let page = "url {\npath /\n}";
    let names = |outer: &str, inner: &str| {
        let url = http(outer, inner).urls[0].clone();
        (url.virtualhost.unwrap_or_default(), url.sni_name.unwrap_or_default())
    };
    let s = |a: &str, b: &str| (a.to_owned(), b.to_owned());
    assert_eq!(names("", &format!("HTTP_GET {{\n{page}\n}}")), s("", ""));
    let outer = "virtualhost vs";
    let plain = check_in(
        outer,
        &format!("HTTP_GET {{\nenable_sni\n{page}\n}}"),
        &["Warning (192.0.2.1 80, 192.0.2.10) enable_sni has no effect: HTTP_GET is without TLS"],
    );
    let Kind::Http(_, plain) = plain.kind else { panic!("not HTTP") };
    assert_eq!(plain.urls[0].sni_name, None);
    let more = http("", "HTTP_GET {\nhttp_protocol 1.0C\nfast_recovery\nurl {\npath /\n}\n}");
    assert_eq!((more.protocol, more.fast_recovery, more.tls), (Protocol::V1_0Close, true, false));
    if !parts::TLS {
        return;
    }
    check_in(
        "",
        &format!("SSL_GET {{\nenable_sni\n{page}\n}}"),
        &["Warning (192.0.2.1 80, 192.0.2.10) enable_sni has no effect: no virtualhost says \
           which name to send"],
    );
    let sni = format!("SSL_GET {{\nenable_sni\n{page}\n}}");
    assert_eq!(names(outer, &sni), s("vs", "vs"));
    // The real server's name is not for TLS.
    assert_eq!(names(outer, &format!("virtualhost rs\n{sni}")), s("rs", "vs"));
    let own = "SSL_GET {\nvirtualhost check\nenable_sni\nurl {\npath /\n}\n}";
    assert_eq!(names(outer, own), s("check", "check"));
    let own = "SSL_GET {\nurl {\npath /\nvirtualhost url\n}\nvirtualhost check\nenable_sni\n}";
    assert_eq!(names(outer, own), s("url", "url"));
}

#[test]
fn statuses_accumulate_and_a_bad_one_is_left_out() {
    assert_eq!(url("", &[]).status_codes, [200..=299]);
    assert_eq!(
        url("status_code 200 301-302\nstatus_code 404", &[]).status_codes,
        [200..=200, 301..=302, 404..=404]
    );
    let bad = url(
        "status_code 99 200",
        &["Error (192.0.2.1 80, 192.0.2.10) status_code '99' is not a status code from 100 to 599 \
           or a range of them"],
    );
    assert_eq!(bad.status_codes, [200..=200]);
    let none = "Warning (192.0.2.1 80, 192.0.2.10) status_code without a code is ignored";
    assert_eq!(url("status_code", &[none]).status_codes, [200..=299]);
}

#[test]
#[cfg(feature = "regex")]
fn a_page_is_compared_with_digest_and_regex() {
    let url_ = url(
        "digest 9B3A0C85A887A256d6939da88aabd8cd\nregex \"a\\\\.b c\"\nregex_no_match\n\
         regex_options caseless\nregex_min_offset 5\nregex_max_offset 10",
        &[],
    );
    assert_eq!(url_.digest.map(|d| (d[0], d[15])), Some((0x9b, 0xcd)));
    let regex = url_.regex.unwrap();
    assert_eq!(regex.pattern.source(), "a\\.b c");
    assert_eq!(regex.pattern.options(), ["caseless"]);
    assert!(regex.no_match);
    assert_eq!((regex.min_offset, regex.max_offset), (5, Some(10)));
    let mild = "Warning (192.0.2.1 80, 192.0.2.10)";
    let order = format!("{mild} regex_max_offset is below regex_min_offset: both are ignored");
    let regex = url("regex a\nregex_min_offset 5\nregex_max_offset 4", &[&order]).regex.unwrap();
    assert_eq!((regex.min_offset, regex.max_offset), (0, None));
    let odd = format!("{mild} 'a{{2}}#' of regex_options 'a{{2}}#' is ignored");
    let regex = url("regex a\nregex_options \"a{2}#\" utf", &[&odd]).regex.unwrap();
    assert_eq!(regex.pattern.options(), ["utf"]);
    for keyword in ["regex_no_match", "regex_min_offset 5", "regex_options caseless"] {
        let name = keyword.split(' ').next().unwrap();
        let lonely = format!("{mild} {name} is ignored without regex");
        assert!(url(keyword, &[&lonely]).regex.is_none());
    }
    let error = "Error (192.0.2.1 80, 192.0.2.10)";
    for (line, why) in [
        ("regex", "'regex' needs a pattern"),
        ("regex a b", "'regex' has several words: quote the pattern"),
        ("regex \\x00", "an argument cannot hold a NUL byte: 'regex' is ignored"),
    ] {
        assert!(url(line, &[&format!("{error} {why}")]).regex.is_none());
    }
    let (checks, told) = checks_in("", "HTTP_GET {\nurl {\npath /\nregex a(b\n}\n}");
    assert!(told[0].contains("'a(b'") && told.len() == 1, "{told:?}");
    assert_eq!(checks.len(), 1);
}

#[test]
fn questions_for_name_servers() {
    let dns = |lines: &str| match check(&format!("DNS_CHECK {{\n{lines}\n}}")).kind {
        Kind::Dns(_, dns) => (dns.record, dns.name),
        other => panic!("{other:?}"),
    };
    assert_eq!(dns(""), (Record::Soa, String::new()));
    assert_eq!(dns("type aaaa\nname www.example.org."), (Record::Aaaa, "www.example.org".into()));
    let bad = "Error (192.0.2.1 80, 192.0.2.10) name 'a..b' is not a domain name: it is ignored";
    check_in("", "DNS_CHECK {\nname a..b\n}", &[bad]);
}

#[test]
fn datagrams_and_what_is_to_come_back() {
    let udp = |lines: &str| match check(&format!("UDP_CHECK {{\n{lines}\n}}")).kind {
        Kind::Udp(_, udp) => udp,
        other => panic!("{other:?}"),
    };
    assert_eq!(udp("").payload, b"keepalived check - keepalived ch");
    assert!(udp("").reply.is_none());
    assert_eq!(udp("payload 01 0203 4 \"a b0\"").payload, [1, 2, 3, 4, 0xa, 0xb0]);
    let reply = udp("require_reply fx xx\nmin_reply_length 2\nmax_reply_length 9").reply.unwrap();
    let bytes: Vec<_> = reply.pattern.iter().map(|b| (b.value, b.mask)).collect();
    assert_eq!(bytes, [(0xf0, 0xf0), (0, 0)]);
    assert_eq!((reply.min_len, reply.max_len), (2, 9));
    let any = check_in(
        "",
        "UDP_CHECK {\nrequire_reply zz\n}",
        &["Error (192.0.2.1 80, 192.0.2.10) require_reply 'zz' is not a string of hexadecimal \
           digits"],
    );
    let Kind::Udp(_, udp) = any.kind else { panic!("not UDP") };
    assert_eq!(udp.reply.map(|reply| reply.pattern.len()), Some(0));
    for keyword in ["min_reply_length", "max_reply_length"] {
        let idle = format!(
            "Warning (192.0.2.1 80, 192.0.2.10) {keyword} has no effect without require_reply"
        );
        check_in("", &format!("UDP_CHECK {{\n{keyword} 9\n}}"), &[&idle]);
    }
}

#[test]
fn scripts_have_the_delay_of_the_virtual_server_as_their_limit() {
    let misc = |lines: &str| match check_in("delay_loop 7", lines, &[]).kind {
        Kind::Misc(misc) => misc,
        other => panic!("{other:?}"),
    };
    let usual = misc("delay_loop 9\nMISC_CHECK {\nmisc_path \"/usr/bin/check 'a b'\"\n}");
    assert_eq!(usual.timeout, seconds(7));
    assert_eq!(usual.script.argv, ["/usr/bin/check", "a b"]);
    let own = misc("MISC_CHECK {\nmisc_path /usr/bin/check\nmisc_timeout 3\nmisc_dynamic\n}");
    assert_eq!((own.timeout, own.dynamic), (seconds(3), true));
}

#[test]
fn a_file_brings_its_weight() {
    let file =
        |lines: &str| match check(&format!("FILE_CHECK {{\ntrack_file load\n{lines}\n}}")).kind {
            Kind::File(file) => (file.weight, file.reverse),
            other => panic!("{other:?}"),
        };
    assert_eq!(file(""), (3, false));
    assert_eq!(file("weight -300"), (-300, false));
    assert_eq!(file("weight 0 reverse"), (0, true));
    let odd = "Error (192.0.2.1 80, 192.0.2.10) weight 'x' is not 'reverse' or 'noreverse'";
    let told = checks_in("", "FILE_CHECK {\ntrack_file load\nweight 7 x\n}");
    assert_eq!(told.1, [odd.replace("'reverse' or 'noreverse'", "reverse or noreverse")]);
}

#[test]
fn an_echo_request_goes_to_no_port() {
    for keyword in ["connect_port", "bind_port"] {
        let idle = format!(
            "Warning (192.0.2.1 80, 192.0.2.10) {keyword} has no effect: an echo request has no port"
        );
        check_in("", &format!("PING_CHECK {{\n{keyword} 7\n}}"), &[&idle]);
    }
}

#[test]
fn a_complaint_points_at_its_line_and_not_at_its_check() {
    let (_, told) = lowered(
        "virtual_server 192.0.2.1 80 {\nlvs_sched rr\nlvs_method NAT\nprotocol TCP\n\
         real_server 192.0.2.10 80 {\nTCP_CHECK {\nbindto 2001:db8::1\n}\nPING_CHECK {\nretry 1\n\
         bind_port 9\n}\nUDP_CHECK {\nmin_reply_length 300\n}\n}\n}",
    );
    let lines = ["(Line 7)", "(Line 11)", "(Line 14)"];
    assert!(told.iter().zip(lines).all(|(t, line)| t.contains(line)), "{told:#?}");
    assert_eq!(told.len(), lines.len());
}

#[test]
fn hosts_of_smtp_are_checks_of_their_own() {
    let (checks, told) =
        checks_in("", "SMTP_CHECK {\nhelo_name me\nretry 9\nhost {\nconnect_port 26\n}\n}");
    let place = "(192.0.2.1 80, 192.0.2.10)";
    assert_eq!(told, [format!("Note {place} 'host' is outdated: use several SMTP_CHECK blocks")]);
    let ports: Vec<_> = checks.iter().map(|c| c.kind.connect().unwrap().port).collect();
    assert_eq!(ports, [8080, 26]);
    assert_eq!(checks[1].schedule.retry, 9);
}

#[test]
fn a_check_needs_a_port_to_connect_to() {
    let (_, told) = lowered(
        "virtual_server fwmark 1 {\nlvs_sched rr\nlvs_method DR\nreal_server 192.0.2.9 {\n\
         TCP_CHECK {\n}\nPING_CHECK {\n}\n}\n}",
    );
    assert_eq!(
        without_place(told),
        ["Warning (fwmark 1, 192.0.2.9) there is no port to connect to: connect_port says which"]
    );
}
