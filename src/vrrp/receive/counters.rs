//! What an instance counts. The names are those of the JSON dump and the statistics file.

use super::{Reject, Remarks};

/// Plain numbers; nothing is decided by them.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Counters {
    pub advert_rcvd: u64,
    pub advert_sent: u64,
    pub become_master: u64,
    pub release_master: u64,
    pub pri_zero_rcvd: u64,
    pub pri_zero_sent: u64,
    /// From the first error on.
    pub errors: Option<Box<Errors>>,
}

/// What was wrong with packets.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Errors {
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
    pub fn errors(&self) -> Errors {
        self.errors.as_deref().copied().unwrap_or_default()
    }

    pub(super) fn errors_mut(&mut self) -> &mut Errors {
        self.errors.get_or_insert_default()
    }

    pub(super) fn count_accepted(&mut self, priority: u8, remarks: &Remarks) {
        if priority == 0 {
            self.pri_zero_rcvd += 1;
        }
        if remarks.addresses.is_some() {
            self.errors_mut().addr_list_err += 1;
        }
    }

    pub(super) fn count_rejected(&mut self, reject: &Reject) {
        let errors = self.errors_mut();
        let counter = match reject {
            Reject::TooShort { .. } | Reject::Length { .. } => &mut errors.packet_len_err,
            Reject::Vrid { .. } => &mut errors.vrid_err,
            Reject::Ttl { .. } => &mut errors.ip_ttl_err,
            Reject::Version { .. } => &mut errors.version_err,
            Reject::AuthType { .. } => &mut errors.invalid_authtype,
            Reject::AuthMismatch { .. } => &mut errors.authtype_mismatch,
            Reject::Password { .. }
            | Reject::Spi { .. }
            | Reject::Digest { .. }
            | Reject::Sequence { .. }
            | Reject::NoKey { .. } => &mut errors.auth_failure,
            Reject::Unsigned { .. } => &mut errors.auth_ext_missing,
            Reject::Trailer { .. } => &mut errors.auth_ext_malformed,
            Reject::UnknownKey { .. } => &mut errors.auth_ext_unknown_key,
            Reject::Signature { .. } => &mut errors.auth_ext_invalid_hmac,
            Reject::Stale { .. } => &mut errors.auth_ext_stale,
            Reject::Replayed { .. } => &mut errors.auth_ext_replay,
            Reject::Interval { .. } => &mut errors.advert_interval_err,
            Reject::Type { .. } => &mut errors.invalid_type_rcvd,
            Reject::Checksum { .. } => &mut errors.checksum_err,
            Reject::Destination { .. } => &mut errors.addr_list_err,
            Reject::OwnAddress { .. } => &mut errors.own_address,
            Reject::OwnerIgnores { .. } => &mut errors.owner_ignored,
            Reject::UnknownPeer { .. } | Reject::PeerTtl { .. } => &mut errors.peer_err,
        };
        *counter += 1;
    }
}
