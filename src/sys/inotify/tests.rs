#![expect(clippy::disallowed_methods, reason = "tests make the files they need")]

use super::*;
use crate::sys::tests::TempDir;

/// One watched path in a directory of its own.
struct World {
    dir: TempDir,
    watch: FileWatch<char>,
}

impl World {
    fn new() -> Self {
        Self { dir: TempDir::new("inotify"), watch: FileWatch::new().expect("an instance") }
    }

    fn at(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn watch(&mut self, key: char, name: &str) {
        let path = self.at(name);
        self.watch.watch(key, &path).expect("watches");
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.at(name), text).expect("writes");
    }

    fn mkdir(&self, name: &str) {
        fs::create_dir_all(self.at(name)).expect("makes");
    }

    fn rename(&self, from: &str, to: &str) {
        fs::rename(self.at(from), self.at(to)).expect("renames");
    }

    fn link(&self, target: &str, name: &str) {
        std::os::unix::fs::symlink(target, self.at(name)).expect("links");
    }

    /// The kernel queues an event before the call that caused it returns.
    fn changed(&mut self) -> String {
        let mut changed = SortedSet::new();
        while self.watch.read(&mut changed).expect("reads") {}
        changed.into_iter().collect()
    }
}

#[test]
fn a_file_that_is_written_replaced_or_removed_has_changed() {
    let mut w = World::new();
    w.watch('f', "f");
    w.watch('g', "g");
    assert_eq!(w.changed(), "");
    w.write("f", "1");
    assert_eq!(w.changed(), "f");
    w.write("f.new", "2");
    assert_eq!(w.changed(), "");
    w.rename("f.new", "f");
    assert_eq!(w.changed(), "f");
    w.rename("f", "g");
    assert_eq!(w.changed(), "fg");
    fs::remove_file(w.at("g")).unwrap();
    assert_eq!(w.changed(), "g");
}

#[test]
fn a_file_counts_when_it_is_closed_not_when_it_is_opened() {
    use std::io::Write as _;
    let mut w = World::new();
    w.watch('f', "f");
    let mut file = fs::File::create(w.at("f")).unwrap();
    assert_eq!(w.changed(), "");
    file.write_all(b"1").unwrap();
    drop(file);
    assert_eq!(w.changed(), "f");
    fs::hard_link(w.at("f"), w.at("g")).unwrap();
    w.watch('h', "h");
    fs::hard_link(w.at("f"), w.at("h")).unwrap();
    assert_eq!(w.changed(), "h");
}

#[test]
fn what_is_missing_of_the_path_may_come() {
    let mut w = World::new();
    w.watch('f', "a/b/f");
    w.mkdir("a");
    w.changed();
    w.mkdir("a/b");
    w.changed();
    w.write("a/b/f", "1");
    assert_eq!(w.changed(), "f");
    // All at once: every event is queued before the first read.
    fs::remove_dir_all(w.at("a")).unwrap();
    assert_eq!(w.changed(), "f");
    w.mkdir("a/b");
    w.write("a/b/f", "2");
    assert_eq!(w.changed(), "f");
    w.write("a/b/f", "3");
    assert_eq!(w.changed(), "f");
}

#[test]
fn a_directory_on_the_way_may_be_exchanged() {
    let mut w = World::new();
    w.mkdir("a/b");
    w.mkdir("new/b");
    w.write("new/b/f", "2");
    w.watch('f', "a/b/f");
    w.rename("a", "old");
    assert_eq!(w.changed(), "f");
    w.rename("new", "a");
    assert_eq!(w.changed(), "f");
    w.write("a/b/f", "3");
    assert_eq!(w.changed(), "f");
    w.write("old/b/f", "4");
    assert_eq!(w.changed(), "");
}

#[test]
fn links_on_the_way_are_followed_and_watched() {
    let mut w = World::new();
    w.mkdir("v1");
    w.mkdir("v2");
    w.write("v1/f", "1");
    w.write("v2/f", "2");
    w.link("v1", "data");
    w.link("data/f", "f");
    w.watch('f', "f");
    w.write("v1/f", "3");
    assert_eq!(w.changed(), "f");
    w.link("v2", "data.new");
    w.rename("data.new", "data");
    assert_eq!(w.changed(), "f");
    w.write("v1/f", "4");
    assert_eq!(w.changed(), "");
    w.write("v2/f", "5");
    assert_eq!(w.changed(), "f");
}

#[test]
fn links_in_a_circle_are_no_way() {
    let mut w = World::new();
    w.link("b", "a");
    w.link("a", "b");
    w.watch('f', "a/f");
    fs::remove_file(w.at("b")).unwrap();
    assert_eq!(w.changed(), "f");
}

#[test]
fn an_overflow_makes_all_of_them_suspect() {
    let mut w = World::new();
    w.watch('f', "f");
    w.watch('g', "g");
    let mut bytes = (-1i32).to_ne_bytes().to_vec();
    bytes.extend(libc::IN_Q_OVERFLOW.to_ne_bytes());
    bytes.extend([0; 8]);
    let (mut changed, mut moved) = (SortedSet::new(), SortedSet::new());
    let FileWatch { files, watches, .. } = &mut w.watch;
    for event in instance::events(&bytes) {
        take(files, watches, &event, &mut changed, &mut moved);
    }
    w.watch.follow(moved, &mut changed);
    assert_eq!(changed, SortedSet::from(['f', 'g']));
    // A piece of an event is none.
    for len in 0..16 {
        assert_eq!(instance::events(&bytes[..len]).count(), 0);
    }
}

#[test]
fn what_is_not_watched_costs_nothing() {
    let mut w = World::new();
    w.watch('f', "f");
    w.watch('g', "g");
    let count = w.watch.watches.len();
    w.watch.unwatch(&'f');
    assert_eq!(w.watch.watches.len(), count);
    w.watch.unwatch(&'g');
    assert!(w.watch.watches.is_empty());
    w.write("f", "1");
    assert_eq!(w.changed(), "");
}
