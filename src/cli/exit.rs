//! Exit statuses, which scripts and service managers rely on.

use std::process::ExitCode;

/// How the program ends.
///
/// The numbers are those of keepalived 2.4; its manual page names others for a configuration test.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[repr(u8)]
pub enum Status {
    /// Stopped as asked; the configuration test found nothing; another copy is running already;
    /// the parent of a daemon that has started.
    Ok = 0,
    /// Bad option, or something went wrong at start for good.
    Failure = 1,
    /// The configuration cannot be used: nothing runs with it.
    Config = 2,
    /// A permission is missing.
    Permission = 4,
    /// Configuration test: there are errors, or there is no file.
    TestErrors = 5,
    /// The configuration file is missing (start); a script is not secure (configuration test).
    NoConfig = 6,
    /// A defect of the program.
    Software = 70,
}

impl Status {
    /// Configuration test: a script or an include violates the security checks.
    ///
    /// The same number as [`Status::NoConfig`], which a configuration test never gives.
    pub const TEST_SECURITY: Self = Self::NoConfig;

    /// Every status, for the manual page.
    pub const ALL: [Self; 7] = [
        Self::Ok,
        Self::Failure,
        Self::Config,
        Self::Permission,
        Self::TestErrors,
        Self::NoConfig,
        Self::Software,
    ];

    pub const fn code(self) -> u8 {
        self as u8
    }

    /// What the manual page says about it.
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::Ok => {
                "Stopped as asked, the configuration test found nothing wrong, or another copy is \
                 running already."
            }
            Self::Failure => "An option is wrong, or the daemon could not start.",
            Self::Config => "The configuration cannot be used.",
            Self::Permission => "A permission is missing.",
            Self::TestErrors => {
                "Configuration test only: there are errors, and the daemon would run without what \
                 is wrong, or not at all; or the configuration file is missing."
            }
            Self::NoConfig => {
                "At a start, the configuration file is missing; with a configuration test, a \
                 script does not pass the security checks."
            }
            Self::Software => "A defect of the program.",
        }
    }
}

impl From<Status> for ExitCode {
    fn from(status: Status) -> Self {
        Self::from(status.code())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_numbers_are_those_scripts_know() {
        assert_eq!(Status::ALL.map(Status::code), [0, 1, 2, 4, 5, 6, 70]);
        assert_eq!(Status::TEST_SECURITY.code(), 6);
    }
}
