//! Events, reloads and the state of the configuration as text.

use std::fmt::Write as _;

use super::picture::Picture;
use crate::control::Reply;
use crate::status::explain::{sentence, span};
use crate::status::{Change, Complaint, Configuration, Reload, Time};
use crate::sys::clock;

/// One line of `kactl events`; `None` for other replies.
pub(super) fn event(reply: &Reply, json: bool) -> Option<String> {
    match reply {
        Reply::Event(event) if json => {
            // Plain data with text as keys has a form in JSON.
            Some(format!("{}\n", serde_json::to_string(event).unwrap_or_default()))
        }
        Reply::Event(event) => {
            let at = clock::local(event.at.0).long();
            let mut text = format!("{} {at} {}\n", event.number, sentence(event));
            if let Change::Reload { lines, .. } = &event.change {
                for line in lines {
                    let _ = writeln!(text, "    {line}");
                }
            }
            Some(text)
        }
        Reply::Missed(count) if json => Some(format!("{{\"missed\":{count}}}\n")),
        Reply::Missed(count) => Some(format!("(events no longer kept: {count})\n")),
        _ => None,
    }
}

/// What became of the configuration, in one line.
pub(super) fn state(c: &Configuration, now: Time) -> String {
    let flawed = if c.flawed { ", with errors" } else { "" };
    let loaded = span(c.loaded.until(now));
    let mut text = format!("loaded {loaded} ago{flawed}; ");
    match &c.last_reload {
        None => text.push_str("no reload since"),
        Some(reload) => {
            let (ago, word) = (span(reload.at.until(now)), word(reload));
            let _ = write!(text, "reload {word} {ago} ago");
            if let Some(first) = first_error(reload).filter(|_| !reload.accepted) {
                let _ = write!(text, ": {first}");
            }
        }
    }
    text
}

/// `kactl show config`
pub(super) fn configuration(picture: &Picture) -> String {
    let Some(daemon) = &picture.daemon else { return String::new() };
    let configuration = &daemon.configuration;
    let mut out = format!("{}\n{}\n", configuration.file, state(configuration, daemon.now));
    if let Some(last) = &configuration.last_reload {
        out.push_str(&details(last));
    }
    out
}

/// The outcome of `kactl reload`.
pub(super) fn reload(outcome: &Reload, rehearsal: bool) -> String {
    let mut out = match (outcome.accepted, rehearsal) {
        (true, false) => "The configuration was accepted.\n",
        (true, true) => "The configuration would be accepted.\n",
        (false, false) => "The configuration was refused; the one that runs stays in force.\n",
        (false, true) => "The configuration would be refused.\n",
    }
    .to_owned();
    out.push_str(&details(outcome));
    if outcome.accepted && outcome.changes.is_empty() {
        out.push_str("Nothing differs from what runs.\n");
    }
    out
}

fn details(reload: &Reload) -> String {
    let mut out = String::new();
    for c in &reload.complaints {
        let _ = writeln!(out, "{c}");
        if let Some(hint) = &c.hint {
            let _ = writeln!(out, "    {hint}");
        }
    }
    if let Some(reason) = &reload.reason {
        let _ = writeln!(out, "{reason}.");
    }
    for change in &reload.changes {
        let _ = writeln!(out, "  {change}");
    }
    out
}

const fn word(reload: &Reload) -> &'static str {
    if reload.accepted {
        "accepted"
    } else {
        "refused"
    }
}

fn first_error(reload: &Reload) -> Option<&Complaint> {
    let is_error = |c: &&Complaint| c.severity == "error";
    reload.complaints.iter().find(is_error).or_else(|| reload.complaints.first())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refused_reload_says_where_and_why() {
        let outcome = Reload {
            accepted: false,
            reason: Some("A start would refuse this file, too".to_owned()),
            complaints: vec![Complaint {
                severity: "error".to_owned(),
                file: Some("/etc/k.conf".to_owned()),
                line: Some(7),
                column: Some(3),
                text: "Unknown keyword 'prioritty'".to_owned(),
                hint: Some("did you mean 'priority'?".to_owned()),
            }],
            ..Reload::default()
        };
        assert_eq!(
            reload(&outcome, false),
            "The configuration was refused; the one that runs stays in force.\n\
             /etc/k.conf:7:3: error: Unknown keyword 'prioritty'\n    \
             did you mean 'priority'?\n\
             A start would refuse this file, too.\n"
        );
    }

    #[test]
    fn a_rehearsal_without_effect_says_so() {
        let outcome = Reload { accepted: true, ..Reload::default() };
        let text = "The configuration would be accepted.\nNothing differs from what runs.\n";
        assert_eq!(reload(&outcome, true), text);
    }
}
