//! What a client of a virtual address sees.

use std::collections::BTreeSet;

use super::{eventually, secs, Namespace, Runs};

/// The link-layer address that a host knows for an address on its eth0.
pub(crate) fn neighbour(host: &Namespace, address: &str) -> Option<String> {
    lladdr(&host.output("ip", &["neigh", "show", address]))
}

fn lladdr(line: &str) -> Option<String> {
    let mut words = line.split_whitespace().skip_while(|word| *word != "lladdr");
    words.nth(1).map(str::to_owned)
}

/// True if one ping is answered.
pub(crate) fn pings(host: &Namespace, address: &str) -> bool {
    host.output("ping", &["-n", "-c", "1", "-W", "1", address]).contains(" 1 received")
}

/// Records every link-layer address that a host learns for an address.
pub(crate) struct NeighbourWatch {
    monitor: Runs,
    address: String,
}

impl NeighbourWatch {
    pub(crate) fn new(host: &Namespace, address: &str) -> Self {
        let monitor = Runs::new(host, &["ip", "monitor", "neigh"]);
        Self { monitor, address: address.to_owned() }
    }

    pub(crate) fn seen(&self) -> BTreeSet<String> {
        let output = self.monitor.output();
        let about = |line: &&str| line.split_whitespace().any(|word| word == self.address);
        output.lines().filter(about).filter_map(lladdr).collect()
    }
}

/// A ping every millisecond.
pub(crate) struct Pinger(Runs);

impl Pinger {
    pub(crate) fn new(host: &Namespace, address: &str, count: u32) -> Self {
        let count = count.to_string();
        let words = ["ping", "-n", "-q", "-i", "0.001", "-W", "1", "-c", &count, address];
        Self(Runs::new(host, &words))
    }

    pub(crate) fn is_running(&mut self) -> bool {
        self.0.is_running()
    }

    /// Waits for the last answer; returns the numbers of requests and answers.
    #[track_caller]
    pub(crate) fn result(mut self) -> (u32, u32) {
        assert!(eventually(secs(60), || !self.is_running()), "ping does not end");
        let output = self.0.output();
        let number = |what: &str| {
            let line = output.lines().find(|line| line.contains("packets transmitted"))?;
            let part = line.split(", ").find(|part| part.ends_with(what))?;
            part.split(' ').next()?.parse().ok()
        };
        let numbers = number("packets transmitted").zip(number("received"));
        numbers.unwrap_or_else(|| panic!("ping says {output}"))
    }
}
