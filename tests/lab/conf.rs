//! Configuration texts shared by the tests.

use std::fmt::{self, Display};

/// A `vrrp_instance` block: version 3, ten advertisements per second, on eth0.
#[derive(Clone)]
pub(crate) struct Instance {
    name: String,
    interface: String,
    version: u8,
    vrid: u8,
    priority: u8,
    interval: String,
    lines: Vec<String>,
    addresses: Vec<String>,
}

pub(crate) fn instance(name: &str) -> Instance {
    Instance {
        name: name.to_owned(),
        interface: "eth0".to_owned(),
        version: 3,
        vrid: 51,
        priority: 100,
        interval: "0.1".to_owned(),
        lines: Vec::new(),
        addresses: Vec::new(),
    }
}

impl Instance {
    pub(crate) fn on(mut self, interface: &str) -> Self {
        self.interface = interface.to_owned();
        self
    }

    pub(crate) const fn version(mut self, version: u8) -> Self {
        self.version = version;
        self
    }

    pub(crate) const fn vrid(mut self, vrid: u8) -> Self {
        self.vrid = vrid;
        self
    }

    pub(crate) const fn priority(mut self, priority: u8) -> Self {
        self.priority = priority;
        self
    }

    pub(crate) fn every(mut self, seconds: &str) -> Self {
        self.interval = seconds.to_owned();
        self
    }

    /// One more line of the block.
    pub(crate) fn line(mut self, line: &str) -> Self {
        self.lines.push(line.to_owned());
        self
    }

    pub(crate) fn vip(mut self, address: &str) -> Self {
        self.addresses.push(address.to_owned());
        self
    }

    /// Version 2 with a password, once a second.
    pub(crate) fn v2_pass(self, password: &str) -> Self {
        self.v2("PASS", password)
    }

    /// Version 2 with an authentication header, once a second.
    pub(crate) fn v2_header(self, password: &str) -> Self {
        self.v2("AH", password)
    }

    fn v2(self, kind: &str, password: &str) -> Self {
        self.version(2)
            .every("1")
            .line(&format!("authentication {{\n auth_type {kind}\n auth_pass {password}\n }}"))
    }

    /// Signed advertisements with these keys and settings.
    pub(crate) fn signed(self, lines: &[&str]) -> Self {
        self.line(&format!("auth_hmac {{\n{}\n }}", lines.join("\n")))
    }
}

impl Display for Instance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "vrrp_instance {} {{", self.name)?;
        writeln!(
            f,
            "    state BACKUP\n    interface {}\n    version {}",
            self.interface, self.version
        )?;
        writeln!(f, "    virtual_router_id {}\n    priority {}", self.vrid, self.priority)?;
        writeln!(f, "    advert_int {}", self.interval)?;
        for line in &self.lines {
            writeln!(f, "    {line}")?;
        }
        writeln!(f, "    virtual_ipaddress {{")?;
        for address in &self.addresses {
            writeln!(f, "        {address}")?;
        }
        writeln!(f, "    }}\n}}")
    }
}

/// A complete file with these instances.
pub(crate) fn config(instances: &[Instance]) -> String {
    config_with("", instances)
}

/// A complete file with these lines in `global_defs`.
pub(crate) fn config_with(global: &str, instances: &[Instance]) -> String {
    let mut text = format!("global_defs {{\n    router_id lab\n{global}\n}}\n");
    for instance in instances {
        text.push_str(&instance.to_string());
    }
    text
}
