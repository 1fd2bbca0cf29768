//! Files that another user could turn into a trap.

#![expect(clippy::disallowed_methods, reason = "tests make the files they need")]

use std::fs::File;
use std::os::fd::AsRawFd as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use crate::lab::{
    config_with, gaps, instance, millis, ours_only, pass, secs, wait, Outcome, Segment, Workshop,
    SOON,
};

/// From fcntl(2); missing in the libc crate.
const F_SETSIG: libc::c_int = 10;

/// Holds a lease: opening the file blocks for up to 45 seconds, until the lease is dropped.
fn lease(path: &str) -> File {
    let holder = File::open(path).expect("it is there");
    // SAFETY: only integers are passed; the descriptor is open. The signal for an attempt to open
    // has no effect.
    let signal = unsafe { libc::fcntl(holder.as_raw_fd(), F_SETSIG, libc::SIGURG) };
    assert_eq!(signal, 0);
    wait("no other process has the file open", SOON, || {
        // SAFETY: as above.
        unsafe { libc::fcntl(holder.as_raw_fd(), libc::F_SETLEASE, libc::F_WRLCK) == 0 }
    });
    holder
}

pub(crate) fn a_lease_on_a_script_delays_no_advert() -> Outcome {
    ours_only()?;
    let (segment, [a]) = Segment::with_hosts(["a"]);
    let shop = Workshop::new();
    let script = shop.script("check.sh", "exit 0");
    let block =
        format!("vrrp_script check {{\n script \"{script}\"\n interval 0.2\n timeout 60\n}}\n");
    let router = instance("VI_1").line("track_script {\n check\n }").vip("10.7.1.1/16");
    let global = "    script_user root\n    enable_script_security";
    let daemon = a.start(&(config_with(global, &[]) + &block + &router.to_string()));
    daemon.wait_master("VI_1");
    let mut capture = segment.capture();
    // Affects the checks, and the reload, which examines the type of the file.
    let _holder = lease(&script);
    let mark = daemon.mark();
    daemon.reload();
    daemon.wait_log_since(mark, "Reload complete");
    pass(secs(1));
    let gaps = gaps(&capture.adverts());
    assert!(gaps.len() > 8, "adverts go on");
    assert!(gaps.iter().all(|gap| *gap < millis(400)), "{gaps:?}");
    Ok(())
}

pub(crate) fn a_log_file_is_not_written_through_a_hard_link() -> Outcome {
    ours_only()?;
    let (_segment, [a]) = Segment::with_hosts(["a"]);
    let shop = Workshop::new();
    shop.write("victim", "precious\n");
    let link = shop.path("log");
    std::fs::hard_link(shop.path("victim"), &link).expect("the same folder");
    let file = format!("--log-file={link}");
    let router = instance("VI_1").vip("10.7.1.1/16");
    let mut daemon = a.start_with(&config_with("", &[router]), &[&file]);
    assert_eq!(daemon.wait_end().code(), Some(1));
    let message = format!("Cannot open the log file: {link}: the file has 2 names (hard links)");
    daemon.wait_log_part(0, &message);
    assert_eq!(shop.read("victim"), "precious\n");
    Ok(())
}

pub(crate) fn a_tracked_file_is_not_made_through_a_link() -> Outcome {
    ours_only()?;
    let (_segment, [a]) = Segment::with_hosts(["a"]);
    let shop = Workshop::new();
    shop.write("victim", "7\n");
    let link = shop.path("number");
    std::os::unix::fs::symlink(shop.path("victim"), &link).expect("a new name");
    let block = format!("track_file number {{\n file \"{link}\"\n init_file 0 overwrite\n}}\n");
    let router = instance("VI_1").line("track_file {\n number\n }").vip("10.7.1.1/16");
    let daemon = a.start(&(config_with("", &[]) + &block + &router.to_string()));
    daemon.wait_log_part(0, &format!("cannot write tracked file {link}: it is a symbolic link"));
    assert_eq!(shop.read("victim"), "7\n");
    Ok(())
}

/// The `umask` of the configuration is that of dumps and of scripts, and a reload changes it.
pub(crate) fn the_umask_is_applied() -> Outcome {
    ours_only()?;
    let (_segment, [a]) = Segment::with_hosts(["a"]);
    let shop = Workshop::new();
    let touch = shop.script("touch.sh", "rm -f $HERE/made; echo >$HERE/made");
    let text = |umask: &str| {
        let block = format!("vrrp_script touch {{\n script {touch}\n interval 1\n}}\n");
        let router = instance("VI_1").line("track_script {\n touch\n }").vip("10.7.1.1/16");
        config_with(&format!("umask {umask}"), &[]) + &block + &router.to_string()
    };
    let mode = |path: &Path| {
        let metadata = std::fs::metadata(path);
        metadata.map(|m| m.permissions().mode() & 0o777).unwrap_or_default()
    };
    let daemon = a.start(&text("IWGRP | IRWXO"));
    let made = PathBuf::from(shop.path("made"));
    wait("the script has made its file", SOON, || mode(&made) == 0o640);
    daemon.signal(nix::sys::signal::Signal::SIGUSR1);
    wait("the dump is there", SOON, || mode(&daemon.file("keepalived.data")) == 0o640);
    daemon.rewrite(&text("0177"));
    daemon.reload();
    wait("the script has made another one", SOON, || mode(&made) == 0o600);
    Ok(())
}
