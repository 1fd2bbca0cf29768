//! The control socket, and the address of metrics and the status page.

use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};

/// `control_socket`
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ControlSocket {
    Off,
    At(String),
}

impl ControlSocket {
    /// `off`, or a path.
    pub fn named(text: &str) -> Self {
        match text {
            "off" => Self::Off,
            path => Self::At(path.to_owned()),
        }
    }
}

/// `control_read_group`
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ControlGroup {
    pub name: String,
    pub gid: u32,
}

/// `metrics_listen`
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum MetricsListen {
    Off,
    Network(SocketAddr),
    Unix(String),
}

impl MetricsListen {
    /// `off`, a port, which is one of the loopback interface, an address with a port, or `unix:` and
    /// a path.
    pub fn parse(text: &str) -> Option<Self> {
        if text == "off" {
            return Some(Self::Off);
        }
        if let Some(path) = text.strip_prefix("unix:") {
            return (!path.is_empty()).then(|| Self::Unix(path.to_owned()));
        }
        let port = text.parse().map(|port| SocketAddr::from((Ipv4Addr::LOCALHOST, port)));
        let address: SocketAddr = port.or_else(|_| text.parse()).ok()?;
        // The kernel would choose another one each time.
        (address.port() != 0).then_some(Self::Network(address))
    }
}

/// As it is configured.
impl fmt::Display for MetricsListen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Off => f.write_str("off"),
            Self::Network(address) => address.fmt(f),
            Self::Unix(path) => write!(f, "unix:{path}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_alone_is_for_this_host_alone() {
        for (text, shown) in [
            ("9650", "127.0.0.1:9650"),
            ("0.0.0.0:9650", "0.0.0.0:9650"),
            ("[::1]:9650", "[::1]:9650"),
            ("unix:/run/k.http", "unix:/run/k.http"),
            ("off", "off"),
        ] {
            let parsed = MetricsListen::parse(text).expect(text);
            assert_eq!(parsed.to_string(), shown);
            assert_eq!(MetricsListen::parse(shown), Some(parsed), "{shown} reads back");
        }
        for wrong in ["", "0", "65536", ":9650", "localhost:9650", "::1:9650", "unix:", "10.0.0.1"]
        {
            assert_eq!(MetricsListen::parse(wrong), None, "{wrong}");
        }
    }
}
