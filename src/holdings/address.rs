//! Identity of addresses in the kernel, and the options that can be changed in place.

use std::net::{IpAddr, Ipv4Addr};

use crate::base::addr::{HostAddress, Prefix, PROTOCOL_KEEPALIVED};
use crate::model::vrrp::{Broadcast, VirtualAddress};

/// An address as the kernel identifies it on an interface: an IPv6 address exists once, an IPv4
/// address once per network.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Spot {
    pub addr: IpAddr,
    network: Option<(Ipv4Addr, u8)>,
}

impl Spot {
    pub fn of(address: &VirtualAddress) -> Self {
        Self::new(address.prefix, address.peer)
    }

    pub fn of_host(address: &HostAddress) -> Self {
        Self::new(address.prefix, address.peer)
    }

    fn new(Prefix { addr, len }: Prefix, peer: Option<IpAddr>) -> Self {
        let network = match (addr, peer.unwrap_or(addr)) {
            (IpAddr::V4(_), network @ IpAddr::V4(_)) => {
                match (Prefix { addr: network, len }.network().addr) {
                    IpAddr::V4(network) => Some((network, len)),
                    IpAddr::V6(_) => None,
                }
            }
            _ => None,
        };
        Self { addr, network }
    }

    /// Lower bound of all values.
    pub(super) const FIRST: Self = Self { addr: IpAddr::V4(Ipv4Addr::UNSPECIFIED), network: None };

    /// Lower bound of the spots with this address.
    pub(super) const fn first_of(addr: IpAddr) -> Self {
        Self { addr, network: None }
    }
}

const IFA_F_NODAD: u32 = 0x02;
const IFA_F_HOMEADDRESS: u32 = 0x10;
const IFA_F_MANAGETEMPADDR: u32 = 0x100;
const IFA_F_NOPREFIXROUTE: u32 = 0x200;
const IFA_F_MCAUTOJOIN: u32 = 0x400;

/// The way to change an address in the kernel to its wanted form.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Difference {
    None,
    /// NLM_F_REPLACE changes it while the address stays.
    InPlace,
    /// The address has to be removed and added.
    Anew,
}

/// Preferred lifetime of an address.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Preferred {
    Never,
    /// A limited lifetime.
    Running,
    Forever,
}

impl Preferred {
    const fn of(seconds: u32) -> Self {
        match seconds {
            0 => Self::Never,
            u32::MAX => Self::Forever,
            _ => Self::Running,
        }
    }
}

/// Compares an address of the daemon in the kernel with its wanted form.
pub(super) fn difference(shown: &HostAddress, wanted: &VirtualAddress) -> Difference {
    let wanted = as_shown(wanted);
    let v6 = wanted.prefix.addr.is_ipv6();
    let fixed = |a: &HostAddress| match v6 {
        true => (a.prefix.len, a.peer, None, 0, a.flags & IFA_F_MCAUTOJOIN),
        false => (a.prefix.len, a.peer, a.broadcast, a.scope, a.flags & flags_of(a)),
    };
    if fixed(shown) != fixed(&wanted) || shown.label != wanted.label {
        return Difference::Anew;
    }
    let preferred = Preferred::of(wanted.preferred);
    let same_flags = shown.flags & flags_of(shown) == wanted.flags & flags_of(&wanted);
    if same_flags && preferred == Preferred::of(shown.preferred) && preferred != Preferred::Running
    {
        Difference::None
    } else {
        Difference::InPlace
    }
}

/// True if the kernel stores the same for both.
pub(super) fn same_options(a: &VirtualAddress, b: &VirtualAddress) -> bool {
    as_shown(a) == as_shown(b)
}

/// Flags set by operators; the kernel controls the others.
const fn flags_of(a: &HostAddress) -> u32 {
    let both = IFA_F_HOMEADDRESS | IFA_F_MANAGETEMPADDR | IFA_F_NOPREFIXROUTE | IFA_F_MCAUTOJOIN;
    if a.prefix.addr.is_ipv6() {
        both | IFA_F_NODAD
    } else {
        both
    }
}

/// The address as reported by the kernel after it was added.
pub fn as_shown(a: &VirtualAddress) -> HostAddress {
    let v6 = a.prefix.addr.is_ipv6();
    let mut flags = 0;
    let given = [
        (v6 && a.nodad, IFA_F_NODAD),
        (a.home, IFA_F_HOMEADDRESS),
        (a.mngtmpaddr, IFA_F_MANAGETEMPADDR),
        (a.noprefixroute, IFA_F_NOPREFIXROUTE),
        (a.autojoin, IFA_F_MCAUTOJOIN),
        // Duplicate address detection starts.
        (v6 && !a.nodad, HostAddress::TENTATIVE),
    ];
    for (_, flag) in given.into_iter().filter(|(is_given, _)| *is_given) {
        flags |= flag;
    }
    HostAddress {
        prefix: a.prefix,
        peer: a.peer.filter(|peer| *peer != a.prefix.addr),
        broadcast: match a.broadcast {
            Broadcast::Address(addr) if !v6 => Some(addr),
            _ => None,
        },
        scope: if v6 { 0 } else { a.scope.0 },
        label: a.label.as_deref().filter(|label| !v6 && a.interface != *label).map(Into::into),
        flags,
        preferred: a.preferred_lft.unwrap_or(u32::MAX),
        protocol: Some(PROTOCOL_KEEPALIVED),
    }
}
