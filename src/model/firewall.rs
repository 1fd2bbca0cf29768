//! Settings of the packet filter, which drops packets to addresses that are not accepted and takes
//! care of the multicast of VMACs.

/// `nftables`, `vrrp_iptables` and what belongs to them.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Firewall {
    pub kind: FirewallKind,
    pub nftables: Nftables,
    pub marking: Option<Marking>,
}

#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub enum FirewallKind {
    /// Nothing is configured: nftables, if a packet filter is needed.
    #[default]
    Default,
    Nftables,
    Iptables(Iptables),
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Nftables {
    /// `nftables NAME`: the table, of both families.
    pub table: String,
    /// `nftables_priority` of the chains at the hooks.
    pub priority: i32,
    /// `nftables_ifindex`: interfaces are matched by index where a name is possible, too.
    pub by_index: bool,
    /// `nftables_counters`: every rule counts its packets.
    pub counters: bool,
}

impl Nftables {
    /// The name of the table unless one is configured.
    pub const TABLE: &str = "keepalived";
    pub const PRIORITY: i32 = -1;
}

impl Default for Nftables {
    fn default() -> Self {
        Self {
            table: Self::TABLE.to_owned(),
            priority: Self::PRIORITY,
            by_index: false,
            counters: false,
        }
    }
}

/// `nftables_ipvs`: packets to the addresses of virtual server groups get firewall marks, so that IPVS
/// needs one service per group rather than one per address. [`Nftables::counters`] applies, too.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Marking {
    /// `nftables_ipvs NAME`: the table, of both families.
    pub table: String,
    /// `nftables_ipvs_priority` of the chain.
    pub priority: i32,
    /// `nftables_ipvs_start_fwmark`, at least 1.
    pub first_mark: u32,
}

impl Marking {
    /// The name of the table unless one is configured.
    pub const TABLE: &str = "keepalived_ipvs";
    pub const FIRST_MARK: u32 = 1000;
}

impl Default for Marking {
    fn default() -> Self {
        Self {
            table: Self::TABLE.to_owned(),
            priority: Nftables::PRIORITY,
            first_mark: Self::FIRST_MARK,
        }
    }
}

/// `vrrp_iptables`: the chains, which exist already.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Iptables {
    pub input: String,
    /// `None`: no rule for packets from this host.
    pub output: Option<String>,
    /// `None`: a rule for each address (a bare `vrrp_ipsets`).
    pub sets: Option<IpSets>,
}

/// `vrrp_ipsets`: the names of the sets.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct IpSets {
    pub v4: String,
    pub v6: String,
    /// Link-local addresses with their interface.
    pub v6_links: String,
    pub igmp: String,
    pub mld: String,
    /// Link-local addresses of base interfaces, with the VMAC on which they are not announced.
    pub neighbors: String,
}

impl IpSets {
    /// Longest name of a set.
    pub const MAX_NAME: usize = 31;

    pub const fn names(&self) -> [&String; 6] {
        [&self.v4, &self.v6, &self.v6_links, &self.igmp, &self.mld, &self.neighbors]
    }

    /// A name that two sets have.
    pub fn repeated(&self) -> Option<&str> {
        let names = self.names();
        let again = |(n, name): &(usize, &&String)| names[..*n].contains(*name);
        names.iter().enumerate().find(again).map(|(_, name)| name.as_str())
    }
}

impl Default for IpSets {
    fn default() -> Self {
        let name = |suffix: &str| format!("{}{suffix}", Nftables::TABLE);
        Self {
            v4: name(""),
            v6: name("6"),
            v6_links: name("_if6"),
            igmp: name("_igmp"),
            mld: name("_mld"),
            neighbors: name("_nd"),
        }
    }
}
