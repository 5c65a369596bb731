//! The table of `rfc7606.txt`, line by line; and what it can't show: several faults in one message.

use std::collections::{BTreeMap, BTreeSet};

use palisade_bgp::attribute_table;
use palisade_bgp::fault::Outcome;
use palisade_bgp::{Context, Decoder, Notification, Update};

use crate::messages::{attribute, body, hex};

const TABLE: &str = include_str!("rfc7606.txt");

/// What every attribute is tried with.
const EVERY: [&str; 8] = [
    "right",
    "partial",
    "unused-flags",
    "extended",
    "twice",
    "overrun",
    "no-length",
    "not-optional|optional",
];

#[test]
fn every_fault_of_every_attribute_comes_to_what_the_rfcs_say() {
    let (mut heading, mut wrong, mut cases) = (("", 0, 4), Vec::new(), 0);
    for (at, line) in TABLE.lines().enumerate() {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words.as_slice() {
            [] => {}
            [first, ..] if first.starts_with('#') => {}
            ["attribute", name, code, "from", width] => {
                heading = (name, code.parse().unwrap(), width.parse().unwrap());
            }
            [fault, message, octets, external, internal, _where, ..] => {
                let (name, code, width) = heading;
                for (internal, expected) in [(false, external), (true, internal)] {
                    let context = Context { internal, four_octet_as: width == 4, ..Context::default() };
                    let found = outcome(message, code, octets, &context);
                    if found != **expected {
                        let class = if internal { "internal" } else { "external" };
                        wrong.push(format!(
                            "line {}: {name} {fault} {message} {class}: {found}, not {expected}",
                            at + 1
                        ));
                    }
                    cases += 1;
                }
            }
            _ => panic!("line {}: {line}", at + 1),
        }
    }
    assert!(wrong.is_empty(), "{} of {cases}\n{}", wrong.len(), wrong.join("\n"));
    assert!(cases > 900, "only {cases} cases read");
}

#[test]
fn the_table_has_every_attribute_that_is_known_and_tries_it_with_everything() {
    let mut tried: BTreeMap<u8, BTreeSet<&str>> = BTreeMap::new();
    let mut code = 0;
    for line in TABLE.lines().filter(|line| !line.starts_with('#')) {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words.as_slice() {
            ["attribute", _, number, ..] => code = number.parse().unwrap(),
            [fault, ..] => drop(tried.entry(code).or_default().insert(fault)),
            [] => {}
        }
    }
    for code in (0..=255).filter(|code| attribute_table::name(*code) != "unknown attribute") {
        let faults = tried.get(&code).unwrap_or_else(|| panic!("no lines for type {code}"));
        for every in EVERY {
            assert!(
                every.split('|').any(|fault| faults.contains(fault)),
                "type {code} is not tried with {every}"
            );
        }
    }
}

/// ORIGIN, AS_PATH and the rest of what a message has, without what is of type `code`, and then the octets of the line.
fn attributes(message: &str, code: u8, octets: &str, context: &Context) -> Vec<u8> {
    let path: &[u8] = if context.four_octet_as { &[2, 1, 0, 0, 0xfb, 0xf4] } else { &[2, 1, 0xfb, 0xf4] };
    let next_hop = [0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1];
    let reach = [&[0, 2, 1, 16][..], &next_hop, &[0, 48, 0x20, 1, 0xd, 0xb8, 0, 1]].concat();
    let own = match message {
        "announces" => vec![(0x40, 1, &[0][..]), (0x40, 2, path), (0x40, 3, &[192, 0, 2, 1])],
        "multiprotocol" => vec![(0x80, 14, &reach[..]), (0x40, 1, &[0]), (0x40, 2, path)],
        _ => Vec::new(),
    };
    let own = own.into_iter().filter(|(_, own, _)| *own != code);
    let mut out: Vec<u8> = own.flat_map(|(flags, code, value)| attribute(flags, code, value)).collect();
    out.extend(octets_of(octets));
    out
}

fn octets_of(octets: &str) -> Vec<u8> {
    if octets == "-" { Vec::new() } else { hex(octets) }
}

/// What a line comes to, in the table's words.
fn outcome(message: &str, code: u8, octets: &str, context: &Context) -> String {
    let attributes = attributes(message, code, octets, context);
    let body = match message {
        "announces" => body(&[], &attributes, &[8, 10]),
        "multiprotocol" => body(&[], &attributes, &[]),
        _ => body(&[8, 10], &attributes, &[]),
    };
    match Decoder::new().update(&body, context) {
        Err(notification) => reset(&notification, &octets_of(octets)),
        Ok(update) => milder(&update, message, code).into(),
    }
}

fn reset(Notification { code, subcode, data }: &Notification, octets: &[u8]) -> String {
    let data = match data {
        data if data.is_empty() => "nothing".into(),
        data if data == octets => "whole".into(),
        // One octet of length, as all lines with several attributes have.
        data if octets.get(..3 + usize::from(octets[2])) == Some(data) => "first".into(),
        data => format!("{data:?}"),
    };
    format!("reset:{code}/{subcode}:{data}")
}

/// What the worst fault says has to be what became of the prefixes.
fn milder(update: &Update<'_>, message: &str, code: u8) -> &'static str {
    let announced = update.announced::<u32>().map_or(0, |(_, nlri)| nlri.count())
        + update.announced::<u128>().map_or(0, |(_, nlri)| nlri.count());
    let withdrawn = update.withdrawn::<u32>().count() + update.withdrawn::<u128>().count();
    let given_up =
        update.treated_as_withdrawn::<u32>().count() + update.treated_as_withdrawn::<u128>().count();
    let worst = update.faults().iter().map(|fault| fault.outcome).max();
    match worst {
        Some(Outcome::TreatAsWithdraw) => {
            assert_eq!((announced, given_up > 0), (0, message != "withdraws"));
            assert!(withdrawn > 0);
            "withdraw"
        }
        Some(Outcome::SessionReset) => panic!("a reset that is none"),
        discard_or_none => {
            assert_eq!((announced > 0, given_up), (message != "withdraws", 0));
            let kept =
                update.announced::<u32>().is_some_and(|(own, _)| own.iter().any(|one| one.code == code));
            let repeated =
                update.faults().iter().any(|fault| fault.wrong == palisade_bgp::fault::Wrong::Duplicate);
            assert!(
                discard_or_none.is_none() || repeated || !kept,
                "type {code} is discarded and still there"
            );
            if discard_or_none.is_some() { "discard" } else { "accepted" }
        }
    }
}

/// RFC 7606 s3.h, in every order.
#[test]
fn of_several_faults_in_a_message_the_strongest_decides() {
    let discard = attribute(0x40, 6, &[1]);
    let withdraw = attribute(0xc0, 8, &[1]);
    let reset = attribute(0x40, 99, &[1]);
    let context = Context::default();
    let mut orders = 0;
    for (parts, expected) in [
        (vec![&discard[..]], "discard"),
        (vec![&discard[..], &withdraw], "withdraw"),
        (vec![&withdraw[..], &reset], "reset"),
        (vec![&discard[..], &reset], "reset"),
        (vec![&discard[..], &withdraw, &reset], "reset"),
    ] {
        for turn in 0..parts.len() {
            let mut parts = parts.clone();
            parts.rotate_left(turn);
            for parts in [parts.clone(), parts.into_iter().rev().collect()] {
                let octets: String = parts.concat().iter().map(|octet| format!("{octet:02x}")).collect();
                let found = outcome("announces", 6, &octets, &context);
                assert!(found.starts_with(expected), "{found}, not {expected}: {octets}");
                if expected == "reset" {
                    let attributes = attributes("announces", 6, &octets, &context);
                    let told =
                        Decoder::new().update(&body(&[], &attributes, &[8, 10]), &context).unwrap_err();
                    assert_eq!(
                        (told.code, told.subcode, &told.data),
                        (3, 2, &reset),
                        "what it quotes is what was wrong"
                    );
                }
                orders += 1;
            }
        }
    }
    assert_eq!(orders, 20);
}
