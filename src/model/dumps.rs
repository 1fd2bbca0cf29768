//! The files that are written on a signal.

/// What is in the JSON file.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub enum JsonVersion {
    /// A list of instances.
    #[default]
    List,
    /// An object with the list of instances, and with all else.
    Object,
}

impl JsonVersion {
    /// The number of `json_version`.
    pub const fn number(self) -> u8 {
        match self {
            Self::List => 1,
            Self::Object => 2,
        }
    }
}

#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Dumps {
    /// `state_dump_file`, `stats_dump_file`, `json_dump_file`: a path, or a name in the temporary
    /// directory.
    pub state: Option<String>,
    pub stats: Option<String>,
    pub json: Option<String>,
    /// `data_use_instance`: names of state files have the network namespace and `instance` in them.
    pub use_instance: bool,
    pub json_version: JsonVersion,
}
