//! Interfaces: how long a change of their link is held back, and how the link is watched.

use crate::base::time::Duration;

/// One line of `interface_up_down_delays`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LinkDelays {
    pub interface: String,
    /// How long a link may be down before it counts as down.
    pub down: Duration,
    /// How long a link has to be up again before it counts as up.
    pub up: Duration,
}

impl LinkDelays {
    /// The delays, so that no other router takes over before a link counts as down. A delay of both
    /// directions is shortened in both.
    pub fn within(&self, limit: Duration) -> (Duration, Duration) {
        if self.down <= limit {
            return (self.down, self.up);
        }
        let both = self.up == self.down || limit.is_zero();
        (limit, if both { limit } else { self.up })
    }
}

/// How to read the state of a link (`linkbeat_interfaces`).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum LinkQuery {
    /// The registers of the transceiver.
    Mii,
    /// The driver.
    Ethtool,
    /// The flags of the interface.
    Flags,
}

impl LinkQuery {
    /// In the order in which they are tried.
    pub const ALL: [Self; 3] = [Self::Mii, Self::Ethtool, Self::Flags];

    /// The word of the configuration.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Mii => "MII",
            Self::Ethtool => "ETHTOOL",
            Self::Flags => "IOCTL",
        }
    }
}

/// An interface whose link is read every second.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PolledLink {
    pub interface: String,
    /// `None`: the first that works.
    pub query: Option<LinkQuery>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_are_cut_to_the_limit() {
        let cut = |down, up, limit| {
            let ms = Duration::from_millis;
            let delays = LinkDelays { interface: "e".into(), down: ms(down), up: ms(up) };
            let (down, up) = delays.within(ms(limit));
            (down.as_millis(), up.as_millis())
        };
        assert_eq!(cut(100, 500, 100), (100, 500));
        assert_eq!(cut(101, 500, 100), (100, 500));
        assert_eq!(cut(500, 500, 100), (100, 100));
        assert_eq!(cut(500, 400, 0), (0, 0));
    }
}
