use super::*;
use crate::base::rng::Rng;
use crate::base::sorted::SortedMap;
use crate::base::time::Duration;
use crate::firewall::{Firewall, Input, Means, Vmac};
use crate::model::firewall::{IpSets, Nftables};
use crate::wire::netlink::nft::Refusal;

/// Rules and sets, as the commands change and print them.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
struct Kernel {
    rules: [Vec<String>; 2],
    sets: SortedMap<String, SortedSet<String>>,
}

impl Kernel {
    fn run(&mut self, run: &Run) -> Result<String, String> {
        let before = self.clone();
        let result = match run {
            Run::Save(Command::Ipset) => Ok(self.saved_sets()),
            Run::Save(Command::Iptables(family)) => Ok(self.rules[slot(*family)].join("\n")),
            Run::Restore(step) => {
                let lines = step.input.lines().filter(|l| !l.starts_with('*') && *l != "COMMIT");
                lines.map(|line| self.change(step.command, line)).collect()
            }
        };
        if result.is_err() {
            *self = before;
        }
        result
    }

    fn saved_sets(&self) -> String {
        let mut text = String::new();
        for (name, members) in &self.sets {
            text += &format!("create {name} hash:ip\n");
            members.iter().for_each(|member| text += &format!("add {name} {member}\n"));
        }
        text
    }

    fn members(&self) -> SortedSet<(String, String)> {
        let of = |(set, all): (&String, &SortedSet<String>)| -> Vec<_> {
            all.iter().map(|member| (set.clone(), member.clone())).collect()
        };
        self.sets.iter().flat_map(of).collect()
    }

    fn change(&mut self, command: Command, line: &str) -> Result<String, String> {
        let refused = || Err(format!("{line}: refused"));
        let Command::Iptables(family) = command else {
            let words: Vec<_> = line.split(' ').collect();
            let is_used = |set: &str| {
                let mark = format!("--match-set {set} ");
                self.rules.iter().flatten().any(|rule| rule.contains(&mark))
            };
            match words[..] {
                ["create", set, ..] => drop(self.sets.entry(set.to_owned()).or_default()),
                ["destroy", set] if is_used(set) || self.sets.remove(set).is_none() => {
                    return refused();
                }
                ["add", set, member, "-exist"] => match self.sets.get_mut(set) {
                    Some(members) => drop(members.insert(member.to_owned())),
                    None => return refused(),
                },
                ["del", set, member, "-exist"] => match self.sets.get_mut(set) {
                    Some(members) => drop(members.remove(member)),
                    None => return refused(),
                },
                ["destroy", _] => {}
                _ => return refused(),
            }
            return Ok(String::new());
        };
        let rules = &mut self.rules[slot(family)];
        let (verb, rule) = line.split_once(' ').expect("a line has a verb");
        let rule = format!("-A {rule}");
        let missing = |set: &&str| !self.sets.contains_key(*set);
        match verb {
            "-D" => match rules.iter().position(|r| *r == rule) {
                Some(at) => drop(rules.remove(at)),
                None => return refused(),
            },
            _ if rule
                .split(' ')
                .skip_while(|w| *w != "--match-set")
                .nth(1)
                .is_some_and(|s| missing(&s)) =>
            {
                return refused();
            }
            "-I" => rules.insert(0, rule),
            _ => rules.push(rule),
        }
        Ok(String::new())
    }
}

const fn slot(family: Family) -> usize {
    matches!(family, Family::V6) as usize
}

struct Bench {
    firewall: Firewall<u32>,
    kernel: Kernel,
    now: Instant,
    /// Fails the next commands.
    failures: usize,
    has_ipset: bool,
    running: Option<Run>,
    runs: usize,
}

impl Bench {
    fn new(kernel: Kernel) -> Self {
        let now = Instant::from_millis(60_000);
        let firewall = Firewall::default();
        Self { firewall, kernel, now, failures: 0, has_ipset: true, running: None, runs: 0 }
    }

    fn take(&mut self, input: Input<u32>) -> Vec<Action<u32>> {
        let mut out = Vec::new();
        self.firewall.handle(input, self.now, &mut out);
        self.flush(out)
    }

    /// What happened, without commands and transactions.
    fn flush(&mut self, mut out: Vec<Action<u32>>) -> Vec<Action<u32>> {
        let mut seen = Vec::new();
        loop {
            self.firewall.flush(self.now, &mut out);
            if out.is_empty() {
                return seen;
            }
            for action in std::mem::take(&mut out) {
                match action {
                    Action::Run(run) => {
                        assert!(self.running.replace(run).is_none(), "one at a time")
                    }
                    Action::Send { family, .. } => {
                        let input = Input::Answer { family, result: Ok::<_, Refusal>(()) };
                        self.firewall.handle(input, self.now, &mut out);
                    }
                    action => seen.push(action),
                }
            }
        }
    }

    /// The running command ends.
    fn end(&mut self) -> Option<Vec<Action<u32>>> {
        let run = self.running.take()?;
        self.runs += 1;
        // Without ipset, there are no sets.
        let result = if self.failures > 0 && run != Run::Save(Command::Ipset) {
            self.failures -= 1;
            Err("failed".to_owned())
        } else if run.command() == Command::Ipset && !self.has_ipset {
            Err("No such file or directory".to_owned())
        } else {
            self.kernel.run(&run)
        };
        Some(self.take(Input::Ended(result)))
    }

    fn settle(&mut self) -> Vec<Action<u32>> {
        let mut seen = self.flush(Vec::new());
        for _ in 0..1000 {
            match self.end() {
                Some(more) => seen.extend(more),
                None if self.firewall.next_deadline().is_some() => {
                    self.now += Duration::from_secs(11);
                    seen.extend(self.flush(Vec::new()));
                }
                None => return seen,
            }
        }
        panic!("it does not settle: {seen:?}");
    }

    fn text(&self) -> String {
        let rules = self.kernel.rules.iter().flatten().map(|rule| format!("{rule}\n"));
        rules.collect::<String>() + &self.kernel.saved_sets()
    }
}

fn settings(sets: bool) -> Iptables {
    let sets = sets.then(IpSets::default);
    Iptables { input: "INPUT".to_owned(), output: Some("OUTPUT".to_owned()), sets }
}

fn entry(n: u32) -> Entry {
    let addr = ["10.7.0.1", "10.7.0.2", "fd07::1", "fe80::7"][n as usize % 4];
    let addr = addr.parse().expect("an address");
    match n % 6 {
        4 | 5 => {
            let family = if n % 6 == 4 { Family::V4 } else { Family::V6 };
            let (name, base_link_local) = ("vrrp.51".to_owned(), "fe80::1".parse().ok());
            Entry::Vmac(Vmac { family, index: 7, name, base: 2, base_link_local })
        }
        _ => Entry::Address(addr),
    }
}

fn configure(sets: bool) -> Input<u32> {
    Input::Configure(Some(Means::Iptables(settings(sets), (0..6).map(entry).collect())))
}

fn want(owner: u32) -> Input<u32> {
    Input::Want { owner, entry: entry(owner) }
}

fn done(owner: u32) -> Action<u32> {
    Action::Outcome { owner, errno: 0 }
}

#[test]
fn an_owner_is_answered_when_its_commands_have_ended() {
    for sets in [false, true] {
        let mut bench = Bench::new(Kernel::default());
        assert_eq!(bench.take(configure(sets)), []);
        assert_eq!(bench.take(want(0)), []);
        assert!(!bench.text().contains("10.7.0.1"), "nothing was waited for");
        assert_eq!(bench.settle(), [done(0)]);
        assert!(bench.text().contains("10.7.0.1"), "{}", bench.text());
        assert_eq!(bench.take(want(1)), []);
        assert_eq!(bench.take(want(2)), [], "while a command runs");
        assert_eq!(bench.settle(), [done(1), done(2)]);
        let runs = bench.runs;
        assert_eq!(bench.take(configure(sets)), []);
        assert_eq!(bench.settle(), []);
        assert_eq!(bench.runs, runs, "nothing changed");
        bench.take(Input::Stop);
        assert_eq!(bench.settle(), []);
        assert_eq!(bench.text(), "");
    }
}

#[test]
fn a_failure_is_reported_once_and_all_is_read_anew() {
    let mut bench = Bench::new(Kernel::default());
    bench.take(configure(true));
    bench.settle();
    bench.failures = 3;
    bench.take(want(0));
    let seen = bench.settle();
    let failed = |action: &&Action<u32>| matches!(action, Action::Failed { .. });
    assert_eq!(seen.iter().filter(failed).count(), 1, "{seen:?}");
    assert!(seen.contains(&Action::Outcome { owner: 0, errno: EIO }), "{seen:?}");
    assert_eq!(seen.last(), Some(&Action::Restored));
    assert!(bench.text().contains("add keepalived 10.7.0.1"), "{}", bench.text());
}

#[test]
fn a_host_without_ipset_has_a_rule_for_each_address() {
    let mut bench = Bench::new(Kernel::default());
    bench.has_ipset = false;
    bench.take(configure(true));
    bench.take(want(0));
    let seen = bench.settle();
    assert!(matches!(seen[..], [Action::NoSets { .. }, Action::Outcome { owner: 0, errno: 0 }]));
    assert!(bench.text().starts_with("-A INPUT -d 10.7.0.1/32 -j DROP"), "{}", bench.text());
    bench.take(Input::Stop);
    bench.settle();
    assert_eq!(bench.text(), "");
}

#[test]
fn a_lack_of_iptables_is_no_trouble_until_it_is_needed() {
    let mut bench = Bench::new(Kernel::default());
    bench.failures = 5;
    bench.take(configure(false));
    assert_eq!(bench.settle(), []);
    assert_eq!(bench.failures, 4, "one look");
    bench.take(want(0));
    let seen = bench.settle();
    assert!(matches!(seen[0], Action::Failed { .. }), "{seen:?}");
}

#[test]
fn tables_stay_until_iptables_has_taken_over() {
    let mut bench = Bench::new(Kernel::default());
    bench.take(Input::Configure(Some(Means::Nftables(Nftables::default()))));
    assert_eq!(bench.take(want(0)), [done(0)]);
    assert!(bench.firewall.is_in_force(&0));
    bench.take(configure(false));
    assert!(bench.firewall.is_in_force(&0), "the commands have not ended");
    bench.settle();
    assert!(!bench.firewall.is_in_force(&0));
    assert!(bench.text().contains("10.7.0.1"), "{}", bench.text());
    bench.take(Input::Configure(Some(Means::Nftables(Nftables::default()))));
    assert!(bench.firewall.is_in_force(&0), "before the rules are removed");
    bench.settle();
    assert_eq!(bench.text(), "");
}

/// Any order of entries, settings, failures, interruptions and crashes ends with exactly the wanted
/// rules, and with none after the stop.
#[test]
fn any_sequence_ends_with_the_wanted_contents() {
    for seed in 0..400 {
        let mut random = Rng::new(seed);
        let mut bench = Bench::new(Kernel::default());
        let foreign = "-A INPUT -p tcp -j ACCEPT".to_owned();
        bench.kernel.rules[0].push(foreign.clone());
        let (mut wanted, mut has_crashed) = (SortedSet::new(), false);
        let mut sets = random.one_in(2);
        bench.take(configure(sets));
        for _ in 0..40 {
            let owner = u32::try_from(random.between(0, 6)).expect("small");
            match random.between(0, 12) {
                0..=3 => {
                    wanted.insert(owner);
                    bench.take(want(owner));
                }
                4..=5 => {
                    wanted.remove(&owner);
                    bench.take(Input::Release { owner });
                }
                6 => bench.failures += 1,
                7 => {
                    sets = random.one_in(2);
                    bench.take(configure(sets));
                }
                8 => bench.now += Duration::from_millis(random.between(0, 3000)),
                9 if random.one_in(4) => {
                    // A crash, possibly in the middle of a command, and a start.
                    has_crashed = true;
                    bench = Bench::new(bench.kernel);
                    bench.take(configure(sets));
                    for owner in &wanted {
                        bench.take(want(*owner));
                    }
                }
                _ => drop(bench.end()),
            }
            bench.flush(Vec::new());
        }
        bench.settle();
        let chains = Chains::new(settings(sets)).with(wanted.iter().map(|n| entry(*n)).collect());
        let mut expected: Vec<_> =
            chains.rules().into_iter().map(|r| format!("-A {} {}", r.chain, r.text)).collect();
        expected.push(foreign.clone());
        let mut rules = bench.kernel.rules.concat();
        if sets {
            // Rules that use empty sets may stay.
            rules.retain(|rule| expected.contains(rule));
        }
        expected.sort();
        rules.sort();
        assert_eq!(rules, expected, "seed {seed}");
        // Sets of an earlier run are not known to one without sets, and no rule uses them.
        if sets || !has_crashed {
            let of_chains = chains.members().into_iter().map(|m| (m.set, m.value)).collect();
            assert_eq!(bench.kernel.members(), of_chains, "seed {seed}");
        }
        bench.take(Input::Stop);
        bench.settle();
        assert_eq!(bench.kernel.rules.concat(), [foreign.as_str()], "seed {seed}");
        if sets || !has_crashed {
            assert_eq!(bench.kernel.saved_sets(), "", "seed {seed}");
        }
    }
}
