//! Usage, version and the manual page's list of options, made from the table.

use std::ffi::{OsStr, OsString};
use std::fmt::Write as _;

use super::exit::Status;
use super::flags::{Arg, Effect, Flag, FLAGS};
use crate::base::parts;

/// The version of keepalived whose behaviour is kept.
pub const COMPATIBLE_WITH: &str = "2.4.3";

/// Lines of the help are no longer than this.
pub const WIDTH: usize = 80;
/// Where the explanations in the help begin, counted from 0.
const INDENT: usize = 31;

/// `Keepalived v1.2.3 (compatible with 2.4.3)`: this program and its version.
pub fn banner() -> String {
    let version = env!("CARGO_PKG_VERSION");
    format!("Keepalived v{version} (compatible with {COMPATIBLE_WITH})")
}

/// What the same build of keepalived says of itself. Exporters look for `--enable-json`.
const CONFIGURE_OPTIONS: [(&str, bool); 6] = [
    ("--prefix=/usr", true),
    ("--sysconfdir=/etc", true),
    ("--disable-lvs", !parts::LVS),
    ("--enable-bfd", parts::BFD),
    ("--enable-json", true),
    ("--enable-regex", parts::REGEX),
];
const CONFIG_OPTIONS: [(&str, bool); 9] = [
    ("NFTABLES", true),
    ("LVS", parts::LVS),
    ("REGEX", parts::REGEX),
    ("VRRP", true),
    ("VRRP_AUTH", true),
    ("VRRP_VMAC", true),
    ("JSON", true),
    ("BFD", parts::BFD),
    ("INIT=systemd", true),
];

/// Those that this build has.
fn built_in(all: &[(&'static str, bool)]) -> String {
    let names = all.iter().filter(|(_, is_in)| *is_in).map(|(name, _)| *name);
    names.collect::<Vec<_>>().join(" ")
}

/// The parts that this build has, or those that it does not have.
fn listed(is_in: bool) -> String {
    let names = parts::ALL.iter().filter(|(_, there)| *there == is_in).map(|(name, _)| *name);
    names.collect::<Vec<_>>().join(", ")
}

/// `Built without: BFD`, if a part is missing.
pub fn missing_parts() -> Option<String> {
    let missing = listed(false);
    (!missing.is_empty()).then(|| format!("Built without: {missing}"))
}

/// Which parts there are, and which there are not.
fn all_parts() -> String {
    match (listed(true), listed(false)) {
        (with, without) if without.is_empty() => format!("Built with: {with}"),
        (with, without) if with.is_empty() => format!("Built without: {without}"),
        (with, without) => format!("Built with: {with}; without: {without}"),
    }
}

/// What `-v` prints; `running_on` is the kernel (`Linux 6.1.0 #1 SMP`). Scripts take the second word
/// as the version of keepalived, and choose by it what they ask for.
pub fn version(running_on: &str) -> String {
    let target = if cfg!(target_env = "musl") { "musl" } else { "gnu" };
    let arch = std::env::consts::ARCH;
    let own = env!("CARGO_PKG_VERSION");
    format!(
        "Keepalived v{COMPATIBLE_WITH} (compatible)\n\
         keepalived in Rust v{own}\n\n\
         {}\n\
         {}\n\
         Built for {arch}-linux-{target}\n\
         Running on {running_on}\n\n\
         configure options: {}\n\n\
         Config options:  {}\n",
        licence(),
        all_parts(),
        built_in(&CONFIGURE_OPTIONS),
        built_in(&CONFIG_OPTIONS),
    )
}

/// Of the program as it was built, with all that is in it: `README.md` says why.
const fn licence() -> &'static str {
    if parts::TLS {
        "Licence: GPL-3.0-or-later with its TLS, GPL-2.0-or-later without"
    } else {
        "Licence: GPL-2.0-or-later"
    }
}

/// What `-h` prints; `program` is the name it was called by.
pub fn usage(program: &OsStr) -> String {
    let mut out = format!("Usage: {} [OPTION...]\n", program.to_string_lossy());
    for flag in FLAGS {
        let left = left_column(flag);
        let mut column = left.len();
        out.push_str(&left);
        if column >= INDENT {
            out.push('\n');
            column = 0;
        }
        fill(&mut out, column, INDENT, flag.help);
    }
    out
}

/// Continues a line of so many columns with words, on lines with this indentation.
pub fn fill(out: &mut String, mut column: usize, indent: usize, text: &str) {
    for word in text.split_whitespace() {
        if column > indent && column + 1 + word.len() > WIDTH {
            out.push('\n');
            column = 0;
        }
        let gap = if column <= indent { indent - column } else { 1 };
        out.push_str(&" ".repeat(gap));
        out.push_str(word);
        column += gap + word.len();
    }
    out.push('\n');
}

fn left_column(flag: &Flag) -> String {
    let mut left = match flag.short {
        Some(letter) => format!("  -{letter}, --{}", flag.long),
        None => format!("      --{}", flag.long),
    };
    match flag.arg {
        Arg::None => {}
        Arg::Required(name) => left.extend(["=", name]),
        Arg::Optional(name) => left.extend(["[=", name, "]"]),
    }
    left
}

/// The manual page's list of options, as items of an mdoc list.
pub fn mdoc_options() -> String {
    let mut out = String::new();
    for flag in FLAGS {
        out.push_str(".It ");
        let long = flag.long.replace('-', "\\-");
        // Writing to a string cannot fail.
        let _ = match (flag.short, flag.arg) {
            (None, Arg::None) => writeln!(out, "Fl \\-{long}"),
            (None, Arg::Required(name)) => writeln!(out, "Fl \\-{long} Ns = Ns Ar {name}"),
            (None, Arg::Optional(name)) => {
                writeln!(out, "Fl \\-{long} Ns Oo Ns = Ns Ar {name} Oc")
            }
            (Some(c), Arg::None) => writeln!(out, "Fl {c} , Fl \\-{long}"),
            (Some(c), Arg::Required(name)) => {
                writeln!(out, "Fl {c} Ar {name} , Fl \\-{long} Ns = Ns Ar {name}")
            }
            (Some(c), Arg::Optional(name)) => {
                writeln!(out, "Fl {c} Ns Oo Ar {name} Oc , Fl \\-{long} Ns Oo Ns = Ns Ar {name} Oc")
            }
        };
        out.push_str(&roff(flag.help));
        out.push_str(".\n");
        if !flag.doc.is_empty() {
            out.push_str(&roff(&flag.doc.replace(". ", ".\n")));
            out.push('\n');
        }
        if let Effect::None(why) = flag.effect {
            let _ = writeln!(out, "{}.", roff(&format!("Accepted, but without effect: {why}")));
        }
    }
    out
}

/// The manual page's list of exit statuses, as items of an mdoc list.
pub fn mdoc_exit_statuses() -> String {
    let mut out = String::new();
    for status in Status::ALL {
        let _ = writeln!(out, ".It {}\n{}", status.code(), roff(status.meaning()));
    }
    out
}

/// Text that roff shows as it is, on lines of moderate length.
pub fn roff(text: &str) -> String {
    let mut lines = Vec::new();
    for sentence in text.split('\n') {
        let mut line = String::new();
        for word in sentence.split(' ') {
            let word = word.replace('\\', "\\e").replace('-', "\\-");
            if !line.is_empty() && line.len() + 1 + word.len() > WIDTH {
                lines.push(std::mem::take(&mut line));
            }
            if !line.is_empty() {
                line.push(' ');
            } else if word.starts_with(['.', '\'']) {
                line.push_str("\\&");
            }
            line.push_str(&word);
        }
        lines.push(line);
    }
    lines.join("\n")
}

/// The command line for the log: quoted words, on lines of about a hundred columns.
pub fn command_line(argv: &[OsString]) -> Vec<String> {
    const HEAD: &str = "Command line:";
    const COLUMNS: usize = 100;
    let mut lines = Vec::new();
    let mut line = HEAD.to_owned();
    for word in argv {
        let word = format!(" '{}'", word.to_string_lossy());
        if line.len() > HEAD.len() && line.len() + word.len() > COLUMNS {
            lines.push(std::mem::replace(&mut line, " ".repeat(HEAD.len())));
        }
        line.push_str(&word);
    }
    lines.push(line);
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_help_fits_a_terminal() {
        let text = usage(OsStr::new("keepalived"));
        let wide: Vec<_> = text.lines().filter(|l| l.chars().count() > WIDTH).collect();
        assert_eq!(wide, [""; 0]);
        for flag in FLAGS {
            assert!(text.contains(&left_column(flag)), "--{} is missing", flag.long);
        }
    }

    #[test]
    fn the_help_has_two_columns() {
        let text = usage(OsStr::new("/sbin/keepalived"));
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(
            lines[..3],
            [
                "Usage: /sbin/keepalived [OPTION...]",
                "  -f, --use-file=FILE          Use the specified configuration file",
                "  -P, --vrrp                   Run everything except the health checkers",
            ]
        );
        assert!(text.contains(
            "      --signum=FUNCTION        Print the number of the signal for STOP, RELOAD,\n\
             \x20                              DATA, STATS, STATS_CLEAR or JSON\n"
        ));
        assert!(text.contains("  -M, --core-dump-pattern[=PATTERN]\n      "));
    }

    #[test]
    fn the_manual_lists_every_option_once() {
        let text = mdoc_options();
        assert_eq!(text.lines().filter(|l| l.starts_with(".It ")).count(), FLAGS.len());
        assert!(text.contains(".It Fl t Ns Oo Ar FILE Oc , Fl \\-config\\-test Ns Oo Ns = Ns"));
        assert!(text.contains(
            ".It Fl f Ar FILE , Fl \\-use\\-file Ns = Ns Ar FILE\n\
             Use the specified configuration file.\n\
             The default is /etc/keepalived/keepalived.conf.\n"
        ));
        assert!(text.contains("Accepted, but without effect: SNMP is not in this version.\n"));
    }

    #[test]
    fn the_manual_lists_every_exit_status() {
        let text = mdoc_exit_statuses();
        let numbers: Vec<_> = text.lines().filter_map(|l| l.strip_prefix(".It ")).collect();
        assert_eq!(numbers, ["0", "1", "2", "4", "5", "6", "70"]);
    }

    #[test]
    fn text_of_the_table_is_no_roff_request() {
        assert_eq!(roff(".so \\fB\n'a-b"), "\\&.so \\efB\n\\&'a\\-b");
        let long = format!("{} .x", "y".repeat(WIDTH));
        assert_eq!(roff(&long), format!("{}\n\\&.x", "y".repeat(WIDTH)));
    }

    #[test]
    fn scripts_find_the_version_in_the_first_line() {
        let text = version("Linux 6.1.0 #1 SMP");
        // An exporter takes the second word, without its first letter, as the version.
        let number = text.split(' ').nth(1).unwrap_or_default();
        assert_eq!(number, format!("v{COMPATIBLE_WITH}"));
        let own = concat!("keepalived in Rust v", env!("CARGO_PKG_VERSION"));
        assert_eq!(text.lines().nth(1), Some(own));
        assert!(text.contains("\nRunning on Linux 6.1.0 #1 SMP\n"));
    }

    #[test]
    fn the_version_names_the_parts_of_this_build() {
        let text = version("Linux 6.1.0 #1 SMP");
        let line = text.lines().find(|line| line.starts_with("Built with")).expect("the parts");
        let (with, without) = line.split_once("without: ").unwrap_or((line, ""));
        for (name, is_in) in parts::ALL {
            assert_eq!((with.contains(name), without.contains(name)), (is_in, !is_in), "{line}");
        }
        for (word, is_in) in
            [(" REGEX ", parts::REGEX), (" LVS ", parts::LVS), (" BFD ", parts::BFD)]
        {
            assert_eq!(text.contains(word), is_in, "{word}");
        }
    }

    #[test]
    fn a_long_command_line_is_wrapped_under_its_first_word() {
        let long = "x".repeat(50);
        let argv: Vec<OsString> = ["keepalived", "-n", &long, &long].map(OsString::from).into();
        assert_eq!(
            command_line(&argv),
            [
                format!("Command line: 'keepalived' '-n' '{long}'"),
                format!("              '{long}'"),
            ]
        );
    }
}
