//! Messages for tests, put together from their octets.

/// An attribute, with a length of two octets where the flags say so.
pub(crate) fn attribute(flags: u8, code: u8, value: &[u8]) -> Vec<u8> {
    let mut out = vec![flags, code];
    if flags & 0x10 != 0 {
        out.push((value.len() >> 8) as u8);
    }
    out.push(value.len() as u8);
    out.extend(value);
    out
}

/// The value of an AS_PATH of one sequence, with four-octet AS numbers.
pub(crate) fn sequence(asns: &[u32]) -> Vec<u8> {
    segments(&[(2, asns)])
}

/// The value of an AS_PATH with four-octet AS numbers.
pub(crate) fn segments(segments: &[(u8, &[u32])]) -> Vec<u8> {
    let mut out = Vec::new();
    for (kind, asns) in segments {
        out.extend([*kind, asns.len() as u8]);
        asns.iter().for_each(|asn| out.extend(asn.to_be_bytes()));
    }
    out
}

/// The same with two-octet AS numbers.
pub(crate) fn short_segments(segments: &[(u8, &[u16])]) -> Vec<u8> {
    let mut out = Vec::new();
    for (kind, asns) in segments {
        out.extend([*kind, asns.len() as u8]);
        asns.iter().for_each(|asn| out.extend(asn.to_be_bytes()));
    }
    out
}

/// ORIGIN, AS_PATH and NEXT_HOP as any IPv4 announcement has them.
pub(crate) fn mandatory() -> Vec<u8> {
    [origin(), path(), attribute(0x40, 3, &[192, 0, 2, 1])].concat()
}

pub(crate) fn origin() -> Vec<u8> {
    attribute(0x40, 1, &[0])
}

pub(crate) fn path() -> Vec<u8> {
    attribute(0x40, 2, &sequence(&[64500, 64501]))
}

/// 10.0.0.0/8 as NLRI.
pub(crate) const TEN: &[u8] = &[8, 10];

/// The body of an UPDATE.
pub(crate) fn body(withdrawn: &[u8], attributes: &[u8], nlri: &[u8]) -> Vec<u8> {
    let mut out = (withdrawn.len() as u16).to_be_bytes().to_vec();
    out.extend(withdrawn);
    out.extend((attributes.len() as u16).to_be_bytes());
    out.extend(attributes);
    out.extend(nlri);
    out
}

/// MP_REACH_NLRI.
pub(crate) fn reach(afi: u16, next_hop: &[u8], nlri: &[u8]) -> Vec<u8> {
    let mut value = afi.to_be_bytes().to_vec();
    value.extend([1, next_hop.len() as u8]);
    value.extend(next_hop);
    value.push(0);
    value.extend(nlri);
    attribute(0x80, 14, &value)
}

/// MP_UNREACH_NLRI.
pub(crate) fn unreach(afi: u16, nlri: &[u8]) -> Vec<u8> {
    let mut value = afi.to_be_bytes().to_vec();
    value.push(1);
    value.extend(nlri);
    attribute(0x80, 15, &value)
}
