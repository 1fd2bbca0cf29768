//! Parsing of any file terminates without a panic, and gives a document that can be traversed and
//! diagnostics that can be rendered.
//!
//! A byte 0xff starts the next file, which the first one can include as `f1`, `f2` and so on.

#![no_main]

#[path = "../../tests/config/memory.rs"]
mod memory;

use keepalived::config::document::Node;
use keepalived::config::lex::script::{command_words, script_words};
use keepalived::config::{self, read, IncludeCheck, Limits, ReadOptions};
use keepalived::model;
use libfuzzer_sys::fuzz_target;
use memory::MemoryLoader;

fuzz_target!(|data: &[u8]| {
    let mut loader = MemoryLoader::default();
    for (n, content) in data.split(|&b| b == 0xff).take(4).enumerate() {
        loader = loader.and(&format!("/etc/f{n}"), content);
    }
    let options = ReadOptions {
        config_id: "main".to_owned(),
        include_check: IncludeCheck::NONE,
        env: [("E".to_owned(), "a $A {b} \"c # d".to_owned())].into(),
        random_seed: data.len() as u64,
        limits: Limits {
            file_bytes: 1 << 16,
            generated: 1 << 16,
            sequence: 1000,
            files: 50,
            statements: 5000,
            words: 20_000,
            ..Limits::default()
        },
    };
    let (document, sources, diagnostics) = read(&loader, "/etc/f0", &options);
    let mut count = 0;
    for node in document.roots() {
        visit(node, 0, &mut count);
    }
    assert!(count <= 5000);
    assert_eq!(diagnostics.render(&sources).is_empty(), diagnostics.is_empty());
    assert_eq!(read(&loader, "/etc/f0", &options).2, diagnostics, "reading again differs");
});

fn visit(node: Node<'_>, depth: usize, count: &mut usize) {
    *count += 1;
    assert!(depth <= 64);
    for word in node.words() {
        assert!(word.span.line > 0 && word.span.column > 0 && word.span.len > 0);
        assert!(word.quoted || !word.text.is_empty());
    }
    let _ = (script_words(node.raw()), command_words(node.raw()));
    for child in node.children() {
        visit(child, depth + 1, count);
    }
}
