//! How much of its rights the daemon gives up after the start.

use std::fmt;

/// `sandbox`
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub enum Sandbox {
    /// Nothing.
    Off,
    /// The capabilities that it does not need itself. Commands have theirs.
    #[default]
    On,
}

impl Sandbox {
    pub const NAMES: &'static str = "off or on";

    pub fn named(text: &str) -> Option<Self> {
        [Self::Off, Self::On].into_iter().find(|mode| mode.name() == text)
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::On => "on",
        }
    }
}

/// As it is configured.
impl fmt::Display for Sandbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
