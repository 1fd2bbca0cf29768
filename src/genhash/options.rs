//! The command line of `genhash`.

use std::ffi::OsString;
use std::fmt::Write as _;
use std::time::Duration;

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
    let mut words = arguments.iter().map(|word| word.to_string_lossy().into_owned());
    let (mut given, mut complaints, mut operands) = (Given::default(), String::new(), Vec::new());
    while let Some(word) = words.next() {
        if word == "--" {
            operands.extend(words.by_ref());
        } else if let Some(long) = word.strip_prefix("--") {
            let (name, value) = match long.split_once('=') {
                Some((name, value)) => (name, Some(value.to_owned())),
                None => (long, None),
            };
            match by_long(name).filter(|flag| flag.takes_value || value.is_none()) {
                Some(flag) => take(flag, &word, value, &mut words, &mut given)?,
                None => complaints.push_str(&format!("Unknown option {word}\n")),
            }
        } else if word.len() > 1 && word.starts_with('-') {
            shorts(&word, &mut words, &mut given, &mut complaints)?;
        } else {
            operands.push(word);
        }
    }
    if !operands.is_empty() {
        complaints.push_str(&format!("Unexpected argument(s): {}\n", operands.join(" ")));
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

/// By its whole name, or by a beginning that no other one has.
fn by_long(name: &str) -> Option<&'static Flag> {
    let mut candidates = FLAGS.iter().filter(|flag| flag.long.starts_with(name));
    let first = candidates.next()?;
    if candidates.next().is_none() {
        return Some(first);
    }
    FLAGS.iter().find(|flag| flag.long == name)
}

/// The options of a word like `-vS`.
fn shorts(
    word: &str,
    words: &mut impl Iterator<Item = String>,
    given: &mut Given,
    complaints: &mut String,
) -> Result<(), String> {
    for (at, letter) in word.char_indices().skip(1) {
        let typed = format!("-{letter}");
        let Some(flag) = FLAGS.iter().find(|flag| flag.short == letter) else {
            complaints.push_str(&format!("Unknown option {typed}\n"));
            continue;
        };
        let rest = &word[at + letter.len_utf8()..];
        let value = (flag.takes_value && !rest.is_empty()).then(|| rest.to_owned());
        take(flag, &typed, value, words, given)?;
        if flag.takes_value {
            break;
        }
    }
    Ok(())
}

/// One option, whose value may be the next word. What is wrong with a value ends everything.
fn take(
    flag: &Flag,
    typed: &str,
    value: Option<String>,
    words: &mut impl Iterator<Item = String>,
    given: &mut Given,
) -> Result<(), String> {
    let value = match value {
        None if flag.takes_value => {
            words.next().ok_or_else(|| format!("Missing parameter for option {typed}\n"))?
        }
        value => value.unwrap_or_default(),
    };
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
