//! What objects come to, as text for people and filters, as JSON, and as BIRD writes sets.
//!
//! BIRD keeps IPv4 and IPv6 apart, so that both are two sets, `NAME_v4` and `NAME_v6`.

use std::fmt::Write;

use palisade_bgp::{Asn, Family};
use palisade_policy::PrefixRange;
use serde_json::{Value, json};

use super::object::Object;

/// How it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Format {
    /// A prefix or an AS number a line; of more-specifics, as RPSL writes them: 192.0.2.0/24^25-26
    Plain,
    /// An object
    Json,
    /// A set for BIRD's filters
    Bird,
}

/// What is printed.
#[derive(Debug)]
pub(super) struct Listing<'a> {
    /// What was asked for.
    pub(super) objects: &'a [Object],
    /// The name of the set.
    pub(super) name: String,
    /// What it holds.
    pub(super) content: Content,
    /// Sets that are named as members and that nobody has.
    pub(super) missing: Vec<String>,
}

/// What a set holds.
#[derive(Debug)]
pub(super) enum Content {
    /// AS numbers.
    Asns(Vec<Asn>),
    /// Prefixes of each family that was asked for.
    Prefixes(Vec<(Family, Vec<PrefixRange>)>),
}

impl Listing<'_> {
    /// The text.
    pub(super) fn text(&self, format: Format) -> String {
        match format {
            Format::Plain => self.plain(),
            Format::Json => format!("{:#}\n", self.json()),
            Format::Bird => self.bird(),
        }
    }

    fn plain(&self) -> String {
        let mut out = String::new();
        match &self.content {
            Content::Asns(asns) => asns.iter().for_each(|asn| line(&mut out, format_args!("{asn}"))),
            Content::Prefixes(families) => {
                let ranges = families.iter().flat_map(|(_, ranges)| ranges);
                ranges.for_each(|range| line(&mut out, format_args!("{range}")));
            }
        }
        out
    }

    fn json(&self) -> Value {
        let objects: Vec<String> = self.objects.iter().map(Object::to_string).collect();
        let mut value = json!({ "name": self.name, "objects": objects });
        match &self.content {
            Content::Asns(asns) => value["asns"] = asns.iter().map(|asn| asn.0).collect(),
            Content::Prefixes(families) => {
                for (family, ranges) in families {
                    value[key(*family)] = ranges.iter().map(json_range).collect();
                }
            }
        }
        if !self.missing.is_empty() {
            value["missing_sets"] = json!(self.missing);
        }
        value
    }

    fn bird(&self) -> String {
        let mut out = String::new();
        match &self.content {
            Content::Asns(asns) => {
                bird_set(&mut out, &self.name, asns.iter().map(|asn| asn.0.to_string()));
            }
            Content::Prefixes(families) => {
                for (family, ranges) in families {
                    let suffix = match family {
                        _ if families.len() == 1 => "",
                        Family::Ipv4 => "_v4",
                        Family::Ipv6 => "_v6",
                    };
                    let name = format!("{}{suffix}", self.name);
                    bird_set(&mut out, &name, ranges.iter().map(bird_range));
                }
            }
        }
        out
    }
}

fn key(family: Family) -> &'static str {
    match family {
        Family::Ipv4 => "ipv4",
        Family::Ipv6 => "ipv6",
    }
}

fn json_range(range: &PrefixRange) -> Value {
    json!({ "prefix": range.prefix.to_string(), "min_length": range.low, "max_length": range.high })
}

fn bird_range(range: &PrefixRange) -> String {
    let PrefixRange { prefix, low, high } = *range;
    if (low, high) == (prefix.len(), prefix.len()) {
        prefix.to_string()
    } else {
        format!("{prefix}{{{low},{high}}}")
    }
}

fn bird_set(out: &mut String, name: &str, items: impl Iterator<Item = String>) {
    let items: Vec<String> = items.collect();
    match items.as_slice() {
        [] => line(out, format_args!("define {name} = [];")),
        _ => line(out, format_args!("define {name} = [\n    {}\n];", items.join(",\n    "))),
    }
}

fn line(out: &mut String, text: std::fmt::Arguments<'_>) {
    // Writing to a string does not fail.
    let _ = writeln!(out, "{text}");
}

/// A name that BIRD takes: what stands for the first object.
pub(super) fn symbol(text: &str) -> String {
    let mut name: String =
        text.chars().map(|letter| if letter.is_ascii_alphanumeric() { letter } else { '_' }).collect();
    if !name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_') {
        name.insert(0, '_');
    }
    name
}
