//! What else a reload does.

#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Reload {
    /// `reload_check_config`: a text with an error is refused, and what is wrong with it is written
    /// here; `/dev/null`: it is only logged.
    pub check: Option<String>,
    /// `reload_file`: exists while the configuration is read.
    pub marker: Option<Marker>,
    /// `reload_time_file`: names the time of a reload.
    pub time_file: Option<String>,
    /// `reload_repeat`: a time without a date is that of every day.
    pub repeat: bool,
    /// `config_save_dir`: configurations are kept here, and the state before and after each reload.
    pub save_dir: Option<String>,
}

/// The path of a file that marks a reload.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Marker {
    BesidePidFile,
    At(String),
}
