//! RPSL objects, one at a time, from a dump of any size (RFC 2622 s2).
//!
//! ```text
//!   route:    192.0.2.0/24        # the class is the first attribute's name
//!   descr:    one value
//!             goes on here        <- white space, tab or plus begins a continuation
//!   origin:   AS64500
//!                                 <- a blank line ends the object
//! ```
//!
//! Dumps are older than any rule: names in any case, carriage returns, Latin-1, remarks of the server between
//! objects. What does not look like an attribute is passed over. It is a reader of text: what the values mean is
//! for whoever asks.

use std::borrow::Cow;
use std::io::{self, BufRead};
use std::ops::Range;

use crate::lines::Lines;

/// The longest line; more is cut. Some as-sets put all their members on one.
const LONGEST_LINE: u64 = 1 << 20;
/// The most octets kept of one object; more are left out.
const LARGEST_OBJECT: usize = 16 << 20;

/// Reads a dump object by object into one buffer.
pub(crate) struct Objects<R> {
    lines: Lines<R>,
    text: Vec<u8>,
    attributes: Vec<Attribute>,
}

struct Attribute {
    name: Range<usize>,
    value: Range<usize>,
}

/// One object.
pub(crate) struct Object<'a> {
    text: &'a [u8],
    attributes: &'a [Attribute],
    /// The line that it begins on, from 1.
    pub(crate) line: u64,
    /// Whether it was too large, and something of it is missing.
    pub(crate) cut: bool,
}

impl<R: BufRead> Objects<R> {
    pub(crate) fn new(input: R) -> Self {
        Objects { lines: Lines::new(input, LONGEST_LINE), text: Vec::new(), attributes: Vec::new() }
    }

    /// The next object that has an attribute; `None` at the end.
    pub(crate) fn next(&mut self) -> io::Result<Option<Object<'_>>> {
        self.text.clear();
        self.attributes.clear();
        let (mut first_line, mut cut) = (0, false);
        while let Some(line) = self.lines.next()? {
            if line.text.trim_ascii().is_empty() {
                if self.attributes.is_empty() { continue } else { break }
            }
            if self.text.len() + line.text.len() > LARGEST_OBJECT {
                cut = true;
                continue;
            }
            cut |= line.cut;
            if self.attributes.is_empty() {
                first_line = line.number;
            }
            take_line(line.text, &mut self.text, &mut self.attributes);
        }
        let object = Object { text: &self.text, attributes: &self.attributes, line: first_line, cut };
        Ok((!object.attributes.is_empty()).then_some(object))
    }
}

fn take_line(line: &[u8], text: &mut Vec<u8>, attributes: &mut Vec<Attribute>) {
    let content = line.split(|octet| *octet == b'#').next().unwrap_or_default();
    match line {
        [b'%' | b'#', ..] => {}
        [b' ' | b'\t' | b'+', ..] => {
            if let Some(attribute) = attributes.last_mut() {
                text.push(b'\n');
                text.extend_from_slice(content.get(1..).unwrap_or_default());
                attribute.value.end = text.len();
            }
        }
        _ => {
            let Some(colon) = content.iter().position(|octet| *octet == b':') else { return };
            let begin = text.len();
            text.extend_from_slice(content);
            attributes.push(Attribute { name: begin..begin + colon, value: begin + colon + 1..text.len() });
        }
    }
}

impl<'a> Object<'a> {
    /// The name of the first attribute, which says what it is.
    pub(crate) fn class(&self) -> &'a [u8] {
        self.attributes.first().map_or(&[], |first| self.octets(&first.name))
    }

    /// The value of the first attribute.
    pub(crate) fn key(&self) -> Cow<'a, str> {
        self.attributes.first().map_or(Cow::Borrowed(""), |first| self.value_of(first))
    }

    /// The values of the attributes of a name, in order.
    pub(crate) fn values(&self, name: &'static str) -> impl Iterator<Item = Cow<'a, str>> {
        let named =
            |attribute: &&Attribute| self.octets(&attribute.name).eq_ignore_ascii_case(name.as_bytes());
        self.attributes.iter().filter(named).map(|attribute| self.value_of(attribute))
    }

    fn octets(&self, range: &Range<usize>) -> &'a [u8] {
        self.text.get(range.clone()).unwrap_or_default().trim_ascii()
    }

    fn value_of(&self, attribute: &Attribute) -> Cow<'a, str> {
        String::from_utf8_lossy(self.octets(&attribute.value))
    }
}
