//! Encoded messages on their way to the members of an update group.
//!
//! A chunk is encoded once and written to many sockets from the one buffer. It is cut into segments, each with the
//! members it is for: split horizon and what communities ask for are kept by skipping.

use bytes::Bytes;
use palisade_bgp::message;

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
    messages: u64,
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

    /// How many messages a member is sent of it.
    pub fn messages_for(&self, member: PeerIndex) -> u64 {
        let kept = self.segments.iter().filter(|segment| segment.audience.includes(member));
        kept.map(|segment| segment.messages).sum()
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
        let start = self.octets.len();
        write(&mut self.octets);
        let (end, messages) = (self.octets.len(), messages(&self.octets[start..]));
        match self.segments.last_mut() {
            Some(last) if last.audience == *audience => {
                last.end = end;
                last.messages += messages;
            }
            _ => self.segments.push(Segment { end, messages, audience: audience.clone() }),
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

/// How many messages these octets are; each says how long it is.
fn messages(mut octets: &[u8]) -> u64 {
    let mut count = 0;
    while let Some(length) = message::length(octets) {
        octets = octets.get(length.max(message::HEADER_LEN)..).unwrap_or_default();
        count += 1;
    }
    count
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
        assert_eq!([a, b, c].map(|member| chunk.messages_for(member)), [0; 3], "these are no messages");
        let slices = |member| {
            chunk.slices_for(member).map(|s| String::from_utf8(s.to_vec()).unwrap()).collect::<Vec<_>>()
        };
        assert_eq!(slices(a), ["from-b,to-a,"]);
        assert_eq!(slices(b), ["from-a,"]);
        assert_eq!(slices(c), ["from-a,from-b,"]);
    }

    #[test]
    fn a_member_s_messages_are_counted() {
        let (a, b) = (PeerIndex(1), PeerIndex(2));
        let mut writer = ChunkWriter::default();
        writer.write(&Audience::all_but([a]), |out| (0..3).for_each(|_| out.extend(message::keepalive())));
        writer.write(&Audience::all_but([a]), |out| out.extend(message::keepalive()));
        writer.write(&Audience::only([a]), |out| out.extend(message::keepalive()));
        let chunk = writer.finish().unwrap();
        assert_eq!([a, b].map(|member| chunk.messages_for(member)), [1, 4]);
    }
}
