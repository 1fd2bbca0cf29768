//! `auth_hmac`: keys and rules of signed advertisements.

use std::time::Duration;

use super::secret::Secret;

/// `mode`: which advertisements are signed, and which must be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SigningMode {
    /// Signs nothing, and accepts advertisements without a signature.
    ReceiveOnly,
    /// Signs, and accepts advertisements without a signature.
    Permissive,
    /// Signs, and accepts only signed ones.
    Enforce,
}

impl SigningMode {
    /// As it is configured.
    pub const fn word(self) -> &'static str {
        match self {
            Self::ReceiveOnly => "receive-only",
            Self::Permissive => "permissive",
            Self::Enforce => "enforce",
        }
    }
}

/// `anti_replay`: what sets new advertisements apart from recorded ones.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum AntiReplay {
    /// The clocks of all routers agree within `time_window`, of whole seconds.
    Time { window: Duration },
    /// Each sender counts upwards.
    Monotonic,
}

/// `key`: number 1..=255, and 32 to 64 bytes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SigningKey {
    pub id: u8,
    pub secret: Secret,
}

/// `auth_hmac` of an instance.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Signing {
    /// Each number once.
    pub keys: Vec<SigningKey>,
    /// `active_key`: one of them, used to sign. The others are only accepted.
    pub active: u8,
    pub mode: SigningMode,
    pub anti_replay: AntiReplay,
}

impl Signing {
    pub fn key(&self, id: u8) -> Option<&Secret> {
        self.keys.iter().find(|key| key.id == id).map(|key| &key.secret)
    }
}
