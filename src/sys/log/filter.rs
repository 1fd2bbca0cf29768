//! Filters for lines of modules in the syntax of env_logger: `keepalived::vrrp=trace`.
//!
//! Modules that a filter does not name keep their default levels, so that showing one module in
//! detail hides no lines of others.

use std::env;
use std::ffi::OsStr;

use env_filter::{Builder, Filter};
use log::{LevelFilter, Metadata, Record};

/// The environment variable with a filter; `--log-filter` comes before it.
pub const VARIABLE: &str = "KEEPALIVED_LOG";

/// What a filter may name: the modules of this crate, and the libraries that have lines of their own.
const MODULES: [&str; 25] = [
    "keepalived::base",
    "keepalived::bfd",
    "keepalived::check",
    "keepalived::cli",
    "keepalived::config",
    "keepalived::control",
    "keepalived::daemon",
    "keepalived::firewall",
    "keepalived::genhash",
    "keepalived::holdings",
    "keepalived::kactl",
    "keepalived::lvs",
    "keepalived::model",
    "keepalived::notify",
    "keepalived::sim",
    "keepalived::snapshot",
    "keepalived::status",
    "keepalived::sys",
    "keepalived::track",
    "keepalived::vrrp",
    "keepalived::web",
    "keepalived::wire",
    "mio",
    "netlink_packet_route",
    "netlink_sys",
];

/// A validated filter.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Spec(String);

impl Spec {
    /// # Errors
    /// It cannot be parsed, or names an unknown module. The text says what is wrong and what is
    /// permitted.
    pub fn parse(text: &str) -> Result<Self, String> {
        let wrong = |why: String| {
            format!(
                "Invalid log filter '{text}': {why}. A filter is a list as \
                 keepalived::vrrp=trace,keepalived::check=debug; the levels are off, error, warn, \
                 info, debug and trace"
            )
        };
        let list = text.split('/').next().unwrap_or_default();
        for directive in list.split(',').map(str::trim).filter(|word| !word.is_empty()) {
            let (name, level) = match directive.split_once('=') {
                Some((name, level)) => (name, Some(level.trim())),
                None => (directive, None),
            };
            let is_level = |word: &str| word.parse::<LevelFilter>().is_ok();
            if let Some(level) = level.filter(|level| !is_level(level)) {
                return Err(wrong(format!("'{level}' is not a level")));
            }
            if !(is_known(name) || level.is_none() && is_level(name)) {
                return Err(wrong(no_module(name)));
            }
        }
        match Builder::new().try_parse(text) {
            Ok(_) => Ok(Self(text.to_owned())),
            Err(_) => Err(wrong("there is more than one '/'".to_owned())),
        }
    }

    /// The filter of the environment, if there is one.
    ///
    /// # Errors
    /// As of [`Self::parse`].
    pub fn of_environment() -> Result<Option<Self>, String> {
        let text = env::var_os(VARIABLE).filter(|text| !text.is_empty());
        text.as_deref().map(OsStr::to_string_lossy).map(|text| Self::parse(&text)).transpose()
    }

    /// The same for each line; what the filter does not name is for `others` to decide.
    fn over(&self, others: LevelFilter) -> Filter {
        let mut builder = Builder::new();
        builder.filter_level(others);
        // It has been validated before.
        let _ = builder.try_parse(&self.0);
        builder.build()
    }
}

fn is_known(name: &str) -> bool {
    let below =
        |module: &&str| name.strip_prefix(*module).is_some_and(|rest| rest.starts_with("::"));
    MODULES.iter().any(|module| module.starts_with(name) || below(module)) && !name.is_empty()
}

fn no_module(name: &str) -> String {
    let full = format!("keepalived::{name}");
    if !name.is_empty() && is_known(&full) {
        format!("there is no module '{name}': the whole name is {full}")
    } else {
        format!("'{name}' is neither a module nor a level")
    }
}

/// Decides about lines.
#[derive(Debug)]
pub(super) struct LineFilter {
    /// Nothing is shown but what the filter names.
    strict: Filter,
    /// Everything is shown but what the filter hides.
    generous: Filter,
}

impl LineFilter {
    pub(super) fn new(spec: &Spec) -> Self {
        Self { strict: spec.over(LevelFilter::Off), generous: spec.over(LevelFilter::Trace) }
    }

    /// The most detailed level that the filter names.
    pub(super) fn max_level(&self) -> LevelFilter {
        self.strict.filter()
    }

    /// Whether a line is shown; `by_default` is what holds without a filter.
    pub(super) fn shows(
        &self,
        record: &Record<'_>,
        by_default: impl FnOnce(&Metadata<'_>) -> bool,
    ) -> bool {
        let about = record.metadata();
        (self.strict.enabled(about) || by_default(about)) && self.generous.matches(record)
    }
}

#[cfg(test)]
mod tests {
    use log::Level;

    use super::*;

    /// The levels that are shown of a module, of which info and above are by default.
    fn shown(spec: &str, target: &str) -> String {
        let filter = LineFilter::new(&Spec::parse(spec).expect(spec));
        let shows = |level: Level| {
            let args = format_args!("a line");
            let record = Record::builder().level(level).target(target).args(args).build();
            filter.shows(&record, |about| about.level() <= Level::Info)
        };
        let levels = Level::iter().filter(|level| shows(*level));
        levels.map(|level| level.as_str().to_lowercase().chars().next().unwrap_or(' ')).collect()
    }

    #[test]
    fn a_filter_decides_about_what_it_names_only() {
        let spec = "keepalived::vrrp=trace, keepalived::vrrp::receive=warn ,keepalived::check=off";
        assert_eq!(shown(spec, "keepalived::vrrp::hear"), "ewidt");
        assert_eq!(shown(spec, "keepalived::vrrp::receive"), "ew");
        assert_eq!(shown(spec, "keepalived::check::pool"), "");
        assert_eq!(shown(spec, "keepalived::daemon"), "ewi");
        assert_eq!(shown(spec, "mio::poll"), "ewi");
    }

    #[test]
    fn a_level_alone_decides_about_all_the_rest() {
        assert_eq!(shown("debug", "keepalived::daemon"), "ewid");
        assert_eq!(shown("error,keepalived::vrrp", "keepalived::daemon"), "e");
        assert_eq!(shown("error,keepalived::vrrp", "keepalived::vrrp"), "ewidt");
        assert_eq!(shown("off", "mio"), "");
    }

    #[test]
    fn a_text_behind_a_slash_must_be_in_the_line() {
        assert_eq!(shown("keepalived::vrrp=debug/line", "keepalived::vrrp"), "ewid");
        assert_eq!(shown("keepalived::vrrp=debug/lines", "keepalived::vrrp"), "");
    }

    #[test]
    fn the_level_of_a_filter_is_its_most_detailed() {
        let max = |spec: &str| LineFilter::new(&Spec::parse(spec).expect(spec)).max_level();
        assert_eq!(max("keepalived::vrrp=warn,keepalived::check=debug"), LevelFilter::Debug);
        assert_eq!(max("keepalived::vrrp"), LevelFilter::Trace);
        assert_eq!(max("off"), LevelFilter::Off);
    }

    #[test]
    fn what_is_wrong_with_a_filter_is_told() {
        for (spec, why) in [
            ("keepalived::vrrp=loud", "'loud' is not a level"),
            ("keepalived::vrrp=", "'' is not a level"),
            ("keepalived::vrrp=trace=x", "'trace=x' is not a level"),
            ("vrrp=trace", "there is no module 'vrrp': the whole name is keepalived::vrrp"),
            ("trce", "'trce' is neither a module nor a level"),
            ("=trace", "'' is neither a module nor a level"),
            ("keepalived::vrrpx=trace", "'keepalived::vrrpx' is neither a module nor a level"),
            ("trace/a/b", "there is more than one '/'"),
        ] {
            let error = Spec::parse(spec).expect_err(spec);
            let start = format!("Invalid log filter '{spec}': {why}. A filter is a list as ");
            assert!(error.starts_with(&start), "{error}");
            assert!(error.ends_with("off, error, warn, info, debug and trace"), "{error}");
        }
        for good in ["", "keepalived", "keepalived::vrrp", "TRACE", "mio=debug,info", "info/x y"] {
            assert!(Spec::parse(good).is_ok(), "{good}");
        }
    }

    #[test]
    fn the_modules_of_this_crate_are_known() {
        let lib = include_str!("../../lib.rs");
        let modules = lib.lines().filter_map(|l| l.strip_prefix("pub mod ")?.strip_suffix(';'));
        let modules: Vec<_> = modules.map(|name| format!("keepalived::{name}")).collect();
        assert_eq!(MODULES[..modules.len()], modules);
        assert!(MODULES[modules.len()..].iter().all(|name| !name.starts_with("keepalived")));
    }
}
