//! The whole way from a socket to what is told, without a kernel that has IPVS.

use std::net::TcpListener;

use super::*;
use crate::model::check::{Check, Connect, Schedule};
use crate::model::lvs::tests::{real_server, virtual_server};
use crate::notify;
use crate::sys::children::Starter;
use crate::sys::sched::Inherited;

struct Bench {
    lvs: Lvs,
    poll: Poll<CheckId>,
    children: Children<CheckId>,
    clock: Clock,
    running: Config,
    heard: Vec<String>,
}

impl Bench {
    fn with<T>(&mut self, f: impl FnOnce(&mut Lvs, &mut Hands<'_, CheckId, CheckId>) -> T) -> T {
        let Self { lvs, poll, children, clock, .. } = self;
        f(lvs, &mut Hands { poll, children, clock, urgent: &|| false })
    }

    fn adopt(&mut self, new: Config) {
        let old = std::mem::replace(&mut self.running, new.clone());
        self.with(|lvs, hands| lvs.adopt(&old, &new, hands));
        self.hear();
    }

    fn hear(&mut self) {
        for told in self.lvs.told() {
            told.tell(false, |input| match input {
                notify::Input::Service { name, up, .. } => self.heard.push(format!("{name} {up}")),
                notify::Input::Server { name, up, .. } => self.heard.push(format!("{name} {up}")),
                notify::Input::CheckMail { name, up, verdict, .. } => {
                    self.heard.push(format!("{name} {up} {verdict:?}"));
                }
                notify::Input::Forget(object) => self.heard.push(format!("forget {object:?}")),
                _ => {}
            });
        }
    }

    /// Turns of a loop until so much was heard.
    fn run(&mut self, count: usize) {
        while self.heard.len() < count {
            assert!(self.clock.now() < Instant::from_millis(60_000), "{:?}", self.heard);
            let (mut ready, idle) = (Vec::new(), !self.lvs.is_busy());
            let until = self.clock.now() + Duration::from_millis(50);
            let until = self.lvs.next_deadline().map_or(until, |next| next.min(until));
            self.poll.wait(self.clock.now(), Some(until), idle, &mut ready).unwrap();
            for check in ready {
                self.with(|lvs, hands| lvs.on_ready(check, hands));
            }
            self.with(Lvs::serve);
            self.hear();
        }
    }
}

fn config(port: u16) -> Config {
    let mut vs = virtual_server([127, 0, 0, 9], 80);
    let mut rs = real_server([127, 0, 0, 1], port);
    rs.checks.push(Check {
        kind: Kind::Tcp(Connect::to(rs.addr, port)),
        schedule: Schedule {
            delay_loop: Duration::from_millis(50),
            retry: 0,
            delay_before_retry: Duration::from_millis(10),
            warmup: Duration::ZERO,
        },
        alpha: true,
        log_all_failures: false,
    });
    vs.servers.push(rs);
    vs.omega = true;
    Config { virtual_servers: vec![Rc::new(vs)], ..Config::default() }
}

#[test]
fn a_server_that_answers_is_told_and_so_is_one_that_stops() {
    let mut bench = Bench {
        lvs: Lvs::new(10, 1),
        poll: Poll::new().unwrap(),
        children: Children::new(Starter::new(Inherited::read().unwrap())),
        clock: Clock::new(),
        running: Config::default(),
        heard: Vec::new(),
    };
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    bench.adopt(config(port));
    bench.run(4);
    let (vs, rs) = ("[127.0.0.9]:tcp:80", format!("[127.0.0.1]:tcp:{port}"));
    let heard = std::mem::take(&mut bench.heard);
    assert_eq!(
        heard,
        [
            format!("{vs} false"),
            format!("{rs} true"),
            format!("{vs} true"),
            format!("{rs} true Tcp")
        ]
    );
    drop(listener);
    bench.run(3);
    let heard = std::mem::take(&mut bench.heard);
    assert_eq!(heard, [format!("{rs} false"), format!("{vs} false"), format!("{rs} false Tcp")]);
    bench.adopt(Config::default());
    assert_eq!(bench.heard.len(), 2, "{:?}", bench.heard);
    assert!(bench.heard.iter().all(|line| line.starts_with("forget ")));
    assert_eq!(bench.lvs.pool.load(), (0, 0));
    assert_eq!(bench.lvs.probes.next_deadline(), None);
}
