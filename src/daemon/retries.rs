//! Resources that are temporarily unavailable for lack of descriptors, memory or watches. They are
//! requested again with growing pauses until they are available, so no fault outlives its cause.

use crate::base::ids::InstanceId;
use crate::base::sorted::SortedMap;
use crate::base::time::{Duration, Instant};
use crate::daemon::bfd::Port;
use crate::daemon::runtime::Runtime;
use crate::notify::Which;

/// First pause; each further one is twice as long.
const SHORTEST: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_secs(30);

/// A missing resource.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Lacking {
    /// The sockets of an instance.
    Socket(InstanceId),
    /// The socket that receives for BFD sessions.
    Port(Port),
    /// Watch on this tracked file.
    File(String),
    /// A notification FIFO, or its command.
    Fifo(Which),
}

#[derive(Debug)]
struct Attempt {
    why: String,
    next: Instant,
    pause: Duration,
}

#[derive(Default, Debug)]
pub(super) struct Retries {
    waiting: SortedMap<Lacking, Attempt>,
}

impl Retries {
    pub(super) fn next_deadline(&self) -> Option<Instant> {
        self.waiting.values().map(|a| a.next).min()
    }

    /// Notes a failed attempt; true if the failure or its reason is new.
    pub(super) fn failed(&mut self, what: Lacking, why: &str, now: Instant) -> bool {
        match self.waiting.get_mut(&what) {
            Some(attempt) if attempt.why == why => false,
            Some(attempt) => {
                attempt.why = why.to_owned();
                true
            }
            None => {
                let (next, pause) = (now + SHORTEST, SHORTEST);
                self.waiting.insert(what, Attempt { why: why.to_owned(), next, pause });
                true
            }
        }
    }

    /// The resource is available or no longer wanted; true if it was missing.
    pub(super) fn ended(&mut self, what: &Lacking) -> bool {
        self.waiting.remove(what).is_some()
    }

    /// Resources to request now. Those that fail again are due after a longer pause.
    fn due(&mut self, now: Instant) -> Vec<Lacking> {
        let mut due = Vec::new();
        for (what, attempt) in &mut self.waiting {
            if attempt.next <= now {
                attempt.pause = LONGEST.min(attempt.pause * 2);
                attempt.next = now + attempt.pause;
                due.push(what.clone());
            }
        }
        due
    }
}

impl Runtime {
    /// Repeats the attempts that are due.
    pub(super) fn serve_retries(&mut self) {
        if self.commands.retries.next_deadline().is_none_or(|next| next > self.now) {
            return;
        }
        for what in self.commands.retries.due(self.now) {
            match &what {
                Lacking::Socket(id) if self.instance_config(*id).is_none() => {
                    self.commands.retries.ended(&what);
                }
                Lacking::Socket(id) => self.refresh_source(*id),
                Lacking::Port(_) => self.listen_for_sessions(),
                Lacking::File(name) => self.watch_file(name),
                Lacking::Fifo(which) => self.open_fifos(Some(*which)),
            }
        }
        self.drain();
        self.flush_adverts();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_and_end_with_the_lack() {
        let mut retries = Retries::default();
        let (what, seconds) =
            (Lacking::Socket(InstanceId(1)), |n: u64| Instant::from_millis(n * 1000));
        assert!(retries.failed(what.clone(), "no room", seconds(0)));
        let mut tried = Vec::new();
        for n in 0..100 {
            if !retries.due(seconds(n)).is_empty() {
                assert!(!retries.failed(what.clone(), "no room", seconds(n)), "already reported");
                tried.push(n);
            }
        }
        assert_eq!(tried, [1, 3, 7, 15, 31, 61, 91]);
        assert!(retries.failed(what.clone(), "another reason", seconds(99)));
        assert!(retries.ended(&what) && !retries.ended(&what));
        assert_eq!(retries.next_deadline(), None);
    }
}
