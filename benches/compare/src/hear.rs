//! Reads what a daemon sends, as far as it must be known: which prefixes come and go, and the digest of what they come
//! with. It frames, walks attributes and NLRI by itself, trusts no decoder, and gives up at the first octet that it can't
//! account for.

use std::hash::{BuildHasher, Hasher};
use std::net::{Ipv4Addr, Ipv6Addr};

use crate::attributes::{NextHop, digest};
use crate::prefix::Prefix;

const HEADER: usize = 19;
const MOST_OCTETS: usize = 4_096;
/// Digests that are kept, by a hash of the octets they were made of: the same block goes to many sessions.
const KEPT: usize = 1 << 18;

/// What was wrong with the octets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a message that can't be read: {0}")]
pub(crate) struct Unreadable(&'static str);

/// A message's type and body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Message<'a> {
    /// OPEN, unread.
    Open,
    /// UPDATE.
    Update(&'a [u8]),
    /// NOTIFICATION: code and subcode.
    Notification(u8, u8),
    /// KEEPALIVE.
    Keepalive,
    /// ROUTE-REFRESH (RFC 2918 s3), and whether of IPv6.
    RouteRefresh(bool),
}

/// The first message in the octets and how many of them it takes; `None` while it is not whole.
#[inline]
pub(crate) fn message(octets: &[u8]) -> Result<Option<(Message<'_>, usize)>, Unreadable> {
    let Some(header) = octets.first_chunk::<HEADER>() else { return Ok(None) };
    if header[..16] != [0xff; 16] {
        return Err(Unreadable("no marker"));
    }
    let len = usize::from(u16::from_be_bytes([header[16], header[17]]));
    if !(HEADER..=MOST_OCTETS).contains(&len) {
        return Err(Unreadable("its length"));
    }
    let Some(body) = octets.get(HEADER..len) else { return Ok(None) };
    let message = match (header[18], body) {
        (1, _) => Message::Open,
        (2, _) => Message::Update(body),
        (3, [code, subcode, ..]) => Message::Notification(*code, *subcode),
        (4, []) => Message::Keepalive,
        (5, [0, family @ 1..=2, _, 1]) => Message::RouteRefresh(*family == 2),
        _ => return Err(Unreadable("its type")),
    };
    Ok(Some((message, len)))
}

/// Who is told.
pub(crate) trait Listener {
    /// A prefix is withdrawn.
    fn withdrawn(&mut self, prefix: Prefix);
    /// A prefix is announced, with attributes of a digest.
    fn announced(&mut self, prefix: Prefix, digest: u64);
}

/// Reads UPDATEs.
#[derive(Debug)]
pub(crate) struct Ear {
    looks_at_next_hop: bool,
    kept: Vec<(u64, u64)>,
    hash: foldhash::fast::FixedState,
}

/// Where the parts of an UPDATE's attributes are.
#[derive(Default)]
struct Parts<'a> {
    path: &'a [u8],
    communities: &'a [u8],
    large: &'a [u8],
    next_hop: &'a [u8],
    reach: &'a [u8],
    next_hop_six: &'a [u8],
    unreach: &'a [u8],
}

impl Ear {
    /// One that takes the next hop into the digest, or not.
    pub(crate) fn new(looks_at_next_hop: bool) -> Self {
        Ear { looks_at_next_hop, kept: vec![(0, 0); KEPT], hash: foldhash::fast::FixedState::with_seed(7) }
    }

    /// Reads an UPDATE's body.
    pub(crate) fn update(&mut self, body: &[u8], listener: &mut impl Listener) -> Result<(), Unreadable> {
        let (withdrawn, rest) = counted(body)?;
        let (attributes, nlri) = counted(rest)?;
        each_prefix(false, withdrawn, |prefix| listener.withdrawn(prefix))?;
        let parts = parts(attributes)?;
        each_prefix(true, parts.unreach, |prefix| listener.withdrawn(prefix))?;
        if !nlri.is_empty() {
            let digest = self.digest(&parts, false)?;
            each_prefix(false, nlri, |prefix| listener.announced(prefix, digest))?;
        }
        if !parts.reach.is_empty() {
            let digest = self.digest(&parts, true)?;
            each_prefix(true, parts.reach, |prefix| listener.announced(prefix, digest))?;
        }
        Ok(())
    }

    fn digest(&mut self, parts: &Parts<'_>, six: bool) -> Result<u64, Unreadable> {
        let next_hop = if six { parts.next_hop_six } else { parts.next_hop };
        let mut hasher = self.hash.build_hasher();
        for part in [parts.path, parts.communities, parts.large, next_hop] {
            hasher.write_usize(part.len());
            hasher.write(part);
        }
        let key = hasher.finish();
        let slot = key as usize % KEPT;
        if self.kept[slot].0 != key {
            let next_hop = if self.looks_at_next_hop { read_next_hop(next_hop)? } else { NextHop::Any };
            let made = digest(
                &read_path(parts.path)?,
                &mut read_words(parts.communities)?,
                read_words(parts.large)?.as_chunks_mut::<3>().0,
                next_hop,
            );
            self.kept[slot] = (key, made);
        }
        Ok(self.kept[slot].1)
    }
}

/// What an UPDATE's attributes say, for a person who wonders why they are wrong.
pub(crate) fn describe(body: &[u8], six: bool) -> Result<String, Unreadable> {
    let parts = parts(counted(counted(body)?.1)?.0)?;
    let next_hop = read_next_hop(if six { parts.next_hop_six } else { parts.next_hop })?;
    let path = read_path(parts.path)?;
    let communities: Vec<String> = read_words(parts.communities)?
        .iter()
        .map(|value| format!("{}:{}", value >> 16, value & 0xffff))
        .collect();
    let large: Vec<String> =
        read_words(parts.large)?.as_chunks::<3>().0.iter().map(|[a, b, c]| format!("{a}:{b}:{c}")).collect();
    Ok(format!(
        "path {path:?}, next hop {next_hop:?}, communities [{}], large [{}]",
        communities.join(" "),
        large.join(" ")
    ))
}

fn counted(octets: &[u8]) -> Result<(&[u8], &[u8]), Unreadable> {
    let (len, rest) = octets.split_first_chunk::<2>().ok_or(Unreadable("an UPDATE without its lengths"))?;
    rest.split_at_checked(usize::from(u16::from_be_bytes(*len))).ok_or(Unreadable("a length in an UPDATE"))
}

fn parts(attributes: &[u8]) -> Result<Parts<'_>, Unreadable> {
    let mut parts = Parts::default();
    let mut rest = attributes;
    while let [flags, kind, after @ ..] = rest {
        let value;
        (value, rest) = match flags & 0x10 != 0 {
            true => counted(after)?,
            false => {
                let (len, after) = after.split_first().ok_or(Unreadable("an attribute's length"))?;
                after.split_at_checked(usize::from(*len)).ok_or(Unreadable("an attribute's length"))?
            }
        };
        match kind {
            2 => parts.path = value,
            3 => parts.next_hop = value,
            8 => parts.communities = value,
            14 => {
                let (family, after) = value.split_first_chunk::<3>().ok_or(Unreadable("MP_REACH_NLRI"))?;
                let (len, after) = after.split_first().ok_or(Unreadable("MP_REACH_NLRI"))?;
                let split = after.split_at_checked(usize::from(*len)).ok_or(Unreadable("MP_REACH_NLRI"))?;
                let nlri = split.1.split_first().ok_or(Unreadable("MP_REACH_NLRI"))?.1;
                if *family != [0, 2, 1] {
                    return Err(Unreadable("MP_REACH_NLRI of another family"));
                }
                (parts.next_hop_six, parts.reach) = (split.0, nlri);
            }
            15 => {
                let (family, nlri) = value.split_first_chunk::<3>().ok_or(Unreadable("MP_UNREACH_NLRI"))?;
                // End-of-RIB of either family holds nothing (RFC 4724 s2).
                if *family != [0, 2, 1] && !nlri.is_empty() {
                    return Err(Unreadable("MP_UNREACH_NLRI of another family"));
                }
                parts.unreach = nlri;
            }
            32 => parts.large = value,
            _ => {}
        }
    }
    if rest.is_empty() { Ok(parts) } else { Err(Unreadable("attributes that end early")) }
}

#[inline]
fn each_prefix(six: bool, nlri: &[u8], mut tell: impl FnMut(Prefix)) -> Result<(), Unreadable> {
    let mut rest = nlri;
    while let [len, after @ ..] = rest {
        let count = usize::from(*len).div_ceil(8);
        let (octets, after) = after.split_at_checked(count).ok_or(Unreadable("NLRI that ends early"))?;
        rest = after;
        if *len > if six { 128 } else { 32 } {
            return Err(Unreadable("a prefix's length"));
        }
        let mut bits = [0; 8];
        for (bit, octet) in bits.iter_mut().zip(octets) {
            *bit = *octet;
        }
        // A longer one than can be told is none of the table's: it keeps its length, and so equals none of them.
        tell(Prefix::new(six, u64::from_be_bytes(bits), *len));
    }
    Ok(())
}

fn read_path(octets: &[u8]) -> Result<Vec<u32>, Unreadable> {
    let mut path = Vec::new();
    let mut rest = octets;
    while let [kind, count, after @ ..] = rest {
        let asns;
        (asns, rest) = after
            .split_at_checked(usize::from(*count) * 4)
            .ok_or(Unreadable("an AS path that ends early"))?;
        path.extend(read_words(asns)?);
        // What is no AS_SEQUENCE (RFC 4271 s4.3) equals nothing that was sent.
        if *kind != 2 {
            path.push(u32::MAX);
        }
    }
    if rest.is_empty() { Ok(path) } else { Err(Unreadable("an AS path that ends early")) }
}

fn read_words(octets: &[u8]) -> Result<Vec<u32>, Unreadable> {
    let (words, rest) = octets.as_chunks::<4>();
    if !rest.is_empty() {
        return Err(Unreadable("a list that is no list of 4 octets each"));
    }
    Ok(words.iter().map(|word| u32::from_be_bytes(*word)).collect())
}

fn read_next_hop(octets: &[u8]) -> Result<NextHop, Unreadable> {
    // A link-local address may follow the global one (RFC 2545 s3).
    if let (16 | 32, Some(six)) = (octets.len(), octets.first_chunk::<16>()) {
        return Ok(NextHop::Six(Ipv6Addr::from(*six)));
    }
    let four = <[u8; 4]>::try_from(octets).map_err(|_| Unreadable("a next hop's length"))?;
    Ok(NextHop::Four(Ipv4Addr::from(four)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::encode;
    use crate::made_up;

    #[derive(Default)]
    struct Heard(Vec<(Prefix, Option<u64>)>);

    impl Listener for Heard {
        fn withdrawn(&mut self, prefix: Prefix) {
            self.0.push((prefix, None));
        }
        fn announced(&mut self, prefix: Prefix, digest: u64) {
            self.0.push((prefix, Some(digest)));
        }
    }

    fn hear(octets: &[u8]) -> Heard {
        let mut heard = Heard::default();
        let mut ear = Ear::new(true);
        let mut rest = octets;
        while let Some((message, len)) = message(rest).unwrap() {
            let Message::Update(body) = message else { panic!("{message:?}") };
            ear.update(body, &mut heard).unwrap();
            rest = &rest[len..];
        }
        assert!(rest.is_empty());
        heard
    }

    #[test]
    fn hears_all_that_is_sent() {
        let load = "rs2x400".parse().unwrap();
        let table = made_up::table(&load).unwrap();
        let heard = hear(&encode::announcements(&table, 1).concat());
        let sent: Vec<Prefix> = table.feeds[1]
            .sets
            .iter()
            .flat_map(|run| &run.places)
            .map(|p| table.prefixes[*p as usize])
            .collect();
        assert_eq!(heard.0.iter().map(|(prefix, _)| *prefix).collect::<Vec<_>>(), sent);
        let oracle = crate::oracle::Oracle::new(&load, &table, None, crate::oracle::Rigor::Exact);
        let sets = table.feeds[1].sets.iter().flat_map(|run| run.places.iter().map(|_| run.set));
        assert!(heard.0.iter().zip(sets).all(|((_, digest), set)| oracle.is_right(0, set, digest.unwrap())));
        let mut gone = hear(&encode::withdrawals(&table, &table.feeds[1]).concat()).0;
        gone.sort_unstable();
        let mut sent: Vec<_> = sent.into_iter().map(|prefix| (prefix, None)).collect();
        sent.sort_unstable();
        assert_eq!(gone, sent);
    }

    #[test]
    fn gives_up_at_what_it_can_not_read() {
        assert!(message(&[0; 19]).is_err());
        assert_eq!(message(&[0xff; 18]), Ok(None));
        let refresh = |body: [u8; 4]| [&[0xff; 16][..], &[0, 23, 5], &body].concat();
        assert_eq!(message(&refresh([0, 2, 0, 1])), Ok(Some((Message::RouteRefresh(true), 23))));
        assert!(message(&refresh([0, 3, 0, 1])).is_err());
        let mut ear = Ear::new(true);
        for body in [
            &[0][..],
            &[0, 9, 0],
            &[0, 0, 0, 3, 64, 1, 1],
            &[0, 0, 0, 0, 33, 1, 1, 1, 1, 1],
            &[0, 0, 0, 0, 24, 1],
        ] {
            assert!(ear.update(body, &mut Heard::default()).is_err(), "{body:?}");
        }
    }
}
