//! keepalived in Rust: VRRP high availability and IPVS health checking for Linux, as one process
//! with one thread.
//!
//! # The picture
//!
//! ```text
//!  config text ──► tokens ──► document ──► checked model ──► diff against the running model
//!  config/source   config/lex  config/parse  config/lower      model/diff
//!                                                                   │ changes
//!                                                                   ▼
//!   sockets, kernel,        ┌───────────────────────────────────────────────┐
//!   signals                 │  pure cores: vrrp, track, lvs, check, notify, │
//!         │                 │  holdings (bfd is to come)                    │
//!         │  bytes, facts   │                                               │
//!         ▼                 │  handle(input, now, &mut actions)             │
//!      sys/ ──► daemon/ ───►│  next_deadline() -> Option<Instant>           │
//!      ▲        turn.rs     └───────────────────────────────────────────────┘
//!      │           ▲                                │ actions, in order
//!      └───────────┴──── daemon/execute.rs ◄────────┘
//! ```
//!
//! Left to right, text becomes a model. Round the loop, facts become actions. There are no other
//! paths: a core never touches a socket, and a socket handler never decides anything.
//!
//! # Where a behaviour lives
//!
//! | question | file |
//! | --- | --- |
//! | what a keyword is, its arguments, its default | `config/keywords/` |
//! | what a block of the configuration means | `config/lower/` |
//! | what survives a reload, and as what | `model/diff.rs`, `daemon/reload.rs` |
//! | is this advertisement acceptable | `vrrp/receive.rs` |
//! | what an advertisement does to the state of a virtual router | `vrrp/hear.rs` |
//! | how often a peer may cause a line or a script | `vrrp/noted.rs`, `base/ratelimit.rs` |
//! | what a backup remembers of routers it refused | `vrrp/refused.rs` |
//! | which form of checksum a peer is sent | `vrrp/checksum.rs` |
//! | the only way from one state into another | `vrrp/state.rs` |
//! | how a state is entered, what a deadline does | `vrrp/transition.rs` |
//! | why a state changed, in words | `vrrp/cause.rs`, `vrrp/fault.rs`, `base/tracked.rs` |
//! | what tracked interfaces, scripts and the like do to a virtual router | `vrrp/tracking.rs`, `vrrp/priority.rs` |
//! | sync groups | `vrrp/membership.rs` |
//! | how long to wait | `vrrp/timing.rs` |
//! | when gratuitous ARP is due, and how fast it may go | `vrrp/announce.rs`, `daemon/announcer.rs` |
//! | when a script runs, what its results and tracked processes mean | `track/` |
//! | which address is in the kernel, adopted, restored, refused | `holdings/` |
//! | whose an address is that was there before | `holdings/leftovers.rs`, `daemon/beginning.rs` |
//! | which services and destinations IPVS has, and what differs from what is wanted | `holdings/ipvs.rs` |
//! | which real servers are in the pool: quorum, sorry server, weights | `lvs/service.rs`, `lvs/server.rs`, `lvs/quorum.rs` |
//! | when a check probes, and what its result means | `check/pool.rs`, `check/schedule.rs` |
//! | what a check sends, and which answer is good | `check/http.rs`, `check/smtp.rs`, ... |
//! | why a server is down, in words | `base/verdict.rs` |
//! | why a real server, a quorum or a sorry server changed, in words | `lvs/cause.rs` |
//! | keepalived's words for a failed check | `notify/complaint.rs` |
//! | whom a change is told, in which order and words | `notify/mod.rs`, `notify/words.rs` |
//! | when a notification script runs, and which waits for which | `notify/scripts.rs` |
//! | what the reader of a FIFO has still to be told | `notify/fifo.rs`, `daemon/fifos.rs` |
//! | when a mail is sent, tried again, given up | `notify/outbox.rs`, `daemon/mailer.rs` |
//! | which command may run, and as whom | `config/lower/script.rs`, `sys/scriptfacts.rs` |
//! | how commands are started, timed and ended | `sys/children.rs`, `daemon/children.rs` |
//! | `startup_script`, `shutdown_script` | `daemon/life.rs` |
//! | how files, processes and scripts are watched | `daemon/tracking.rs`, `daemon/processes.rs`, `sys/inotify.rs` |
//! | what comes first in a turn | `daemon/turn.rs` |
//! | the order of starting and of ending | `daemon/startup.rs`, `daemon/shutdown.rs` |
//! | what a panic or a crash leaves behind | `daemon/defect.rs`, `sys/rescue.rs` |
//! | the wording of a log line | `daemon/report.rs`, `daemon/lvs/report.rs` |
//! | the wording of a dump | `daemon/dump/` |
//! | which socket an instance uses, and its packets | `daemon/endpoints.rs` |
//! | the sockets of probes, and their time | `daemon/checks.rs` |
//! | how virtual servers, checks and IPVS work together | `daemon/lvs.rs` |
//! | what virtual servers and the rest of the daemon tell each other | `daemon/director.rs` |
//! | several routers without a kernel | `sim/` |
//! | the digest of a page, for the operator | `genhash/` |
//!
//! # Commands
//!
//! Tracked scripts, notification and checks run commands, with one way to start, to time and to
//! end them:
//!
//! * A child that ended is told by SIGCHLD and taken by waitid, whoever it is. A descriptor for each
//!   child would be a second way: in a container the daemon may be the first process, and then it
//!   has to wait for the orphans of others, too, whom it never started.
//! * What runs every second is started with the daemon's memory lent to it. The daemon stands still
//!   until the command is executed; so the command keeps the daemon's urgency until then, and not
//!   any longer.
//! * Nobody is told that a FIFO has a reader. inotify counts who opens and closes it, and if it
//!   counts wrongly the reader hears something twice.
//!
//! # Nobody in a hurry waits
//!
//! One thread serves all. So whatever may be long is done in short pieces, with VRRP served between
//! any two of them:
//!
//! * A reload reads in breaths (`breathe` of `config::Loader` and `config::Host`); what it brings is
//!   taken on a few virtual servers at a time.
//! * Checks have a share of each turn, and the end of one that is late comes before the next page of
//!   one that is not. They begin on a beat, and answers to those that began together are read
//!   together: a wake-up costs more than a probe.
//! * Log lines of a burst are gathered, and no sink is waited for.
//!
//! # Rules
//!
//! * Time is an argument. Only `sys/clock.rs` reads a clock.
//! * A timer is a field that is compared with `now`, never a queued message.
//! * Carrying out an action never calls a core: what it causes goes through the runtime's inbox.
//! * Packets before deadlines: after a stall, the advertisement that would have moved a deadline
//!   is already in the socket. But unread packets hold back only what they could change: the
//!   deadline of a backup, on their socket. And a deadline that is served too late to be believed
//!   gives the master one more interval (`vrrp/timing.rs`).
//! * Objects in the kernel are wanted, not issued (`holdings`).
//! * `base`, `wire` and `model` are used by all; the cores use nothing else; `config` knows the
//!   model only; `daemon` alone sees cores and `sys` together. `tests/architecture.rs` checks it.
//!
//! # Words
//!
//! *instance*: one virtual router on one interface. *group*: instances that change state together.
//! *owner*: whoever a token, an address or a deadline belongs to. *lane*: owners served together in
//! a turn. *fact*: anything that enters a core. *model*: what the operator asked for. *document*:
//! what the operator wrote.

pub mod base;
pub mod check;
pub mod cli;
pub mod config;
pub mod daemon;
pub mod genhash;
pub mod holdings;
pub mod lvs;
pub mod model;
pub mod notify;
pub mod sim;
pub mod sys;
pub mod track;
pub mod vrrp;
pub mod wire;
