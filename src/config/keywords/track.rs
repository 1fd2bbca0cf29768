//! `vrrp_script`, `vrrp_track_process`, `track_file`, and the lists that refer to them.

use super::REVERSE;
use crate::config::keyword::{
    flag, int, keyword, many, maybe, one, opt, row, seconds, sorted, text, Args, Bad, Block, Body,
    Entry, Kind, Opt, Repeat, Unit, Unknown,
};

/// Seconds with up to three decimals.
const COARSE: Kind = Kind::Time { unit: Unit::CoarseSeconds, min: 1_000, max: 4_294_000_000 };

pub(in crate::config) static VRRP_SCRIPT: Block = Block {
    name: "vrrp_script",
    keywords: &sorted([
        keyword("script", Args::Script { required: true, user: false }, Body::None)
            .default("none, required"),
        one("interval", &[COARSE]).default("1").bad(Bad::Use(1_000_000)),
        one("timeout", &[COARSE]).default("0 (= interval)"),
        row("weight", 1, &[int(-253, 253), REVERSE])
            .default("0 (failure means FAULT)")
            .bad(Bad::Clamp),
        one("rise", &[int(1, 2_147_483_647)]).default("1").bad(Bad::Use(1)),
        one("fall", &[int(1, 2_147_483_647)]).default("1").bad(Bad::Use(1)),
        row("user", 1, &[Kind::Text, Kind::Text]).default("default script user"),
        flag("init_fail"),
    ]),
};

pub(in crate::config) static VRRP_TRACK_PROCESS: Block = Block {
    name: "vrrp_track_process",
    keywords: &sorted([
        many("process", Kind::Text).default("none, required").repeat(Repeat::FirstCounts),
        maybe("param_match", &[Kind::OneOf(&["initial", "partial"])])
            .default("exact when parameters are given"),
        row("weight", 1, &[int(-254, 254), REVERSE]).default("0 (FAULT when quorum lost)"),
        one("quorum", &[int(1, 65_535)]).default("1"),
        one("quorum_max", &[int(0, 65_535)]).default("no limit"),
        one("delay", &[seconds(1, 3_600_000_000)]).default("0"),
        one("terminate_delay", &[seconds(1, 3_600_000_000)]).default("0"),
        one("fork_delay", &[seconds(1, 3_600_000_000)]).default("0"),
        flag("full_command"),
    ]),
};

pub(in crate::config) static TRACK_FILE: Block = Block {
    name: "track_file",
    keywords: &sorted([
        text("file").default("none, required").repeat(Repeat::FirstCounts),
        row("weight", 1, &[int(-254, 254), REVERSE]).default("1").bad(Bad::Use(1)),
        row("init_file", 0, &[Kind::Text, Kind::Text]).default("not created; value 0"),
    ]),
};

/// `NAME [weight N [reverse|noreverse]]`
const fn reference(name: &'static str, options: &'static [Opt]) -> Entry {
    Entry {
        name,
        head: &[Kind::Text],
        required: 1,
        options,
        free: None,
        unknown: Unknown::SkipEntry,
    }
}

const EITHER_WAY: &[&str] = &["reverse", "noreverse"];

/// The options of `track_script` and `track_bfd`.
const WEIGHT_253: &[Opt] = &[opt("weight").value(int(-254, 254)).after(EITHER_WAY).minor()];

/// The options of `track_file` and `track_process`.
const WEIGHT_254: &[Opt] = &[opt("weight").value(int(-254, 254)).after(EITHER_WAY).minor()];

pub(in crate::config) static TRACK_INTERFACE: Entry = Entry {
    name: "interface",
    head: &[Kind::Link],
    required: 1,
    options: &[opt("weight").value(int(-254, 254)).after(&["reverse"]).minor()],
    free: None,
    unknown: Unknown::SkipEntry,
};

pub(in crate::config) static TRACK_SCRIPT: Entry = reference("script", WEIGHT_253);
pub(in crate::config) static TRACK_FILES: Entry = reference("file", WEIGHT_254);
pub(in crate::config) static TRACK_PROCESS: Entry = reference("process", WEIGHT_254);
pub(super) static TRACK_BFD: Entry = reference("BFD session", WEIGHT_253);
