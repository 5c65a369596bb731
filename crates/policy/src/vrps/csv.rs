//! The CSV form: a header that says which column is which, and a line for each VRP.
//!
//! The columns come in several orders and under several names; a fourth and later ones (trust anchor, expiry, the
//! ROA's URI) are not read. Without a header nobody knows what the columns mean, so the file is refused.

use std::io::BufRead;

use super::{Collector, VrpFileError, vrp};
use crate::lines::Lines;
use crate::malformed::quoted;
use crate::vrp::Vrp;

/// The longest line: a ROA's URI has some 200 octets.
const LONGEST_LINE: u64 = 4096;

/// Reads a whole file.
pub(super) fn read(input: impl BufRead, collector: &mut Collector) -> Result<(), VrpFileError> {
    let mut lines = Lines::new(input, LONGEST_LINE);
    let mut columns = None;
    while let Some(line) = lines.next()? {
        let text = String::from_utf8_lossy(line.text);
        if text.trim().is_empty() || text.starts_with('#') {
            continue;
        }
        let Some(columns) = &columns else {
            columns = Some(Columns::of_header(&text).ok_or(VrpFileError::NotVrps)?);
            continue;
        };
        let entry = if line.cut { Err("the line is too long".into()) } else { columns.vrp(&text) };
        collector.take(line.number, entry)?;
    }
    columns.map(|_| collector.claims_vrps = true).ok_or(VrpFileError::NotVrps)
}

/// Which column holds what.
struct Columns {
    prefix: usize,
    max_length: usize,
    asn: usize,
}

impl Columns {
    fn of_header(header: &str) -> Option<Columns> {
        let named = |names: &[&str]| {
            fields(header).position(|field| names.contains(&field.to_ascii_lowercase().as_str()))
        };
        Some(Columns {
            prefix: named(&["ip prefix", "prefix"])?,
            max_length: named(&["max length", "maxlength", "max_length"])?,
            asn: named(&["asn", "as", "origin as"])?,
        })
    }

    fn vrp(&self, line: &str) -> Result<Vrp, String> {
        let field = |at| fields(line).nth(at).ok_or_else(|| format!("too few columns: {}", quoted(line)));
        let (prefix, max_length, asn) = (field(self.prefix)?, field(self.max_length)?, field(self.asn)?);
        let max_length = match max_length {
            "" => None,
            text => Some(text.parse().map_err(|_| format!("no max length: {}", quoted(text)))?),
        };
        vrp(prefix, max_length, asn.parse().map_err(|_| format!("no AS number: {}", quoted(asn)))?)
    }
}

fn fields(line: &str) -> impl Iterator<Item = &str> {
    line.split(',').map(|field| field.trim().trim_matches('"').trim())
}
