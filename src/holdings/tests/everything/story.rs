//! Random events: owners, the kernel and other programs in any order.

use std::rc::Rc;

use super::super::routes::{route, rule};
use super::super::*;
use super::driver::{is_same_object, is_shielded, Driver};
use super::kernel::{is_made, Kernel, FOREIGN, STOLEN};
use crate::base::addr::{Family, Mac, PROTOCOL_KEEPALIVED};
use crate::base::rng::Rng;
use crate::base::route::Route;
use crate::base::shield::Shield;
use crate::model::vlink::{VirtualLink, VirtualLinkKind};

const HOST: Holder = Holder::Host;
const OWNERS: [Holder; 3] = [HOST, A, B];
const BASES: [&str; 2] = ["eth0", "eth1"];
const MADE: [&str; 2] = ["v1", "v2"];

/// Few objects, so that they collide.
const ADDRESSES: [&str; 6] =
    ["10.0.0.1/24", "10.0.0.1/32", "10.0.0.2/24", "10.7.0.1/24", "fd00::1/64", "fd00::2/128"];
const ROUTES: [&str; 8] = [
    "10.1.0.0/16 dev eth0",
    "10.1.0.0/16 via 10.0.0.254 dev eth1",
    "10.2.0.0/16 dev v1",
    "10.2.0.0/16 dev v1 mtu 1400",
    "10.3.0.0/16 dev eth0 src 10.7.0.1",
    "10.4.0.0/16 via 10.0.0.254",
    "fd01::/64 dev eth0",
    "fd01::/64 dev v1 metric 5",
];

/// What the kernel may refuse for ever.
const NEVER: [fn(&Item) -> bool; 6] = [
    |item| matches!(item, Item::Address(a) if a.prefix == parsed("10.0.0.2/24")),
    |item| matches!(item, Item::Address(a) if a.prefix.addr.is_ipv6()),
    |item| matches!(item, Item::Route(r, _) if r.destination == parsed("10.1.0.0/16")),
    |item| matches!(item, Item::Rule(_)),
    |item| matches!(item, Item::Firewall(shield) if matches!(**shield, Shield::Address(_))),
    |item| matches!(item, Item::Link(link, _) if link.name == "v2"),
];

pub(super) struct Story {
    pub(super) d: Driver,
    pub(super) wanted: SortedMap<Holder, Vec<KernelObject>>,
    /// What owners expect after a crash, until they want or release it.
    left: SortedMap<Holder, Vec<KernelObject>>,
    /// What owners wanted since everything was last quiet.
    once: SortedMap<Holder, Vec<KernelObject>>,
    /// Owners without any address, who wait for hope.
    pub(super) faulty: SortedMap<Holder, Vec<KernelObject>>,
    rng: Rng,
}

fn some<T: Clone>(rng: &mut Rng, all: &[T], most: u64) -> Vec<T> {
    (0..rng.between(0, most + 1)).map(|_| rng.pick(all).clone()).collect()
}

fn made_links(rng: &mut Rng) -> Vec<VirtualLink> {
    let mut macs = vec![1, 2, 3];
    let mut links = Vec::new();
    for name in MADE {
        let take = usize::try_from(rng.between(0, macs.len() as u64)).expect("a few");
        let mac = Mac([0, 0, 0x5e, 0, 1, macs.remove(take)]);
        let kind = match rng.one_in(4) {
            true => VirtualLinkKind::Ipvlan { flags: 0 },
            false => VirtualLinkKind::Macvlan { mac },
        };
        let base = (*rng.pick(&BASES)).to_owned();
        let name = name.to_owned();
        if !rng.one_in(4) {
            links.push(VirtualLink { name, base, kind, group: None, notify_base: false });
        }
    }
    links
}

/// What the host wants for the virtual interfaces.
fn fixed(rng: &mut Rng) -> Vec<KernelObject> {
    let mut objects = Vec::new();
    let setting = |link: &str, setting: Setting| {
        let (link, value) = (link.to_owned(), setting.value());
        KernelObject::Sysctl(Rc::new(Sysctl { link: link.into(), setting, value }))
    };
    for made in made_links(rng) {
        objects.push(setting(&made.base, Setting::ArpIgnore));
        let (family, link, base) = (Family::V4, made.name.clone(), made.base.clone());
        objects.push(KernelObject::Firewall(Rc::new(Shield::Vmac { family, link, base })));
        objects.push(KernelObject::Link(Rc::new(made)));
    }
    if rng.one_in(2) {
        objects.push(setting(BASES[usize::from(rng.one_in(2))], Setting::PromoteSecondaries));
    }
    objects
}

fn wants(rng: &mut Rng, owner: Holder) -> Vec<KernelObject> {
    let mut objects = if owner == HOST { fixed(rng) } else { Vec::new() };
    let most = if owner == HOST { 1 } else { 3 };
    for text in some(rng, &ADDRESSES, most) {
        let mut address = address(text);
        address.interface = (*rng.pick(&["eth0", "eth1", "v1"])).into();
        address.noprefixroute = rng.one_in(4);
        if address.prefix.addr.is_ipv4() && rng.one_in(4) {
            address.scope = Scope::LINK;
        }
        if is_shielded(address.prefix.addr) {
            let shield = Shield::Address(address.prefix.addr);
            objects.push(KernelObject::Firewall(Rc::new(shield)));
        }
        objects.push(KernelObject::from(&address));
    }
    let routes = some(rng, &ROUTES, most).into_iter();
    objects.extend(routes.map(|text| KernelObject::Route(Rc::new(route(text)))));
    let rules = some(rng, &[500, 600], most).into_iter();
    objects.extend(rules.map(|n| KernelObject::Rule(Rc::new(rule("10.9.0.0/16", n, 100)))));
    let mut keys = SortedSet::new();
    objects.retain(|object| keys.insert(object.key()));
    objects
}

impl Story {
    pub(super) fn new(seed: u64) -> Self {
        let mut rng = Rng::new(seed);
        let mut kernel = Kernel {
            reports_sources: rng.one_in(2),
            never: rng.one_in(4).then(|| *rng.pick(&NEVER)),
            ..Kernel::default()
        };
        for name in BASES {
            let setting: &str = if rng.one_in(2) { "0" } else { "1" };
            kernel.put_link(name, setting);
        }
        let d = Driver::new(kernel);
        let (wanted, left, faulty) = (SortedMap::new(), SortedMap::new(), SortedMap::new());
        Self { d, wanted, left, once: SortedMap::new(), faulty, rng }
    }

    pub(super) fn step(&mut self, seed: u64) {
        self.rng = Rng::new(seed);
        let owner = *self.rng.pick(&OWNERS);
        let before = self.d.kernel.carried_out;
        match self.rng.between(0, 18) {
            0..=4 => self.change(owner),
            5 => self.release(owner),
            6 => self.reload(),
            7 | 8 => self.remove_externally(),
            9 => self.flap(),
            10 => self.delete_or_create(),
            11 => self.rename(),
            12 => self.meddle(),
            13 => self.overrun(),
            14 => self.d.kernel.refusal = *self.rng.pick(&[0, 0, EPERM, 16]),
            15 => self.add_foreign(),
            16 => self.restart(),
            _ => self.d.quiet(),
        }
        self.d.note(format_args!("  = {} requests", self.d.kernel.carried_out - before));
        self.pass_time();
    }

    /// Some of what is under way arrives.
    fn pass_time(&mut self) {
        for _ in 0..self.rng.between(0, 12) {
            match self.rng.between(0, 6) {
                0..=2 => self.d.send(),
                3 => self.d.reply(),
                4 => self.d.reply_of_filter(),
                _ => self.d.hear(),
            }
        }
        if self.rng.one_in(3) {
            self.d.pass(Duration::from_millis(self.rng.between(1, 5000)));
            self.d.deadline();
        }
        self.heed();
    }

    /// Owners in despair give up, until there is hope.
    pub(super) fn heed(&mut self) {
        for action in std::mem::take(&mut self.d.said) {
            match action {
                Action::Hopeless { owner, .. } if self.rng.one_in(2) => {
                    if let Some(list) = self.wanted.get(&owner).cloned() {
                        self.release(owner);
                        self.faulty.insert(owner, list);
                    }
                }
                Action::Hopeful { owner } => {
                    if let Some(list) = self.faulty.get(&owner).cloned() {
                        self.want(owner, list);
                    }
                }
                _ => {}
            }
        }
    }

    fn change(&mut self, owner: Holder) {
        if self.left.contains_key(&owner) {
            return self.decide(owner);
        }
        let list = wants(&mut self.rng, owner);
        self.want(owner, list);
    }

    /// Checks that new objects are requested in order, and those dropped are removed in reverse.
    pub(super) fn want(&mut self, owner: Holder, list: Vec<KernelObject>) {
        let names: Vec<_> = list.iter().map(|object| object.key().to_string()).collect();
        self.d.note(format_args!("{owner:?} wants {}", names.join(", ")));
        self.faulty.remove(&owner);
        let before = self.wanted.insert(owner, list.clone()).unwrap_or_default();
        self.remember(owner, &list);
        let asked = self.d.on(Input::Want { owner, objects: &list });
        let adds = self.ranks(&list, &asked, |op| match op {
            Op::Add(item) => Some(item),
            _ => None,
        });
        if !adds.is_sorted() {
            self.d.fail(format!("requested out of order: {asked:?}"));
        }
        self.check_removals(&before, &asked, true);
    }

    fn remember(&mut self, owner: Holder, list: &[KernelObject]) {
        let once = self.once.entry(owner).or_default();
        once.retain(|object| list.iter().all(|other| other.key() != object.key()));
        // A configuration that gives a name to two interfaces is refused.
        let is_plain = |object: &&KernelObject| match object {
            KernelObject::Link(_) | KernelObject::Sysctl(_) => false,
            KernelObject::Firewall(shield) => matches!(**shield, Shield::Address(_)),
            KernelObject::Address(_) | KernelObject::Route(_) | KernelObject::Rule(_) => true,
        };
        once.extend(list.iter().filter(is_plain).cloned());
    }

    pub(super) fn release(&mut self, owner: Holder) {
        self.d.note(format_args!("{owner:?} releases"));
        self.faulty.remove(&owner);
        self.left.remove(&owner);
        let before = self.wanted.remove(&owner).unwrap_or_default();
        let asked = self.d.on(Input::Release { owner });
        self.check_removals(&before, &asked, false);
    }

    /// Interfaces that are replaced go first.
    fn check_removals(&mut self, before: &[KernelObject], asked: &[Request], links_first: bool) {
        let dropped = before.iter().filter(|o| !self.d.domain.holdings.contains_key(&o.key()));
        let dropped: Vec<_> = dropped
            .filter(|object| !(links_first && matches!(object, KernelObject::Link(_))))
            .cloned()
            .collect();
        let ranks = self.ranks(&dropped, asked, |op| match op {
            Op::Remove(item) => Some(item),
            _ => None,
        });
        if !ranks.iter().rev().is_sorted() {
            self.d.fail(format!("removed out of order: {ranks:?} {asked:?}"));
        }
    }

    /// Ranks of the objects that requests are about.
    fn ranks<'a>(
        &self,
        objects: &[KernelObject],
        asked: &'a [Request],
        item: impl Fn(&'a Op) -> Option<&'a Item>,
    ) -> Vec<usize> {
        let domain = &self.d.domain;
        let place =
            |object: &KernelObject| domain.base_of(&object.key()).zip(domain.item_of(object));
        let objects: Vec<_> = objects
            .iter()
            .filter_map(|object| place(object).map(|(index, item)| (object.rank(), index, item)))
            .collect();
        let rank = |request: &'a Request| {
            let asked = item(&request.op)?;
            let is_it = |(_, index, item): &&(usize, u32, Item)| {
                let is_there = matches!(item, Item::Link(..)) || *index == request.index;
                is_there && is_same_object(item, asked)
            };
            objects.iter().find(is_it).map(|(rank, ..)| *rank)
        };
        asked.iter().filter_map(rank).collect()
    }

    /// What one owner releases another one may want.
    fn reload(&mut self) {
        self.d.note(format_args!("reload"));
        self.d.on(Input::Pause);
        for owner in OWNERS {
            match self.rng.between(0, 3) {
                0 => self.change(owner),
                1 => self.release(owner),
                _ => {}
            }
        }
        self.d.on(Input::Resume);
    }

    fn remove_externally(&mut self) {
        let kernel = &mut self.d.kernel;
        match self.rng.between(0, 3) {
            0 if !kernel.addresses.is_empty() => {
                let at = usize::try_from(self.rng.between(0, kernel.addresses.len() as u64));
                kernel.drop_address(at.expect("a few"));
            }
            1 if self.rng.one_in(3) => kernel.drop_foreign_routes(),
            1 => {
                let own = kernel.routes.iter().filter(|r| r.protocol == PROTOCOL_KEEPALIVED);
                let own: Vec<_> = own.cloned().collect();
                if !own.is_empty() {
                    kernel.drop_route(self.rng.pick(&own));
                }
            }
            _ if !kernel.rules.is_empty() => kernel.drop_rule(0),
            _ => {}
        }
        self.d.note(format_args!("an object is removed externally"));
    }

    fn flap(&mut self) {
        let name = *self.rng.pick(&BASES);
        self.d.note(format_args!("{name} goes down or up"));
        let Some(index) = self.d.kernel.index(name) else { return };
        let on = !self.d.kernel.links[&index].enabled;
        self.d.kernel.enable(index, on);
        if self.rng.one_in(2) {
            self.d.kernel.enable(index, !on);
        }
    }

    fn delete_or_create(&mut self) {
        let name = *self.rng.pick(&["eth0", "eth1", "v1"]);
        self.d.note(format_args!("{name} is deleted or created"));
        match self.d.kernel.index(name) {
            Some(index) => {
                self.d.kernel.delete(index);
                if self.rng.one_in(2) && BASES.contains(&name) {
                    self.d.kernel.put_link(name, "0");
                }
            }
            None if BASES.contains(&name) => self.d.kernel.put_link(name, "1"),
            None => {}
        }
    }

    fn rename(&mut self) {
        self.d.note(format_args!("interfaces are renamed"));
        let kernel = &mut self.d.kernel;
        let made = kernel.index("v1").filter(|index| is_made(&kernel.links[index]));
        if let (true, Some(index)) = (self.rng.one_in(3), made) {
            return kernel.rename(index, STOLEN);
        }
        let (one, two) = (kernel.index("eth0"), kernel.index("eth1"));
        for (index, name) in [(one, "tmp"), (two, "eth0"), (one, "eth1")] {
            if let Some(index) = index.filter(|_| kernel.index(name).is_none()) {
                kernel.rename(index, name);
            }
        }
    }

    /// Another program takes the name of a virtual interface.
    fn meddle(&mut self) {
        let name = *self.rng.pick(&MADE);
        if self.d.is_quiet() && self.d.kernel.index(name).is_none() {
            self.d.note(format_args!("a foreign {name} is created"));
            self.d.kernel.put_link(name, "1");
            // A request that names it could hit it before.
            self.d.quiet();
        }
    }

    /// Other objects of the same form.
    fn add_foreign(&mut self) {
        self.d.note(format_args!("a foreign object is added"));
        let kernel = &mut self.d.kernel;
        let index = |name: &String| kernel.index(name);
        let text: &&str = self.rng.pick(&ROUTES);
        let route = route(text).route.translated(index);
        let link = *self.rng.pick(&["eth0", "eth0", "eth1", "v1"]);
        match (self.rng.between(0, 3), kernel.index(link), route) {
            (0, Some(index), _) => {
                let text: &&str = self.rng.pick(&ADDRESSES);
                let address = HostAddress::plain(parsed(text));
                self.d.kernel.put_address(index, address);
            }
            (1, _, Some(route)) => {
                kernel.add_route(&Route { protocol: FOREIGN, ..route });
            }
            _ => {
                let mut rule = rule("10.9.0.0/16", 500, 100).rule;
                rule.protocol = Some(FOREIGN);
                kernel.add(0, &Item::Rule(Rc::new(rule)));
            }
        }
    }

    fn overrun(&mut self) {
        self.d.note(format_args!("notifications are lost"));
        self.d.resynchronise();
    }

    /// The daemon is killed with everything left in the kernel, and starts again. What it was about
    /// to remove is still in its configuration.
    fn restart(&mut self) {
        let is_sudden = self.rng.one_in(2);
        let mut wanted = std::mem::take(&mut self.wanted);
        wanted.append(&mut self.left);
        if is_sudden {
            for (owner, objects) in std::mem::take(&mut self.once) {
                let list = wanted.entry(owner).or_default();
                let keys: SortedSet<_> = list.iter().map(KernelObject::key).collect();
                list.extend(objects.into_iter().filter(|object| !keys.contains(&object.key())));
            }
        } else {
            self.d.kernel.refusal = 0;
            self.d.quiet();
            // Removals that were refused.
            self.d.now += Duration::from_secs(2);
            self.d.deadline();
            self.d.quiet();
            self.once.clear();
        }
        self.d.said.clear();
        self.faulty.clear();
        self.d.note(format_args!("crash"));
        let made = self.d.crash();
        if let Some(mut list) = wanted.remove(&HOST) {
            let keeps = self.rng.one_in(2);
            list.retain(|object| {
                keeps || !object.key().names("v1") && object.name() != Name::Link("v1".into())
            });
            self.want(HOST, list);
        }
        for (owner, objects) in wanted {
            self.remember(owner, &objects);
            self.d.on(Input::Expect { owner, objects: &objects });
            self.left.insert(owner, objects);
        }
        for (index, name) in made {
            self.d.on(Input::LeftLink { index, name: &name });
        }
    }

    fn decide(&mut self, owner: Holder) {
        match (self.rng.between(0, 3), self.left.remove(&owner)) {
            (0, Some(_)) => {
                self.d.note(format_args!("{owner:?} hears a rival"));
                self.d.on(Input::Rival { owner });
            }
            (1, Some(_)) => self.release(owner),
            (_, Some(list)) => self.want(owner, list),
            (_, None) => {}
        }
    }

    /// The disturbance ends.
    pub(super) fn settle(&mut self) {
        self.d.note(format_args!("end"));
        self.d.kernel.refusal = 0;
        for owner in OWNERS {
            self.decide(owner);
        }
        for name in MADE {
            let foreign = self.d.kernel.links.values().find(|l| l.name == name && !is_made(l));
            if let Some(index) = foreign.map(|link| link.index) {
                self.d.kernel.delete(index);
            }
        }
        for name in BASES {
            match self.d.kernel.index(name) {
                Some(index) => self.d.kernel.enable(index, true),
                None => self.d.kernel.put_link(name, "0"),
            }
        }
        self.wait();
    }

    pub(super) fn wait(&mut self) {
        /// More than enough for everything that ends.
        const MOST: usize = 150;
        self.d.quiet();
        self.heed();
        self.d.quiet();
        for _ in 0..MOST {
            let Some(next) = self.d.domain.next_deadline() else { break };
            self.d.now = self.d.now.max(next);
            self.d.deadline();
            self.d.quiet();
            self.heed();
            self.d.quiet();
        }
    }
}
