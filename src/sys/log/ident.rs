//! The name in syslog. The processes of keepalived have one each, and rules match on them: a line of
//! this one process has the name of the process that would log it.

/// Where lines come from, and the process that logs them in keepalived. What is not listed is logged by
/// its main process.
const PROCESSES: [(&str, &str); 13] = [
    ("keepalived::vrrp", VRRP),
    ("keepalived::holdings", VRRP),
    ("keepalived::firewall", VRRP),
    ("keepalived::track", VRRP),
    ("keepalived::daemon::network", VRRP),
    ("keepalived::daemon::commands", VRRP),
    ("keepalived::daemon::outlets::report", VRRP),
    ("keepalived::daemon::outlets::notices", VRRP),
    ("keepalived::lvs", CHECKERS),
    ("keepalived::check", CHECKERS),
    ("keepalived::daemon::lvs", CHECKERS),
    ("keepalived::bfd", BFD),
    ("keepalived::daemon::bfd", BFD),
];
const VRRP: &str = "_vrrp";
const CHECKERS: &str = "_healthcheckers";
const BFD: &str = "_bfd";

/// The name of a line is that of the program, the process and the daemon, such as
/// `Keepalived_vrrp_blue`.
#[derive(Debug)]
pub(super) struct Ident {
    pub(super) program: String,
    /// Distinct for several daemons on one host.
    pub(super) daemon: String,
}

impl Ident {
    /// The parts of the name of a line that comes from this module.
    pub(super) fn of<'a>(&'a self, module: &str) -> [&'a str; 3] {
        let within = |(path, _): &&(&str, &str)| {
            let rest = module.strip_prefix(path);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
        };
        let process = PROCESSES.iter().find(within).map_or("", |(_, process)| process);
        [&self.program, process, &self.daemon]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_has_the_name_of_the_process_that_would_log_it() {
        let ident = Ident { program: "Keepalived".into(), daemon: "_blue".into() };
        for (module, name) in [
            ("keepalived::daemon::outlets::report", "Keepalived_vrrp_blue"),
            ("keepalived::daemon::network::kernel", "Keepalived_vrrp_blue"),
            ("keepalived::daemon::lvs::report", "Keepalived_healthcheckers_blue"),
            ("keepalived::daemon::bfd", "Keepalived_bfd_blue"),
            ("keepalived::daemon::config::reload", "Keepalived_blue"),
            ("keepalived::lvs_of_another_name", "Keepalived_blue"),
            ("mio::poll", "Keepalived_blue"),
        ] {
            assert_eq!(ident.of(module).concat(), name, "{module}");
        }
    }
}
