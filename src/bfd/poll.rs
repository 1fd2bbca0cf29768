//! Poll sequences (RFC 5880 section 6.5): our packets carry the P bit until one with the F bit
//! answers. Then the neighbour knows our parameters.

/// Where a session is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Poll {
    /// There is nothing to ask. The neighbour has sent a packet without the F bit since.
    Idle,
    /// As well, but a packet with the F bit may be another answer to the sequence that is over.
    Ended,
    /// To begin once a packet without the F bit has arrived (section 6.8.3, the third choice).
    Due,
    Active,
    /// Something changed since it began: the answer may be to a packet from before that.
    Outdated,
}

impl Poll {
    pub const ALL: [Self; 5] = [Self::Idle, Self::Ended, Self::Due, Self::Active, Self::Outdated];

    /// For a snapshot.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Idle => "idle",
            Self::Ended => "ended",
            Self::Due => "due",
            Self::Active => "active",
            Self::Outdated => "outdated",
        }
    }

    pub(super) const fn is_active(self) -> bool {
        matches!(self, Self::Active | Self::Outdated)
    }

    /// A parameter changed.
    pub(super) const fn requested(self) -> Self {
        match self {
            Self::Idle => Self::Active,
            Self::Ended | Self::Due => Self::Due,
            Self::Active | Self::Outdated => Self::Outdated,
        }
    }

    /// A packet arrived, with or without the F bit.
    pub(super) const fn after(self, final_: bool) -> Self {
        match (self, final_) {
            (Self::Active, true) => Self::Ended,
            (Self::Outdated, true) => Self::Due,
            (Self::Due, false) => Self::Active,
            (Self::Ended, false) => Self::Idle,
            (same, _) => same,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_change_takes_one_answer() {
        let poll = Poll::Idle.requested();
        assert!(poll.is_active());
        let poll = poll.after(false);
        assert!(poll.is_active());
        let poll = poll.after(true);
        assert_eq!(poll, Poll::Ended);
        assert_eq!(poll.after(true), Poll::Ended);
        assert_eq!(poll.after(false), Poll::Idle);
    }

    #[test]
    fn a_change_amid_a_sequence_takes_another_one() {
        let poll = Poll::Idle.requested().requested().after(true);
        assert!(!poll.is_active(), "the answer may be to a packet with the former values");
        assert!(!poll.after(true).is_active(), "so may this one");
        assert_eq!(poll.after(false), Poll::Active);
        assert_eq!(Poll::Ended.requested().after(true), Poll::Due);
    }
}
