//! The attributes, one row each.
/// The registry's name of an attribute type.
pub fn name(code: u8) -> &'static str {
    let _ = code;
    "attribute"
}
