//! Two routers and a client, for as long as `SOAK_SECONDS` says (60): links flap, files change and are
//! wrong, daemons are restarted, stopped and killed, packets are garbage, back ends die, scripts
//! hang, the disk is full. After each trouble every address has one owner again; in the end each
//! daemon holds as many descriptors and as much memory as after the first round, the kernel has the
//! objects that it had, and the journal explains every change of a state.
//!
//! `SOAK_SEED` repeats the order of a run.
#![expect(clippy::disallowed_methods, reason = "tests wait, run programs and read the clock")]

#[path = "../lab/mod.rs"]
mod lab;

mod books;
mod site;
mod trouble;

use std::process::ExitCode;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use keepalived::base::rng::Rng;

use books::Held;
use lab::{ours_only, test, Outcome};
use site::Site;
use trouble::{Trouble, ALL};

fn number(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).ok().map_or(otherwise, |text| text.parse().expect("a number"))
}

/// Has everything as usual, on routers that both were master of VI_2: a program that never was has no
/// table of the packet filter for it.
fn level(site: &mut Site, rng: &mut Rng) {
    site.wait_usual();
    site.suffer(Trouble::Failover, 0, rng);
    site.wait_usual();
}

fn soak() -> Outcome {
    ours_only()?;
    let span = Duration::from_secs(number("SOAK_SECONDS", 60));
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(1, |since| since.as_secs());
    let seed = number("SOAK_SEED", now);
    println!("seed {seed}");
    let mut rng = Rng::new(seed);
    let bare = Site::hosts();
    let at_first = bare.objects();
    let mut site = Site::new(bare)?;
    let begin = Instant::now();
    // Sockets that are opened on demand, and memory of a first time, are no leaks.
    for (trouble, n) in ALL.iter().flat_map(|trouble| [(trouble, 0), (trouble, 1)]) {
        site.suffer(*trouble, n, &mut rng);
    }
    level(&mut site, &mut rng);
    let (objects, held) = (site.hosts.objects(), site.held());
    let mut rounds = 0;
    while begin.elapsed() < span || rounds < ALL.len() {
        let trouble: Trouble = *rng.pick(ALL);
        let n = if rng.one_in(2) { 0 } else { 1 };
        site.suffer(trouble, n, &mut rng);
        rounds += 1;
    }
    level(&mut site, &mut rng);
    println!("{rounds} troubles in {:?}", begin.elapsed());
    site.wait_objects(&objects);
    for (before, now) in held.into_iter().zip(site.held()) {
        println!("{before:?}, at last {now:?}");
    }
    site.wait_held(held);
    site.books_are_in_order();
    let hosts = site.stop();
    let left = hosts.objects();
    assert_eq!(left, at_first, "the daemons have left something");
    Ok(())
}

/// What a daemon may hold more than after the first round, in KiB: blocks in another order.
const SLACK: usize = 512;

impl Held {
    fn is_like(self, before: Self) -> bool {
        self.descriptors <= before.descriptors && self.memory <= before.memory + SLACK
    }
}

fn main() -> ExitCode {
    lab::main(vec![test("two_routers_in_trouble", soak)])
}
