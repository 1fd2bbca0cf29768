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
//! | how a state is entered, what a deadline does | `vrrp/transition.rs` |
//! | tracked interfaces, scripts and the like; faults | `vrrp/tracking.rs`, `vrrp/priority.rs` |
//! | sync groups | `vrrp/membership.rs` |
//! | how long to wait | `vrrp/timing.rs` |
//! | when gratuitous ARP is due, and how fast it may go | `vrrp/announce.rs`, `daemon/announcer.rs` |
//! | when a script runs, what its results and tracked processes mean | `track/` |
//! | which address is in the kernel, and who put it back | `holdings/` |
//! | which services and destinations IPVS has, and what differs from what is wanted | `holdings/ipvs/` |
//! | which real servers are in the pool: quorum, sorry server, weights | `lvs/service.rs`, `lvs/server.rs` |
//! | when a check probes, and what its result means | `check/pool.rs`, `check/schedule.rs` |
//! | what a check sends, and which answer is good | `check/http.rs`, `check/smtp.rs`, ... |
//! | why a server is down, in words | `check/verdict.rs` |
//! | whom a change is told, in which order and words | `notify/mod.rs`, `notify/words.rs` |
//! | when a mail is sent, tried again, given up | `notify/outbox.rs` |
//! | what comes first in a turn | `daemon/turn.rs` |
//! | the wording of a log line | `daemon/report.rs` |
//! | which socket an instance uses, and its packets | `daemon/endpoints.rs` |
//! | the sockets of probes, and their time | `daemon/checks.rs` |
//! | how virtual servers, checks and IPVS work together | `daemon/lvs.rs` |
//! | several routers without a kernel | `sim/` |
//!
//! # Rules
//!
//! * Time is an argument. Only `sys/clock.rs` reads a clock.
//! * A timer is a field that is compared with `now`, never a queued message.
//! * Carrying out an action never calls a core: what it causes goes through the runtime's inbox.
//! * Packets before deadlines: after a stall, the advertisement that would have moved a deadline
//!   is already in the socket. And a deadline that is served too late to be believed gives the
//!   master one more interval (`vrrp/timing.rs`).
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
