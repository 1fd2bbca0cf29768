#![expect(clippy::disallowed_methods, reason = "makes what is opened, and opens it otherwise")]

use std::os::fd::AsRawFd as _;
use std::os::unix::fs::symlink;
use std::path::PathBuf;

use super::*;
use crate::sys::check;
use crate::sys::tests::TempDir;

/// Of fcntl(2); not in the library.
const F_SETSIG: libc::c_int = 10;

fn make_fifo(path: &Path) {
    nix::unistd::mkfifo(path, nix::sys::stat::Mode::S_IRWXU).expect("a FIFO");
}

/// Holds a lease on a file. The signal to its holder has no effect.
fn lease(file: &File, kind: libc::c_int) {
    // SAFETY: numbers only; the descriptor lives.
    unsafe {
        check(libc::fcntl(file.as_raw_fd(), F_SETSIG, libc::SIGURG)).expect("a signal");
        check(libc::fcntl(file.as_raw_fd(), libc::F_SETLEASE, kind)).expect("a lease");
    }
}

type Writer = fn(&Path) -> Result<File, Unfit>;

/// Every way to write, by its name.
fn writers() -> Vec<(&'static str, Writer)> {
    vec![
        ("append", |path| append(path, 0o600)),
        ("own", |path| own(path, 0o600)),
        ("overwrite", |path| overwrite(path, 0o600)),
    ]
}

fn file(dir: &TempDir, name: &str, content: &str) -> PathBuf {
    let path = dir.path().join(name);
    fs::write(&path, content).unwrap();
    path
}

#[test]
fn a_file_is_read_whole_or_up_to_the_limit() {
    let dir = TempDir::new("open-read");
    let path = file(&dir, "f", "12345");
    assert_eq!(read(&path, 5).unwrap(), b"12345");
    assert!(matches!(read(&path, 4), Err(Unfit::TooLarge(4))));
    assert_eq!(read_head(&path, 4).unwrap(), b"1234");
    // It has no size before it is read.
    assert!(matches!(read(Path::new("/proc/self/status"), 4), Err(Unfit::TooLarge(4))));
    let link = dir.path().join("link");
    symlink(&path, &link).unwrap();
    assert_eq!(read(&link, 5).unwrap(), b"12345", "the operator's links are followed");
    assert!(matches!(read(&dir.path().join("none"), 5), Err(Unfit::Missing)));
    assert!(matches!(read(dir.path(), 5), Err(Unfit::Directory)));
}

#[test]
fn what_has_no_end_or_makes_wait_is_not_read() {
    let dir = TempDir::new("open-endless");
    let pipe = dir.path().join("pipe");
    make_fifo(&pipe);
    assert!(matches!(read(&pipe, 5), Err(Unfit::NotRegular("a FIFO"))));
    assert!(matches!(read_head(&pipe, 5), Err(Unfit::NotRegular("a FIFO"))));
    assert!(matches!(read(Path::new("/dev/zero"), 5), Err(Unfit::NotRegular("a device"))));
    for (name, open) in writers() {
        assert!(matches!(open(&pipe), Err(Unfit::NotRegular("a FIFO"))), "{name}");
    }
}

#[test]
fn a_lease_is_refused_and_not_waited_for() {
    let dir = TempDir::new("open-lease");
    let path = file(&dir, "f", "12345");
    let holder = OpenOptions::new().write(true).open(&path).unwrap();
    lease(&holder, libc::F_WRLCK);
    assert!(matches!(read(&path, 5), Err(Unfit::Leased)));
    assert!(matches!(read_head(&path, 5), Err(Unfit::Leased)));
    drop(holder);
    let holder = File::open(&path).unwrap();
    lease(&holder, libc::F_RDLCK);
    for (name, open) in writers() {
        assert!(matches!(open(&path), Err(Unfit::Leased)), "{name}");
    }
    drop(holder);
    assert_eq!(read(&path, 5).unwrap(), b"12345", "and nothing was emptied meanwhile");
}

#[test]
fn links_of_both_kinds_are_not_written_through() {
    let dir = TempDir::new("open-links");
    let victim = file(&dir, "victim", "precious");
    let (symbolic, hard) = (dir.path().join("symbolic"), dir.path().join("hard"));
    let (dangling, beyond) = (dir.path().join("dangling"), dir.path().join("beyond"));
    symlink(&victim, &symbolic).unwrap();
    symlink(&beyond, &dangling).unwrap();
    fs::hard_link(&victim, &hard).unwrap();
    for (name, open) in writers() {
        assert!(matches!(open(&symbolic), Err(Unfit::Link)), "{name}");
        assert!(matches!(open(&dangling), Err(Unfit::Link)), "{name}");
        assert!(matches!(open(&hard), Err(Unfit::Names(2))), "{name}");
    }
    for path in [&symbolic, &dangling, &hard] {
        assert!(create_new(path, 0o600).is_err(), "{}", path.display());
    }
    assert_eq!(fs::read_to_string(&victim).unwrap(), "precious");
    assert!(!beyond.exists());
}

#[test]
fn what_is_ours_is_written() {
    let dir = TempDir::new("open-write");
    for (name, open) in writers() {
        let path = dir.path().join(name);
        open(&path).unwrap().write_all(b"one").unwrap();
        open(&path).unwrap().write_all(b"2").unwrap();
    }
    let content = |name: &str| fs::read_to_string(dir.path().join(name)).unwrap();
    assert_eq!(["append", "own", "overwrite"].map(content), ["one2", "2ne", "2"]);
    append(Path::new("/dev/null"), 0o600).unwrap().write_all(b"x").unwrap();
}

#[test]
fn a_fifo_is_opened_by_its_own_name_only() {
    let dir = TempDir::new("open-fifo");
    let (pipe, link) = (dir.path().join("pipe"), dir.path().join("link"));
    make_fifo(&pipe);
    symlink(&pipe, &link).unwrap();
    assert!(fifo(&pipe).is_ok());
    assert!(matches!(fifo(&link), Err(Unfit::Link)));
    assert!(matches!(fifo(&file(&dir, "f", "")), Err(Unfit::NotFifo)));
    assert!(matches!(fifo(Path::new("/dev/zero")), Err(Unfit::NotFifo)));
}

#[test]
fn every_refusal_says_why_and_none_has_a_number_of_the_system() {
    let system = |errno| Unfit::from(io::Error::from_raw_os_error(errno));
    assert_eq!(system(libc::EACCES).to_string(), "Permission denied");
    assert_eq!(system(libc::ENOENT).to_string(), "No such file or directory");
    for errno in 1..134 {
        let text = system(errno).to_string();
        assert!(!text.is_empty() && !text.contains("os error"), "{errno}: {text}");
        let error = io::Error::from(system(errno));
        let same = error.raw_os_error() == Some(errno) || error.to_string() == text;
        assert!(same, "{errno}: {error}");
    }
}
