//! What systemd and the init script see of the daemon.

#![expect(clippy::disallowed_methods, reason = "tests make the files they need")]

use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::process::Command;

use crate::control::told;
use crate::lab::{
    config, instance, kactl_says as ok, ours_only, output_of, require_program, wait, Instance,
    Outcome, Program, Segment, Skip, Workshop, SOON,
};

fn router(priority: u8) -> Instance {
    instance("VI_1").priority(priority).vip("10.7.1.1/16")
}

/// A program that runs the daemon under a process 1 that is called systemd.
fn under_systemd(shop: &Workshop, socket: &Path) -> Result<Program, Skip> {
    require_program("unshare", "util-linux")?;
    let probe = ["--fork", "--pid", "--kill-child", "--mount-proc", "true"];
    if output_of(Command::new("unshare").args(probe)).0 != Some(0) {
        return Err(Skip::new("there is no process namespace to be had"));
    }
    let daemon = std::fs::canonicalize(&Program::under_test().path).expect("it is built");
    let (daemon, socket) = (daemon.display(), socket.display());
    let text = format!(
        "exec unshare --fork --pid --kill-child --mount-proc sh -c '\
         printf systemd >/proc/$$/comm; NOTIFY_SOCKET={socket} \"$@\" & wait' sh {daemon} \"$@\"\n"
    );
    shop.script("under-systemd", &text);
    Ok(Program { path: shop.path("under-systemd").into(), ours: true })
}

pub(crate) fn systemd_is_shown_roles_and_reloads() -> Outcome {
    ours_only()?;
    let (_segment, [a, b]) = Segment::with_hosts(["a", "b"]);
    let shop = Workshop::new();
    let path = std::path::PathBuf::from(shop.path("notify"));
    let socket = UnixDatagram::bind(&path).expect("a new name");
    socket.set_nonblocking(true).expect("a socket");
    let program = under_systemd(&shop, &path)?;
    let mut seen = Vec::new();
    let mut says = |part: &str| {
        let mut buffer = [0; 4096];
        wait(part, SOON, || {
            while let Ok(n) = socket.recv(&mut buffer) {
                seen.push(String::from_utf8_lossy(&buffer[..n]).into_owned());
            }
            seen.iter().any(|message| message.contains(part))
        });
        seen.clear();
    };
    let daemon = a.start_program(&program, &config(&[router(100)]));
    says("STATUS=1 MASTER, 0 BACKUP, 0 FAULT");
    let better = b.start(&config(&[router(200)]));
    says("STATUS=0 MASTER, 1 BACKUP, 0 FAULT");
    drop(better);
    says("STATUS=1 MASTER, 0 BACKUP, 0 FAULT");
    ok(&daemon, &["reload"]);
    says("last reload done at ");
    daemon.rewrite("vrrp_instance VI_1 {\n prioritty 7\n}\n");
    assert_eq!(told(&daemon, &["reload"]).0, Some(2));
    says("STATUS=1 MASTER, 0 BACKUP, 0 FAULT; last reload refused at ");
    Ok(())
}

/// The unit and the init script reload by the same command.
pub(crate) fn the_init_script_fails_if_a_reload_is_refused() -> Outcome {
    ours_only()?;
    let (_segment, [a]) = Segment::with_hosts(["a"]);
    let daemon = a.start(&config(&[router(200)]));
    daemon.wait_master("VI_1");
    ok(&daemon, &["status"]);
    let shop = Workshop::new();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("conf");
    let text = std::fs::read_to_string(root.join("keepalived.init")).expect("it is there");
    let defaults = format!("KACTL_SOCKET={}\n", daemon.file("main.sock").display());
    shop.write("defaults", &defaults);
    let text = text
        .replace("KACTL=/usr/sbin/kactl", &format!("KACTL={}", daemon.file("kactl").display()))
        .replace("DAEMON=/usr/sbin/keepalived", "DAEMON=/bin/sh")
        .replace("/etc/default/keepalived", &shop.path("defaults"));
    shop.script("init", &text);
    let reload = || output_of(Command::new(shop.path("init")).arg("reload"));
    assert_eq!(reload().0, Some(0));
    daemon.wait_log_part(0, "Reload by command of user 0");
    daemon.rewrite("vrrp_instance VI_1 {\n prioritty 7\n}\n");
    let (status, text) = reload();
    assert_eq!((status, text.contains("prioritty")), (Some(2), true), "{text}");
    let unit = std::fs::read_to_string(root.join("keepalived.service")).expect("it is there");
    assert!(unit.contains("\nExecReload=/usr/sbin/kactl reload\n"), "{unit}");
    Ok(())
}

/// What systemd itself thinks of the units: 10 is without any protection.
pub(crate) fn units_are_as_confined_as_documented() -> Outcome {
    ours_only()?;
    require_program("systemd-analyze", "systemd")?;
    let analyze = |unit: &Path, most: &str| {
        let mut command = Command::new("systemd-analyze");
        command.args(["security", "--offline=true", "--no-pager", "--threshold", most]).arg(unit);
        output_of(&mut command)
    };
    let conf = Path::new(env!("CARGO_MANIFEST_DIR")).join("conf");
    let plain = conf.join("keepalived.service");
    // It finds the folder of drop-ins beside the unit.
    for unit in [plain.clone(), conf.join("keepalived-nonroot.service")] {
        let (status, text) = analyze(&unit, "30");
        assert_eq!(status, Some(0), "{text}");
    }
    // That it was looked at: without the drop-in it is another one.
    let shop = Workshop::new();
    let alone = Path::new(&shop.path("keepalived.service")).to_owned();
    std::fs::copy(plain, &alone).expect("both are there");
    assert_ne!(analyze(&alone, "30").0, Some(0));
    Ok(())
}
