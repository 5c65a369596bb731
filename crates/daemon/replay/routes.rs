//! `--routes`: one line for each route judged, for other tools to read.
//!
//! ```text
//!   192.0.2.0/24|64501|64501 64502 64502|accept||valid
//!   198.51.100.0/24|64501|64501 {64502,64503}|reject|as-set-in-path|not-found
//! ```
//!
//! Millions of lines are written, so numbers are spelled by hand rather than by `write!`.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use palisade_bgp::as_path::SegmentKind;
use palisade_bgp::{Address, AsPath, Asn, Net, Prefix};
use palisade_policy::{RovState, Rules, Verdict};

/// Octets gathered before they are written.
const BUFFER: usize = 1 << 18;

/// Where the lines go.
pub(super) struct Routes {
    out: BufWriter<Box<dyn Write>>,
    line: Vec<u8>,
    /// The first error: nothing more is written after it.
    failed: Option<io::Error>,
}

impl Routes {
    /// Into a file, or to standard output for `-`.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let out: Box<dyn Write> = match path.as_os_str() == "-" {
            true => Box::new(io::stdout()),
            false => Box::new(File::create(path)?),
        };
        Ok(Routes { out: BufWriter::with_capacity(BUFFER, out), line: Vec::new(), failed: None })
    }

    /// Writes the line of a route; `rules` are those that it was judged by.
    pub(super) fn write<A: Address>(
        &mut self,
        net: Net<A>,
        peer: Asn,
        path: AsPath<'_>,
        verdict: Verdict,
        rules: &Rules,
    ) {
        let line = &mut self.line;
        line.clear();
        spell_prefix(A::prefix(net), line);
        line.push(b'|');
        spell(peer.0, line);
        line.push(b'|');
        spell_path(path, line);
        line.extend(match verdict.reason {
            None => &b"|accept||"[..],
            Some(_) => b"|reject|",
        });
        if let Some(reason) = verdict.reason {
            line.extend(rules.slug(reason).as_bytes());
            line.push(b'|');
        }
        line.extend(match verdict.rov {
            RovState::Valid => &b"valid\n"[..],
            RovState::NotFound => b"not-found\n",
            RovState::InvalidOrigin | RovState::InvalidLength => b"invalid\n",
        });
        if self.failed.is_none() {
            self.failed = self.out.write_all(line).err();
        }
    }

    /// Whether writing has failed: then there is nothing left to do.
    pub(super) fn has_failed(&self) -> bool {
        self.failed.is_some()
    }

    /// Writes what is left. A reader that has gone away (`| head`) is no error.
    pub(super) fn finish(mut self) -> io::Result<()> {
        let result = self.failed.take().map_or_else(|| self.out.flush(), Err);
        match result {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            result => result,
        }
    }
}

fn spell(mut number: u32, out: &mut Vec<u8>) {
    let mut digits = [0; 10];
    let mut at = digits.len();
    loop {
        at -= 1;
        digits[at] = b'0' + (number % 10) as u8;
        number /= 10;
        if number == 0 {
            break;
        }
    }
    out.extend(&digits[at..]);
}

fn spell_prefix(prefix: Prefix, out: &mut Vec<u8>) {
    match prefix {
        Prefix::V4(net) => {
            for (at, octet) in net.address().to_be_bytes().into_iter().enumerate() {
                if at > 0 {
                    out.push(b'.');
                }
                spell(octet.into(), out);
            }
        }
        // Writing to a Vec can't fail.
        Prefix::V6(_) => drop(write!(out, "{}", prefix.address())),
    }
    out.push(b'/');
    spell(prefix.len().into(), out);
}

/// As [`AsPath`]'s Display.
fn spell_path(path: AsPath<'_>, out: &mut Vec<u8>) {
    for (at, segment) in path.segments().enumerate() {
        let (open, between, close) = match segment.kind {
            SegmentKind::Sequence => ("", b' ', ""),
            SegmentKind::Set => ("{", b',', "}"),
            SegmentKind::ConfedSequence => ("(", b' ', ")"),
            SegmentKind::ConfedSet => ("[", b',', "]"),
        };
        if at > 0 {
            out.push(b' ');
        }
        out.extend(open.as_bytes());
        for (at, asn) in segment.asns().enumerate() {
            if at > 0 {
                out.push(between);
            }
            spell(asn.0, out);
        }
        out.extend(close.as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use palisade_policy::{Amendment, Reason};

    fn line(prefix: &str, path: &[u8], reason: Option<Reason>, rov: RovState) -> String {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("routes");
        let mut routes = Routes::open(&file).unwrap();
        let verdict = Verdict { reason, observed: None, rov, amendment: Amendment::NONE };
        let path = AsPath::parse(path).unwrap();
        match prefix.parse().unwrap() {
            Prefix::V4(net) => routes.write(net, Asn(64501), path, verdict, &Rules::default()),
            Prefix::V6(net) => routes.write(net, Asn(64501), path, verdict, &Rules::default()),
        }
        routes.finish().unwrap();
        std::fs::read_to_string(file).unwrap()
    }

    #[test]
    fn a_line_has_six_fields() {
        let path = [2, 2, 0, 0, 0xfb, 0xf5, 0xff, 0xff, 0xff, 0xff, 1, 2, 0, 0, 0, 1, 0, 0, 0, 2];
        assert_eq!(
            line("192.0.2.0/24", &path, Some(Reason::AsSetInPath), RovState::InvalidOrigin),
            "192.0.2.0/24|64501|64501 4294967295 {1,2}|reject|as-set-in-path|invalid\n"
        );
        assert_eq!(line("2001:db8::/32", &[], None, RovState::Valid), "2001:db8::/32|64501||accept||valid\n");
        assert_eq!(line("0.0.0.0/0", &[], None, RovState::NotFound), "0.0.0.0/0|64501||accept||not-found\n");
    }

    #[test]
    fn a_path_is_spelled_as_it_is_displayed() {
        let octets =
            [3, 1, 0, 0, 0, 7, 2, 2, 0, 0, 0, 1, 0, 0, 0, 20, 1, 1, 0, 0, 0, 3, 4, 2, 0, 0, 0, 4, 0, 0, 0, 5];
        let path = AsPath::parse(&octets).unwrap();
        let mut out = Vec::new();
        spell_path(path, &mut out);
        assert_eq!(String::from_utf8(out).unwrap(), path.to_string());
    }
}
