//! Graceful restart: whose routes are kept while a speaker restarts, and for how long (RFC 4724 s3, RFC 8538 s2, RFC 9494 s3.1).

/// The longest restart time that the capability's twelve bits can say, in seconds.
pub const MAX_RESTART_TIME_S: u16 = 0xfff;
/// The longest long-lived stale time that 24 bits can say, in seconds.
pub const MAX_STALE_TIME_S: u32 = 0xff_ffff;

const RESTARTING: u8 = 0x80;
const NOTIFICATION: u8 = 0x40;
const FORWARDING: u8 = 0x80;

/// What a speaker says of its restarts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Restart {
    /// Whether it has just restarted (the R bit): its peer is not to wait for it before it says End-of-RIB.
    pub restarting: bool,
    /// Whether a NOTIFICATION, too, leaves routes in place (the N bit of RFC 8538).
    pub notification: bool,
    /// How long it may take to come back, in seconds, at most [`MAX_RESTART_TIME_S`].
    pub restart_time_s: u16,
    /// The families whose routes are to be kept meanwhile. Without any, it only says End-of-RIB.
    pub families: Vec<RestartFamily>,
}

/// One family of [`Restart`], whether we route it or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RestartFamily {
    /// The address family identifier.
    pub afi: u16,
    /// The subsequent address family identifier.
    pub safi: u8,
    /// Whether forwarding went on over the last restart (the F bit).
    pub forwarding: bool,
}

/// One family whose routes are kept for longer than a restart takes (RFC 9494), whether we route it or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LongLivedFamily {
    /// The address family identifier.
    pub afi: u16,
    /// The subsequent address family identifier.
    pub safi: u8,
    /// Whether forwarding went on over the last restart (the F bit).
    pub forwarding: bool,
    /// For how long, in seconds, at most [`MAX_STALE_TIME_S`].
    pub stale_time_s: u32,
}

impl Restart {
    pub(super) fn encode(&self, out: &mut Vec<u8>) {
        let flags =
            if self.restarting { RESTARTING } else { 0 } | if self.notification { NOTIFICATION } else { 0 };
        let [high, low] = self.restart_time_s.min(MAX_RESTART_TIME_S).to_be_bytes();
        out.extend([flags | high, low]);
        for RestartFamily { afi, safi, forwarding } in self.families.iter().take((255 - 2) / 4) {
            out.extend(afi.to_be_bytes());
            out.extend([*safi, if *forwarding { FORWARDING } else { 0 }]);
        }
    }

    pub(super) fn decode(value: &[u8]) -> Option<Self> {
        let &[first, low, ref families @ ..] = value else { return None };
        let (families, rest) = families.as_chunks::<4>();
        let family = |&[high, low, safi, flags]: &[u8; 4]| RestartFamily {
            afi: u16::from_be_bytes([high, low]),
            safi,
            forwarding: flags & FORWARDING != 0,
        };
        rest.is_empty().then(|| Restart {
            restarting: first & RESTARTING != 0,
            notification: first & NOTIFICATION != 0,
            restart_time_s: u16::from_be_bytes([first & 0x0f, low]),
            families: families.iter().map(family).collect(),
        })
    }
}

impl LongLivedFamily {
    pub(super) fn octets(self) -> [u8; 7] {
        let [high, low] = self.afi.to_be_bytes();
        let [_, a, b, c] = self.stale_time_s.min(MAX_STALE_TIME_S).to_be_bytes();
        [high, low, self.safi, if self.forwarding { FORWARDING } else { 0 }, a, b, c]
    }

    fn from_octets(&[high, low, safi, flags, a, b, c]: &[u8; 7]) -> Self {
        LongLivedFamily {
            afi: u16::from_be_bytes([high, low]),
            safi,
            forwarding: flags & FORWARDING != 0,
            stale_time_s: u32::from_be_bytes([0, a, b, c]),
        }
    }
}

pub(super) fn decode_long_lived(value: &[u8]) -> Option<Vec<LongLivedFamily>> {
    let (families, rest) = value.as_chunks::<7>();
    rest.is_empty().then(|| families.iter().map(LongLivedFamily::from_octets).collect())
}
