//! What lowering has to know of the machine. A trait, so that the code stays pure.

/// An interface, as far as a configuration depends on it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LinkFacts {
    pub index: u32,
    pub mtu: u32,
    /// IFF_MULTICAST
    pub multicast: bool,
    /// It has an Ethernet address.
    pub ethernet: bool,
    /// Not IFF_NOARP.
    pub arp: bool,
}

pub trait Host {
    /// The interface of that name, if there is one now.
    fn link(&self, name: &str) -> Option<LinkFacts>;
    /// What `router_id` is if the file has none.
    fn hostname(&self) -> Option<String>;
}
