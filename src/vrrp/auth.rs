//! Authentication of advertisements: the authentication header (`auth_type AH`) and signed
//! advertisements (`auth_hmac`).
//!
//! A [`Guard`] is what an instance remembers for that: the last sequence number that it sent, and
//! the last one accepted from each sender. It survives a reload and a restart by command. After a start,
//! the state file and the clock keep the own sequence numbers above those of the former run; what was
//! heard is not known any more.
//!
//! An advertisement is sealed when it is sent, for each one has its own sequence number.

mod digest;
mod header;
mod replay;
mod signature;
#[cfg(test)]
mod tests;

use std::net::IpAddr;

use super::receive::{Received, Reject, Remark};
use crate::base::time::WallTime;
use crate::model::vrrp::{Authentication, Instance};
use crate::wire::vrrp::trailer::Sequence;
use crate::wire::vrrp::Packet;

use super::past::Mark;
use header::HeaderGuard;
use signature::SignatureGuard;

/// Numbers for the advertisements of a program that is being replaced: one in a second at most, and
/// some answers.
const ROOM: u32 = 32;

/// Memory of an instance with authenticated advertisements.
#[derive(Debug)]
pub enum Guard {
    Header(HeaderGuard),
    Signature(SignatureGuard),
}

impl Guard {
    /// For an instance that has just been made; `None` if it needs none.
    pub fn of(config: &Instance) -> Option<Box<Self>> {
        Self::adjusted(None, config)
    }

    /// For an instance that has another configuration than before.
    pub fn adjusted(mut before: Option<Box<Self>>, config: &Instance) -> Option<Box<Self>> {
        match (&config.authentication, before.as_deref_mut()) {
            (Authentication::Header(_), Some(Self::Header(guard))) => guard.limit(config),
            (Authentication::Signed(_), Some(Self::Signature(guard))) => guard.limit(config),
            (Authentication::Header(_), _) => {
                before = Some(Box::new(Self::Header(HeaderGuard::new(config))));
            }
            (Authentication::Signed(_), _) => {
                before = Some(Box::new(Self::Signature(SignatureGuard::new(config))));
            }
            (Authentication::None | Authentication::Pass(_) | Authentication::Unusable, _) => {
                before = None;
            }
        }
        before
    }

    /// The last sequence number, for a later run; `None` before the first.
    pub(super) fn last(&self) -> Option<u64> {
        match self {
            Self::Header(guard) => Some(guard.highest().into()).filter(|highest| *highest > 0),
            Self::Signature(guard) => guard.last().map(|last| last.0),
        }
    }

    /// A run before this one has used this number, or if it still advertises, will have used a few
    /// more. Those of signatures are times, which need no room for that.
    pub(super) fn follow(&mut self, last: u64, still_advertises: bool) {
        match self {
            Self::Header(guard) => {
                let room = if still_advertises { ROOM } else { 0 };
                let last = u32::try_from(last).unwrap_or_default();
                guard.follow(last.saturating_add(room));
            }
            Self::Signature(guard) => guard.follow(Sequence(last)),
        }
    }

    /// The last sequence number of each sender.
    pub(super) fn marks(&self) -> Vec<Mark> {
        match self {
            Self::Header(guard) => guard.heard.all(u64::from),
            Self::Signature(guard) => guard.heard.all(|sequence| sequence.0),
        }
    }

    /// A run before this one has accepted this number.
    pub(super) fn recall(&mut self, mark: &Mark) {
        match self {
            Self::Header(guard) => {
                let sequence = u32::try_from(mark.sequence).unwrap_or_default();
                guard.heard.set(mark.from, sequence, mark.at);
            }
            Self::Signature(guard) => {
                guard.heard.set(mark.from, Sequence(mark.sequence), mark.at);
            }
        }
    }

    /// An advertisement was accepted. Not before: its checksum, for one, is not covered by a
    /// signature, so that a changed copy could take the place of the original.
    pub(super) fn note(&mut self, proof: Proof, received: &Received<'_>, config: &Instance) {
        match (self, proof) {
            (Self::Header(guard), Proof::Header(sequence)) => guard.note(sequence, received),
            (Self::Signature(guard), Proof::Signature(sequence)) => {
                guard.note(sequence, received, config);
            }
            _ => {}
        }
    }

    /// Writes the next sequence number and the digest into the copies of an advertisement. False if
    /// it must not be sent.
    pub fn seal<'a>(
        &mut self,
        config: &Instance,
        source: IpAddr,
        wall: WallTime,
        copies: impl Iterator<Item = &'a mut [u8]>,
    ) -> bool {
        match (self, &config.authentication) {
            (Self::Header(guard), Authentication::Header(key)) => guard.seal(key, wall, copies),
            (Self::Signature(guard), Authentication::Signed(signing)) => {
                guard.seal(signing, config.family, source, wall, copies)
            }
            _ => false,
        }
    }
}

/// The sequence number of an advertisement that is authentic.
#[derive(Clone, Copy, Debug)]
pub(super) enum Proof {
    /// None is asked for.
    Nothing,
    Header(u32),
    Signature(Sequence),
}

/// Verifies the authentication header, or the signature of an advertisement.
pub(super) fn verify(
    guard: Option<&Guard>,
    received: &Received<'_>,
    packet: &Packet<'_>,
    config: &Instance,
) -> Result<(Proof, Option<Remark>), Reject> {
    let source = received.source;
    match (guard, &config.authentication, &received.header) {
        (_, Authentication::None | Authentication::Pass(_), _) => Ok((Proof::Nothing, None)),
        (Some(Guard::Header(guard)), Authentication::Header(key), Some(header)) => {
            Ok((guard.verify(key, header, received)?, None))
        }
        (Some(Guard::Signature(guard)), Authentication::Signed(signing), None) => {
            guard.verify(signing, received, packet, config)
        }
        _ => Err(Reject::NoKey { source }),
    }
}
