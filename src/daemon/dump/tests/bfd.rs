use std::rc::Rc;

use super::super::bfd;
use super::*;
use crate::base::ids::SessionId;
use crate::bfd as core;
use crate::model::bfd::BfdInstance;

/// A session that has not heard of its neighbour.
#[test]
fn a_session_in_the_data_dump() {
    let config = BfdInstance {
        source: Some(ip("10.3.0.1")),
        min_tx: Duration::from_millis(150),
        max_hops: Some(58),
        ttl: 200,
        for_checks: false,
        passive: true,
        ..BfdInstance::new("b0", ip("10.3.0.11"))
    };
    let config = Rc::new(config);
    let mut sessions = core::Domain::new([7; 16]);
    let id = sessions.vacant_id();
    let add = core::Input::Add { id, config: Rc::clone(&config) };
    sessions.handle(add, Instant::ZERO, &mut Vec::new());
    let daemon = Daemon::start(Config { bfd: vec![config], ..Config::default() });
    let sender = |own: SessionId| (own == id).then_some(9);
    let fds = bfd::Descriptors { receivers: vec![(false, 7), (true, 8)], sender: &sender };
    let text = bfd::render(&daemon.view(), &sessions, &fds);
    assert!(text.starts_with("------< Global definitions >------\n"), "{text}");
    let discriminator = sessions.session(id).unwrap().discriminator();
    let expected = format!(
        "------< BFD Data >------
 fd_in = 7
 multihop fd_in = 8
 packets of no session = 0
------< BFD Topology >------
 BFD Instance = b0
   Neighbor IP = 10.3.0.11
   Source IP = 10.3.0.1
   Required min RX interval = 10000 us
   Desired min TX interval = 150000 us
   Desired idle TX interval = 1000000 us
   Detection multiplier = 5
   TTL = 200
   max_hops = 3
   passive = true
   send event to VRRP process = Yes
   send event to checker process = No
   fd_out 9
   sands_out = [disabled]
   sands_exp = [disabled]
   sands_rst = [disabled]
   local state = Down
   remote state = Down
   local discriminator = {discriminator:#x}
   remote discriminator = 0x0
   local diag = No Diagnostic
   remote diag = No Diagnostic
   remote min tx intv = 0 us
   remote min rx intv = 0 us
   local demand = 0
   remote demand = 0
   remote detect multiplier = 0
   !poll, !final
   local tx intv = 1000000 us
   remote tx intv = 0 us
   local detection time = 0 us
   remote detection time = 0 us
   last_seen = [never]
   multihop = no
   authentication = none
"
    );
    assert_eq!(between(&text, "------< BFD Data >------", "   since"), expected);
}
