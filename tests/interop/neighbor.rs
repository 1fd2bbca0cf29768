//! Routers with a BFD session to ours: the reference keepalived, FRR's bfdd and BIRD.

use std::fs::{set_permissions, Permissions};
use std::os::unix::fs::PermissionsExt as _;

use crate::frr::{self, require_frr};
use crate::lab::{require_program, wait, Daemon, Host, Program, Runs, Skip, Workshop, SOON};

/// Whose implementation.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    Reference,
    Frr,
    Bird,
}

/// The session as the neighbour has it.
#[derive(Clone, Copy)]
pub(crate) struct Wanted<'a> {
    pub(crate) own: &'a str,
    pub(crate) ours: &'a str,
    /// In milliseconds, both ways.
    pub(crate) interval: u32,
    pub(crate) multihop: bool,
    /// The key of meticulous keyed SHA1, with the number 3. BIRD alone has it.
    pub(crate) key: Option<&'a str>,
}

/// It runs until it is dropped, and is killed then.
pub(crate) enum Neighbor {
    Reference(Daemon),
    // In the order of their end.
    Program { runs: Runs, _zebra: Option<Runs>, shop: Workshop },
}

impl Neighbor {
    pub(crate) fn start(kind: Kind, host: &Host, wanted: &Wanted<'_>) -> Result<Self, Skip> {
        let shop = Workshop::new();
        match kind {
            Kind::Reference => {
                let program = Program::reference()?;
                Ok(Self::Reference(host.start_program(&program, &of_reference(wanted))))
            }
            Kind::Frr => {
                require_frr()?;
                // FRR changes to its own user.
                set_permissions(shop.path(""), Permissions::from_mode(0o777)).expect("our folder");
                shop.write("zebra.conf", "");
                shop.write("bfdd.conf", &of_frr(wanted));
                let zebra = frr::run(host, &shop, "zebra", &[]);
                wait("zebra listens", SOON, || shop.exists("zserv.api"));
                let control = shop.path("bfdd.sock");
                let runs = frr::run(host, &shop, "bfdd", &["--bfdctl", &control]);
                Ok(Self::Program { runs, _zebra: Some(zebra), shop })
            }
            Kind::Bird => {
                require_program("bird", "bird2")?;
                shop.write("bird.conf", &of_bird(wanted));
                let [conf, control, pid] =
                    ["bird.conf", "bird.ctl", "bird.pid"].map(|n| shop.path(n));
                let runs =
                    Runs::new(host, &["bird", "-f", "-c", &conf, "-s", &control, "-P", &pid]);
                Ok(Self::Program { runs, _zebra: None, shop })
            }
        }
    }

    /// Commands for FRR.
    pub(crate) fn configure(&self, host: &Host, commands: &[&str]) {
        let Self::Program { shop, .. } = self else { panic!("it is not FRR") };
        let folder = shop.path("");
        let mut words = vec!["--vty_socket", &folder, "-c", "configure"];
        words.extend(commands.iter().flat_map(|command| ["-c", command]));
        host.output("vtysh", &words);
    }

    /// What FRR says.
    pub(crate) fn shows(&self, host: &Host, command: &str) -> String {
        let Self::Program { shop, .. } = self else { panic!("it is not FRR") };
        host.output("vtysh", &["--vty_socket", &shop.path(""), "-c", command])
    }

    /// SIGKILL.
    pub(crate) fn kill(self) {
        if let Self::Reference(mut daemon) = self {
            daemon.crash();
        }
    }

    /// SIGTERM.
    pub(crate) fn stop(&mut self) {
        match self {
            Self::Reference(daemon) => assert!(daemon.stop().success()),
            Self::Program { runs, .. } => runs.stop(),
        }
    }
}

fn of_reference(wanted: &Wanted<'_>) -> String {
    let Wanted { own, ours, interval, .. } = *wanted;
    // Its default for IPv6 is 64.
    format!(
        "bfd_instance ours {{\nneighbor_ip {ours}\nsource_ip {own}\nmin_rx {interval}\n\
         min_tx {interval}\nmultiplier 3\nttl 255\n}}\n"
    )
}

fn of_frr(wanted: &Wanted<'_>) -> String {
    let Wanted { own, ours, interval, multihop, .. } = *wanted;
    let multihop = if multihop { "multihop " } else { "" };
    format!(
        "bfd\n peer {ours} {multihop}local-address {own}\n  detect-multiplier 3\n  \
         receive-interval {interval}\n  transmit-interval {interval}\n  no shutdown\n"
    )
}

fn of_bird(wanted: &Wanted<'_>) -> String {
    let Wanted { own, ours, interval, multihop, key } = *wanted;
    let key = key.map_or(String::new(), |key| {
        format!("authentication meticulous keyed sha1; password \"{key}\" {{ id 3; }};")
    });
    let options =
        format!("{{ interval {interval} ms; multiplier 3; idle tx interval 1 s; {key} }}");
    let link = if multihop { "" } else { "dev \"eth0\" " };
    let multihop = if multihop { " multihop yes" } else { "" };
    format!(
        "log stderr all;\nrouter id 10.7.0.2;\nprotocol device {{ }}\nprotocol bfd {{\n\
         interface \"eth0\" {options};\nmultihop {options};\n\
         neighbor {ours} {link}local {own}{multihop};\n}}\n"
    )
}
