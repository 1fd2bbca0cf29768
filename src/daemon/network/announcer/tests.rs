use super::*;

const MS: fn(u64) -> Duration = Duration::from_millis;

fn one(owner: u32, link: &str, last: u8) -> Announcement {
    let addr = IpAddr::from([10, 0, 0, last]);
    Announcement { owner: InstanceId(owner), link: link.into(), addr }
}

fn group(garp: Option<u64>, interfaces: &[&str]) -> GarpGroup {
    let interfaces = interfaces.iter().map(|&name| name.to_owned()).collect();
    GarpGroup { garp: garp.map(MS), gna: None, interfaces }
}

fn announcer(garp: u64, groups: &[GarpGroup]) -> Announcer {
    let mut a = Announcer::default();
    a.configure(Intervals { garp: MS(garp), gna: MS(0), groups: groups.to_vec() });
    a
}

fn take(a: &mut Announcer, millis: u64, most: usize) -> Vec<Announcement> {
    let mut out = Vec::new();
    a.take_due(Instant::from_millis(millis), most, &mut out);
    out
}

#[test]
fn without_an_interval_any_number_is_sent_in_order() {
    let mut a = Announcer::default();
    (1..=5).for_each(|n| a.push(one(0, "eth0", n), 1));
    assert_eq!(take(&mut a, 0, 3), [one(0, "eth0", 1), one(0, "eth0", 2), one(0, "eth0", 3)]);
    assert_eq!(a.next_deadline(), Some(Instant::ZERO));
    assert_eq!(take(&mut a, 0, 3).len(), 2);
    assert_eq!(a.next_deadline(), None);
}

#[test]
fn repetitions_take_turns() {
    let mut a = Announcer::default();
    a.push(one(0, "eth0", 1), 2);
    a.push(one(1, "eth0", 2), 3);
    let order: Vec<u32> = take(&mut a, 0, 9).into_iter().map(|a| a.owner.0).collect();
    assert_eq!(order, [0, 1, 0, 1, 1]);
}

#[test]
fn a_round_is_not_added_to_what_is_left_of_another() {
    let mut a = Announcer::default();
    a.push(one(0, "eth0", 1), 5);
    assert_eq!(take(&mut a, 0, 2).len(), 2);
    a.push(one(0, "eth0", 1), 4);
    a.push(one(0, "eth0", 1), 1);
    assert_eq!(take(&mut a, 0, 99).len(), 4);
}

#[test]
fn the_interval_applies_to_each_link_separately() {
    let mut a = announcer(10, &[]);
    for n in 1..=2 {
        a.push(one(0, "eth0", n), 1);
        a.push(one(0, "eth1", n), 1);
    }
    assert_eq!(take(&mut a, 0, 9), [one(0, "eth0", 1), one(0, "eth1", 1)]);
    assert_eq!(take(&mut a, 9, 9), []);
    assert_eq!(a.next_deadline(), Some(Instant::from_millis(10)));
    assert_eq!(take(&mut a, 10, 9), [one(0, "eth0", 2), one(0, "eth1", 2)]);
}

#[test]
fn the_links_of_a_group_share_an_interval() {
    let mut a = announcer(10, &[group(Some(30), &["eth0", "eth1"]), group(None, &["eth3"])]);
    for link in ["eth0", "eth1", "eth2", "eth3"] {
        a.push(one(0, link, 1), 2);
    }
    let links = |list: Vec<Announcement>| list.into_iter().map(|a| a.link).collect::<Vec<_>>();
    assert_eq!(links(take(&mut a, 0, 9)), ["eth2", "eth3", "eth0"]);
    assert_eq!(links(take(&mut a, 10, 9)), ["eth2", "eth3"]);
    assert_eq!(links(take(&mut a, 30, 9)), ["eth1"]);
    assert_eq!(links(take(&mut a, 60, 9)), ["eth0"]);
    // After a stall there is one frame, and the pace goes on from there.
    assert_eq!(links(take(&mut a, 9000, 9)), ["eth1"]);
    assert_eq!(a.next_deadline(), None);
}

#[test]
fn what_waits_is_sent_at_the_new_pace() {
    let mut a = announcer(1000, &[]);
    a.push(one(0, "eth0", 1), 3);
    assert_eq!(take(&mut a, 0, 9).len(), 1);
    a.configure(Intervals { garp: MS(20), ..Intervals::default() });
    assert_eq!(take(&mut a, 10, 9).len(), 1);
    assert_eq!(a.next_deadline(), Some(Instant::from_millis(30)));
    assert_eq!(take(&mut a, 30, 9).len(), 1);
}

#[test]
fn a_former_master_announces_nothing() {
    let mut a = Announcer::default();
    a.push(one(0, "eth0", 1), 2);
    a.push(one(1, "eth0", 2), 1);
    a.withdraw(InstanceId(0));
    assert_eq!(take(&mut a, 0, 9), [one(1, "eth0", 2)]);
}
