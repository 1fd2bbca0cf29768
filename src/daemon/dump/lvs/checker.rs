//! A check of a real server.

use super::super::text::{decimal, stamp, yes};
use super::super::View;
use super::{kind, Text};
use crate::base::time::{micros, Duration};
use crate::base::verdict::Weight;
use crate::check::Pool;
use crate::lvs::{CheckSlot, Service};
use crate::model::check::{Check, Connect, Kind};

/// `pair`: the virtual server and the real server.
pub(super) fn checker(
    view: &View<'_>,
    pair: &str,
    service: &Service,
    slot: &CheckSlot,
    pool: &Pool,
    out: &mut Text,
) {
    let config = slot.config();
    let entry = pool.check(slot.id());
    out.fact(pair);
    out.pair("Enabled", yes(entry.is_some_and(|entry| !entry.is_suspended())));
    out.pair("Up", yes(slot.is_up()));
    out.pair("Has run", yes(slot.has_run()));
    let weight = match entry.map_or(Weight::Unchanged, |entry| entry.weight()) {
        Weight::Unchanged => 0,
        Weight::Instead(weight) | Weight::Plus(weight) => weight,
    };
    out.pair("Current weight", weight);
    if !matches!(config.kind, Kind::File(_)) {
        out.pair("Alpha", yes(config.alpha));
        schedule(config, entry.map_or(0, |entry| entry.life().retries()), out);
    }
    out.pair("Log all failures", yes(config.log_all_failures));
    if let Some(connect) = config.kind.connect() {
        connection(connect, out);
    }
    let last = entry.and_then(|entry| {
        let (told, at) = entry.last()?;
        Some(kind::Last { verdict: told.verdict, page: told.probed.page, at })
    });
    kind::render(view, &config.kind, service, last, out);
    if let Some((told, at)) = entry.and_then(|entry| entry.last_words()) {
        out.pair("Last run", stamp(view, view.wall_at(at)));
        out.pair("Last result", told);
    }
}

/// Files and BFD sessions are followed, not probed.
fn has_schedule(check: &Check) -> bool {
    !matches!(check.kind, Kind::File(_) | Kind::Bfd(_))
}

/// keepalived shows its greatest numbers for settings that a kind of check does not have.
fn schedule(config: &Check, retries: u32, out: &mut Text) {
    let schedule = &config.schedule;
    let has_one = has_schedule(config);
    let time = |time: Duration| {
        let micros = if has_one { micros(time) } else { u64::MAX };
        format!("{micros} us")
    };
    let number = |number: u32| if has_one { number } else { u32::MAX };
    out.pair("Delay loop", time(schedule.delay_loop));
    out.pair("Warmup", time(schedule.warmup));
    out.pair("Retries", number(schedule.retry));
    if number(schedule.retry) > 0 {
        out.pair("Delay before retry", time(schedule.delay_before_retry));
        out.pair("Retries iterations", number(retries));
    }
    let usual = match config.kind {
        Kind::Http(..) => Duration::from_secs(3),
        Kind::Dns(..) => Duration::ZERO,
        _ => Duration::from_secs(1),
    };
    out.pair("Default delay before retry", format_args!("{} us", micros(usual)));
}

fn connection(connect: &Connect, out: &mut Text) {
    out.line("Connection");
    out.pair_of_item("Dest", format_args!("[{}]:{}", connect.addr, connect.port));
    match (connect.bind_addr, connect.bind_port) {
        (None, None) => {}
        (Some(addr), port) => {
            out.pair_of_item("Bind to", format_args!("[{addr}]:{}", port.unwrap_or(0)));
        }
        (None, Some(port)) => out.pair_of_item("Bind to", format_args!("[]:{port}")),
    }
    if let Some(name) = &connect.bind_if {
        out.pair_of_item("Bind i/f", name);
    }
    if connect.fwmark != 0 {
        out.pair_of_item("Mark", connect.fwmark);
    }
    out.pair_of_item("Timeout", decimal(connect.timeout));
}
