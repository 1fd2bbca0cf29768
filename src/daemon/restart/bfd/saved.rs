//! A session in the snapshot, and back.

use crate::base::time::{micros, Duration, Instant};
use crate::bfd::{Counts, Diag, Memory, Neighbor, Numbers, Offer, Poll, SessionState};
use crate::model::bfd::{BfdAuthKind, BfdInstance};
use crate::snapshot::bfd as saved;

/// A session as text and numbers.
pub(super) fn save(
    config: &BfdInstance,
    memory: &Memory,
    down: Option<String>,
    descriptor: Option<i32>,
) -> saved::Session {
    let auth = |numbers: Numbers| saved::Auth {
        meticulous: numbers.kind == BfdAuthKind::MeticulousSha1,
        key_id: numbers.key_id,
        ours: numbers.ours,
        theirs: numbers.theirs,
        until: numbers.forgotten_at.map(Instant::micros),
    };
    let remote = |n: Neighbor| saved::Remote {
        discriminator: n.discriminator,
        state: n.state.word().to_owned(),
        diag: n.diag.code(),
        demand: n.demand,
        offer: save_offer(&n.offer),
        heard: n.heard.micros(),
    };
    let Counts { sent, received, refused, up, down: downs } = memory.counts;
    saved::Session {
        name: config.name.clone(),
        neighbor: config.neighbor,
        interface: config.interface.clone(),
        source: config.source,
        multihop: config.multihop,
        discriminator: memory.discriminator,
        state: memory.state.word().to_owned(),
        since: memory.since.micros(),
        down,
        diag: memory.diag.code(),
        remote: memory.neighbor.map(remote),
        offer: save_offer(&memory.offer),
        min_tx: micros(memory.min_tx),
        min_rx: micros(memory.min_rx),
        poll: memory.poll.word().to_owned(),
        sent: memory.sent.map(Instant::micros),
        auth: memory.numbers.map(auth),
        counts: saved::Counts { sent, received, refused, up, down: downs },
        descriptor,
    }
}

/// The reverse; `None`: it is no state of a session that could go on.
pub(super) fn recall(saved: &saved::Session) -> Option<Memory> {
    let remote = |n: &saved::Remote| {
        Some(Neighbor {
            discriminator: n.discriminator,
            state: state(&n.state)?,
            diag: Diag::new(n.diag),
            demand: n.demand,
            offer: recall_offer(n.offer),
            heard: Instant::from_micros(n.heard),
        })
    };
    let numbers = |auth: &saved::Auth| Numbers {
        kind: if auth.meticulous { BfdAuthKind::MeticulousSha1 } else { BfdAuthKind::Sha1 },
        key_id: auth.key_id,
        ours: auth.ours,
        theirs: auth.theirs,
        forgotten_at: auth.until.map(Instant::from_micros),
    };
    let saved::Counts { sent, received, refused, up, down } = saved.counts;
    let memory = Memory {
        discriminator: saved.discriminator,
        state: state(&saved.state)?,
        since: Instant::from_micros(saved.since),
        diag: Diag::new(saved.diag),
        neighbor: match &saved.remote {
            Some(found) => Some(remote(found)?),
            None => None,
        },
        offer: recall_offer(saved.offer),
        min_tx: Duration::from_micros(saved.min_tx),
        min_rx: Duration::from_micros(saved.min_rx),
        poll: Poll::ALL.into_iter().find(|poll| poll.word() == saved.poll)?,
        sent: saved.sent.map(Instant::from_micros),
        numbers: saved.auth.as_ref().map(numbers),
        counts: Counts { sent, received, refused, up, down },
    };
    let needs_neighbor = matches!(memory.state, SessionState::Init | SessionState::Up);
    let is_sound = memory.discriminator != 0
        && memory.state != SessionState::AdminDown
        && (memory.neighbor.is_some() || !needs_neighbor);
    is_sound.then_some(memory)
}

fn state(word: &str) -> Option<SessionState> {
    SessionState::ALL.into_iter().find(|state| state.word() == word)
}

fn save_offer(offer: &Offer) -> saved::Offer {
    let (min_tx, min_rx) = (micros(offer.min_tx), micros(offer.min_rx));
    saved::Offer { min_tx, min_rx, multiplier: offer.multiplier }
}

const fn recall_offer(offer: saved::Offer) -> Offer {
    let saved::Offer { min_tx, min_rx, multiplier } = offer;
    let (min_tx, min_rx) = (Duration::from_micros(min_tx), Duration::from_micros(min_rx));
    Offer { min_tx, min_rx, multiplier }
}
