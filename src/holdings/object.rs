//! Objects that the kernel can hold for an owner. They are created in the order of the variants and
//! removed in reverse order, since an object may depend on those before it.

use std::fmt;
use std::rc::Rc;

use super::address::Spot;
use super::sysctl::{Setting, Sysctl};
use crate::base::addr::{HostAddress, Prefix};
use crate::model::vrrp::VirtualAddress;

/// A wanted object.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Object {
    Sysctl(Rc<Sysctl>),
    Address(Rc<VirtualAddress>),
}

impl From<&Rc<VirtualAddress>> for Object {
    fn from(address: &Rc<VirtualAddress>) -> Self {
        Self::Address(Rc::clone(address))
    }
}

#[cfg(test)]
impl From<&VirtualAddress> for Object {
    fn from(address: &VirtualAddress) -> Self {
        Self::Address(Rc::new(address.clone()))
    }
}

impl Object {
    pub(super) fn rank(&self) -> usize {
        match self {
            Self::Sysctl(_) => 0,
            Self::Address(_) => 1,
        }
    }

    pub(super) fn key(&self) -> Key {
        match self {
            Self::Sysctl(sysctl) => {
                Key::Sysctl { link: sysctl.link.clone(), setting: sysctl.setting }
            }
            Self::Address(address) => Key::of(address),
        }
    }

    pub fn name(&self) -> Name {
        match self {
            Self::Sysctl(sysctl) => Name::Sysctl(sysctl.setting),
            Self::Address(address) => Name::Address(address.prefix),
        }
    }

    /// Name of its interface.
    pub(super) fn link(&self) -> &str {
        match self {
            Self::Sysctl(sysctl) => &sysctl.link,
            Self::Address(address) => &address.interface,
        }
    }

    /// True if it is not restored when it is removed externally (`no_track`).
    pub(super) fn is_waived_when_missing(&self) -> bool {
        match self {
            Self::Sysctl(_) => false,
            Self::Address(address) => address.no_track,
        }
    }

    /// True if the kernel stores the same for both.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Address(a), Self::Address(b)) => super::address::same_options(a, b),
            (a, b) => a == b,
        }
    }

    pub(super) fn address(&self) -> Option<&Rc<VirtualAddress>> {
        match self {
            Self::Address(address) => Some(address),
            Self::Sysctl(_) => None,
        }
    }
}

/// Key of a wanted object. Interfaces are identified by the names in the configuration.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Key {
    Sysctl { link: String, setting: Setting },
    Address { link: String, spot: Spot },
}

impl Key {
    pub fn of(address: &VirtualAddress) -> Self {
        Self::Address { link: address.interface.clone(), spot: Spot::of(address) }
    }

    pub fn link(&self) -> &str {
        match self {
            Self::Sysctl { link, .. } | Self::Address { link, .. } => link,
        }
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sysctl { link, setting } => write!(f, "{} on {link}", setting.name()),
            Self::Address { link, spot } => write!(f, "{} on {link}", spot.addr),
        }
    }
}

/// An object that the daemon installed in the kernel, with the data needed to remove it.
#[derive(Clone, PartialEq, Debug)]
pub enum Item {
    /// The value to restore.
    Sysctl(Setting, String),
    Address(HostAddress),
}

/// Name of an object on an interface in log lines.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Name {
    Sysctl(Setting),
    Address(Prefix),
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sysctl(setting) => f.write_str(setting.name()),
            Self::Address(prefix) => prefix.fmt(f),
        }
    }
}
