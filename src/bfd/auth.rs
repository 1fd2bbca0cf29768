//! Authentication (RFC 5880 section 6.7.4): the signature of our packets, and the check of theirs.

use super::refusal::Refusal;
use crate::base::time::{Duration, Instant};
use crate::model::bfd::{BfdAuth, BfdAuthKind};
use crate::wire::bfd::{self as wire, Packet, Signature};

/// Sequence numbers of a session. Without authentication they are of no use.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sequences {
    /// bfd.XmitAuthSeq
    ours: u32,
    /// bfd.RcvAuthSeq; `None`: bfd.AuthSeqKnown is zero.
    theirs: Option<u32>,
    /// When theirs will be forgotten: twice the detection time after the last packet.
    forgotten_at: Option<Instant>,
}

/// Sequence numbers, and the authentication that they belong to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Numbers {
    pub kind: BfdAuthKind,
    pub key_id: u8,
    pub ours: u32,
    pub theirs: Option<u32>,
    pub forgotten_at: Option<Instant>,
}

impl Sequences {
    /// It begins with a number that cannot be foreseen.
    pub(super) const fn new(ours: u32) -> Self {
        Self { ours, theirs: None, forgotten_at: None }
    }

    /// They go on. With another authentication, the neighbour begins anew, and so do its numbers.
    pub(super) fn recalled(numbers: &Numbers, auth: &BfdAuth) -> Self {
        let Numbers { kind, key_id, ours, theirs, forgotten_at } = *numbers;
        if (kind, key_id) != (auth.kind, auth.key_id) {
            return Self::new(ours);
        }
        Self { ours, theirs, forgotten_at }
    }

    pub(super) const fn numbers(&self, auth: &BfdAuth) -> Numbers {
        let Self { ours, theirs, forgotten_at } = *self;
        Numbers { kind: auth.kind, key_id: auth.key_id, ours, theirs, forgotten_at }
    }

    pub(super) const fn forgotten_at(&self) -> Option<Instant> {
        self.forgotten_at
    }

    pub(super) fn forget(&mut self) {
        (self.theirs, self.forgotten_at) = (None, None);
    }

    /// A packet was accepted.
    pub(super) fn accept(&mut self, sequence: u32, arrived: Instant, detection: Duration) {
        self.theirs = Some(sequence);
        self.forgotten_at = Some(arrived + 2 * detection);
    }

    /// The signature of the next packet. `is_new`: it says something else than the last one.
    pub(super) fn sign<'a>(&mut self, auth: &'a BfdAuth, is_new: bool) -> Signature<'a> {
        if is_new || auth.kind == BfdAuthKind::MeticulousSha1 {
            self.ours = self.ours.wrapping_add(1);
        }
        let (kind, sequence) = (number(auth.kind), self.ours);
        Signature { kind, key_id: auth.key_id, sequence, key: auth.key.bytes() }
    }

    /// The sequence number of an authentic packet; `None`: neither end authenticates.
    pub(super) fn check(
        &self,
        packet: &Packet<'_>,
        auth: Option<&BfdAuth>,
    ) -> Result<Option<u32>, Refusal> {
        let (theirs, auth) = match (packet.auth_type(), auth) {
            (None, None) => return Ok(None),
            (Some(_), None) => return Err(Refusal::Authenticated),
            (None, Some(_)) => return Err(Refusal::NotAuthenticated),
            (Some(theirs), Some(auth)) => (theirs, auth),
        };
        let ours = number(auth.kind);
        if theirs != ours {
            return Err(Refusal::AuthType { theirs, ours });
        }
        let section = packet.sha1().ok_or(Refusal::AuthLength)?;
        if section.key_id != auth.key_id {
            return Err(Refusal::AuthKeyId { theirs: section.key_id, ours: auth.key_id });
        }
        // The RFC looks at the number first. This way round, only holders of the key learn of it.
        if !section.is_signed_with(auth.key.bytes()) {
            return Err(Refusal::AuthDigest);
        }
        self.check_sequence(section.sequence, auth.kind, packet.control().multiplier)?;
        Ok(Some(section.sequence))
    }

    /// The number is at most three detection times ahead, and with meticulous authentication it is
    /// none that was used.
    fn check_sequence(&self, theirs: u32, kind: BfdAuthKind, mult: u8) -> Result<(), Refusal> {
        let Some(last) = self.theirs else { return Ok(()) };
        let least = u32::from(kind == BfdAuthKind::MeticulousSha1);
        if (least..=3 * u32::from(mult)).contains(&theirs.wrapping_sub(last)) {
            return Ok(());
        }
        Err(Refusal::AuthSequence { theirs, last })
    }
}

const fn number(kind: BfdAuthKind) -> u8 {
    match kind {
        BfdAuthKind::Sha1 => wire::KEYED_SHA1,
        BfdAuthKind::MeticulousSha1 => wire::METICULOUS_SHA1,
    }
}
