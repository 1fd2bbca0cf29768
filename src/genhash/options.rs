//! The command line of `genhash`.

use std::ffi::OsString;
use std::fmt::Write as _;
use std::time::Duration;

use getopts::{Fail, Matches};

use crate::model::check::Protocol;

/// A page to fetch.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Options {
    /// An address or a name.
    pub server: String,
    pub port: u16,
    pub path: String,
    pub tls: bool,
    /// `--use-sni`: the virtual host is named in the TLS handshake.
    pub sni: bool,
    pub virtualhost: Option<String>,
    pub verbose: bool,
    /// 0: none.
    pub fwmark: u32,
    pub protocol: Protocol,
    /// For the connection and for every wait after it; default 5 s.
    pub timeout: Duration,
}

struct Flag {
    long: &'static str,
    short: char,
    takes_value: bool,
    help: &'static str,
}

const fn flag(long: &'static str, short: char, takes_value: bool, help: &'static str) -> Flag {
    Flag { long, short, takes_value, help }
}

const FLAGS: &[Flag] = &[
    flag("use-ssl", 'S', false, "Connect with TLS."),
    flag("use-sni", 'I', false, "Name the virtual host in the TLS handshake; needs -V."),
    flag("server", 's', true, "Address or name of the server."),
    flag("port", 'p', true, "Port of the server."),
    flag("url", 'u', true, "Path of the page."),
    flag("use-virtualhost", 'V', true, "Name of the host in the request."),
    flag("verbose", 'v', false, "Show what was received."),
    flag("help", 'h', false, "Show this text."),
    flag("fwmark", 'm', true, "Firewall mark of the packets."),
    flag("protocol", 'P', true, "Version of HTTP: 1.0, 1.0c (with Connection: close) or 1.1."),
    flag("timeout", 't', true, "Seconds to wait for the server."),
];

/// What is printed when the command line is wrong, and with `-h`.
pub fn usage() -> String {
    let mut text = "Usage: genhash COMMAND [OPTIONS]\n\
        Commands:\n   \
        -s server-address -p port -u url\n   \
        -S -s server-address -p port -u url\n   \
        -h\n\n\
        Options:\n\
        Either long or short options are allowed.\n"
        .to_owned();
    for flag in FLAGS {
        let long = format!("--{}", flag.long);
        // Writing to a String cannot fail.
        let _ = writeln!(text, "   {long:<17} -{}       {}", flag.short, flag.help);
    }
    text
}

/// The values as they are collected.
#[derive(Default)]
struct Given {
    server: Option<String>,
    port: Option<u16>,
    path: Option<String>,
    tls: bool,
    sni: bool,
    virtualhost: Option<String>,
    verbose: bool,
    fwmark: u32,
    protocol: Protocol,
    timeout: Option<Duration>,
}

/// Parses the arguments. An error is the lines to print before the usage, if there are any.
pub fn parse(arguments: &[OsString]) -> Result<Options, String> {
    if arguments.len() <= 1 {
        return Err(String::new());
    }
    let words = arguments.iter().map(|word| word.to_string_lossy().into_owned()).collect();
    let Scan { found, mut complaints, missing } = scan(words);
    let mut given = Given::default();
    // What is wrong with a value ends everything.
    for (flag, value) in in_order(&found) {
        take(flag, value, &mut given)?;
    }
    if let Some(typed) = missing {
        return Err(format!("Missing parameter for option {typed}\n"));
    }
    if !found.free.is_empty() {
        complaints.push_str(&format!("Unexpected argument(s): {}\n", found.free.join(" ")));
    }
    match given {
        Given { server: Some(server), port: Some(port), path: Some(path), .. }
            if complaints.is_empty() =>
        {
            Ok(Options {
                server,
                port,
                path,
                tls: given.tls,
                sni: given.sni,
                virtualhost: given.virtualhost,
                verbose: given.verbose,
                fwmark: given.fwmark,
                protocol: given.protocol,
                timeout: given.timeout.unwrap_or(Duration::from_secs(5)),
            })
        }
        _ => Err(complaints),
    }
}

/// What a command line has, and what is wrong with its words.
struct Scan {
    found: Matches,
    /// A line for each option that there is not.
    complaints: String,
    /// The last option, as it was typed, if its value is missing.
    missing: Option<String>,
}

/// getopts ends at the first option that it does not know. All of them are to be named, and the
/// beginning of a long option is enough: so what it ends at is mended or taken out, and the rest
/// tried again.
fn scan(mut words: Vec<String>) -> Scan {
    let parser = parser();
    let (mut complaints, mut missing) = (String::new(), None);
    loop {
        let fail = match parser.parse(&words) {
            Ok(found) => return Scan { found, complaints, missing },
            Err(fail) => fail,
        };
        let at = at_fault(&parser, &words);
        match (fail, full(&words[at])) {
            (Fail::ArgumentMissing(name), _) => missing = Some(take_out(&mut words, at, &name)),
            (Fail::UnrecognizedOption(_), Some(full)) => words[at] = full,
            (
                Fail::UnrecognizedOption(name)
                | Fail::UnexpectedArgument(name)
                | Fail::OptionMissing(name)
                | Fail::OptionDuplicated(name),
                _,
            ) => {
                let typed = take_out(&mut words, at, &name);
                complaints.push_str(&format!("Unknown option {typed}\n"));
            }
        }
    }
}

/// The word that getopts ends at: without those behind it, it ends there too.
fn at_fault(parser: &getopts::Options, words: &[String]) -> usize {
    let is_wrong = |end: &usize| match parser.parse(&words[..=*end]) {
        Ok(_) | Err(Fail::ArgumentMissing(_)) => false,
        Err(_) => true,
    };
    (0..words.len()).find(is_wrong).unwrap_or(words.len() - 1)
}

/// Removes a long option, or the one letter of a word like `-vS`; gives what it was.
fn take_out(words: &mut Vec<String>, at: usize, name: &str) -> String {
    let Some(letters) = words[at].strip_prefix('-').filter(|rest| !rest.starts_with('-')) else {
        return words.remove(at);
    };
    let left = letters.replacen(name, "", 1);
    if left.is_empty() {
        words.remove(at);
    } else {
        words[at] = format!("-{left}");
    }
    format!("-{name}")
}

/// A long option with its whole name, if it is given by a beginning that no other one has.
fn full(word: &str) -> Option<String> {
    let (name, value) = match word.strip_prefix("--")?.split_once('=') {
        Some((name, value)) => (name, Some(value)),
        None => (word.strip_prefix("--")?, None),
    };
    let mut begin = FLAGS.iter().filter(|flag| flag.long.starts_with(name) && flag.long != name);
    let (flag, None) = (begin.next()?, begin.next()) else { return None };
    match value {
        Some(value) => flag.takes_value.then(|| format!("--{}={value}", flag.long)),
        None => Some(format!("--{}", flag.long)),
    }
}

fn parser() -> getopts::Options {
    let mut parser = getopts::Options::new();
    for flag in FLAGS {
        let short = flag.short.to_string();
        if flag.takes_value {
            parser.optmulti(&short, flag.long, flag.help, "");
        } else {
            parser.optflagmulti(&short, flag.long, flag.help);
        }
    }
    parser
}

/// Every option with its value, in the order of the command line.
fn in_order(found: &Matches) -> Vec<(&'static Flag, String)> {
    let mut list = Vec::new();
    for flag in FLAGS {
        let name = flag.short.to_string();
        if flag.takes_value {
            list.extend(found.opt_strs_pos(&name).into_iter().map(|(at, value)| (at, flag, value)));
        } else {
            list.extend(found.opt_positions(&name).into_iter().map(|at| (at, flag, String::new())));
        }
    }
    // Of the letters in one word, the last alone can have a value.
    list.sort_by_key(|(at, flag, _)| (*at, flag.takes_value));
    list.into_iter().map(|(_, flag, value)| (flag, value)).collect()
}

/// Stores one option.
fn take(flag: &Flag, value: String, given: &mut Given) -> Result<(), String> {
    let number =
        |what: &str| value.parse::<u32>().map_err(|_| format!("invalid {what} '{value}'\n"));
    match flag.short {
        'S' => given.tls = true,
        'I' => given.sni = true,
        'v' => given.verbose = true,
        'h' => return Err(String::new()),
        's' => given.server = Some(value),
        'p' => {
            let port = value.parse().ok().filter(|port| *port > 0);
            given.port = Some(port.ok_or_else(|| format!("invalid port number '{value}'\n"))?);
        }
        'm' => given.fwmark = number("fwmark")?,
        't' => given.timeout = Some(Duration::from_secs(number("timeout")?.into())),
        'P' => {
            given.protocol = match value.as_str() {
                "1.0" => Protocol::V1_0,
                "1.0c" | "1.0C" => Protocol::V1_0Close,
                "1.1" => Protocol::V1_1,
                _ => return Err(format!("invalid HTTP protocol version '{value}'\n")),
            };
        }
        'V' => given.virtualhost = Some(value),
        'u' => given.path = Some(value),
        // `FLAGS` has no more.
        _ => {}
    }
    Ok(())
}
