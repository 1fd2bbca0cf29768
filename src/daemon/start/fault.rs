//! Failures injected by tests that check the removal of addresses: `KEEPALIVED_FAULT=panic@stats`.
//! Available only in builds with debug assertions.

use crate::daemon::runtime::Runtime;

/// Moment of an injected failure.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::daemon) enum Moment {
    /// After setup, with the first addresses in the kernel.
    Start,
    /// SIGUSR2.
    Stats,
    /// In the copy that advertises while the program is replaced.
    StandIn,
}

impl Runtime {
    /// Fails if the environment asks for it now.
    pub(in crate::daemon) fn maybe_fail(&mut self, moment: Moment) {
        let Ok(wish) = std::env::var("KEEPALIVED_FAULT") else { return };
        let moment = match moment {
            Moment::Start => "start",
            Moment::Stats => "stats",
            Moment::StandIn => "stand-in",
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

/// Overflows the stack.
#[expect(unconditional_recursion, reason = "overflows the stack on purpose")]
fn deep(n: u64) -> [u64; 512] {
    let frame = std::hint::black_box([n; 512]);
    let mut below = deep(frame[0] + 1);
    below[0] += frame[1];
    below
}
