//! Defects on request, to see what becomes of the addresses: `KEEPALIVED_FAULT=panic@stats`. Only in
//! builds with debug assertions, as tests use them.

use crate::daemon::runtime::Runtime;

/// When a defect shows.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::daemon) enum Moment {
    /// Everything is set up, and the first addresses are in the kernel.
    Start,
    /// SIGUSR2.
    Stats,
}

impl Runtime {
    /// Fails if the environment asks for it now.
    pub(in crate::daemon) fn maybe_fail(&mut self, moment: Moment) {
        let Ok(wish) = std::env::var("KEEPALIVED_FAULT") else { return };
        let moment = match moment {
            Moment::Start => "start",
            Moment::Stats => "stats",
        };
        let Some((fault, _)) = wish.split_once('@').filter(|(_, when)| *when == moment) else {
            return;
        };
        self.flush_requests();
        self.drain();
        match fault {
            "panic" => panic!("as asked"),
            "memory" => std::alloc::handle_alloc_error(std::alloc::Layout::new::<u64>()),
            "stack" => drop(deep(0)),
            _ => {}
        }
    }
}

/// Never returns: there is no stack that it fits on.
#[expect(unconditional_recursion, reason = "that is the point")]
fn deep(n: u64) -> [u64; 512] {
    let frame = std::hint::black_box([n; 512]);
    let mut below = deep(frame[0] + 1);
    below[0] += frame[1];
    below
}
