//! `strip_attributes`: attributes that are taken off what a peer announces before anything else is done with it.

use palisade_bgp::AttributeCodes;
use palisade_bgp::attribute_codes::is_dispensable;

use super::setting::{Origin, Setting, writer};
use crate::config::problem::Fault;
use crate::config::section::{Field, Section};

const KEY: &str = "strip_attributes";

pub(super) fn stripped(section: &mut Section<'_>) -> Setting<AttributeCodes> {
    match section.list(KEY, "28, 40", code) {
        Some(list) => {
            let codes = list.values.into_iter().map(toml::Spanned::into_inner).collect();
            Setting { value: codes, origin: writer(section, KEY) }
        }
        None => Setting { value: AttributeCodes::default(), origin: Origin::Default },
    }
}

fn code(field: Field<'_>) -> Result<u8, Fault> {
    let code = field.integer(1, 255, "")?;
    let code = u8::try_from(code).unwrap_or_default();
    if is_dispensable(code) {
        return Ok(code);
    }
    let fault =
        Fault::new(format!("attribute {code} can't be stripped"), "routes mean something else without it");
    Err(fault.help(
        "it is one that every route must have, lists prefixes, or keeps routes from looping or leaking",
    ))
}
