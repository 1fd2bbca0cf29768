//! What an instance counts. The names are those of the JSON dump and the statistics file.

use super::{Reject, Remarks};

/// Plain numbers; nothing is decided by them.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Counters {
    pub advert_rcvd: u64,
    pub advert_sent: u64,
    pub become_master: u64,
    pub release_master: u64,
    pub packet_len_err: u64,
    pub advert_interval_err: u64,
    pub ip_ttl_err: u64,
    pub invalid_type_rcvd: u64,
    pub addr_list_err: u64,
    pub invalid_authtype: u64,
    pub authtype_mismatch: u64,
    pub auth_failure: u64,
    pub auth_ext_missing: u64,
    pub auth_ext_malformed: u64,
    pub auth_ext_unknown_key: u64,
    pub auth_ext_invalid_hmac: u64,
    pub auth_ext_stale: u64,
    pub auth_ext_replay: u64,
    pub pri_zero_rcvd: u64,
    pub pri_zero_sent: u64,

    // Not in the reference's files. The first three are counted in RFC 6527.
    pub version_err: u64,
    pub checksum_err: u64,
    pub vrid_err: u64,
    /// From our own address: looped back, or another host uses it, too.
    pub own_address: u64,
    /// `check_unicast_src` refused the sender or its TTL.
    pub peer_err: u64,
    /// `owner_ignore_adverts`.
    pub owner_ignored: u64,
}

impl Counters {
    pub(super) fn count_accepted(&mut self, priority: u8, remarks: &Remarks) {
        if priority == 0 {
            self.pri_zero_rcvd += 1;
        }
        if remarks.addresses.is_some() {
            self.addr_list_err += 1;
        }
    }

    pub(super) const fn count_rejected(&mut self, reject: &Reject) {
        let counter = match reject {
            Reject::TooShort { .. } | Reject::Length { .. } => &mut self.packet_len_err,
            Reject::Vrid { .. } => &mut self.vrid_err,
            Reject::Ttl { .. } => &mut self.ip_ttl_err,
            Reject::Version { .. } => &mut self.version_err,
            Reject::AuthType { .. } => &mut self.invalid_authtype,
            Reject::AuthMismatch { .. } => &mut self.authtype_mismatch,
            Reject::Password { .. } => &mut self.auth_failure,
            Reject::Interval { .. } => &mut self.advert_interval_err,
            Reject::Type { .. } => &mut self.invalid_type_rcvd,
            Reject::Checksum { .. } => &mut self.checksum_err,
            Reject::Destination { .. } => &mut self.addr_list_err,
            Reject::OwnAddress { .. } => &mut self.own_address,
            Reject::OwnerIgnores { .. } => &mut self.owner_ignored,
            Reject::UnknownPeer { .. } | Reject::PeerTtl { .. } => &mut self.peer_err,
        };
        *counter += 1;
    }
}
