//! Random events in any order: at the end, wanted objects are present, unwanted ones are gone, and
//! external ones stay.

use super::*;
use crate::base::rng::Rng;
use crate::model::vrrp::VirtualAddress;

/// Few addresses, so that they collide.
fn pick(rng: &mut Rng) -> VirtualAddress {
    let text =
        *rng.pick(&["10.0.0.1/24", "10.0.0.1/32", "10.0.0.2/24", "fd00::1/64", "fd00::1/128"]);
    let mut address = address(text);
    address.interface = (*rng.pick(&["eth0", "eth1"])).into();
    if rng.one_in(3) && address.prefix.addr.is_ipv4() {
        address.label = Some(format!("{}:v", address.interface).into());
    }
    address.noprefixroute = rng.one_in(4);
    address
}

fn wants(rng: &mut Rng) -> Vec<VirtualAddress> {
    let mut list: Vec<VirtualAddress> = Vec::new();
    for _ in 0..rng.between(1, 4) {
        let address = pick(rng);
        let is_new = |a: &VirtualAddress| {
            (&a.interface, a.prefix.addr) != (&address.interface, address.prefix.addr)
        };
        if list.iter().all(is_new) {
            list.push(address);
        }
    }
    list
}

struct Story {
    bench: Bench,
    rng: Rng,
    wanted: SortedMap<Holder, Vec<VirtualAddress>>,
}

impl Story {
    fn step(&mut self) {
        let owner = *self.rng.pick(&[A, B]);
        match self.rng.between(0, 10) {
            0..=2 => {
                let list = wants(&mut self.rng);
                self.bench.want(owner, &list);
                self.wanted.insert(owner, list);
            }
            3 => {
                self.bench.on(Input::Release { owner });
                self.wanted.remove(&owner);
            }
            4 => {
                self.bench.on(Input::Pause);
                let list = wants(&mut self.rng);
                self.bench.want(A, &list);
                self.wanted.insert(A, list);
                self.bench.on(Input::Release { owner: B });
                self.wanted.remove(&B);
                self.bench.on(Input::Resume);
            }
            5 => self.remove_externally(),
            6 => self.rename(),
            7 => self.recreate(),
            8 => {
                self.bench.dump();
            }
            _ => {
                self.bench.refusal = *self.rng.pick(&[0, 0, EPERM]);
            }
        }
        self.bench.now += Duration::from_millis(self.rng.between(1, 5000));
        self.bench.on(Input::Deadline);
    }

    fn remove_externally(&mut self) {
        let places: Vec<_> = self.bench.kernel.keys().copied().collect();
        if !places.is_empty() {
            let place = *self.rng.pick(&places);
            let address = self.bench.kernel.remove(&place).expect("it was listed");
            self.bench.on(gone(place.0, &address));
        }
    }

    fn rename(&mut self) {
        let heard = self.rng.one_in(2);
        let (one, two) = (self.bench.links["eth0"], self.bench.links["eth1"]);
        if heard {
            self.bench.rename("eth0", "tmp");
            self.bench.rename("eth1", "eth0");
            self.bench.rename("tmp", "eth1");
        } else {
            self.bench.links = [("eth0".to_owned(), two), ("eth1".to_owned(), one)].into();
            self.bench.dump();
        }
    }

    fn recreate(&mut self) {
        let index = self.bench.links["eth0"];
        self.bench.kernel.retain(|place, _| place.0 != index);
        self.bench.rescued.retain(|place| place.0 != index);
        self.bench.on(link_gone(index));
        let next = self.bench.links.values().max().expect("there are two") + 1;
        self.bench.links.insert("eth0".into(), next);
        self.bench.on(link(next, "eth0"));
    }

    /// Checks the contents of the kernel. If two owners want an address with different options,
    /// either may prevail.
    fn check(&mut self, seed: u64) {
        self.bench.refusal = 0;
        while let Some(next) = self.bench.domain.next_deadline() {
            self.bench.now = self.bench.now.max(next);
            self.bench.on(Input::Deadline);
        }
        let links = &self.bench.links;
        let place = |a: &VirtualAddress| (links[a.interface.as_str()], Spot::of(a));
        let mut expected: SortedMap<Place, Vec<HostAddress>> = SortedMap::new();
        for address in self.wanted.values().flatten() {
            expected.entry(place(address)).or_default().push(as_shown(address));
        }
        let there = &self.bench.kernel;
        assert!(there.keys().eq(expected.keys()), "seed {seed}: {there:?}, wanted {expected:?}");
        for (place, shown) in there {
            assert!(expected[place].contains(shown), "seed {seed}: {shown:?} at {place:?}");
        }
        let rescued = &self.bench.rescued;
        assert!(rescued.iter().eq(there.keys()), "seed {seed}: rescued {rescued:?}");
    }
}

#[test]
fn whatever_happens() {
    for seed in 0..2000 {
        let mut story =
            Story { bench: Bench::new(), rng: Rng::new(seed), wanted: SortedMap::new() };
        for _ in 0..story.rng.between(1, 25) {
            story.step();
        }
        story.check(seed);
    }
}

/// The same with external addresses, which must be unchanged at the end.
#[test]
fn external_addresses_survive_random_events() {
    for seed in 0..500 {
        let mut story =
            Story { bench: Bench::new(), rng: Rng::new(seed), wanted: SortedMap::new() };
        let foreign = pick(&mut story.rng);
        story.bench.add(&foreign);
        let before = story.bench.kernel.clone();
        for _ in 0..story.rng.between(1, 25) {
            let owner = *story.rng.pick(&[A, B]);
            let list = wants(&mut story.rng);
            match story.rng.between(0, 4) {
                0 => story.bench.on(Input::Release { owner }),
                1 => story.bench.expect(owner, &list),
                2 => story.bench.on(Input::Rival { owner }),
                _ => story.bench.want(owner, &list),
            };
        }
        for owner in [A, B] {
            story.bench.on(Input::Release { owner });
        }
        assert_eq!(story.bench.kernel, before, "seed {seed}");
    }
}
