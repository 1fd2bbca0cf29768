//! Objects of all kinds at once, with several owners, in any order of events. In the end wanted
//! objects are present, released ones are gone, foreign ones are untouched, and nothing is written
//! without a difference.

use super::*;
use crate::base::rng::Rng;
use story::Story;

mod driver;
mod kernel;
mod story;

fn ensure(holds: bool, text: impl FnOnce() -> String) -> Result<(), String> {
    if holds {
        Ok(())
    } else {
        Err(text())
    }
}

impl Story {
    fn objects(&self) -> impl Iterator<Item = &KernelObject> {
        self.wanted.values().flatten()
    }

    /// The numbered form of every wanted object whose interfaces exist.
    fn items(&self) -> Vec<(u32, Item)> {
        let domain = &self.d.domain;
        let item =
            |object| Some((domain.base_of(&KernelObject::key(object))?, domain.item_of(object)?));
        self.objects().filter_map(item).collect()
    }

    /// Every wanted object is there, in the form that one of its owners wants, unless the kernel
    /// refuses it.
    fn check_wanted(&self) -> Result<(), String> {
        let items = self.items();
        for (index, item) in &items {
            let is_other =
                |(i, other): &&(u32, Item)| i == index && driver::is_same_object(item, other);
            let is_there = items.iter().filter(is_other).any(|(i, other)| self.d.has(*i, other))
                || self.d.has(*index, item);
            let refuses = || {
                let mut kernel = self.d.kernel.clone();
                let never = kernel.never.is_some_and(|never| never(item));
                never || !matches!(kernel.add(*index, item), 0 | EEXIST)
            };
            ensure(is_there || refuses(), || format!("missing: {item:?} on {index}"))?;
        }
        for (owner, claim) in self.d.domain.claims.iter() {
            let keys = claim.wants.iter().map(KernelObject::key);
            let mine = keys.filter(Key::is_awaited);
            let missing = mine.filter(|key| self.d.domain.holdings[key].is_missing()).count();
            let missing = u32::try_from(missing).expect("few");
            ensure(claim.missing == missing, || format!("{owner:?} waits for {missing}"))?;
        }
        Ok(())
    }

    /// Nothing of the daemon is there that no owner wants.
    fn check_unwanted(&self) -> Result<(), String> {
        let (kernel, items) = (&self.d.kernel, self.items());
        let is_wanted = |index: u32, item: &Item| {
            items.iter().any(|(i, other)| *i == index && driver::is_same_object(other, item))
        };
        let own = Some(crate::base::addr::PROTOCOL_KEEPALIVED);
        let mut places = SortedSet::new();
        let is_traced = |index: &u32| !kernel.untraceable.contains(index);
        let addresses = kernel.addresses.iter().filter(|(i, _)| is_traced(i));
        for (index, address) in addresses.filter(|(_, a)| a.protocol == own) {
            places.insert((*index, Spot::of_host(address)));
            let item = Item::Address(address.clone());
            ensure(is_wanted(*index, &item), || format!("left: {item:?} on {index}"))?;
        }
        let rescued = &self.d.rescued;
        ensure(*rescued == places, || format!("rescued {rescued:?} of {places:?}"))?;
        let routes = kernel.routes.iter().filter(|route| route.links().all(is_traced));
        for route in routes.filter(|r| Some(r.protocol) == own) {
            let is_it = |(_, other): &(u32, Item)| matches!(other, Item::Route(r, _) if fib::is_same_route(r, route));
            ensure(items.iter().any(is_it), || format!("left: {route:?}"))?;
        }
        for rule in kernel.rules.iter().filter(|rule| rule.protocol == own) {
            let item = Item::Rule(rule.clone().into());
            ensure(is_wanted(0, &item), || format!("left: {item:?}"))?;
        }
        for shield in &kernel.filter {
            let item = Item::Firewall(shield.clone());
            ensure(is_wanted(0, &item), || format!("left: {item:?}"))?;
        }
        let made = kernel.links.values().filter(|link| kernel::is_made(link));
        for link in made.filter(|link| is_traced(&link.index)) {
            let is_it = |object: &KernelObject| matches!(object, KernelObject::Link(l) if l.name == link.name);
            ensure(self.objects().any(is_it), || format!("left: {link:?}"))?;
        }
        for ((index, setting), value) in &kernel.settings {
            let is_it = |(i, item): &(u32, Item)| {
                i == index && matches!(item, Item::Sysctl(of, _) if of == setting)
            };
            let is_original = kernel.originals[&(*index, *setting)] == *value;
            let text = || format!("left: {} of {index}", setting.name());
            ensure(is_original || items.iter().any(is_it), text)?;
        }
        Ok(())
    }

    /// Nothing is requested if nothing differs.
    fn check_repetition(&mut self) -> Result<(), String> {
        for (owner, list) in self.wanted.clone() {
            let others = self.wanted.iter().filter(|(other, _)| **other != owner);
            let others: Vec<_> = others.flat_map(|(_, list)| list).collect();
            let differs =
                |o: &KernelObject| others.iter().any(|x| x.key() == o.key() && !x.is_same(o));
            if list.iter().any(differs) {
                continue;
            }
            let asked = self.d.on(Input::Want { owner, objects: &list });
            ensure(asked.is_empty(), || format!("{owner:?} repeats {asked:?}"))?;
        }
        let asked = self.d.on(Input::Dumped(self.d.kernel.dump()));
        ensure(asked.is_empty(), || format!("a dump causes {asked:?}"))?;
        let asked = self.d.on(Input::Fib(self.d.kernel.dump_fib()));
        ensure(asked.is_empty(), || format!("a dump of routes causes {asked:?}"))
    }

    fn check(&mut self) -> Result<(), String> {
        self.settle();
        self.check_fault()?;
        // The kernel accepts addresses again, if their interfaces exist.
        let is_possible = |object: &KernelObject| {
            object.address().is_some_and(|a| self.d.kernel.index(&a.interface).is_some())
        };
        let is_hopeful = self.faulty.values().flatten().any(is_possible);
        let is_hopeful = is_hopeful && self.d.kernel.never.is_none();
        ensure(!is_hopeful, || "there is no hope".into())?;
        self.check_wanted()?;
        self.check_unwanted()?;
        self.check_repetition()?;
        for owner in [A, B, Holder::Host] {
            self.release(owner);
            self.d.on(Input::Forget { owner });
        }
        self.wait();
        self.check_fault()?;
        self.check_unwanted()?;
        let domain = &self.d.domain;
        ensure(domain.holdings.is_empty() && domain.claims.is_empty(), || "holdings stay".into())?;
        let next = domain.next_deadline();
        ensure(next.is_none(), || format!("still due: {:?}", domain.retries))
    }

    fn check_fault(&self) -> Result<(), String> {
        self.d.fault.clone().map_or(Ok(()), Err)
    }
}

fn run(seed: u64, steps: &[u64]) -> (Result<(), String>, String) {
    let mut story = Story::new(seed);
    for step in steps {
        story.step(*step);
    }
    let result = story.check();
    (result, story.d.trace)
}

/// Leaves out steps that make no difference to the failure.
fn shortest(seed: u64, mut steps: Vec<u64>) -> Vec<u64> {
    let mut at = 0;
    while at < steps.len() {
        let mut fewer = steps.clone();
        fewer.remove(at);
        if run(seed, &fewer).0.is_err() {
            (steps, at) = (fewer, 0);
        } else {
            at += 1;
        }
    }
    steps
}

/// `SEEDS=1200..20000` tries other ones than usual.
fn seeds() -> std::ops::Range<u64> {
    let Ok(text) = std::env::var("SEEDS") else { return 0..1200 };
    let range = text.split_once("..").and_then(|(a, b)| Some(a.parse().ok()?..b.parse().ok()?));
    range.expect("SEEDS is a range of numbers, as 0..1200")
}

#[test]
fn whatever_happens_to_everything() {
    let mut failed = Vec::new();
    for seed in seeds() {
        let mut rng = Rng::new(seed);
        let steps: Vec<_> = (0..rng.between(1, 30)).map(|_| rng.draw()).collect();
        if run(seed, &steps).0.is_err() {
            failed.push((seed, steps));
        }
    }
    if let Some((seed, steps)) = failed.first() {
        let (result, trace) = run(*seed, &shortest(*seed, steps.clone()));
        let all: Vec<_> = failed.iter().map(|(seed, _)| seed).collect();
        panic!("seed {seed}: {result:?}\n{trace}\nfailed: {all:?}");
    }
}
