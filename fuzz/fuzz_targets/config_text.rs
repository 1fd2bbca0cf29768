//! Loading of any file terminates quickly and without a panic, and the resulting model can be
//! printed.

#![no_main]

#[path = "../../tests/config/memory.rs"]
mod memory;

use keepalived::config::{self, lower, print, read, Limits, LinkFacts, ReadOptions, Secrets};
use keepalived::model;
use libfuzzer_sys::fuzz_target;
use memory::{MemoryHost, MemoryLoader};

/// A host on which every interface exists, and one command.
fn host() -> MemoryHost {
    let link = LinkFacts::plain(1);
    MemoryHost::default().named("fuzz").and_any_link(link).and_program("/bin/x")
}

fuzz_target!(|data: &[u8]| {
    // The file may include itself, and a second one.
    let loader = MemoryLoader::with("/k.conf", data).and("/other.conf", &b"router_id other\n"[..]);
    // Low limits, so that inputs reach them quickly.
    let limits = Limits { generated: 1 << 18, sequence: 2_000, ..Limits::default() };
    let options = ReadOptions { config_id: "node".into(), limits, ..Default::default() };
    let (document, sources, mut diagnostics) = read(&loader, "/k.conf", &options);
    let config = lower(&document, &sources, &host(), &mut diagnostics);
    let _ = diagnostics.render(&sources);
    let _ = print(&config, Secrets::Shown);
});
