//! The top level.

use super::address::STATIC_IPADDRESS;
use super::bfd::BFD_INSTANCE;
use super::garp::GARP_GROUP;
use super::global::GLOBAL_DEFS;
use super::group::VRRP_SYNC_GROUP;
use super::instance::VRRP_INSTANCE;
use super::link::{INTERFACE_UP_DOWN_DELAYS, LINKBEAT_INTERFACES};
use super::page::SSL;
use super::route::STATIC_ROUTES;
use super::rule::STATIC_RULES;
use super::service::{SERVER_GROUP, VIRTUAL_SERVER};
use super::track::{TRACK_FILE, VRRP_SCRIPT, VRRP_TRACK_PROCESS};
use super::vrrp::TRACK_GROUP;
use crate::config::document::Node;
use crate::config::keyword::{strict, Args, Block, Body, Repeat, ValueKind};
use crate::config::statement::Statement;
use crate::config::table::{
    block, entries, flag, maybe_word, named_block, number, row, table, text, Table, Written,
};

/// Content of one statement of the top level.
pub(in crate::config) enum TopLevel<'d> {
    NetNamespace(&'d str),
    IpvsNamespace(Option<&'d str>),
    InstanceName(&'d str),
    UsePidDir,
    /// Read before everything else.
    GlobalDefs,
    TrackGroup(Node<'d>),
    StaticAddresses(Node<'d>),
    StaticRoutes(Node<'d>),
    StaticRules(Node<'d>),
    SyncGroup(Node<'d>),
    Instance(Node<'d>),
    Script(Node<'d>),
    Process(Node<'d>),
    File(Node<'d>),
    Bfd(Node<'d>),
    PolledLinks(Node<'d>),
    PollLinks,
    GarpGroup(Node<'d>),
    LinkDelays(Node<'d>),
    Tls(Node<'d>),
    AddressGroup(Node<'d>),
    VirtualServer(Statement<'d>),
}

impl Written for TopLevel<'static> {
    type In<'d> = Option<TopLevel<'d>>;
}

/// The whole language: every other block stands in this one.
pub static ROOT: &Block = &TOP_LEVEL.block;

pub(in crate::config) static TOP_LEVEL: Table<TopLevel<'static>> = table!(TopLevel<'static>, "the top level", [
    flag("linkbeat_use_polling") => |top, _| *top = Some(TopLevel::PollLinks),
    text("net_namespace").default("that the daemon was started in").repeat(Repeat::FirstCounts)
        => |top, s| *top = Some(TopLevel::NetNamespace(s.value)),
    maybe_word("net_namespace_ipvs", &[ValueKind::Text])
        .default("that of the daemon")
        .repeat(Repeat::FirstCounts)
        => |top, s| *top = Some(TopLevel::IpvsNamespace(s.value)),
    // Every kernel since 3.13 has sets of each network namespace.
    flag("namespace_with_ipsets") => |_, _| {},
    flag("use_pid_dir") => |top, _| *top = Some(TopLevel::UsePidDir),
    text("instance").default("none").repeat(Repeat::FirstCounts)
        => |top, s| *top = Some(TopLevel::InstanceName(s.value)),
    // There are no child processes to wait for.
    number("child_wait_time", &[strict(0, 4_294_967_295)]).default("5") => |_, _| {},
    block("global_defs", &GLOBAL_DEFS.block) => |top, _| *top = Some(TopLevel::GlobalDefs),
    named_block("track_group", &TRACK_GROUP.block).repeat(Repeat::ByName)
        => |top, s| *top = Some(TopLevel::TrackGroup(s.node())),
    entries("static_ipaddress", &STATIC_IPADDRESS.entry)
        => |top, s| *top = Some(TopLevel::StaticAddresses(s.node())),
    entries("static_routes", &STATIC_ROUTES.entry)
        => |top, s| *top = Some(TopLevel::StaticRoutes(s.node())),
    entries("static_rules", &STATIC_RULES.entry)
        => |top, s| *top = Some(TopLevel::StaticRules(s.node())),
    named_block("vrrp_sync_group", &VRRP_SYNC_GROUP.block).repeat(Repeat::ByName)
        => |top, s| *top = Some(TopLevel::SyncGroup(s.node())),
    block("garp_group", &GARP_GROUP.block) => |top, s| *top = Some(TopLevel::GarpGroup(s.node())),
    entries("linkbeat_interfaces", &LINKBEAT_INTERFACES.entry)
        => |top, s| *top = Some(TopLevel::PolledLinks(s.node())),
    named_block("vrrp_instance", &VRRP_INSTANCE.block).repeat(Repeat::ByName)
        => |top, s| *top = Some(TopLevel::Instance(s.node())),
    named_block("vrrp_script", &VRRP_SCRIPT.block)
        => |top, s| *top = Some(TopLevel::Script(s.node())),
    named_block("vrrp_track_process", &VRRP_TRACK_PROCESS.block)
        => |top, s| *top = Some(TopLevel::Process(s.node())),
    entries("interface_up_down_delays", &INTERFACE_UP_DOWN_DELAYS.entry)
        => |top, s| *top = Some(TopLevel::LinkDelays(s.node())),
    block("SSL", &SSL.block).repeat(Repeat::LastCounts)
        => |top, s| *top = Some(TopLevel::Tls(s.node())),
    row("virtual_server_group", 1, &[ValueKind::Text]).body(Body::Entries(&SERVER_GROUP.entry))
        => |top, s| *top = Some(TopLevel::AddressGroup(s.node())),
    block("virtual_server", &VIRTUAL_SERVER.block).args(Args::Service)
        => |top, s| *top = Some(TopLevel::VirtualServer(s.statement)),
    named_block("track_file", &TRACK_FILE.block)
        => |top, s| *top = Some(TopLevel::File(s.node())),
    named_block("vrrp_track_file", &TRACK_FILE.block).noted("track_file"),
    row("bfd_instance", 1, &[ValueKind::Short(31)])
        .body(Body::Keywords(&BFD_INSTANCE.block))
        .repeat(Repeat::ByName)
        => |top, s| *top = Some(TopLevel::Bfd(s.node())),
]);
