use std::net::IpAddr;

use super::repair::FREE_REPAIRS;
use super::*;
use crate::base::addr::Prefix;
use crate::base::link::{Link, LinkState};
use crate::model::vrrp::{Broadcast, Scope, VirtualAddress};

mod everything;
mod late;
mod links;
mod random;
mod routes;
mod shields;
mod sysctl;
mod vlinks;

const A: Holder = Holder::Instance(InstanceId(0));
const B: Holder = Holder::Instance(InstanceId(1));
const EPERM: i32 = 1;
const ENODEV: i32 = 19;
const EEXIST: i32 = 17;
const EADDRNOTAVAIL: i32 = 99;

fn parsed(text: &str) -> Prefix {
    let (addr, len) = text.split_once('/').unwrap();
    Prefix { addr: addr.parse().unwrap(), len: len.parse().unwrap() }
}

fn address(text: &str) -> VirtualAddress {
    VirtualAddress::plain(parsed(text), "eth0".into())
}

fn nth(n: u8) -> VirtualAddress {
    address(&format!("10.0.0.{n}/24"))
}

/// A simulated kernel that carries out requests and notifies of external changes.
struct Bench {
    domain: Domain,
    now: Instant,
    links: SortedMap<String, u32>,
    kernel: SortedMap<Place, HostAddress>,
    fib: routes::KernelFib,
    /// The value of one setting on each interface.
    settings: SortedMap<u32, String>,
    /// Answer to every request to add an object.
    refusal: i32,
    /// The kernel refuses to remove or change addresses.
    kept: bool,
    /// Objects to remove if the daemon crashes.
    rescued: SortedSet<Place>,
    /// Requests, as `+10.0.0.1/24`, `~...`, `-...`, with the index of the interface.
    asked: Vec<String>,
    changes: Vec<HostChange>,
}

fn gone(index: u32, address: &HostAddress) -> Input<'static> {
    Input::Kernel(KernelEvent::AddressGone { index, address: address.clone() })
}

fn link_gone(index: u32) -> Input<'static> {
    Input::Kernel(KernelEvent::LinkGone { index })
}

fn link(index: u32, name: &str) -> Input<'static> {
    Input::Kernel(KernelEvent::Link(Link::plain(index, name)))
}

impl Bench {
    fn new() -> Self {
        let mut bench = Self {
            domain: Domain::default(),
            now: Instant::from_millis(1000),
            links: [("eth0".to_owned(), 1), ("eth1".to_owned(), 2)].into(),
            kernel: SortedMap::new(),
            fib: routes::KernelFib::default(),
            settings: [(1, "0".to_owned()), (2, "1".to_owned())].into(),
            refusal: 0,
            kept: false,
            rescued: SortedSet::new(),
            asked: Vec::new(),
            changes: Vec::new(),
        };
        bench.dump();
        bench
    }

    /// Returns the actions other than requests, which the kernel carries out at once.
    fn on(&mut self, input: Input<'_>) -> Vec<Action> {
        let (mut out, mut said) = (Vec::new(), Vec::new());
        self.domain.handle(input, self.now, &mut out);
        while !out.is_empty() {
            for action in std::mem::take(&mut out) {
                match action {
                    Action::Ask(request) => {
                        let request_id = request.id;
                        let answer = self.carry_out(&request);
                        let errno = answer.errno;
                        let answer = Input::Answer { request: request_id, answer };
                        self.domain.handle(answer, self.now, &mut out);
                        if let (Op::Remove(Item::Address(address)), 0) = (&request.op, errno) {
                            // The kernel notifies every listener.
                            let echo = gone(request.index, address);
                            self.domain.handle(echo, self.now, &mut out);
                        }
                    }
                    Action::Added { index, address } => {
                        self.rescued.insert((index, Spot::of_host(&address)));
                    }
                    Action::Removed { index, address } => {
                        self.rescued.remove(&(index, Spot::of_host(&address)));
                    }
                    Action::Changed(change) => self.changes.push(change),
                    other => said.push(other),
                }
            }
        }
        said
    }

    fn carry_out(&mut self, request: &Request) -> Answer {
        let index = request.index;
        let (sign, address) = match &request.op {
            Op::Add(Item::Sysctl(_, value)) => return self.set(index, value.clone()),
            Op::Remove(Item::Sysctl(_, before)) => return self.set(index, before.clone()),
            Op::Replace(Item::Sysctl(..)) => unreachable!("settings are never replaced"),
            Op::Add(Item::Address(address)) => {
                self.rescued.insert((index, Spot::of_host(address)));
                ('+', address.clone())
            }
            Op::Replace(Item::Address(address)) => ('~', address.clone()),
            Op::Remove(Item::Address(address)) => ('-', address.clone()),
            op @ (Op::Add(Item::Firewall(_)) | Op::Remove(Item::Firewall(_))) => {
                return self.carry_out_in_filter(op).into();
            }
            op => return self.carry_out_in_fib(op).into(),
        };
        self.asked.push(format!("{sign}{} {index}", address.prefix));
        self.answer(index, sign, address).into()
    }

    fn set(&mut self, index: u32, value: String) -> Answer {
        self.asked.push(format!("={value} {index}"));
        let Some(setting) = self.settings.get_mut(&index) else { return ENODEV.into() };
        if *setting == value {
            return EEXIST.into();
        }
        Answer { before: Some(std::mem::replace(setting, value)), ..Answer::from(0) }
    }

    fn answer(&mut self, index: u32, sign: char, address: HostAddress) -> i32 {
        let place = (index, Spot::of_host(&address));
        let known = self.kernel.get(&place).map(|known| known.prefix);
        if !self.links.values().any(|i| *i == index) {
            return ENODEV;
        }
        match (sign, known) {
            ('+', _) if self.refusal != 0 => self.refusal,
            ('-' | '~', Some(_)) if self.kept => EPERM,
            ('+', Some(_)) => EEXIST,
            ('~', None) => 2,
            ('-', known) if known != Some(address.prefix) => EADDRNOTAVAIL,
            ('-', _) => {
                self.kernel.remove(&place);
                0
            }
            _ => {
                self.kernel.insert(place, address);
                0
            }
        }
    }

    fn dump(&mut self) -> Vec<Action> {
        let links = self.links.iter().map(|(name, i)| KernelEvent::Link(Link::plain(*i, name)));
        let address = |((index, _), a): (&Place, &HostAddress)| KernelEvent::Address {
            index: *index,
            address: a.clone(),
        };
        let dump = links.chain(self.kernel.iter().map(address)).collect();
        self.on(Input::Dumped(Links::dumped(dump)))
    }

    fn want(&mut self, owner: Holder, list: &[VirtualAddress]) -> Vec<Action> {
        let objects: Vec<_> = list.iter().map(KernelObject::from).collect();
        self.on(Input::Want { owner, objects: &objects })
    }

    fn expect(&mut self, owner: Holder, list: &[VirtualAddress]) -> Vec<Action> {
        let objects: Vec<_> = list.iter().map(KernelObject::from).collect();
        self.on(Input::Expect { owner, objects: &objects })
    }

    /// Adds an address externally.
    fn add(&mut self, address: &VirtualAddress) {
        let mut shown = as_shown(address);
        shown.protocol = None;
        self.put(shown, self.links[address.interface.as_str()]);
    }

    /// Adds an address as left by an earlier run.
    fn leave(&mut self, address: &VirtualAddress) {
        self.put(as_shown(address), self.links[address.interface.as_str()]);
    }

    fn put(&mut self, address: HostAddress, index: u32) {
        self.kernel.insert((index, Spot::of_host(&address)), address.clone());
        self.on(Input::Kernel(KernelEvent::Address { index, address }));
    }

    /// Removes an address externally.
    fn remove(&mut self, address: &VirtualAddress) -> Vec<Action> {
        let index = self.links[address.interface.as_str()];
        let shown = self.kernel.remove(&(index, Spot::of(address))).expect("it is there");
        self.on(gone(index, &shown))
    }

    fn wait(&mut self, time: Duration) -> Vec<Action> {
        self.now += time;
        self.on(Input::Deadline)
    }

    fn asked(&mut self) -> Vec<String> {
        std::mem::take(&mut self.asked)
    }

    /// Contents of the kernel, in order.
    fn has(&self) -> Vec<String> {
        let text = |((index, _), a): (&Place, &HostAddress)| format!("{} {index}", a.prefix);
        self.kernel.iter().map(text).collect()
    }

    fn rename(&mut self, from: &str, to: &str) -> Vec<Action> {
        let index = self.links.remove(from).expect("it is there");
        self.links.insert(to.to_owned(), index);
        self.on(link(index, to))
    }
}

fn found(owner: Holder, fate: Fate, prefix: &str) -> Action {
    Action::Found {
        owner,
        fate,
        link: "eth0".into(),
        what: Name::Address(parsed(prefix)),
        count: 1,
    }
}

fn missing(owner: Holder, prefix: &str, restore: Restore) -> Action {
    Action::Missing { owner, link: "eth0".into(), what: Name::Address(parsed(prefix)), restore }
}

#[test]
fn held_is_reported_once_everything_is_present() {
    let mut b = Bench::new();
    assert_eq!(b.want(A, &[nth(1), nth(2)]), [Action::Held(A)]);
    assert_eq!(b.asked(), ["+10.0.0.1/24 1", "+10.0.0.2/24 1"]);
    assert_eq!(b.on(Input::Release { owner: A }), []);
    assert_eq!(b.asked(), ["-10.0.0.2/24 1", "-10.0.0.1/24 1"], "the last one first");
    assert!(!b.domain.is_settling());
    assert!(b.has().is_empty());
}

#[test]
fn wanting_the_same_again_asks_for_nothing() {
    let mut b = Bench::new();
    b.want(A, &[nth(1)]);
    b.asked();
    assert_eq!(b.want(A, &[nth(1)]), []);
    assert!(b.asked().is_empty());
}

#[test]
fn a_changed_set_touches_only_the_difference() {
    let mut b = Bench::new();
    b.want(A, &[nth(1), nth(2)]);
    b.asked();
    assert_eq!(b.want(A, &[nth(2)]), [], "no `Held` for an owner that only wants less");
    assert_eq!(b.asked(), ["-10.0.0.1/24 1"]);
    assert_eq!(b.want(A, &[nth(3), nth(4)]), [Action::Held(A)]);
    assert_eq!(b.asked(), ["+10.0.0.3/24 1", "+10.0.0.4/24 1", "-10.0.0.2/24 1"]);
}

#[test]
fn leftovers_of_an_earlier_run_are_adopted_and_removed_at_the_end() {
    let mut b = Bench::new();
    b.leave(&nth(1));
    let adopted = found(A, Fate::Adopted, "10.0.0.1/24");
    assert_eq!(b.want(A, &[nth(1)]), [adopted, Action::Held(A)]);
    assert!(b.asked().is_empty());
    b.on(Input::Release { owner: A });
    assert!(b.has().is_empty());
}

#[test]
fn external_addresses_are_used_and_never_removed() {
    let mut b = Bench::new();
    b.add(&nth(1));
    let foreign = found(A, Fate::Foreign, "10.0.0.1/24");
    assert_eq!(b.expect(A, &[nth(1)]), []);
    assert_eq!(b.on(Input::Rival { owner: A }), []);
    assert_eq!(b.want(A, &[nth(1)]), [foreign, Action::Held(A)]);
    let mut labelled = nth(1);
    labelled.label = Some("eth0:v".into());
    assert_eq!(b.want(A, &[labelled]), []);
    b.on(Input::Release { owner: A });
    assert!(b.asked().is_empty());
    assert_eq!(b.has(), ["10.0.0.1/24 1"]);
}

#[test]
fn an_external_address_is_ours_once_restored() {
    let mut b = Bench::new();
    b.add(&nth(1));
    b.want(A, &[nth(1)]);
    let said = b.remove(&nth(1));
    assert_eq!(said, [missing(A, "10.0.0.1/24", Restore::Now), Action::Held(A)]);
    b.on(Input::Release { owner: A });
    assert!(b.has().is_empty());
}

#[test]
fn an_address_shared_by_two_owners_stays_until_both_let_go() {
    let mut b = Bench::new();
    b.want(A, &[nth(1)]);
    assert_eq!(b.want(B, &[nth(1)]), [Action::Held(B)]);
    b.on(Input::Release { owner: A });
    assert_eq!(b.has(), ["10.0.0.1/24 1"]);
    b.on(Input::Release { owner: B });
    assert!(b.has().is_empty());
}

#[test]
fn an_address_that_changes_its_owner_while_paused_is_not_touched() {
    let mut b = Bench::new();
    b.want(A, &[nth(1), nth(2)]);
    b.want(B, &[nth(3)]);
    b.asked();
    b.on(Input::Pause);
    b.on(Input::Release { owner: A });
    assert_eq!(b.want(B, &[nth(1)]), [Action::Held(B)]);
    assert!(b.asked().is_empty());
    b.on(Input::Resume);
    assert_eq!(b.asked(), ["-10.0.0.2/24 1", "-10.0.0.3/24 1"]);
    assert_eq!(b.has(), ["10.0.0.1/24 1"]);
}

#[test]
fn an_address_removed_externally_is_restored() {
    let mut b = Bench::new();
    b.want(A, &[nth(1)]);
    for _ in 0..FREE_REPAIRS {
        let said = b.remove(&nth(1));
        assert_eq!(said, [missing(A, "10.0.0.1/24", Restore::Now), Action::Held(A)]);
    }
    let delay = Duration::from_millis(200);
    let said = b.remove(&nth(1));
    assert_eq!(said, [missing(A, "10.0.0.1/24", Restore::After(delay))]);
    assert_eq!(b.domain.next_deadline(), Some(b.now + delay));
    b.now += delay;
    assert_eq!(b.on(Input::Deadline), [Action::Held(A)]);
    assert_eq!(b.domain.next_deadline(), None);
}

#[test]
fn without_tracking_an_address_removed_externally_is_not_restored() {
    let mut b = Bench::new();
    let mut address = nth(1);
    address.no_track = true;
    b.want(A, &[address.clone(), nth(2)]);
    b.asked();
    assert_eq!(b.remove(&address), [missing(A, "10.0.0.1/24", Restore::Never)]);
    assert_eq!(b.want(A, &[address.clone(), nth(2)]), []);
    assert!(b.asked().is_empty());
    b.on(Input::Release { owner: A });
    b.want(A, &[address]);
    assert_eq!(b.has(), ["10.0.0.1/24 1"], "it is added with the next request");
}

#[test]
fn an_interface_that_returns_gets_its_addresses_back() {
    let mut b = Bench::new();
    b.want(A, &[nth(1)]);
    b.kernel.clear();
    b.links.remove("eth0");
    assert_eq!(b.on(link_gone(1)), []);
    b.links.insert("eth0".into(), 7);
    assert_eq!(b.on(link(7, "eth0")), [Action::Held(A)]);
    assert_eq!(b.has(), ["10.0.0.1/24 7"]);
}

#[test]
fn a_renamed_interface_keeps_nothing_of_ours() {
    let mut b = Bench::new();
    b.want(A, &[nth(1)]);
    assert_eq!(b.rename("eth0", "wan"), []);
    assert!(b.has().is_empty());
    assert_eq!(b.rename("wan", "eth0"), [Action::Held(A)]);
    assert_eq!(b.has(), ["10.0.0.1/24 1"]);
}

#[test]
fn interfaces_that_swap_names_swap_their_addresses() {
    let on_eth1 = || VirtualAddress { interface: "eth1".into(), ..nth(2) };
    for heard in [true, false] {
        let mut b = Bench::new();
        b.want(A, &[nth(1), on_eth1()]);
        assert_eq!(b.has(), ["10.0.0.1/24 1", "10.0.0.2/24 2"]);
        if heard {
            b.rename("eth0", "tmp");
            b.rename("eth1", "eth0");
            b.rename("tmp", "eth1");
        } else {
            b.links = [("eth0".to_owned(), 2), ("eth1".to_owned(), 1)].into();
            b.dump();
        }
        assert_eq!(b.has(), ["10.0.0.2/24 1", "10.0.0.1/24 2"], "heard: {heard}");
    }
}

#[test]
fn a_refusal_is_reported_and_retried() {
    let mut b = Bench::new();
    b.want(A, &[nth(1)]);
    b.refusal = EPERM;
    let said = b.want(A, &[nth(1), nth(2)]);
    assert!(matches!(said[..], [Action::Refused { errno: EPERM, .. }]), "{said:?}");
    b.refusal = 0;
    b.now = b.domain.next_deadline().expect("it is retried");
    assert_eq!(b.on(Input::Deadline), [Action::Held(A)]);
}

#[test]
fn an_owner_whose_addresses_are_all_refused_is_hopeless() {
    let mut b = Bench::new();
    b.refusal = EPERM;
    let said = b.want(A, &[nth(1), nth(2)]);
    let hopeless = |a: &&Action| matches!(a, Action::Hopeless { owner: A, errno: EPERM, .. });
    assert_eq!(said.iter().filter(hopeless).count(), 1, "{said:?}");
    b.on(Input::Release { owner: A });
    let next = |b: &mut Bench| {
        b.now = b.domain.next_deadline().expect("it is retried");
        b.on(Input::Deadline)
    };
    assert_eq!(next(&mut b), []);
    assert_eq!(next(&mut b), []);
    b.refusal = 0;
    assert_eq!(next(&mut b), [Action::Hopeful { owner: A }]);
    assert_eq!(b.domain.next_deadline(), None);
    assert!(b.has().is_empty(), "only a probe");
}

#[test]
fn leftovers_stay_until_another_router_is_heard() {
    let mut b = Bench::new();
    b.leave(&nth(1));
    b.leave(&nth(3));
    assert_eq!(b.expect(A, &[nth(1), nth(2)]), [found(A, Fate::Kept, "10.0.0.1/24")]);
    assert!(b.asked().is_empty());
    assert_eq!(b.on(Input::Rival { owner: A }), [found(A, Fate::Removed, "10.0.0.1/24")]);
    assert_eq!(b.asked(), ["-10.0.0.1/24 1"]);
    assert_eq!(b.on(Input::Rival { owner: A }), []);
    assert_eq!(b.has(), ["10.0.0.3/24 1"], "not in the configuration");
}

#[test]
fn leftovers_in_another_place_are_replaced() {
    let mut b = Bench::new();
    let mut elsewhere = nth(1);
    elsewhere.interface = "eth1".into();
    b.leave(&elsewhere);
    b.leave(&address("10.0.0.1/32"));
    let mut peer = address("10.0.0.1/32");
    peer.peer = Some(IpAddr::from([10, 0, 0, 201]));
    b.leave(&peer);
    b.want(A, &[nth(1)]);
    assert_eq!(b.has(), ["10.0.0.1/24 1"]);
}

#[test]
fn without_origins_addresses_are_adopted_only_at_the_start() {
    let mut b = Bench::new();
    b.domain.inherit();
    b.add(&nth(1));
    b.domain.resolve_origins();
    b.add(&nth(2));
    b.expect(A, &[nth(1), nth(2)]);
    b.on(Input::Rival { owner: A });
    assert_eq!(b.has(), ["10.0.0.2/24 1"]);
}

#[test]
fn a_dump_replaces_the_state_after_lost_messages() {
    let mut b = Bench::new();
    b.want(A, &[nth(1), nth(2)]);
    b.kernel.remove(&(1, Spot::of(&nth(1))));
    let said = b.dump();
    assert_eq!(said, [missing(A, "10.0.0.1/24", Restore::Now), Action::Held(A)]);
    assert_eq!(b.has(), ["10.0.0.1/24 1", "10.0.0.2/24 1"]);
    b.on(Input::Release { owner: A });
    assert!(b.has().is_empty());
}

#[test]
fn the_echo_of_our_own_removal_is_not_another_removal() {
    let mut b = Bench::new();
    let (mut out, one) = (Vec::new(), nth(1));
    let shown = as_shown(&one);
    b.want(A, &[nth(1)]);
    b.domain.handle(Input::Release { owner: A }, b.now, &mut out);
    b.domain.handle(Input::Want { owner: A, objects: &[(&one).into()] }, b.now, &mut out);
    let ids: Vec<_> = out
        .drain(..)
        .filter_map(|a| if let Action::Ask(request) = a { Some(request.id) } else { None })
        .collect();
    assert_eq!(ids.len(), 2, "removed and added, in this order");
    for request in ids {
        b.domain.handle(Input::Answer { request, answer: 0.into() }, b.now, &mut out);
    }
    assert_eq!(b.on(gone(1, &shown)), [], "the echo");
    b.kernel.clear();
    let said = b.on(gone(1, &shown));
    assert_eq!(said.first(), Some(&missing(A, "10.0.0.1/24", Restore::Now)), "this one is real");
}

#[test]
fn a_refused_removal_is_retried() {
    let mut b = Bench::new();
    b.want(A, &[nth(1)]);
    let mut out = Vec::new();
    b.domain.handle(Input::Release { owner: A }, b.now, &mut out);
    let [Action::Ask(request)] = &out[..] else { panic!("{out:?}") };
    let said = b.on(Input::Answer { request: request.id, answer: 105.into() });
    assert!(matches!(said[..], [Action::Refused { adds: false, errno: 105, .. }]), "{said:?}");
    b.now = b.domain.next_deadline().expect("it is retried");
    b.on(Input::Deadline);
    assert!(b.has().is_empty());
}

/// A changed option needs nothing, a change in place, or a removal first.
#[test]
fn options_that_change_are_applied() {
    const FIRST: &str = "10.0.0.1/24";
    const SIXTH: &str = "fd00::1/64";
    type Case<'a> = (&'a str, &'a dyn Fn(&mut VirtualAddress), &'a [&'a str]);
    let cases: [Case<'_>; 14] = [
        (FIRST, &|a| a.label = Some("eth0:v".into()), &["-10.0.0.1/24 1", "+10.0.0.1/24 1"]),
        (FIRST, &|a| a.scope = Scope::LINK, &["-10.0.0.1/24 1", "+10.0.0.1/24 1"]),
        (FIRST, &|a| a.noprefixroute = true, &["-10.0.0.1/24 1", "+10.0.0.1/24 1"]),
        (
            FIRST,
            &|a| a.broadcast = Broadcast::Address([10, 0, 0, 255].into()),
            &["-10.0.0.1/24 1", "+10.0.0.1/24 1"],
        ),
        (FIRST, &|a| a.preferred_lft = Some(0), &["~10.0.0.1/24 1"]),
        (FIRST, &|a| a.no_track = true, &[]),
        (FIRST, &|a| a.prefix.len = 32, &["+10.0.0.1/32 1", "-10.0.0.1/24 1"]),
        (
            "10.0.0.1/32",
            &|a| a.peer = Some([10, 0, 0, 201].into()),
            &["+10.0.0.1/32 1", "-10.0.0.1/32 1"],
        ),
        (SIXTH, &|a| a.prefix.len = 128, &["-fd00::1/64 1", "+fd00::1/128 1"]),
        (SIXTH, &|a| a.noprefixroute = true, &["~fd00::1/64 1"]),
        (SIXTH, &|a| a.home = true, &["~fd00::1/64 1"]),
        (SIXTH, &|a| a.preferred_lft = Some(30), &["~fd00::1/64 1"]),
        (SIXTH, &|a| a.autojoin = true, &["-fd00::1/64 1", "+fd00::1/64 1"]),
        (
            "fd00::1/128",
            &|a| a.peer = Some("fd00::2".parse().unwrap()),
            &["-fd00::1/128 1", "+fd00::1/128 1"],
        ),
    ];
    for (text, change, asked) in cases {
        let (old, mut new) = (address(text), address(text));
        change(&mut new);
        let (was, is) = (std::slice::from_ref(&old), std::slice::from_ref(&new));
        let mut b = Bench::new();
        b.want(A, was);
        b.asked();
        b.want(A, is);
        assert_eq!(b.asked(), asked, "{new:?}");
        b.want(A, is);
        assert!(b.asked().is_empty(), "{new:?}");
        let shown: Vec<_> = b.kernel.values().cloned().collect();
        assert_eq!(shown, [as_shown(&new)]);
        b.on(Input::Release { owner: A });
        assert!(b.has().is_empty(), "{new:?}");
        // The same after a crash.
        let mut b = Bench::new();
        b.leave(&old);
        b.expect(A, is);
        b.want(A, is);
        let shown: Vec<_> = b.kernel.values().cloned().collect();
        assert_eq!(shown, [as_shown(&new)]);
        b.on(Input::Release { owner: A });
        assert!(b.has().is_empty(), "{new:?}");
    }
}

#[test]
fn an_address_that_the_kernel_keeps_is_removed_after_a_crash() {
    let mut b = Bench::new();
    b.want(A, &[nth(1)]);
    b.kept = true;
    b.refusal = EPERM;
    b.want(A, &[VirtualAddress { scope: Scope::LINK, ..nth(1) }]);
    assert_eq!(b.asked(), ["+10.0.0.1/24 1", "-10.0.0.1/24 1", "+10.0.0.1/24 1"]);
    assert_eq!(b.rescued.len(), 1);
}

#[test]
fn an_address_that_could_not_be_changed_is_changed_later() {
    let other_options = [
        VirtualAddress { preferred_lft: Some(0), ..nth(1) },
        VirtualAddress { scope: Scope::LINK, ..nth(1) },
    ];
    for (other, asked) in other_options.into_iter().zip([vec!["~"], vec!["-", "+"]]) {
        let asked: Vec<_> = asked.iter().map(|sign| format!("{sign}10.0.0.1/24 1")).collect();
        let mut b = Bench::new();
        b.want(A, &[nth(1)]);
        b.asked();
        b.kept = true;
        b.want(A, std::slice::from_ref(&other));
        assert_eq!(b.asked(), asked);
        b.kept = false;
        b.wait(Duration::from_secs(1));
        assert_eq!(b.asked(), asked, "again");
        b.wait(Duration::from_secs(10));
        assert_eq!(b.asked(), [""; 0], "it has the wanted form");
    }
}

#[test]
fn an_ipv6_address_reported_after_its_removal_is_gone() {
    let mut b = Bench::new();
    let v6 = address("fd00::1/64");
    b.want(A, std::slice::from_ref(&v6));
    let reported = KernelEvent::Address { index: 1, address: as_shown(&v6) };
    let (mut out, mut asked) = (Vec::new(), None);
    b.domain.handle(Input::Release { owner: A }, b.now, &mut out);
    for action in out.drain(..) {
        if let Action::Ask(request) = action {
            asked = Some(request.id);
        }
    }
    let removed = Input::Answer { request: asked.expect("it is removed"), answer: 0.into() };
    b.domain.handle(removed, b.now, &mut out);
    b.domain.handle(Input::Kernel(reported), b.now, &mut out);
    b.domain.handle(gone(1, &as_shown(&v6)), b.now, &mut out);
    assert!(!b.domain.links().holds(&v6.prefix.addr));
}
