//! What an instance knows goes with it into the program that takes over.

use std::net::IpAddr;
use std::rc::Rc;

use crate::base::ids::InstanceId;
use crate::base::time::{Duration, Instant, WallTime};
use crate::model::vrrp::{tests::instance, Instance, Version};
use crate::vrrp::receive::Received;
use crate::vrrp::{advert, Domain, Input, LinkState, Phase};
use crate::wire::ip::V4_HEADER_LEN;

const ID: InstanceId = InstanceId(0);
const OTHER: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(10, 0, 0, 3));

const fn at(seconds: u64) -> Instant {
    Instant::from_millis(seconds * 1000)
}

/// A backup that tolerates a master of lower priority for a minute.
fn config() -> Instance {
    let (version, preempt_delay) = (Version::V3, Duration::from_secs(60));
    Instance { version, preempt_delay, priority: 150, ..instance("A", 51) }
}

fn added(now: Instant) -> Domain {
    let mut domain = Domain::default();
    let mut feed = |input: Input<'_>| domain.handle(input, now, &mut Vec::new());
    feed(Input::Add { id: ID, config: Rc::new(config()) });
    feed(Input::Link { name: "eth0", state: LinkState::Up });
    feed(Input::Source { id: ID, source: Some([10, 0, 0, 2].into()) });
    domain
}

/// The other router advertises every five seconds.
fn hear(domain: &mut Domain, now: Instant) {
    let (group, mut pdu) = ([224, 0, 0, 18].into(), Vec::new());
    let (version, advert_interval) = (Version::V3, Duration::from_secs(5));
    let sender = Instance { version, advert_interval, ..instance("B", 51) };
    advert::emit(&sender, 100, OTHER, group, &mut pdu);
    let packet = Received {
        source: OTHER,
        destination: Some(group),
        ttl: Some(255),
        arrived: now,
        wall: WallTime(0),
        header: None,
        pdu: &pdu[V4_HEADER_LEN..],
    };
    domain.handle(Input::Packet { id: ID, packet }, now, &mut Vec::new());
}

fn phase_at(domain: &mut Domain, now: Instant) -> Phase {
    while let Some(next) = domain.next_deadline().filter(|next| *next <= now) {
        domain.handle(Input::Deadline, next, &mut Vec::new());
    }
    domain.instance(ID).expect("it was added").phase()
}

#[test]
fn a_backup_goes_on_with_its_master_and_its_patience() {
    let mut before = added(at(0));
    before.handle(Input::Start, at(0), &mut Vec::new());
    hear(&mut before, at(1));
    let past = before.past(ID).expect("it was added");
    assert_eq!(past.tolerates_until, Some(at(61)));
    assert_eq!(past.counters.advert_rcvd, 1);

    let mut after = added(at(2));
    after.recall_past(ID, &past);
    after.handle(Input::Start, at(2), &mut Vec::new());
    after.date_back(ID, at(0), Some("started"), past.clone());
    assert_eq!(after.past(ID), Some(past));
    assert_eq!(after.instance(ID).expect("it was added").since(), at(0));

    // With its own interval, it would have given up after four seconds.
    assert_eq!(phase_at(&mut after, at(6)), Phase::Backup);
    for second in [6, 11, 16, 21, 26, 31, 36, 41, 46, 51, 56, 61, 66, 71] {
        hear(&mut after, at(second));
    }
    assert_eq!(phase_at(&mut after, at(75)), Phase::Master);
}
