//! Messages for the tables, put together from their octets.

/// An attribute, with a length of two octets where the flags say so.
pub(crate) fn attribute(flags: u8, code: u8, value: &[u8]) -> Vec<u8> {
    let [high, low] = (value.len() as u16).to_be_bytes();
    let head: &[u8] = if flags & 0x10 != 0 { &[flags, code, high, low] } else { &[flags, code, low] };
    [head, value].concat()
}

/// The body of an UPDATE.
pub(crate) fn body(withdrawn: &[u8], attributes: &[u8], nlri: &[u8]) -> Vec<u8> {
    let length = |field: &[u8]| (field.len() as u16).to_be_bytes();
    [&length(withdrawn)[..], withdrawn, &length(attributes), attributes, nlri].concat()
}

/// The octets that a text spells, two digits each.
pub(crate) fn hex(text: &str) -> Vec<u8> {
    let digits = text.as_bytes().chunks_exact(2);
    assert!(digits.remainder().is_empty(), "{text}");
    digits.map(|two| u8::from_str_radix(std::str::from_utf8(two).unwrap(), 16).unwrap()).collect()
}
