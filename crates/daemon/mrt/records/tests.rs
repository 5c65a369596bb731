//! Files whole, cut, damaged and made of noise.

use super::*;

/// A record of a kind, with a body of its length.
fn record(kind: u16, subtype: u16, body: &[u8]) -> Vec<u8> {
    let mut out = 1_700_000_000u32.to_be_bytes().to_vec();
    out.extend(kind.to_be_bytes());
    out.extend(subtype.to_be_bytes());
    out.extend((body.len() as u32).to_be_bytes());
    out.extend(body);
    out
}

/// A record that can be told from others by its body.
fn numbered(n: u8) -> Vec<u8> {
    record(16, 4, &[n; 40])
}

fn join(parts: &[&[u8]]) -> Vec<u8> {
    parts.concat()
}

/// What is found: the first octet of each body, or the damage, each with its offset.
fn found(octets: &[u8]) -> Vec<String> {
    found_in(octets, |_| false)
}

/// The same, with those records distrusted that `doubt` names.
fn found_in(octets: &[u8], doubt: impl Fn(u8) -> bool) -> Vec<String> {
    let mut records = Records::new(octets);
    let mut out = Vec::new();
    loop {
        match records.next() {
            Ok(None) => return out,
            Ok(Some(record)) => {
                let first = record.body.first().copied().unwrap_or(0);
                out.push(format!("{first} at {}", record.offset));
                if doubt(first) {
                    records.distrust(HEADER);
                }
            }
            Err(damage) => out.push(damage.to_string()),
        }
        assert!(out.len() < 1000);
    }
}

#[test]
fn records_follow_one_another() {
    assert_eq!(found(&join(&[&numbered(1), &numbered(2)])), ["1 at 0", "2 at 52"]);
    assert!(found(&[]).is_empty());
}

#[test]
fn a_file_that_is_cut_gives_all_it_holds() {
    let whole = join(&[&numbered(1), &numbered(2)]);
    for cut in 53..whole.len() {
        let found = found(&whole[..cut]);
        assert_eq!(found[0], "1 at 0");
        assert!(found[1].starts_with("at offset 52: the file ends after"), "{}", found[1]);
        assert_eq!(found.len(), 2);
    }
    assert!(found(&whole[..52]).len() == 1, "a cut between records can't be seen");
}

#[test]
fn a_length_that_can_not_be_is_stepped_over() {
    let mut bad = numbered(9);
    bad[8..12].copy_from_slice(&u32::MAX.to_be_bytes());
    let found = found(&join(&[&numbered(1), &bad, &numbered(2), &numbered(3)]));
    assert_eq!(found[0], "1 at 0");
    assert!(
        found[1].contains("at offset 52: a BGP4MP subtype 4 record claims 4294967295 octets"),
        "{}",
        found[1]
    );
    assert_eq!(found[2..], ["2 at 104", "3 at 156"]);
}

#[test]
fn noise_between_records_is_one_damage() {
    let noise: Vec<u8> = (0..5000u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    let found = found(&join(&[&numbered(1), &noise, &numbered(2), &numbered(3)]));
    assert_eq!(found.len(), 4, "{found:?}");
    assert!(found[1].contains("at offset 52: what should be a record's header is none"), "{}", found[1]);
    assert_eq!(found[2..], ["2 at 5052", "3 at 5104"]);
}

#[test]
fn a_file_of_noise_or_zeros_is_one_damage() {
    let noise: Vec<u8> = (0..300_000u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 11) as u8).collect();
    assert_eq!(found(&noise).len(), 1);
    assert_eq!(found(&vec![0; 2_000_000]).len(), 1);
    assert_eq!(found(b"{\"roas\": []}").len(), 1);
}

#[test]
fn a_length_that_is_too_short_loses_one_record() {
    let mut bad = numbered(9);
    bad[8..12].copy_from_slice(&20u32.to_be_bytes());
    let found = found(&join(&[&numbered(1), &bad, &numbered(2), &numbered(3)]));
    assert_eq!(found[..2], ["1 at 0", "9 at 52"]);
    assert!(found[2].starts_with("at offset 84: what should be a record's header is none"), "{}", found[2]);
    assert_eq!(found[3..], ["2 at 104", "3 at 156"]);
}

#[test]
fn records_that_a_length_has_swallowed_are_found_when_it_is_distrusted() {
    let mut bad = numbered(9);
    bad[8..12].copy_from_slice(&144u32.to_be_bytes());
    let all = join(&[&numbered(1), &bad, &numbered(2), &numbered(3), &numbered(4)]);
    assert_eq!(found(&all), ["1 at 0", "9 at 52", "4 at 208"]);
    assert_eq!(found_in(&all, |n| n == 9), ["1 at 0", "9 at 52", "2 at 104", "3 at 156", "4 at 208"]);
    // A record that is whole loses nothing by it.
    assert_eq!(found_in(&all, |n| n == 1), ["1 at 0", "9 at 52", "4 at 208"]);
}

#[test]
fn a_length_past_the_end_gives_back_what_it_swallowed() {
    let mut bad = numbered(9);
    bad[8..12].copy_from_slice(&60_000u32.to_be_bytes());
    let found = found(&join(&[&numbered(1), &bad, &numbered(2), &numbered(3)]));
    assert!(
        found[1].starts_with("at offset 52: the file ends after 156 of the record's 60012 octets"),
        "{found:?}"
    );
    assert_eq!(found[2..], ["2 at 104", "3 at 156"]);
}

#[test]
fn what_is_searched_once_is_not_searched_again() {
    // A header every 12 octets, each of which claims all that follows.
    let mut octets = Vec::new();
    for left in (0..5000u32).rev() {
        octets.extend([0, 0, 0, 0, 0, 13, 0, 2]);
        octets.extend((left * 12).to_be_bytes());
    }
    let mut records = Records::new(&octets[..]);
    let mut count = 0;
    while let Ok(Some(_)) = records.next() {
        records.distrust(HEADER);
        count += 1;
    }
    assert_eq!(count, 2, "the outermost and the one found within it");
}

#[test]
fn kinds_that_are_not_bgps_are_passed_on_where_they_make_sense() {
    let ospf = record(11, 0, &[7; 30]);
    assert_eq!(
        found(&join(&[&numbered(1), &ospf, &ospf, &numbered(2)])),
        ["1 at 0", "7 at 52", "7 at 94", "2 at 136"]
    );
    assert_eq!(found(&join(&[&numbered(1), &ospf])), ["1 at 0", "7 at 52"]);
    assert_eq!(found(&join(&[&ospf, &[1; 20]])).len(), 1, "not borne out");
}

#[test]
fn an_old_dumps_uncounted_octets_are_counted() {
    let entry = |n: u8| {
        let mut out = vec![n, 0, 0, 0, 8, 1, 0, 0, 0, 0, 192, 0, 2, 1, 0xfc, 0, 0, 4];
        out.extend([0x40, 1, 1, 0]);
        out
    };
    let mut body = vec![0, 0, 0, 0];
    (1..4).for_each(|n| body.extend(entry(n)));
    let mut short = record(12, 1, &body);
    let length = (body.len() as u32 - 4).to_be_bytes();
    short[8..12].copy_from_slice(&length);
    let found = found(&join(&[&short, &short, &record(12, 1, &body)]));
    assert_eq!(found, ["0 at 0", "0 at 82", "0 at 164"]);
}

/// Hands out a few octets, then fails.
struct Failing(usize);

impl io::Read for Failing {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let whole = numbered(1).repeat(2);
        let octets = whole.len().saturating_sub(self.0).min(7);
        if self.0 + octets >= 60 {
            return Err(io::Error::other("the disk is gone"));
        }
        out[..octets].copy_from_slice(&whole[self.0..self.0 + octets]);
        self.0 += octets;
        Ok(octets)
    }
}

#[test]
fn a_reader_that_fails_gives_what_it_gave_before_and_then_its_error() {
    let mut records = Records::new(Failing(0));
    assert_eq!(records.next().unwrap().unwrap().body, [1; 40]);
    assert_eq!(records.next().unwrap_err().fault, Fault::Unreadable("the disk is gone".into()));
    assert!(records.next().unwrap().is_none());
    assert!(records.next().unwrap().is_none());
}
