//! Kinds of trouble. Each is over when its function returns, but not its consequences.

use std::io::Write as _;
use std::os::unix::net::UnixStream;

use keepalived::base::rng::Rng;
use nix::sys::signal::Signal;

use crate::lab::{kactl, kactl_says, millis, output_of, pass, socket, FrameBuilder};
use crate::site::{Server, Site, Variant};

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Trouble {
    LinkFlaps,
    CableIsPulled,
    ReloadOfTheSame,
    ReloadOfAnother,
    ReloadOfAWrongFile,
    Restart,
    Crash,
    Suspension,
    Garbage,
    ScriptHangs,
    ScriptFails,
    ServerDies,
    DiskIsFull,
    SlowClients,
    ForeignChanges,
    AddressIsTaken,
    Failover,
    Maintenance,
}

use Trouble::{
    AddressIsTaken, CableIsPulled, Crash, DiskIsFull, Failover, ForeignChanges, Garbage, LinkFlaps,
    Maintenance, ReloadOfAWrongFile, ReloadOfAnother, ReloadOfTheSame, Restart, ScriptFails,
    ScriptHangs, ServerDies, SlowClients, Suspension,
};

pub(crate) const ALL: &[Trouble] = &[
    LinkFlaps,
    CableIsPulled,
    ReloadOfTheSame,
    ReloadOfAnother,
    ReloadOfAWrongFile,
    Restart,
    Crash,
    Suspension,
    Garbage,
    ScriptHangs,
    ScriptFails,
    ServerDies,
    DiskIsFull,
    SlowClients,
    ForeignChanges,
    AddressIsTaken,
    Failover,
    Maintenance,
];

impl Trouble {
    /// To the router `n`.
    pub(crate) fn happen(self, site: &mut Site, n: usize, rng: &mut Rng) {
        let a_while = |rng: &mut Rng, most| pass(millis(rng.between(0, most)));
        let host = &site.hosts.routers[n];
        let shop = &site.shops[n];
        match self {
            LinkFlaps => {
                host.ip("link set eth0 down");
                a_while(rng, 400);
                host.ip("link set eth0 up");
            }
            CableIsPulled => {
                site.hosts.segment.pull_cable(host, "eth0");
                a_while(rng, 800);
                site.hosts.segment.plug_cable(host, "eth0");
            }
            ReloadOfTheSame => reload(site, n, Variant::Usual, "0"),
            ReloadOfAnother => {
                reload(site, n, Variant::Changed, "0");
                a_while(rng, 500);
                reload(site, n, Variant::Usual, "0");
            }
            ReloadOfAWrongFile => {
                reload(site, n, Variant::Wrong, "not 0");
                site.daemons[n].rewrite(&site.text(n, Variant::Usual));
            }
            Restart => {
                // If the machine is too busy for the trial, the daemon goes on as it is.
                let _ = output_of(kactl(&site.daemons[n]).arg("restart"));
            }
            Crash => {
                site.daemons[n].crash();
                a_while(rng, 800);
                let mark = site.daemons[n].mark();
                site.daemons[n].start_again();
                site.daemons[n].wait_log_part(mark, "Startup complete");
            }
            Suspension => {
                site.daemons[n].freeze();
                a_while(rng, 700);
                site.daemons[n].thaw();
            }
            Garbage => garbage(site, rng),
            ScriptHangs => {
                shop.write("hang", "");
                a_while(rng, 2_500);
                shop.remove("hang");
            }
            ScriptFails => {
                shop.write("fail", "");
                a_while(rng, 2_500);
                shop.remove("fail");
            }
            ServerDies => {
                let which = usize::try_from(rng.between(0, 2)).expect("small");
                site.servers[which] = None;
                a_while(rng, 2_500);
                let port = if which == 0 { 8001 } else { 8002 };
                site.servers[which] = Some(Server::start(&site.hosts.client, port));
            }
            DiskIsFull => disk_is_full(site, n),
            SlowClients => {
                let clients: Vec<_> = (0..20).map(|_| client(site, n)).collect();
                a_while(rng, 500);
                drop(clients);
            }
            ForeignChanges => {
                let (add, del): (Vec<_>, Vec<_>) = (1..200)
                    .map(|k| {
                        let route = format!("10.200.{k}.0/24 via 10.7.0.3");
                        (format!("route add {route}\n"), format!("route del {route}\n"))
                    })
                    .unzip();
                host.ip(&add.concat());
                host.ip(&del.concat());
            }
            AddressIsTaken => {
                // A backup does not hold it.
                let _ = host.try_ip("addr del 10.7.1.2/16 dev eth0");
            }
            Failover => {
                // Refused, unless this router is master and hears another.
                let _ =
                    output_of(kactl(&site.daemons[n]).args(["failover", "VI_2", "--for", "1s"]));
            }
            Maintenance => {
                let _ =
                    output_of(kactl(&site.daemons[n]).args(["maintenance", "on", "--for", "1s"]));
            }
        }
    }
}

fn reload(site: &Site, n: usize, variant: Variant, expected: &str) {
    let daemon = &site.daemons[n];
    daemon.rewrite(&site.text(n, variant));
    let (status, said) = output_of(kactl(daemon).arg("reload"));
    let is_accepted = status == Some(0);
    assert_eq!(is_accepted, expected == "0", "{variant:?}: {status:?} {said}");
}

/// Frames that are wrong in every place, and some that are nearly right.
fn garbage(site: &Site, rng: &mut Rng) {
    let injector = site.hosts.client.injector("eth0");
    for _ in 0..300 {
        let router = u8::try_from(rng.between(50, 54)).expect("small");
        let priority = u8::try_from(rng.between(0, 256)).expect("small");
        let mut frame = FrameBuilder::v3("10.7.0.3", router, priority, 10, &["10.7.1.1"]).build();
        // A valid advertisement of the highest priority would be no garbage.
        for _ in 0..rng.between(3, 20) {
            let at = usize::try_from(rng.between(14, frame.len() as u64)).expect("small");
            frame[at] ^= u8::try_from(rng.between(1, 256)).expect("small");
        }
        if rng.one_in(4) {
            frame.truncate(usize::try_from(rng.between(15, frame.len() as u64)).expect("small"));
        }
        injector.send(&frame);
    }
}

/// Every file that the daemon writes is on it.
fn disk_is_full(site: &Site, n: usize) {
    let daemon = &site.daemons[n];
    let filler = site.shops[n].path("disk/filler");
    let mut file = std::fs::File::create(&filler).expect("the folder is ours");
    while file.write_all(&[0; 4096]).is_ok() {}
    drop(file);
    daemon.signal(Signal::SIGUSR1);
    daemon.signal(Signal::SIGUSR2);
    reload(site, n, Variant::Usual, "0");
    assert!(kactl_says(daemon, &["status"]).contains("VI_1"));
    std::fs::remove_file(filler).expect("it is there");
    let saved = site.shops[n].path("disk/saved");
    let _ = std::fs::remove_dir_all(saved);
}

/// Asks for much, and reads nothing.
fn client(site: &Site, n: usize) -> UnixStream {
    let mut stream = UnixStream::connect(socket(&site.daemons[n])).expect("it is served");
    let _ = stream
        .write_all(b"{\"version\":1,\"do\":\"status\"}\n{\"version\":1,\"do\":\"metrics\"}\n{");
    stream
}
