//! Intervals: what each end offers, and what follows from both (RFC 5880 sections 6.8.2 to 6.8.4).

use crate::base::rng::Rng;
use crate::base::time::{micros, Duration, Instant};
use crate::wire::bfd::ControlPacket;

/// What one end offers in its packets.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Offer {
    /// Desired Min TX Interval.
    pub min_tx: Duration,
    /// Required Min RX Interval; zero: no periodic packets, please.
    pub min_rx: Duration,
    /// Detect Mult.
    pub multiplier: u8,
}

/// Both offers, and what is in force.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Timing {
    pub local: Offer,
    /// `None` until the neighbour is heard.
    pub remote: Option<Offer>,
    /// The longest interval between two of our packets; `None`: none are sent periodically.
    pub tx_interval: Option<Duration>,
    /// Silence of this length means that the session is down; `None` until the neighbour is heard.
    pub detection: Option<Duration>,
}

impl Offer {
    pub(super) fn of(packet: &ControlPacket) -> Self {
        Self {
            min_tx: Duration::from_micros(packet.min_tx.into()),
            min_rx: Duration::from_micros(packet.min_rx.into()),
            multiplier: packet.multiplier,
        }
    }
}

/// An interval as a packet holds it. The longest is more than an hour.
pub(super) fn on_wire(interval: Duration) -> u32 {
    u32::try_from(micros(interval)).unwrap_or(u32::MAX)
}

/// Beats in an interval. Packets are sent on a beat, so that sessions share a wake-up of the daemon:
/// that costs more than a packet.
const BEATS: u64 = 20;

/// The least time between two packets: up to a quarter of the interval is jitter (RFC 5880 section
/// 6.8.7).
pub(super) fn shortest(interval: Duration) -> Duration {
    interval * 3 / 4
}

/// The earliest time for the packet after one sent at `sent`.
pub(super) fn earliest(sent: Instant, interval: Duration) -> Instant {
    sent + shortest(interval)
}

/// The time for the packet after one sent at `sent`: any beat after 75 to 100 % of the interval, or
/// to 90 % if a single lost packet ends the session (section 6.8.7).
pub(super) fn next_send(
    sent: Instant,
    interval: Duration,
    multiplier: u8,
    rng: &mut Rng,
) -> Instant {
    let latest = sent + if multiplier == 1 { interval * 9 / 10 } else { interval };
    let beat = (micros(interval) / BEATS).max(1);
    let first = earliest(sent, interval).micros().div_ceil(beat);
    let last = latest.micros() / beat;
    Instant::from_micros(rng.between(first, last.max(first) + 1) * beat)
}

/// How long the neighbour may be silent (section 6.8.4). It sends at the slower of the two rates.
pub(super) fn detection_time(min_rx: Duration, remote: &Offer) -> Duration {
    rx_interval(min_rx, remote) * u32::from(remote.multiplier)
}

/// The longest interval between two packets of the neighbour. Zero is reserved, and would end a
/// session at once.
fn rx_interval(min_rx: Duration, remote: &Offer) -> Duration {
    min_rx.max(remote.min_tx).max(Duration::from_millis(1))
}

/// The wait for a sign of life after a stall of our own: two packets of the neighbour, one of which
/// may be lost, but never more than the detection time.
pub(super) fn second_chance(min_rx: Duration, remote: &Offer) -> Duration {
    rx_interval(min_rx, remote) * u32::from(remote.multiplier.min(2))
}
