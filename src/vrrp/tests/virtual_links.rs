//! Instances with a virtual interface depend on it and on the one below it.

use std::rc::Rc;

use crate::base::addr::Family;
use crate::base::ids::InstanceId;
use crate::base::time::{Duration, Instant};
use crate::model::vlink::{virtual_mac, VirtualLink, VirtualLinkKind};
use crate::model::vrrp::{tests::instance, Instance};
use crate::vrrp::{Domain, Input, LinkState, Phase};

const ID: InstanceId = InstanceId(0);

fn with_vmac() -> Instance {
    let kind = VirtualLinkKind::Macvlan { mac: virtual_mac(Family::V4, 51) };
    let (name, base) = ("vrrp.51".to_owned(), "eth0".to_owned());
    let link = VirtualLink { name, base, kind, group: None, notify_base: false };
    Instance { vlink: Some(Rc::new(link)), ..instance("VI_1", 51) }
}

/// The phase and the faults once the instance has begun and these interfaces were reported.
fn after(config: Instance, links: &[(&str, LinkState)]) -> (Phase, Vec<String>) {
    let mut domain = Domain::new(Duration::ZERO);
    let source = Some([10, 0, 0, 1].into());
    let mut handle = |input: Input<'_>| domain.handle(input, Instant::ZERO, &mut Vec::new());
    for name in ["eth0", "vrrp.51"] {
        handle(Input::Link { name, state: LinkState::Up });
    }
    handle(Input::Add { id: ID, config: Rc::new(config) });
    handle(Input::Source { id: ID, source });
    handle(Input::Start);
    for &(name, state) in links {
        handle(Input::Link { name, state });
    }
    let instance = domain.instance(ID).expect("it was added");
    (instance.phase(), instance.faults().map(ToString::to_string).collect())
}

#[test]
fn both_interfaces_are_needed() {
    assert_eq!(after(with_vmac(), &[]), (Phase::Backup, vec![]));
    for (name, state, fault) in [
        ("eth0", LinkState::Down, "interface eth0 down"),
        ("vrrp.51", LinkState::Down, "interface vrrp.51 down"),
        ("vrrp.51", LinkState::Missing, "interface vrrp.51 does not exist"),
    ] {
        let wanted = (Phase::Fault, vec![fault.to_owned()]);
        assert_eq!(after(with_vmac(), &[(name, state)]), wanted);
        let again = after(with_vmac(), &[(name, state), (name, LinkState::Up)]);
        assert_eq!(again, (Phase::Backup, vec![]));
    }
}

/// An interface that is down takes the virtual ones on it down with it.
#[test]
fn an_untracked_interface_takes_its_vmac_with_it() {
    let config = || Instance { dont_track_primary: true, ..with_vmac() };
    let down = [("eth0", LinkState::Down), ("vrrp.51", LinkState::Down)];
    assert_eq!(after(config(), &down), (Phase::Backup, vec![]));
    let gone = [("vrrp.51", LinkState::Missing)];
    assert_eq!(after(config(), &gone).0, Phase::Fault);
}
