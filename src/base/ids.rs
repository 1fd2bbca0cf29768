//! Identifiers: small integers, each with its own type.

use std::fmt;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        pub struct $name(pub u32);

        impl From<$name> for usize {
            fn from(id: $name) -> Self {
                id.0 as Self
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "#{}", self.0)
            }
        }
    };
}

id!(
    /// One virtual router. Kept across reloads for as long as the instance lives.
    InstanceId
);
id!(
    /// One sync group.
    GroupId
);
id!(
    /// One virtual server. Kept across reloads for as long as it lives.
    ServiceId
);
id!(
    /// One check of a real server. Kept across reloads for as long as it lives.
    CheckId
);
id!(
    /// One tracked script as configured. Never reused, so that a late exit of a run from an older
    /// configuration matches no current script.
    ScriptId
);
id!(
    /// One BFD session. Kept across reloads for as long as the session lives.
    SessionId
);
