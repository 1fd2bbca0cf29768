use std::rc::Rc;

use super::*;
use crate::base::parts;
use crate::base::recalled::RecalledService;
use crate::check::{pool, Pool, Reason, Timings, Verdict, Weight};
use crate::config;
use crate::lvs as core;
use crate::model;

#[expect(clippy::duplicate_mod, reason = "files in memory are for several tests")]
#[path = "../../../../tests/config/memory.rs"]
mod memory;

/// The model of a configuration, in which each `;` ends a line.
fn configured(text: &str) -> Config {
    let text = text.replace("{ ", "{\n").replace("; ", "\n").replace(" }", "\n}\n");
    let host = memory::MemoryHost::default().and_user("root", 0, 0).and_program("/bin/true");
    let loader = memory::MemoryLoader::with("/k.conf", text);
    let loaded = config::load(&loader, "/k.conf", &config::ReadOptions::default(), &host);
    let told: Vec<_> = loaded.diagnostics.iter().map(|d| format!("{d:?}")).collect();
    let is_told = |word| told.iter().any(|line| line.contains(word));
    assert!(!is_told("Error"), "{told:?}");
    loaded.config
}

/// Virtual servers without a kernel, and the pool of their checks.
struct Farm {
    daemon: Daemon,
    domain: core::Domain,
    pool: Pool,
}

impl Farm {
    /// Started 100 ms after the daemon.
    fn start(text: &str) -> Self {
        let daemon = Daemon::start(configured(text));
        let (mut domain, mut actions) = (core::Domain::default(), Vec::new());
        let mut pool = Pool::new(10, 1);
        let now = daemon.now;
        for config in &daemon.config.virtual_servers {
            let id = domain.vacant_id();
            let (config, recalled) = (Rc::clone(config), RecalledService::default());
            domain.handle(core::Input::Add { id, config, recalled }, now, &mut actions);
            for slot in domain.service(id).unwrap().servers().flat_map(|(_, s)| s.checks()) {
                let (check, config) = (slot.id(), Rc::clone(slot.config()));
                let up = slot.is_up();
                let add = pool::Input::Add { check, config, up, suspended: false, recalled: None };
                pool.handle(add, now, &mut Vec::new());
            }
        }
        domain.handle(core::Input::Start { init_notifies: false }, now, &mut actions);
        Self { daemon, domain, pool }
    }

    /// The n-th check has this result at this time.
    fn find(&mut self, n: usize, page: usize, verdict: &Verdict, at: Instant) {
        let checks = self.domain.services().flat_map(|(_, s)| s.servers().collect::<Vec<_>>());
        let check = checks.flat_map(|(_, s)| s.checks()).nth(n).expect("there are as many").id();
        while self.pool.next_deadline().is_some_and(|due| due <= at) {
            self.pool.handle(pool::Input::Deadline, at, &mut Vec::new());
        }
        let timings = Timings { total: Duration::from_millis(1), ..Timings::default() };
        let done = pool::Input::Done { check, verdict: verdict.clone(), timings };
        self.pool.handle(done, at, &mut Vec::new());
        let found = core::Input::Verdict { check, page, verdict: verdict.clone() };
        self.domain.handle(found, at, &mut Vec::new());
    }

    fn text(&self) -> String {
        let all: Vec<_> = self.domain.services().map(|(_, service)| service).collect();
        super::super::lvs::render(&self.daemon.view(), &all, &self.pool)
    }
}

/// The lines of a block from the line that begins with `first` on.
fn block<'a>(text: &'a str, first: &str, lines: usize) -> String {
    let all: Vec<&'a str> = text.lines().collect();
    let at = all.iter().position(|line| line.starts_with(first));
    let at = at.unwrap_or_else(|| panic!("no {first} in {text}"));
    all[at..].iter().take(lines).map(|line| format!("{line}\n")).collect()
}

#[test]
fn the_sections_are_in_order() {
    let farm = Farm::start(
        "SSL { password secret; ca /etc/ca.pem } \
         track_file tf { file /run/tf; weight 2 } \
         bfd_instance b0 { neighbor_ip 10.3.0.11 } \
         virtual_server_group G { 10.3.0.1 80 } \
         virtual_server group G { lvs_sched wlc; lvs_method DR; protocol TCP; \
         real_server 10.3.0.11 80 { TCP_CHECK { } ; FILE_CHECK { track_file tf; weight -3 reverse } ; \
         BFD_CHECK { name b0 } } ; real_server 10.3.0.12 80 { } } \
         virtual_server fwmark 9 { lvs_sched wlc; lvs_method DR; real_server 10.3.0.13 { TCP_CHECK { } } } ",
    );
    let text = farm.text();
    let titles = text.lines().filter(|line| line.contains("------<"));
    let titles: Vec<_> = titles.map(|line| line.replace("------", "")).collect();
    let expected = [
        "< Global definitions >",
        "< SSL definitions >",
        "< LVS Topology >",
        " < Virtual server group >",
        " < Virtual server >",
        "   < Real server >",
        "   < Real server >",
        " < Virtual server >",
        "   < Real server >",
        "< Health checkers >",
        "< Checker track files >",
        "< Checker track BFDs >",
        "< Load >",
    ];
    assert_eq!(titles, expected);
    assert!(!text.contains("secret") && !text.contains("Default interface"), "{text}");
    assert_eq!(
        block(&text, "------< SSL", 3),
        "------< SSL definitions >------\n Password : ********\n CA-file : /etc/ca.pem\n"
    );
    assert_eq!(
        block(&text, "------< Checker track files", 9),
        "------< Checker track files >------
 Track file = tf
   File = /run/tf
   Status = pending
   Weight = 2
   Tracking instances :
     [G]:0 -> [10.3.0.11]:tcp:80, weight -3 reverse
------< Checker track BFDs >------
 Checker Track BFD = b0
"
    );
    assert_eq!(
        block(&text, "   Tracking RS", 8),
        "   Tracking RS :
   [10.3.0.11]:tcp:80
------< Load >------
 Virtual servers = 2
 Virtual servers up = 2
 Real servers = 3
 Real servers up = 3
 Checks under way = 0
"
    );
}

#[test]
fn a_group_in_the_data_dump() {
    let mut farm = Farm::start(
        "virtual_server_group G { fwmark 5; 10.3.0.101 80; 10.3.0.102-103 8080; fwmark 6 inet } \
         virtual_server group G { lvs_sched wlc; lvs_method DR; protocol UDP; \
         real_server 10.3.0.11 80 { } ; real_server 10.3.0.12 80 { } ; \
         real_server 10.3.0.13 80 { TCP_CHECK { } } } \
         virtual_server group G { lvs_sched wlc; lvs_method DR; protocol TCP; \
         real_server 10.3.0.11 80 { } } ",
    );
    farm.find(0, 0, &Verdict::Down(Reason::Overran), Instant::from_millis(9_000));
    // Those in IPVS are counted.
    assert_eq!(
        block(&farm.text(), " ------< Virtual server group", 14),
        " ------< Virtual server group >------
 Virtual Server Group = G, IPv4 = yes, IPv6 = no
   VIP = 10.3.0.101, VPORT = 80
     Alive: 1 tcp, 2 udp, 0 sctp
     reloaded = False
   VIP Range = 10.3.0.102-10.3.0.103, VPORT = 8080
     Alive: 1 tcp, 2 udp, 0 sctp
     reloaded = False
   FWMARK = 5
     Alive: 3 IPv4, 0 IPv6
     reloaded = False
   FWMARK = 6 IPv4
     Alive: 3 IPv4, 0 IPv6
     reloaded = False
"
    );
}

#[test]
fn marks_are_shown_with_the_group_and_the_virtual_server() {
    let farm = Farm::start(
        "global_defs { nftables_ipvs; nftables_ipvs_start_fwmark 5000 } \
         virtual_server_group G { 10.3.0.101 80 } \
         virtual_server group G { lvs_sched wlc; lvs_method DR; protocol TCP; real_server 10.3.0.11 80 { } } \
         virtual_server group G { lvs_sched wlc; lvs_method DR; protocol SCTP; real_server 10.3.0.11 80 { } } ",
    );
    let text = farm.text();
    assert_eq!(
        block(&text, " Virtual Server Group", 2),
        " Virtual Server Group = G, IPv4 = yes, IPv6 = no
  Fwmark TCP: 5000 UDP: 0 SCTP: 5001
"
    );
    assert!(text.contains("   fwmark = 5001\n"), "{text}");
    assert!(text.contains(" ipvs nftables start fwmark = 5000\n"), "{text}");
}

#[test]
fn a_virtual_server_in_the_data_dump() {
    let mut farm = Farm::start(
        "global_defs { script_user root } \
         virtual_server 10.3.0.101 80 { delay_loop 3; lvs_sched mh; mh-port; lvs_method NAT; \
         persistence_timeout 50; persistence_granularity 255.255.255.0; protocol TCP; omega; \
         quorum 2; hysteresis 1; quorum_up \"/bin/true qu\"; ha_suspend; smtp_alert; \
         virtualhost www.example; sorry_server 10.3.0.99 80; sorry_server_inhibit; \
         sorry_server_lvs_method DR; connect_timeout 4; inhibit_on_failure; \
         real_server 10.3.0.11 80 { weight 2; TCP_CHECK { } } } ",
    );
    farm.find(0, 0, &Verdict::Down(Reason::Overran), Instant::from_millis(5_000));
    let text = farm.text();
    assert_eq!(
        block(&text, " ------< Virtual server >", 43),
        " ------< Virtual server >------
 VS VIP = 10.3.0.101, VPORT = 80
   VirtualHost = www.example
   Address family = inet
   connection timeout = 4.000000
   delay_loop = 3.000000
   lvs_sched = mh
   Hashed = disabled
   mh-port = enabled
   mh-fallback = disabled
   One packet scheduling = disabled
   persistence timeout = 50
   persistence granularity = 255.255.255.0
   protocol = TCP
   alpha is OFF
   omega is ON
   Inhibit on failure is ON
   quorum = 2, hysteresis = 1
   Quorum up notify script = '/bin/true' 'qu', uid:gid 0:0
   Using HA suspend
   Using smtp notification = yes
   default forwarding method = NAT
   sorry server = [10.3.0.99]:tcp:80
     forwarding method = DR
     Inhibit on failure is ON
     set = 1
     alive = 1
   VS alive = 1
   quorum_state_up = 0
   reloaded = 0
   State = DOWN
   Last transition = 1795386500.100000 (Sun Nov 22 22:28:20.100000 2026)
   Weight of live servers = 0
   Suspended = yes
   Real servers up = 0 of 1
   ------< Real server >------
   RIP = 10.3.0.11, RPORT = 80, WEIGHT = 2 EFF WEIGHT = 2
   forwarding method = NAT
   Alpha is OFF
   connection timeout = 4.000000
   connection limit range = 0 -> 0
   Delay loop = 3.000000
   Inhibit on failure is ON
"
    );
}

#[test]
fn other_virtual_servers_in_the_data_dump() {
    let farm = Farm::start(
        "virtual_server fd00::1 80 { lvs_sched sh; sh-fallback; ops; lvs_method TUN; protocol UDP; \
         persistence_timeout 60; persistence_granularity 64; \
         real_server fd00::2 80 { lvs_method TUN type gue port 6080 csum; alpha } ; \
         sorry_server fd00::2 80 } \
         virtual_server fwmark 9 { lvs_sched wlc; flag-1; flag-3; lvs_method DR; \
         real_server 10.3.0.13 { } } ",
    );
    let text = farm.text();
    let mut lines = text.lines();
    // In this order, with others between them.
    for line in [
        " VS VIP = fd00::1, VPORT = 80",
        "   Address family = inet6",
        "   connection timeout = 5.000000",
        "   delay_loop = 60.000000",
        "   sh-port = disabled",
        "   sh-fallback = enabled",
        "   One packet scheduling = enabled",
        "   persistence granularity = 64",
        "   protocol = UDP",
        "   default forwarding method = TUN, type = IPIP",
        "   sorry server (duplicates rs) = [fd00::2]:udp:80",
        "     set = 0",
        "     alive = 0",
        "   forwarding method = TUN, type = GUE, port = 6080, checksum",
        " VS FWMARK = 9",
        "   flag-1 = enabled",
        "   flag-2 = disabled",
        "   flag-3 = enabled",
        "   protocol = none",
        "   default forwarding method = DR",
    ] {
        assert!(lines.any(|own| own == line), "'{line}' is not there, or out of order, in {text}");
    }
}

#[test]
fn a_real_server_in_the_data_dump() {
    let mut farm = Farm::start(
        "global_defs { script_user root } track_file tf { file /run/tf; weight 2 } \
         virtual_server 10.3.0.101 80 { lvs_sched wlc; lvs_method DR; protocol TCP; virtualhost www.example; \
         real_server 10.3.0.11 80 { weight 5; inhibit_on_failure; notify_up \"/bin/true u\"; \
         notify_down \"/bin/true d\"; uthreshold 100; lthreshold 10; virtualhost one; retry 4; warmup 0.5; \
         smtp_alert no; TCP_CHECK { connect_timeout 2; delay_loop 7 } ; TCP_CHECK { } ; \
         FILE_CHECK { track_file tf; weight 1 } } } ",
    );
    farm.find(1, 0, &Verdict::Down(Reason::Overran), Instant::from_millis(9_000));
    let text = farm.text();
    assert_eq!(
        block(&text, "   ------< Real server", 28),
        "   ------< Real server >------
   RIP = 10.3.0.11, RPORT = 80, WEIGHT = 5 EFF WEIGHT = 5
   forwarding method = DR
   Alpha is OFF
   connection timeout = 5.000000
   connection limit range = 10 -> 100
   Delay loop = 60.000000
   Retry count = 4
   Warmup = 0.500000
   Inhibit on failure is ON
   RS up notify script = '/bin/true' 'u', uid:gid 0:0
   RS down notify script = '/bin/true' 'd', uid:gid 0:0
    VirtualHost = 'one'
   Using smtp notification = no
   initial weight = 5
   effective weight = 5
   previous effective_weight = 0
   alive = 0
   num failed checkers = 1
   RS set = 1
   reloaded = 0
   Tracked Files
     tf, weight 1
   State = DOWN
   Last transition = 1795386509.000000 (Sun Nov 22 22:28:29.000000 2026)
------< Health checkers >------
 [10.3.0.101]:tcp:80 -> [10.3.0.11]:tcp:80
   Enabled = yes
"
    );
}

/// A virtual server with one real server and this check.
fn checked(check: &str) -> Farm {
    Farm::start(&format!(
        "global_defs {{ script_user root }} track_file tf {{ file /run/tf; weight 2 }} \
         bfd_instance b0 {{ neighbor_ip 10.3.0.11 }} \
         virtual_server 10.3.0.101 80 {{ delay_loop 3; lvs_sched wlc; lvs_method DR; protocol TCP; \
         real_server 10.3.0.11 80 {{ {check} }} }} "
    ))
}

/// The block of its check, from the kind on.
fn kind(check: &str) -> String {
    let text = checked(check).text();
    let from = text.find("   Keepalive method").expect("it is a check");
    let len = text[from..].find("------<").expect("other sections follow");
    text[from..from + len].to_owned()
}

#[test]
fn a_check_in_the_data_dump() {
    let mut farm = checked(
        "TCP_CHECK { retry 2; delay_before_retry 4; warmup 1; alpha; log_all_failures; \
         connect_ip 10.3.0.12; connect_port 81; bindto 10.3.0.1; bind_port 4000; bind_if eth0; \
         fwmark 3; connect_timeout 2.5 }",
    );
    let before = " [10.3.0.101]:tcp:80 -> [10.3.0.11]:tcp:80
   Enabled = yes
   Up = no
   Has run = no
   Current weight = 0
   Alpha = yes
   Delay loop = 3000000 us
   Warmup = 1000000 us
   Retries = 2
   Delay before retry = 4000000 us
   Retries iterations = 2
   Default delay before retry = 1000000 us
   Log all failures = yes
   Connection
     Dest = [10.3.0.12]:81
     Bind to = [10.3.0.1]:4000
     Bind i/f = eth0
     Mark = 3
     Timeout = 2.500000
   Keepalive method = TCP_CHECK
------< Load >------
";
    let first = " [10.3.0.101]:tcp:80 -> ";
    assert_eq!(block(&farm.text(), first, 21), before);
    farm.find(0, 0, &Verdict::UP, Instant::from_millis(9_000));
    let after = farm.text();
    assert!(block(&after, first, 4).ends_with("   Up = yes\n   Has run = yes\n"), "{after}");
    assert!(after.contains("   Retries iterations = 0\n"), "{after}");
    let last = "   Last run = 1795386509.000000 (Sun Nov 22 22:28:29.000000 2026)
   Last result = TCP_CHECK 10.3.0.12:81: success (total 1.0 ms)
";
    assert!(after.contains(&format!("   Keepalive method = TCP_CHECK\n{last}")), "{after}");
}

#[test]
fn checks_of_each_kind_in_the_data_dump() {
    for (check, expected) in [
        ("PING_CHECK { }", "   Keepalive method = PING_CHECK\n"),
        ("SMTP_CHECK { helo_name me }", "   Keepalive method = SMTP_CHECK\n   helo = me\n"),
        (
            "DNS_CHECK { type MX; name example.org }",
            "   Keepalive method = DNS_CHECK\n   Type = MX\n   Name = example.org\n",
        ),
        ("DNS_CHECK { }", "   Keepalive method = DNS_CHECK\n   Type = SOA\n   Name = .\n"),
        (
            "UDP_CHECK { }",
            "   Keepalive method = UDP_CHECK\n   Payload specified = no\n   Require reply = no\n",
        ),
        (
            "UDP_CHECK { payload 0102ff; require_reply 01xx; min_reply_length 1; \
             max_reply_length 99 }",
            "   Keepalive method = UDP_CHECK
   Payload len = 3
   Require reply = yes
     Min reply length = 1
     Max reply length = 99
     Reply data len = 2
     Reply data mask = yes
",
        ),
        (
            "FILE_CHECK { track_file tf; weight 1 }",
            "   Keepalive method = FILE_CHECK\n     Tracked file = tf\n     Reloaded = No\n",
        ),
        (
            "BFD_CHECK { name b0 }",
            "   Keepalive method = BFD_CHECK\n   Name = b0\n   Alpha is OFF\n",
        ),
        (
            "MISC_CHECK { misc_path \"/bin/true m n\"; misc_timeout 7; misc_dynamic }",
            "   Keepalive method = MISC_CHECK
   script = '/bin/true' 'm' 'n'
   timeout = 7
   dynamic = YES
   uid:gid = 0:0
   Last ran = 0.000000 (Sun Nov 22 22:28:00 2026.000000)
   Last status = 0
",
        ),
        (
            "HTTP_GET { http_protocol 1.0c; url { path /a; status_code 200-204 301; \
             virtualhost two; digest 9b3a0c85a887a256d6939da88aabd8cd; regex \"ok\"; \
             regex_no_match; regex_options caseless; regex_min_offset 3; regex_max_offset 30 } }",
            "   Keepalive method = HTTP_GET, http protocol 1.0C
   Enable SNI unset
   Fast recovery unset
   Checked url = /a
     digest = 9b3a0c85a887a256d6939da88aabd8cd
     HTTP Status Code(s)
       200-204
       301
     Virtual host = two
     Regex = \"ok\"
     Regex no match
     Regex min offset = 3, max_offset = 30
     Regex options: caseless
",
        ),
        (
            "SSL_GET { enable_sni; fast_recovery; tls_compliant; virtualhost vv; \
             url { path /a } ; url { path /b } }",
            "   Keepalive method = SSL_GET, http protocol 1.0
   Virtualhost = vv
   Enable SNI set
   Fast recovery set
   tls_compliant set
   Checked url = /a
     tls_compliant set
     HTTP Status Code(s)
       200-299
   Checked url = /b
     tls_compliant set
     HTTP Status Code(s)
       200-299
",
        ),
    ] {
        let has_all = (parts::REGEX || !check.contains("regex"))
            && (parts::TLS || !check.starts_with("SSL_GET"));
        if has_all {
            assert_eq!(kind(check), expected, "{check}");
        }
    }
}

/// keepalived shows the greatest numbers instead.
#[test]
fn what_is_followed_has_no_schedule() {
    let text = checked("BFD_CHECK { name b0 } ; FILE_CHECK { track_file tf; weight 1 }").text();
    assert_eq!(
        block(&text, "   Alpha = no", 9),
        "   Alpha = no
   Delay loop = 18446744073709551615 us
   Warmup = 18446744073709551615 us
   Retries = 4294967295
   Delay before retry = 18446744073709551615 us
   Retries iterations = 4294967295
   Default delay before retry = 1000000 us
   Log all failures = no
   Keepalive method = BFD_CHECK
"
    );
    assert_eq!(text.matches("Alpha = ").count(), 1, "{text}");
}

#[test]
fn the_results_of_scripts_and_pages_are_shown() {
    let mut farm = checked("MISC_CHECK { misc_path /bin/true; misc_dynamic }");
    for (second, verdict, status, weight) in [
        (5, Verdict::Up(Weight::Instead(10)), 12, 10),
        (10, Verdict::Down(Reason::Exit(1)), 1, 10),
        (15, Verdict::UP, 0, 0),
    ] {
        farm.find(0, 0, &verdict, Instant::from_millis(second * 1000));
        let text = farm.text();
        let wall = 20 + second;
        let ran = format!(
            "   Last ran = {}.000000 (Sun Nov 22 22:28:{wall} 2026.000000)\n",
            1_795_386_500 + second
        );
        assert!(text.contains(&format!("{ran}   Last status = {status}\n")), "{status}: {text}");
        assert!(text.contains(&format!("   Current weight = {weight}\n")), "{status}: {text}");
    }
    let mut farm = checked("HTTP_GET { url { path /a } ; url { path /b } }");
    assert!(!farm.text().contains("Failed URL"));
    farm.find(0, 0, &Verdict::UP, Instant::from_millis(70_000));
    let down = Verdict::Down(Reason::Overran);
    farm.find(0, 1, &down, Instant::from_millis(140_000));
    assert!(farm.text().contains("   Failed URL = /b\n"), "{}", farm.text());
}
