//! Why the state of a session changed: one value for the log line and for what tracks the session.

use std::fmt;

use crate::base::time::Duration;
use crate::wire::bfd::Diag;

/// Why a session entered a state.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Cause {
    /// No packet within the detection time, which is the time since the last one that counts.
    Silence { waited: Duration, detection: Duration },
    /// The neighbour's state is Down, for this reason of its own.
    NeighborDown { diag: Diag },
    /// The neighbour's state is AdminDown.
    ///
    /// RFC 5882 section 3.2 advises protocols that have other means of detection to ignore it. For a
    /// virtual router or server that tracks a session there is no other: what it waits for is that
    /// the session is up. So it counts as down, unlike in keepalived, where such an instance keeps
    /// its addresses or even takes them over, however long the neighbour is gone.
    NeighborAdminDown,
    /// The neighbour is heard, but may not hear us.
    NeighborHeard,
    /// The neighbour hears us.
    NeighborHears,
    /// The configuration no longer has this session.
    Removed,
    /// The daemon ends.
    Stopping,
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Silence { waited, detection } => {
                write!(f, "no packet for {} ms", Millis(*waited))?;
                if waited != detection {
                    write!(f, ", the detection time is {} ms", Millis(*detection))?;
                }
                Ok(())
            }
            Self::NeighborDown { diag: Diag::NONE } => {
                f.write_str("the neighbour signalled the session down")
            }
            Self::NeighborDown { diag } => {
                write!(f, "the neighbour signalled the session down ({diag})")
            }
            Self::NeighborAdminDown => f.write_str("the neighbour is administratively down"),
            Self::NeighborHeard => f.write_str("the neighbour is heard"),
            Self::NeighborHears => f.write_str("the neighbour is heard and hears us"),
            Self::Removed => f.write_str("no longer configured"),
            Self::Stopping => f.write_str("stopping"),
        }
    }
}

/// `152`, `150.25`
struct Millis(Duration);

impl fmt::Display for Millis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let micros = self.0.as_micros();
        let text = format!("{}.{:03}", micros / 1000, micros % 1000);
        f.write_str(text.trim_end_matches('0').trim_end_matches('.'))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sentence_for_the_log() {
        let ms = Duration::from_micros;
        let cases = [
            (
                Cause::Silence { waited: ms(152_250), detection: ms(150_000) },
                "no packet for 152.25 ms, the detection time is 150 ms",
            ),
            (
                Cause::Silence { waited: ms(100_000), detection: ms(100_000) },
                "no packet for 100 ms",
            ),
            (
                Cause::NeighborDown { diag: Diag::TIME_EXPIRED },
                "the neighbour signalled the session down (Control Detection Time Expired)",
            ),
            (Cause::NeighborDown { diag: Diag::NONE }, "the neighbour signalled the session down"),
        ];
        for (cause, text) in cases {
            assert_eq!(cause.to_string(), text);
        }
    }
}
