use std::rc::Rc;

use super::*;
use crate::base::ids::CheckId;
use crate::check::pool;
use crate::check::{Pool, Reason, Timings, Verdict};
use crate::lvs as core;
use crate::model::check::{Check, Connect, Kind, Schedule};
use crate::model::firewall::Marking;
use crate::model::lvs::tests::{real_server, virtual_server};
use crate::model::lvs::{AddressGroup, GroupEntry, Protocol, Service};

#[test]
fn virtual_servers_are_shown_with_what_their_checks_found() {
    let mut vs = virtual_server([10, 0, 0, 100], 80);
    let mut rs = real_server([10, 1, 1, 2], 8080);
    let check = Check {
        kind: Kind::Tcp(Connect::to(rs.addr, rs.port)),
        schedule: Schedule::default(),
        alpha: false,
        log_all_failures: false,
    };
    rs.checks.push(Rc::new(check.clone()));
    vs.servers.push(rs);
    vs.servers.push(real_server([10, 1, 2, 2], 8080));
    let now = Instant::from_millis(100);
    let (mut domain, mut actions) = (core::Domain::default(), Vec::new());
    let id = domain.vacant_id();
    domain.handle(
        core::Input::Add {
            id,
            config: Rc::new(vs),
            recalled: crate::base::recalled::RecalledService::default(),
        },
        now,
        &mut actions,
    );
    domain.handle(core::Input::Start { init_notifies: false }, now, &mut actions);
    let at = Instant::from_millis(2_000);
    let check = CheckId(0);
    let verdict = Verdict::Down(Reason::Overran);
    domain.handle(core::Input::Verdict { check, page: 0, verdict }, at, &mut actions);
    let (mut pool, mut actions) = (Pool::new(1, 1), Vec::new());
    let config =
        Rc::clone(domain.service(id).unwrap().servers().next().unwrap().1.checks()[0].config());
    let add = pool::Input::Add { check, config, up: true, suspended: false, recalled: None };
    pool.handle(add, now, &mut actions);
    let due = pool.next_deadline().unwrap();
    pool.handle(pool::Input::Deadline, due, &mut actions);
    let timings = Timings { total: Duration::from_millis(1), ..Timings::default() };
    let verdict = Verdict::Down(Reason::Overran);
    pool.handle(pool::Input::Done { check, verdict, timings }, at, &mut actions);
    let daemon = Daemon::of([]);
    let services = || domain.services().map(|(_, service)| service).collect::<Vec<_>>();
    let text = super::super::lvs::render(&daemon.view(), services().into_iter(), &pool);
    assert!(text.starts_with(
        "------< LVS Topology >------
 Virtual servers = 1
 Virtual servers up = 1
 Real servers = 2
 Real servers up = 1
"
    ));
    let sections: Vec<_> = text.lines().filter(|line| line.starts_with("---")).collect();
    let expected =
        ["LVS Topology", "Virtual server", "Real server", "Health checkers", "Real server"];
    assert_eq!(sections, expected.map(|title| format!("------< {title} >------")));
    assert_eq!(
        between(&text, " Real server = [10.1.1.2]:tcp:8080", "   lvs_method"),
        " Real server = [10.1.1.2]:tcp:8080
   State = DOWN
   Last transition = 1795386502.000000 (Sun Nov 22 22:28:22.000000 2026)
   Weight = 1
   Effective weight = 1
"
    );
    assert_eq!(
        between(&text, " Checker = TCP_CHECK 10.1.1.2:8080", "   alpha"),
        " Checker = TCP_CHECK 10.1.1.2:8080
   State = DOWN
"
    );
    assert!(!text.contains("wmark"), "{text}");
    assert_eq!(text.matches("   Last result = TCP_CHECK 10.1.1.2:8080: ").count(), 1);
}

#[test]
fn marks_are_shown_with_the_group_and_the_virtual_server() {
    let mut daemon = Daemon::of([]);
    let config = &mut daemon.config;
    config.global.firewall.marking = Some(Marking { first_mark: 5000, ..Marking::default() });
    let address = [10, 9, 0, 100].into();
    let entries = vec![GroupEntry::Range { first: address, last: address, port: 80 }];
    config.address_groups = vec![AddressGroup { name: "G".to_owned(), entries }];
    let (mut domain, mut actions) = (core::Domain::default(), Vec::new());
    for (index, protocol) in [(0, Protocol::Tcp), (1, Protocol::Sctp)] {
        let mut vs = virtual_server([0; 4], 0);
        vs.service = Service::Group { name: "G".to_owned(), index };
        (vs.protocol, vs.mark) = (Some(protocol), Some(5000 + index));
        config.virtual_servers.push(Rc::new(vs.clone()));
        let input = core::Input::Add {
            id: domain.vacant_id(),
            config: Rc::new(vs),
            recalled: crate::base::recalled::RecalledService::default(),
        };
        domain.handle(input, Instant::ZERO, &mut actions);
    }
    let services: Vec<_> = domain.services().map(|(_, service)| service).collect();
    let pool = Pool::new(1, 1);
    let text = super::super::lvs::render(&daemon.view(), services.into_iter(), &pool);
    for lines in [
        " ipvs nftables table name = keepalived_ipvs
 ipvs nftables base chain priority = -1
 ipvs nftables start fwmark = 5000
",
        " Virtual server group = G
   Fwmark TCP: 5000 UDP: 0 SCTP: 5001
     [10.9.0.100]:80
",
        "   Protocol = SCTP
   fwmark = 5001
",
    ] {
        assert!(text.contains(lines), "{lines} is not in {text}");
    }
}
