//! The command lines of orders.

use std::net::IpAddr;

use super::{Action, Given};
use crate::control::{Command, ServerCommand};

/// The order of a command line; `None`: it has another form.
///
/// # Errors
/// A value is wrong.
pub(super) fn order(
    command: &str,
    words: &[&str],
    given: &Given,
) -> Option<Result<Action, String>> {
    let command = match (command, words) {
        ("failover", [name, "end"]) => Ok(Command::EndFailover { name: (*name).to_owned() }),
        ("failover", [name]) => failover(name, given),
        ("maintenance", ["on"]) => {
            span(given).map(|seconds| Command::Maintenance { on: true, seconds })
        }
        ("maintenance", ["off"]) => Ok(Command::Maintenance { on: false, seconds: None }),
        ("server", [service, server, order @ ..]) => {
            return server_order(order).map(|order| {
                let (service, server) = ((*service).to_owned(), (*server).to_owned());
                Ok(Action::Order(Command::Server { service, server, order: order? }))
            });
        }
        ("script", [name, "run-now"]) => Ok(Command::Script { name: (*name).to_owned() }),
        _ => return None,
    };
    Some(command.map(Action::Order))
}

fn failover(name: &str, given: &Given) -> Result<Command, String> {
    let address = |text: String| {
        text.parse::<IpAddr>().map_err(|_| format!("'{text}' is not the address of a router"))
    };
    Ok(Command::Failover {
        name: name.to_owned(),
        to: given.value("to").map(address).transpose()?,
        seconds: span(given)?,
        force: given.has("force"),
        dry_run: given.has("dry-run"),
    })
}

fn server_order(words: &[&str]) -> Option<Result<ServerCommand, String>> {
    Some(Ok(match words {
        ["drain"] => ServerCommand::Drain,
        ["disable"] => ServerCommand::Disable,
        ["enable"] => ServerCommand::Enable,
        ["check-now"] => ServerCommand::CheckNow,
        ["weight", text] => match text.parse() {
            Ok(weight) => ServerCommand::Weight(weight),
            Err(_) => return Some(Err(format!("'{text}' is not a weight"))),
        },
        _ => return None,
    }))
}

/// `--for`: `90`, `90s`, `10m`, `2h`, `1d`
fn span(given: &Given) -> Result<Option<u64>, String> {
    let Some(text) = given.value("for") else { return Ok(None) };
    let wrong = || format!("'{text}' is not a time such as 90s, 10m, 2h or 1d");
    let (number, unit) = match text.char_indices().next_back() {
        Some((at, unit)) if unit.is_ascii_alphabetic() => (&text[..at], unit),
        _ => (text.as_str(), 's'),
    };
    let unit = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3_600,
        'd' => 86_400,
        _ => return Err(wrong()),
    };
    let seconds = number.parse::<u64>().ok().and_then(|n| n.checked_mul(unit));
    seconds.filter(|seconds| *seconds > 0).map(Some).ok_or_else(wrong)
}
