//! Encoded messages on their way to the members of an update group.
//!
//! A chunk is encoded once and written to many sockets from the one buffer. It is cut into segments, each with the
//! members it is for: split horizon and what communities ask for are kept by skipping.

use bytes::Bytes;

use crate::audience::Audience;
use crate::path::PeerIndex;

/// Whole messages, with their audiences.
#[derive(Debug, Default)]
pub struct Chunk {
    octets: Bytes,
    segments: Box<[Segment]>,
}

#[derive(Clone, Debug)]
struct Segment {
    end: usize,
    audience: Audience,
}

impl Chunk {
    /// What a member is to be sent of it, as few slices as that takes; each is whole messages.
    pub fn slices_for(&self, member: PeerIndex) -> impl Iterator<Item = Bytes> {
        let mut at = 0;
        let mut segments = self.segments.iter().peekable();
        std::iter::from_fn(move || {
            while let Some(skipped) = segments.next_if(|segment| !segment.audience.includes(member)) {
                at = skipped.end;
            }
            let start = at;
            while let Some(kept) = segments.next_if(|segment| segment.audience.includes(member)) {
                at = kept.end;
            }
            (at > start).then(|| self.octets.slice(start..at))
        })
    }

    /// Octets of all its messages.
    pub fn len(&self) -> usize {
        self.octets.len()
    }

    /// Whether it has no message.
    pub fn is_empty(&self) -> bool {
        self.octets.is_empty()
    }
}

/// A chunk as it is encoded.
#[derive(Debug, Default)]
pub(crate) struct ChunkWriter {
    octets: Vec<u8>,
    segments: Vec<Segment>,
}

impl ChunkWriter {
    /// Lets `write` append whole messages for an audience.
    pub(crate) fn write(&mut self, audience: &Audience, write: impl FnOnce(&mut Vec<u8>)) {
        write(&mut self.octets);
        let end = self.octets.len();
        match self.segments.last_mut() {
            Some(last) if last.audience == *audience => last.end = end,
            _ => self.segments.push(Segment { end, audience: audience.clone() }),
        }
    }

    /// The chunk, where anything was written.
    pub(crate) fn finish(self) -> Option<Chunk> {
        if self.octets.is_empty() {
            return None;
        }
        // Many sessions hold on to a chunk: what the buffer has over would be held as long.
        Some(Chunk { octets: self.octets.into_boxed_slice().into(), segments: self.segments.into() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_member_gets_what_is_meant_for_it_in_as_few_slices_as_that_takes() {
        let (a, b, c) = (PeerIndex(1), PeerIndex(2), PeerIndex(3));
        let mut writer = ChunkWriter::default();
        writer.write(&Audience::all_but([a]), |out| out.extend(b"from-a,"));
        writer.write(&Audience::all_but([b]), |out| out.extend(b"from-b,"));
        writer.write(&Audience::only([a]), |out| out.extend(b"to-a,"));
        let chunk = writer.finish().unwrap();
        let slices = |member| {
            chunk.slices_for(member).map(|s| String::from_utf8(s.to_vec()).unwrap()).collect::<Vec<_>>()
        };
        assert_eq!(slices(a), ["from-b,to-a,"]);
        assert_eq!(slices(b), ["from-a,"]);
        assert_eq!(slices(c), ["from-a,from-b,"]);
    }
}
