//! An MRT file cut into its records (RFC 6396 s2): a header of 12 octets that says how long the body is, then the body.
//!
//! One buffer is filled from the input and records are handed out as slices of it: nothing is copied or allocated a
//! record. Nothing but the header says where the next record is, so a length that is wrong loses the place:
//!
//! - A header is believed when its type and subtype are BGP's and its length is one that such a record can have. A type
//!   that is not BGP's is believed when a record that can be believed follows it, or one of its own kind, or the end.
//! - Where no header can be believed, the stream is searched octet by octet for the next place at which two headers
//!   follow one another, the way their lengths say. What lies between is one damage, whatever its size.
//! - A record whose body turns out to end too soon or too late may have swallowed others. Whoever reads the body says so
//!   ([`Records::distrust`]), and the same search is made within it; not again within what it finds there, so that no
//!   file can have its octets searched more than twice.
//!
//! The search costs a few nanoseconds an octet and no memory, so a file of noise is read through once and no more.

use std::io::{self, Read};

use super::damage::{Damage, Fault};
use super::kind::Kind;

/// Octets in a record's header.
pub(crate) const HEADER: usize = 12;

/// Octets the buffer starts with; it grows to a few times the longest record, which has a limit.
const BUFFER: usize = 512 * 1024;

/// A record of an MRT file.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Record<'a> {
    /// Where it starts, in octets of the unpacked stream.
    pub(crate) offset: u64,
    /// Seconds since 1970.
    pub(crate) time_s: u32,
    /// What it is.
    pub(crate) kind: Kind,
    /// What follows the header.
    pub(crate) body: &'a [u8],
}

/// A header's fields.
#[derive(Clone, Copy)]
struct Header {
    time_s: u32,
    kind: Kind,
    length: u32,
}

impl Header {
    #[inline]
    fn read(octets: &[u8; HEADER]) -> Self {
        let [t0, t1, t2, t3, k0, k1, s0, s1, l0, l1, l2, l3] = *octets;
        Header {
            time_s: u32::from_be_bytes([t0, t1, t2, t3]),
            kind: Kind { kind: u16::from_be_bytes([k0, k1]), subtype: u16::from_be_bytes([s0, s1]) },
            length: u32::from_be_bytes([l0, l1, l2, l3]),
        }
    }

    /// Octets to the next header. A length that no `usize` holds is over every limit anyway.
    #[inline]
    fn span(self) -> usize {
        usize::try_from(self.length).unwrap_or(usize::MAX).saturating_add(HEADER)
    }

    #[inline]
    fn fits(self) -> bool {
        self.span() <= self.kind.limit() + HEADER
    }

    #[inline]
    fn is_believable(self) -> bool {
        self.kind.is_familiar() && self.fits()
    }
}

/// Reads records from an input.
pub(crate) struct Records<R> {
    reader: R,
    buffer: Vec<u8>,
    /// What is in hand lies between these.
    start: usize,
    end: usize,
    /// Of `start`, in the unpacked stream.
    offset: u64,
    /// Octets of the record that was handed out last: taken when the next is asked for.
    taken: usize,
    /// Up to where records that were not trusted have been searched, in the unpacked stream.
    searched: u64,
    input: State,
}

enum State {
    Open,
    Ended,
    /// Can't be read on, and why: said when what is in hand has been used up.
    Failed(Fault),
}

impl<R: Read> Records<R> {
    pub(crate) fn new(reader: R) -> Self {
        let buffer = vec![0; BUFFER];
        Records { reader, buffer, start: 0, end: 0, offset: 0, taken: 0, searched: 0, input: State::Open }
    }

    /// The next record; `None` at the end. After a damage the next call goes on behind it.
    #[inline]
    pub(crate) fn next(&mut self) -> Result<Option<Record<'_>>, Damage> {
        let taken = std::mem::take(&mut self.taken);
        self.skip(taken);
        let Some(header) = self.header(0) else { return self.end_of_input() };
        if !header.is_believable() && !self.is_borne_out(header) {
            return Err(self.search(header));
        }
        let span = header.span() + self.shortfall(header);
        if !self.holds(span) {
            return Err(self.cut(span));
        }
        self.taken = span;
        let body = &self.buffer[self.start + HEADER..self.start + span];
        Ok(Some(Record { offset: self.offset, time_s: header.time_s, kind: header.kind, body }))
    }

    /// Says that the record handed out last does not end where it says, and that its first `sound` octets, header and
    /// all, are its own. Others are looked for in the rest.
    pub(crate) fn distrust(&mut self, sound: usize) {
        let span = self.taken;
        if self.offset < self.searched {
            return;
        }
        self.searched = self.offset + span as u64;
        if let Some(at) = (sound.max(1)..span).find(|at| self.is_chained(*at)) {
            self.taken = at;
        }
    }

    /// The header `at` octets from here, where they are there.
    #[inline]
    fn header(&mut self, at: usize) -> Option<Header> {
        if !self.holds(at + HEADER) {
            return None;
        }
        self.buffer.get(self.start + at..)?.first_chunk().map(Header::read)
    }

    /// Whether an unfamiliar record is followed by what a record is followed by.
    #[cold]
    fn is_borne_out(&mut self, header: Header) -> bool {
        // Type 0, NULL, has no content: a run of zeros is noise, not records.
        if header.kind.is_familiar() || header.kind.kind == 0 || !header.fits() {
            return false;
        }
        match self.header(header.span()) {
            Some(next) => next.is_believable() || next.kind == header.kind,
            None => self.held() == header.span() && header.span() > HEADER,
        }
    }

    /// Whether two headers that can be believed follow one another, or one and the end, `at` octets from here.
    fn is_chained(&mut self, at: usize) -> bool {
        match self.header(at) {
            Some(first) if first.is_believable() => match self.header(at + first.span()) {
                Some(second) => second.is_believable(),
                None => self.held() == at + first.span(),
            },
            _ => false,
        }
    }

    /// Octets that a record is longer than it says: TABLE_DUMP's of 2000 leave their own first four uncounted.
    #[inline]
    fn shortfall(&mut self, header: Header) -> usize {
        if header.kind.kind != Kind::TABLE_DUMP || !self.holds(header.span()) {
            return 0;
        }
        let body = &self.buffer[self.start + HEADER..self.start + header.span()];
        super::table_dump::shortfall(header.kind, body)
    }

    /// Goes on to the next place at which records follow one another.
    #[cold]
    fn search(&mut self, header: Header) -> Damage {
        let Header { kind, length, .. } = header;
        let fault = match kind.is_familiar() {
            true => Fault::Length { kind, length, limit: kind.limit() },
            false => Fault::Header { kind, length },
        };
        let damage = Damage { offset: self.offset, fault };
        self.skip(1);
        while self.holds(HEADER) {
            if self.is_chained(0) {
                return damage;
            }
            self.skip(1);
        }
        self.skip(self.held());
        damage
    }

    /// The input ends within a record: a file that is cut short, or a length that is wrong.
    #[cold]
    fn cut(&mut self, wanted: usize) -> Damage {
        let held = self.held();
        let damage = Damage { offset: self.offset, fault: Fault::Cut { wanted, held } };
        self.taken = held;
        self.distrust(HEADER);
        // Where nothing more is in it, an input that failed is the better reason.
        match (self.taken == held, std::mem::replace(&mut self.input, State::Ended)) {
            (true, State::Failed(fault)) => Damage { fault, ..damage },
            (_, state) => {
                self.input = state;
                damage
            }
        }
    }

    /// Fewer octets are left than a header has.
    #[cold]
    fn end_of_input(&mut self) -> Result<Option<Record<'static>>, Damage> {
        let (offset, held) = (self.offset, self.held());
        self.skip(held);
        match std::mem::replace(&mut self.input, State::Ended) {
            State::Failed(fault) => Err(Damage { offset, fault }),
            _ if held > 0 => Err(Damage { offset, fault: Fault::Cut { wanted: HEADER, held } }),
            _ => Ok(None),
        }
    }

    #[inline]
    fn held(&self) -> usize {
        self.end - self.start
    }

    #[inline]
    fn skip(&mut self, octets: usize) {
        self.start += octets;
        self.offset += octets as u64;
    }

    /// Whether `count` octets are in hand, after reading on where they are not.
    #[inline]
    fn holds(&mut self, count: usize) -> bool {
        self.held() >= count || self.refill(count)
    }

    #[cold]
    fn refill(&mut self, count: usize) -> bool {
        while self.held() < count && matches!(self.input, State::Open) {
            if self.end == self.buffer.len() {
                self.make_room();
            }
            match self.reader.read(&mut self.buffer[self.end..]) {
                Ok(0) => self.input = State::Ended,
                Ok(octets) => self.end += octets,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => self.input = State::Failed(failure(&error)),
            }
        }
        self.held() >= count
    }

    /// Moves what is held to the front, where half of the buffer is used up: what is moved is then paid for by what was
    /// read. Else it grows, by as much as is really there and not by what a record claims to be.
    fn make_room(&mut self) {
        let size = self.buffer.len();
        if self.start >= size / 2 {
            self.buffer.copy_within(self.start..self.end, 0);
            (self.start, self.end) = (0, self.held());
        } else {
            self.buffer.resize(size * 2, 0);
        }
    }
}

/// A file that is cut short within its compressed data is told from one that can't be read.
fn failure(error: &io::Error) -> Fault {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => Fault::CutInput(error.to_string()),
        _ => Fault::Unreadable(error.to_string()),
    }
}

#[cfg(test)]
mod tests;
