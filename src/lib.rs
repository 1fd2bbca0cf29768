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
//!   signals                 │  pure cores: vrrp, track, bfd, lvs, check,    │
//!         │                 │  notify, holdings, firewall                   │
//!         │  bytes, facts   │                                               │
//!         ▼                 │  handle(input, now, &mut actions)             │
//!      sys/ ──► daemon/ ───►│  next_deadline() -> Option<Instant>           │
//!      ▲        turn.rs     └───────────────────────────────────────────────┘
//!      │           ▲                                │ actions, in order
//!      └───────────┴──── daemon/network/execute.rs ◄───┘
//!
//!   kactl ◄──── control (a JSON object a line) ────► daemon/control.rs ◄── daemon/status/ ◄── cores
//! browser ◄──── web (metrics, page, probe over HTTP) ──────┘
//! ```
//!
//! Left to right, text becomes a model. Around the loop, facts become actions. There are no other
//! paths: a core never touches a socket, and a socket handler never makes a decision.
//!
//! # Where a behaviour lives
//!
//! | behaviour | file |
//! | --- | --- |
//! | keywords, their arguments and defaults | `config/keywords/` |
//! | meaning of the blocks of the configuration | `config/lower/` |
//! | virtual interfaces of instances, and their names | `config/lower/vlink.rs`, `config/lower/vlink/names.rs` |
//! | which interface of an instance does what | `model/vrrp.rs` |
//! | names of routing tables, protocols and scopes | `config/names.rs` |
//! | routes and rules as text, and as the kernel stores them | `base/route/text.rs`, `base/route.rs` |
//! | routes and rules as messages of the kernel | `sys/netlink/route.rs`, `sys/netlink/rule.rs` |
//! | messages of the kernel that are read, interfaces as it describes them | `sys/netlink/message.rs`, `sys/netlink/link/described.rs` |
//! | what survives a reload | `model/diff.rs`, `daemon/config/reload.rs` |
//! | acceptance of an advertisement | `vrrp/receive.rs` |
//! | authentication headers, signatures, and what was recorded | `vrrp/auth.rs`, `vrrp/auth/` |
//! | keys, and what follows from a lack of them | `config/lower/auth.rs`, `model/signing.rs` |
//! | effect of an advertisement on the state of a virtual router | `vrrp/hear.rs` |
//! | rate limits for log lines and scripts caused by peers | `vrrp/noted.rs`, `base/ratelimit.rs` |
//! | routers refused since the last valid advertisement | `vrrp/refused.rs` |
//! | checksum form sent to a peer | `vrrp/checksum.rs` |
//! | state of a virtual router, and the only way to change it | `vrrp/state.rs` |
//! | state transitions, deadlines | `vrrp/transition.rs` |
//! | text of the cause of a change | `vrrp/cause.rs`, `vrrp/fault.rs`, `base/tracked.rs` |
//! | mastership that survives a restart | `vrrp/resume.rs` |
//! | effect of tracked objects on a virtual router | `vrrp/tracking.rs`, `vrrp/priority.rs` |
//! | short changes of links, polled links | `daemon/network/debounce.rs`, `daemon/network/linkbeat.rs` |
//! | sync groups | `vrrp/membership.rs` |
//! | timers of a virtual router | `vrrp/timing.rs` |
//! | timing and rate of gratuitous ARP | `vrrp/announce.rs`, `daemon/network/announcer.rs` |
//! | schedule and results of tracked scripts, tracked processes | `track/` |
//! | acceptance of a BFD packet, and the session it belongs to | `bfd/receive.rs`, `bfd/auth.rs` |
//! | effect of a BFD packet on a session | `bfd/hear.rs`, `bfd/poll.rs` |
//! | silence of a BFD neighbour | `bfd/expire.rs` |
//! | intervals of BFD packets | `bfd/transmit.rs`, `bfd/timing.rs` |
//! | text of the cause of a change of a BFD session | `bfd/cause.rs` |
//! | BFD sessions that go on after a restart by command | `bfd/resume.rs`, `daemon/restart/bfd.rs`, `snapshot/bfd.rs` |
//! | sockets of BFD sessions, and what follows them | `daemon/bfd.rs`, `daemon/bfd/sockets.rs`, `sys/bfd.rs` |
//! | silence that proves nothing, because the daemon was stalled | `base/absences.rs` |
//! | objects in the kernel: added, adopted, restored, refused | `holdings/` |
//! | requests without an answer, and what they will find in the kernel | `holdings/kernel.rs`, `holdings/kernel/` |
//! | answers of the kernel about addresses; retries of what it refused | `holdings/answers.rs`, `holdings/repair.rs` |
//! | objects that the kernel holds whatever the state of an instance | `daemon/config/fixed.rs` |
//! | identity of routes and rules | `holdings/fib.rs`, `holdings/routes.rs` |
//! | routes and rules: answers and notifications, those that the kernel dropped | `holdings/routes_heard.rs`, `holdings/doubts.rs` |
//! | virtual interfaces: created, prepared, adopted, replaced | `holdings/vlinks.rs`, `holdings/vlinks_heard.rs`, `daemon/network/vlinks.rs` |
//! | virtual interfaces that an earlier run made, or that the kernel refused to remove | `holdings/vlinks_left.rs` |
//! | changes of the kernel that wake the daemon | `daemon/network/monitor.rs`, `sys/netlink/monitor.rs` |
//! | original values of settings and interfaces that were made, kept across a crash | `sys/originals.rs` |
//! | what a run leaves for the next one if it is killed | `daemon/continuity.rs`, `daemon/continuity/orders.rs` |
//! | removal of what a killed run has left, if the configuration cannot be used | `daemon/config/in_force.rs`, `daemon/start/left.rs` |
//! | starting a daemon again that died | `daemon/start/respawn.rs`, `sys/supervise.rs` |
//! | restart by command: trial, stand-in, exec | `daemon/restart.rs`, `sys/takeover.rs` |
//! | what a restart by command hands over, and its version | `snapshot/`, `daemon/restart/snapshot.rs` |
//! | what an instance, a check, a server knows from before that | `vrrp/past.rs`, `base/recalled.rs` |
//! | scripts, lines and mails under way at a restart by command | `notify/unfinished.rs`, `daemon/restart/unfinished.rs` |
//! | taking over from a program that is replaced | `daemon/start/takeover.rs` |
//! | state file: its format, and its memory | `wire/statefile.rs`, `sys/statefile.rs` |
//! | owner of an address that was present at start | `holdings/leftovers.rs`, `daemon/start/beginning.rs` |
//! | tables of nf_tables, and transactions that bring them to the wanted contents | `firewall/` |
//! | rules of iptables and sets of ipset, as input of their restore commands | `firewall/iptables.rs` |
//! | order of these commands, what follows a failure | `firewall/iptables/runner.rs`, `daemon/network/iptables.rs` |
//! | sockets of nf_tables, notifications of removed tables | `daemon/tables.rs`, `sys/nft.rs` |
//! | protection of an address before it exists and until it is gone | `holdings/shields.rs`, `daemon/network/firewall.rs` |
//! | firewall marks of virtual server groups | `model/marks.rs` |
//! | tables that mark packets to virtual server groups | `firewall/marks/`, `daemon/lvs/marks.rs` |
//! | services and destinations in IPVS, and differences from the wanted ones | `holdings/ipvs.rs` |
//! | real servers in the pool: quorum, sorry server, weights | `lvs/service.rs`, `lvs/server.rs`, `lvs/quorum.rs` |
//! | schedule and results of checks | `check/pool.rs`, `check/schedule.rs` |
//! | requests of checks, and accepted replies | `check/http.rs`, `check/smtp.rs`, ... |
//! | text of the reason why a server is down | `base/verdict.rs` |
//! | text of the cause of a change to a real server, quorum or sorry server | `lvs/cause.rs` |
//! | text of a failed check in keepalived's words | `notify/complaint.rs` |
//! | recipients, order and text of notifications | `notify/mod.rs`, `notify/words.rs` |
//! | order of notification scripts | `notify/scripts.rs` |
//! | lines queued for the reader of a FIFO | `notify/fifo.rs`, `daemon/outlets/fifos.rs` |
//! | sending, retrying and dropping of mail | `notify/outbox.rs`, `daemon/outlets/mailer.rs` |
//! | permission and user of a command | `config/lower/script.rs`, `sys/scriptfacts.rs` |
//! | start, timeout and termination of commands | `sys/children.rs`, `daemon/commands/children.rs` |
//! | `startup_script`, `shutdown_script` | `daemon/start/life.rs` |
//! | watching of files, processes and scripts | `daemon/commands/tracking.rs`, `daemon/commands/processes.rs`, `sys/inotify.rs` |
//! | order of work in a turn | `daemon/turn.rs` |
//! | pause in which the packets of a burst accumulate | `daemon/pace.rs` |
//! | scheduling of the process | `daemon/start/scheduling.rs` |
//! | capabilities that stay after the start, and why | `daemon/start/rights.rs`, `sys/capability.rs` |
//! | what `sandbox strict` forbids, and how | `model/sandbox.rs`, `daemon/start/strict.rs`, `sys/confine.rs`, `sys/confine/` |
//! | parts that a build can do without | `base/parts.rs` |
//! | entry as daemon or configuration test, exit status | `daemon/start/entry.rs` |
//! | order of startup and shutdown | `daemon/start/startup.rs`, `daemon/start/assembly.rs`, `daemon/start/shutdown.rs` |
//! | cleanup after a panic or a crash | `daemon/start/defect.rs`, `sys/rescue.rs` |
//! | memory given back after a burst | `sys/memory.rs`, `daemon/turn.rs` |
//! | name of a line in syslog | `sys/log/ident.rs` |
//! | text of log lines | `daemon/outlets/report.rs`, `daemon/lvs/report.rs` |
//! | text of dumps, and where they are written | `daemon/dump/`, `daemon/dump/path.rs` |
//! | files that tell of a reload, copies of configurations | `daemon/config/witness.rs` |
//! | time of a reload, as a file names it | `base/appointment.rs`, `daemon/config/appointment.rs` |
//! | what is shown of the daemon, as plain data | `status/` |
//! | filling it in, for the dumps and the control socket | `daemon/status/` |
//! | JSON that is read: requests, replies, snapshots | `base/json.rs` |
//! | last changes with their causes, and their numbers | `daemon/journal.rs`, `daemon/journal/record.rs` |
//! | refused advertisements by sender, for the status | `vrrp/refusals.rs` |
//! | orders of an operator to a virtual router | `vrrp/operator.rs`, `daemon/control/commands.rs` |
//! | failover, maintenance: given, followed, ended | `vrrp/operator/given.rs`, `daemon/control/orders.rs` |
//! | how a master hands over, and to which routers it could | `vrrp/operator/handover.rs`, `vrrp/operator/heirs.rs` |
//! | orders to a real server or a tracked script | `lvs/operator.rs`, `daemon/lvs/operator.rs`, `daemon/control/servers.rs` |
//! | sentences of `kactl explain` | `status/explain.rs` |
//! | requests and replies of the control socket, limits of clients | `control/` |
//! | clients in the loop, rights, answers in pieces | `daemon/control.rs`, `daemon/control/clients.rs`, `daemon/control/answer.rs` |
//! | control socket in the file system, users of clients | `sys/control.rs` |
//! | requests and replies of HTTP | `web/request.rs`, `web/response.rs` |
//! | names and labels of metrics | `web/metrics/` |
//! | connections and packets of virtual servers, as IPVS counts them | `daemon/lvs/traffic.rs` |
//! | status page | `web/page.rs`, `web/page/rows.rs`, `web/page.css` |
//! | socket of metrics and the status page, their clients | `daemon/control/web.rs`, `sys/web.rs` |
//! | documents in the making, an object at a time | `web/document.rs`, `daemon/control/document.rs` |
//! | numbers since the start: transitions, reloads, checks | `daemon/journal/totals.rs`, `check/pool/results.rs` |
//! | what a reload would do | `daemon/config/rehearsal.rs` |
//! | `kactl`: options, tables, exit statuses | `kactl/` |
//! | completions of shells | `kactl/completions.rs` |
//! | sockets of instances, packets sent through them | `daemon/network/endpoints.rs`, `vrrp/outbound.rs` |
//! | sockets and timeouts of probes | `daemon/lvs/probes.rs` |
//! | cooperation of virtual servers, checks and IPVS | `daemon/lvs.rs` |
//! | messages between virtual servers and the rest of the daemon | `daemon/lvs/director.rs` |
//! | simulation of several routers without a kernel | `sim/` |
//! | `genhash` | `genhash/` |
//!
//! # Commands
//!
//! Tracked scripts, notification and checks run commands, which are started, timed and terminated
//! in one way:
//!
//! * An exit is signalled by SIGCHLD and collected with waitid, for any child. A descriptor per
//!   child would not be enough: in a container the daemon may be the init process, which has to
//!   reap orphans that it did not start.
//! * A command shares the daemon's memory until it is executed, because some run every second. The
//!   daemon is suspended until then, so the command keeps the daemon's scheduling priority until
//!   then, and no longer.
//! * The kernel does not report that a FIFO has a reader. inotify counts opens and closes; if the
//!   count is wrong, the reader receives some lines twice.
//!
//! # Bulk work never delays VRRP
//!
//! One thread serves everything. So any long work is split into short pieces, with VRRP served
//! between any two of them:
//!
//! * A reload yields regularly while it reads (`breathe` of `config::Loader` and `config::Host`);
//!   its changes are applied to a few virtual servers at a time.
//! * Checks have a share of each turn, and the timeout of a late check comes before the next page
//!   of one that is on time. Checks start on a common beat, and replies to those that started
//!   together are read together: a wake-up costs more than a probe.
//! * Log lines of a burst are buffered, and writing them never blocks.
//! * Clients of the control socket and of the web have a share of each turn. An answer is made one
//!   object at a time as the client reads it, so that the status of everything is never in memory as a
//!   whole.
//!
//! # Rules
//!
//! * Time is an argument. Only `sys/clock.rs` reads a clock.
//! * A timer is a field that is compared with `now`, never a queued message.
//! * Executing an action never calls a core: its effects go through the runtime's inbox.
//! * Packets before deadlines: after a stall, the advertisement that would have moved a deadline is
//!   already in the socket. But unread packets hold back only what they could change: the deadline
//!   of a backup on the same socket. A deadline that is served too late to be trusted gives the
//!   master one more interval (`vrrp/timing.rs`).
//! * Kernel objects are declared as wanted, not added and removed by command (`holdings`).
//! * `base`, `wire` and `model` are used by all; the cores use nothing else; `config` knows only
//!   the model; only `daemon` sees both the cores and `sys`. `tests/architecture.rs` checks this.
//! * There is one status: dumps, control socket, web and `kactl` take each fact from `daemon/status/`,
//!   and `kactl` and `web` know nothing of the daemon but `status` and `control`.
//!
//! # Glossary
//!
//! *instance*: one virtual router on one interface. *group*: instances that change state together.
//! *owner*: the holder of a token, an address or a deadline. *lane*: owners served together in a
//! turn. *fact*: any input of a core. *model*: the checked configuration. *document*: the parsed
//! configuration.

pub mod base;
pub mod bfd;
pub mod check;
pub mod cli;
pub mod config;
pub mod control;
pub mod daemon;
pub mod firewall;
pub mod genhash;
pub mod holdings;
pub mod kactl;
pub mod lvs;
pub mod model;
pub mod notify;
pub mod sim;
pub mod snapshot;
pub mod status;
pub mod sys;
pub mod track;
pub mod vrrp;
pub mod web;
pub mod wire;
