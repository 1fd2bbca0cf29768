//! What both an instance and its group track.

use crate::model::track::{Object, Tracked};
use crate::model::vrrp::{tests::instance, Instance, TrackedLink};
use crate::vrrp::instance::{tracked, trackers};

fn link(interface: &str, weight: i16) -> TrackedLink {
    TrackedLink { interface: interface.into(), weight, reverse: false }
}

#[test]
fn an_interface_counts_as_the_group_says_unless_the_instance_tracks_it_without_weight() {
    let tracked_links = vec![link("eth1", -2), link("eth2", 0)];
    let config = Instance { tracked_links: tracked_links.into(), ..instance("A", 51) };
    let of_group = [link("eth0", -20), link("eth1", -20), link("eth2", -20), link("eth3", -20)];
    let list = trackers(&config, &of_group);
    let weight = |name| list.iter().filter(|t| t.interface == name).map(|t| t.weight).collect();
    let weights: Vec<Vec<i16>> = ["eth0", "eth1", "eth2", "eth3"].map(weight).to_vec();
    assert_eq!(weights, [[0], [-20], [0], [-20]], "the own interface has no weight either");
}

#[test]
fn an_object_counts_as_the_group_says() {
    let entry = |weight| Tracked { object: Object::Script("s".into()), weight, reverse: false };
    let config = Instance { tracked: vec![entry(30)].into(), ..instance("A", 51) };
    assert_eq!(*tracked(&config, &[entry(11)]), [entry(11)]);
    assert_eq!(*tracked(&config, &[]), [entry(30)]);
}
