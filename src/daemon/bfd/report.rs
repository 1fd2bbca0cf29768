//! Log lines for the actions of the BFD core, in keepalived's words where it has any.

use std::rc::Rc;

use crate::base::time::{micros, Duration, Instant};
use crate::bfd::{Action, Cause, Domain, Note, SessionState, Timing};
use crate::daemon::outlets::chatter::Chatter;
use crate::daemon::outlets::report::HeldBack;
use crate::model::track::Object;
use crate::model::vrrp::Instance;
use crate::model::Config;

pub(super) fn bfd(action: &Action, domain: &Domain, chatter: &mut Chatter, now: Instant) {
    let name = |id| domain.session(id).map_or("?", |s| s.config().name.as_str());
    match action {
        Action::Changed { id, from, to, cause, local, remote } => {
            let (name, was_up) = (name(*id), *from == SessionState::Up);
            let Some(held_back) = chatter.admit(format!("state of session {name}"), now) else {
                return;
            };
            let more = HeldBack(held_back);
            if let Cause::Silence { waited, detection } = cause {
                let (waited, late) = (micros(*waited), micros(waited.saturating_sub(*detection)));
                let text =
                    format!("({name}) Expired after {} ms ({late} usec overdue)", waited / 1000);
                detail_unless(was_up, &text);
            }
            match to {
                SessionState::Up => log::info!("({name}) Entering Up state{more}"),
                _ if was_up => {
                    log::info!(
                        "({name}) Entering {to} state (Local diagnostic - {local}, Remote diagnostic - {remote}){more}"
                    );
                    log::info!("({name}) because: {cause}");
                }
                _ => log::debug!("({name}) Entering {to} state, because: {cause}{more}"),
            }
        }
        Action::Negotiated { id, now: timing, before } => {
            negotiated(name(*id), timing, before, chatter, now);
        }
        Action::Refused { id, from, reason, held_back } => {
            let session = id.map_or(String::new(), |id| format!("({}) ", name(id)));
            log::warn!("{session}Discarding packet from {from}: {reason}{}", HeldBack(*held_back));
        }
        Action::Noted { id, note, held_back } => noted(name(*id), note, HeldBack(*held_back)),
        Action::Send { .. } | Action::Gone(_) => {}
    }
}

/// The state of a session, for each virtual router that tracks it.
pub(super) fn followers(
    config: &Config,
    session: &Object,
    is_up: bool,
    chatter: &mut Chatter,
    now: Instant,
) {
    let word = if is_up { "UP" } else { "DOWN" };
    let tracks = |i: &&Rc<Instance>| i.tracked.iter().any(|t| t.object == *session);
    for Instance { name, .. } in config.instances.iter().filter(tracks).map(|i| &**i) {
        if let Some(held_back) = chatter.admit(format!("{session} of {name}"), now) {
            let (session, more) = (session.name(), HeldBack(held_back));
            log::info!("VRRP_Instance({name}) Tracked BFD instance {session} is {word}{more}");
        }
    }
}

/// An attempt to reach a neighbour may fail for hours.
fn detail_unless(is_news: bool, text: &str) {
    let level = if is_news { log::Level::Info } else { log::Level::Debug };
    log::log!(level, "{text}");
}

fn negotiated(name: &str, timing: &Timing, before: &Timing, chatter: &mut Chatter, now: Instant) {
    let Some(held_back) = chatter.admit(format!("timing of session {name}"), now) else { return };
    if let (Some(time), true) = (timing.detection, timing.detection != before.detection) {
        let before = before.detection.map_or(0, micros);
        log::info!(
            "({name}) Detection time is {} us (was {before} us){}",
            micros(time),
            HeldBack(held_back)
        );
    }
    if !log::log_enabled!(log::Level::Debug) {
        return;
    }
    log::debug!("({name}) ---------------< Session parameters >--------------");
    let width = name.len() + 3;
    let row = |what: &str, columns: [String; 5]| {
        let cells = columns.map(|cell| format!("{cell:>12}")).concat();
        log::debug!("{:width$}{what:<7}{cells}", "");
    };
    row("", ["min_tx", "min_rx", "tx_intv", "mult", "detect_time"].map(str::to_owned));
    let time = |t: Option<Duration>| t.map_or_else(|| "-".to_owned(), |t| micros(t).to_string());
    let (ours, theirs) = (timing.local, timing.remote);
    row(
        "local",
        [
            time(Some(ours.min_tx)),
            time(Some(ours.min_rx)),
            time(timing.tx_interval),
            ours.multiplier.to_string(),
            time(timing.detection),
        ],
    );
    if let Some(theirs) = theirs {
        let interval = (!ours.min_rx.is_zero()).then(|| theirs.min_tx.max(ours.min_rx));
        let detection = timing.tx_interval.map(|t| t * u32::from(ours.multiplier));
        row(
            "remote",
            [
                time(Some(theirs.min_tx)),
                time(Some(theirs.min_rx)),
                time(interval),
                theirs.multiplier.to_string(),
                time(detection),
            ],
        );
    }
}

fn noted(name: &str, note: &Note, more: HeldBack) {
    match note {
        Note::PollStarted => log::debug!("({name}) Starting poll sequence{more}"),
        Note::PollEnded => log::debug!("({name}) Poll sequence ended{more}"),
        Note::Stalled { late, .. } => log::warn!(
            "({name}) keepalived was stalled for {} ms past the detection time: the neighbour gets \
             a second chance{more}",
            late.as_millis()
        ),
        Note::Silenced => {
            log::info!(
                "({name}) the neighbour wants no periodic packets (demand, or min_rx 0){more}"
            );
        }
        Note::Unsilenced => log::info!("({name}) the neighbour wants periodic packets again{more}"),
    }
}
