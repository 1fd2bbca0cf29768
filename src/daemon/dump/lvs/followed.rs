//! Tracked files and BFD sessions, with the real servers whose checks follow them.

use std::fmt;

use super::{Text, View};
use crate::base::sorted::SortedMap;
use crate::lvs::Service;
use crate::model::check::{File, Kind};
use crate::model::lvs::RealServer;

/// Lines of the followers of each file, and of each session.
#[derive(Default)]
struct Followers<'a> {
    files: SortedMap<&'a str, Vec<String>>,
    sessions: SortedMap<&'a str, Vec<String>>,
}

/// What a file counts for a server: `weight 1 reverse`.
struct Counts<'a>(&'a File);

impl fmt::Display for Counts<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let File { weight, reverse, .. } = self.0;
        write!(f, "weight {weight}{}", if *reverse { " reverse" } else { "" })
    }
}

/// The sections of all of them.
pub(super) fn sections(view: &View<'_>, all: &[&Service], out: &mut Text) {
    let followers = Followers::of(all);
    if !followers.files.is_empty() {
        out.section("Checker track files");
    }
    for file in &view.config.files {
        let Some(list) = followers.files.get(&*file.name) else { continue };
        super::super::track::file(view, file, out);
        out.line("Tracking instances :");
        list.iter().for_each(|line| out.item(line));
    }
    if !followers.sessions.is_empty() {
        out.section("Checker track BFDs");
    }
    for session in &view.config.bfd {
        let Some(list) = followers.sessions.get(&*session.name) else { continue };
        out.top("Checker Track BFD", &session.name);
        out.line("Tracking RS :");
        list.iter().for_each(|line| out.line(line));
    }
}

/// Those that the checks of one real server follow.
pub(super) fn by_server(server: &RealServer, out: &mut Text) {
    let kinds = || server.checks.iter().map(|check| &check.kind);
    if kinds().any(|kind| matches!(kind, Kind::File(_))) {
        out.line("Tracked Files");
    }
    for kind in kinds() {
        if let Kind::File(file) = kind {
            out.item(format_args!("{}, {}", file.name, Counts(file)));
        }
    }
    if kinds().any(|kind| matches!(kind, Kind::Bfd(_))) {
        out.line("Tracked BFDs");
    }
    for kind in kinds() {
        if let Kind::Bfd(name) = kind {
            out.item(name);
        }
    }
}

impl<'a> Followers<'a> {
    fn of(all: &[&'a Service]) -> Self {
        let mut found = Self::default();
        for service in all.iter().map(|service| service.config()) {
            for server in &service.servers {
                let name = || service.server_name(server);
                for check in &server.checks {
                    match &check.kind {
                        Kind::File(file) => {
                            let line = format!("{service} -> {}, {}", name(), Counts(file));
                            found.files.entry(&file.name).or_default().push(line);
                        }
                        Kind::Bfd(session) => {
                            let list = found.sessions.entry(session).or_default();
                            list.push(name().to_string());
                        }
                        _ => {}
                    }
                }
            }
        }
        found
    }
}
