//! A file that somebody names on the command line or in the configuration, read as a stream.
//!
//! Archives hand out MRT dumps, VRP lists and IRR databases gzipped, bzipped, as zstd or plain, with names that do not
//! always say which. So the first octets decide, not the name, and `-` is standard input. Every member of a file is
//! looked at anew: `cat a.gz b.bz2` reads as both, and so do pbzip2's many streams and pzstd's many frames.
//!
//! Nothing is ever held whole: what a member unpacks to is handed on as it comes, so a bomb costs time and no memory.
//! The most that any decoder keeps is zstd's window, and that has a limit ([`ZSTD_WINDOW_LOG_MAX`]).
//!
//! It is not a parser: whoever reads it says what the octets mean. Its errors name the file and what to do about it,
//! and travel inside an [`io::Error`], so that they come out of any reader that is stacked on top.

use std::fmt;
use std::fs::File;
use std::io::{self, BufRead, IsTerminal, Read};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bzip2::bufread::BzDecoder;
use flate2::bufread::GzDecoder;
use zstd::stream::read::Decoder as ZstdDecoder;

/// Octets read from the file at a time.
const CHUNK: usize = 128 * 1024;

/// The largest zstd window accepted, as a power of two: 128 MiB, which is what `zstd` itself unpacks unless told more.
const ZSTD_WINDOW_LOG_MAX: u32 = 27;

/// Octets looked at to tell a compression; the longest signature is bzip2's with its first block's.
const SIGNATURE: usize = 10;

/// What can be wrong with an input.
#[derive(Debug, thiserror::Error)]
pub(crate) enum InputError {
    /// There is nothing by that name.
    #[error("{name}: there is no such file")]
    Missing {
        /// As the user named it.
        name: String,
    },
    /// The name is a folder's.
    #[error("{name} is a directory: name the files in it")]
    Directory {
        /// As the user named it.
        name: String,
    },
    /// `-` was given and nothing is piped in.
    #[error("standard input is a terminal: pipe a file into it, or name the file instead of `-`")]
    Terminal,
    /// The system refuses to open it.
    #[error("{name} can't be opened: {source}")]
    Open {
        /// As the user named it.
        name: String,
        /// What the system says.
        source: io::Error,
    },
    /// The system fails while it is read.
    #[error("{name} can't be read on after {at} octets: {source}")]
    Read {
        /// As the user named it.
        name: String,
        /// Octets of the file read before.
        at: u64,
        /// What the system says.
        source: io::Error,
    },
    /// It ends within its compressed data.
    #[error("{name} ends in the middle of its {compression} data, after {at} octets: fetch it again")]
    Truncated {
        /// As the user named it.
        name: String,
        /// The compression of the member that is cut.
        compression: Compression,
        /// Octets of the file read.
        at: u64,
    },
    /// Its compressed data can't be unpacked.
    #[error("{name} has damaged {compression} data before octet {at} ({source}): fetch it again")]
    Corrupt {
        /// As the user named it.
        name: String,
        /// The compression of the member that is damaged.
        compression: Compression,
        /// Octets of the file read.
        at: u64,
        /// What the decoder says.
        source: io::Error,
    },
    /// Something that is no compressed data follows compressed data.
    #[error(
        "{name} has something other than compressed data after its {compression} data, from octet {at}: it is not read"
    )]
    Trailing {
        /// As the user named it.
        name: String,
        /// The compression of the member before it.
        compression: Compression,
        /// Where it starts in the file.
        at: u64,
    },
    /// A compression that is known and not supported.
    #[error(
        "{name} is xz-compressed, which is not read here: unpack it, as in `xz -dc {name} | palisade replay -`"
    )]
    Unsupported {
        /// As the user named it.
        name: String,
    },
}

impl InputError {
    fn into_io(self) -> io::Error {
        let kind = match &self {
            InputError::Truncated { .. } => io::ErrorKind::UnexpectedEof,
            InputError::Read { source, .. } | InputError::Open { source, .. } => source.kind(),
            _ => io::ErrorKind::InvalidData,
        };
        io::Error::new(kind, self)
    }
}

/// How a file, or a member of one, is compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Compression {
    /// RFC 1952.
    Gzip,
    /// bzip2's own.
    Bzip2,
    /// RFC 8878.
    Zstd,
}

impl fmt::Display for Compression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Compression::Gzip => "gzip",
            Compression::Bzip2 => "bzip2",
            Compression::Zstd => "zstd",
        })
    }
}

/// What the first octets of a member say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sniffed {
    Plain,
    Compressed(Compression),
    Xz,
}

/// Tells a member by its first octets. The signatures are long enough that no plain MRT file is taken for one: its
/// first four octets are a time, and `BZh9` alone is one of 2005.
fn sniff(head: &[u8]) -> Sniffed {
    match head {
        [0x1f, 0x8b, 8, ..] => Sniffed::Compressed(Compression::Gzip),
        [b'B', b'Z', b'h', b'1'..=b'9', 0x31, 0x41, 0x59, 0x26, 0x53, 0x59, ..]
        | [b'B', b'Z', b'h', b'1'..=b'9', 0x17, 0x72, 0x45, 0x38, 0x50, 0x90, ..] => {
            Sniffed::Compressed(Compression::Bzip2)
        }
        // A frame, or one of the skippable frames that pzstd puts before each (RFC 8878 s3.1).
        [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => {
            Sniffed::Compressed(Compression::Zstd)
        }
        [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => Sniffed::Xz,
        _ => Sniffed::Plain,
    }
}

/// An open input: a [`Read`] of what it unpacks to.
pub(crate) struct Input {
    name: String,
    consumed: Arc<AtomicU64>,
    member: Member,
    last: Option<Compression>,
}

/// The member that is being read.
enum Member {
    /// The next octets have not been looked at.
    Unknown(Source),
    Plain(Source),
    Gzip(Box<GzDecoder<Source>>),
    Bzip2(BzDecoder<Source>),
    Zstd(ZstdDecoder<'static, Source>),
    /// Nothing more to read: the end, or after an error.
    Ended,
}

impl Input {
    /// Opens a file, or standard input for `-`. A named pipe is as good as a file.
    pub(crate) fn open(path: &Path) -> Result<Self, InputError> {
        let name = path.display().to_string();
        if name == "-" {
            return Input::stdin();
        }
        Input::look_at(path)?;
        let file = File::open(path).map_err(|source| InputError::Open { name: name.clone(), source })?;
        Ok(Input::new(name, Box::new(file)))
    }

    /// Whether a name is one that can be opened, as far as that can be seen without opening it; and its size, where that is
    /// known.
    pub(crate) fn look_at(path: &Path) -> Result<Option<u64>, InputError> {
        let name = path.display().to_string();
        if name == "-" {
            return Ok(None);
        }
        match path.metadata() {
            Ok(metadata) if metadata.is_dir() => Err(InputError::Directory { name }),
            Ok(metadata) => Ok(metadata.is_file().then_some(metadata.len())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Err(InputError::Missing { name }),
            Err(source) => Err(InputError::Open { name, source }),
        }
    }

    fn stdin() -> Result<Self, InputError> {
        let stdin = io::stdin();
        if stdin.is_terminal() {
            return Err(InputError::Terminal);
        }
        Ok(Input::new("standard input".into(), Box::new(stdin)))
    }

    /// The input that `reader` gives, called `name` in errors.
    pub(crate) fn new(name: String, reader: Box<dyn Read + Send>) -> Self {
        let consumed = Arc::new(AtomicU64::new(0));
        let source = Source::new(reader, Arc::clone(&consumed));
        Input { name, consumed, member: Member::Unknown(source), last: None }
    }

    /// What the user calls it.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Octets of the file, as it lies there, that have been read: a number that moves on while this is read.
    pub(crate) fn consumed(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.consumed)
    }

    fn at(&self) -> u64 {
        self.consumed.load(Ordering::Relaxed)
    }

    /// Looks at the octets that come next and takes up the member they begin.
    fn begin(&mut self, mut source: Source) -> io::Result<()> {
        let sniffed = sniff(source.peek(SIGNATURE).map_err(|error| self.unreadable(error))?);
        self.member = match sniffed {
            Sniffed::Compressed(compression) => {
                self.last = Some(compression);
                self.unpack(compression, source)?
            }
            Sniffed::Xz => return Err(InputError::Unsupported { name: self.name.clone() }.into_io()),
            Sniffed::Plain => match self.last {
                None => Member::Plain(source),
                Some(compression) => self.end(compression, source)?,
            },
        };
        Ok(())
    }

    fn unpack(&self, compression: Compression, source: Source) -> io::Result<Member> {
        let corrupt = |error| self.broken(compression, error);
        Ok(match compression {
            Compression::Gzip => Member::Gzip(Box::new(GzDecoder::new(source))),
            Compression::Bzip2 => Member::Bzip2(BzDecoder::new(source)),
            Compression::Zstd => {
                let mut decoder = ZstdDecoder::with_buffer(source).map_err(corrupt)?.single_frame();
                decoder.window_log_max(ZSTD_WINDOW_LOG_MAX).map_err(corrupt)?;
                Member::Zstd(decoder)
            }
        })
    }

    /// After the last member: the end of the file, or the zeros that tapes and block devices pad with.
    fn end(&self, compression: Compression, mut source: Source) -> io::Result<Member> {
        loop {
            let at = self.at();
            let rest = source.fill_buf().map_err(|error| self.unreadable(error))?;
            let Some(octets) = Some(rest.len()).filter(|octets| *octets > 0) else {
                return Ok(Member::Ended);
            };
            if let Some(zeros) = rest.iter().position(|octet| *octet != 0) {
                let at = at + zeros as u64;
                return Err(InputError::Trailing { name: self.name.clone(), compression, at }.into_io());
            }
            source.consume(octets);
        }
    }

    /// The member has ended: what follows it is looked at next.
    fn next_member(&mut self) {
        let source = match std::mem::replace(&mut self.member, Member::Ended) {
            Member::Gzip(decoder) => decoder.into_inner(),
            Member::Bzip2(decoder) => decoder.into_inner(),
            Member::Zstd(decoder) => decoder.finish(),
            Member::Unknown(_) | Member::Plain(_) | Member::Ended => return,
        };
        self.member = Member::Unknown(source);
    }

    fn unreadable(&self, source: io::Error) -> io::Error {
        InputError::Read { name: self.name.clone(), at: self.at(), source }.into_io()
    }

    /// Tells a file that is cut short from one that is damaged and from a disk that fails.
    fn broken(&self, compression: Compression, source: io::Error) -> io::Error {
        let (name, at) = (self.name.clone(), self.at());
        match source.kind() {
            io::ErrorKind::UnexpectedEof => InputError::Truncated { name, compression, at },
            _ if source.raw_os_error().is_some() => InputError::Read { name, at, source },
            _ => InputError::Corrupt { name, compression, at, source },
        }
        .into_io()
    }
}

impl Read for Input {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if out.is_empty() {
            return Ok(0);
        }
        loop {
            let (read, compression) = match &mut self.member {
                Member::Ended => return Ok(0),
                Member::Unknown(_) => {
                    if let Member::Unknown(source) = std::mem::replace(&mut self.member, Member::Ended) {
                        self.begin(source)?;
                    }
                    continue;
                }
                Member::Plain(source) => return source.read(out).map_err(|error| self.unreadable(error)),
                Member::Gzip(decoder) => (decoder.read(out), Compression::Gzip),
                Member::Bzip2(decoder) => (decoder.read(out), Compression::Bzip2),
                Member::Zstd(decoder) => (decoder.read(out), Compression::Zstd),
            };
            match read {
                Ok(0) => self.next_member(),
                Ok(octets) => return Ok(octets),
                Err(error) => {
                    self.member = Member::Ended;
                    return Err(self.broken(compression, error));
                }
            }
        }
    }
}

/// The file as it lies there, with enough of it in hand to look ahead, and a count of what was taken.
struct Source {
    reader: Box<dyn Read + Send>,
    buffer: Box<[u8]>,
    start: usize,
    end: usize,
    consumed: Arc<AtomicU64>,
}

impl Source {
    fn new(reader: Box<dyn Read + Send>, consumed: Arc<AtomicU64>) -> Self {
        Source { reader, buffer: vec![0; CHUNK].into_boxed_slice(), start: 0, end: 0, consumed }
    }

    /// The next `count` octets (at most [`CHUNK`]), without taking them; fewer only at the end. A pipe may hand them
    /// out one by one.
    fn peek(&mut self, count: usize) -> io::Result<&[u8]> {
        if self.end - self.start < count {
            self.buffer.copy_within(self.start..self.end, 0);
            (self.start, self.end) = (0, self.end - self.start);
        }
        while self.end - self.start < count {
            match read_some(&mut self.reader, &mut self.buffer[self.end..])? {
                0 => break,
                octets => self.end += octets,
            }
        }
        Ok(&self.buffer[self.start..self.end.min(self.start + count)])
    }
}

impl BufRead for Source {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.start == self.end {
            (self.start, self.end) = (0, 0);
            self.end = read_some(&mut self.reader, &mut self.buffer)?;
        }
        Ok(&self.buffer[self.start..self.end])
    }

    fn consume(&mut self, octets: usize) {
        let taken = octets.min(self.end - self.start);
        self.start += taken;
        self.consumed.fetch_add(taken as u64, Ordering::Relaxed);
    }
}

impl Read for Source {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        // A large plain read goes past the buffer.
        if self.start == self.end && out.len() >= self.buffer.len() {
            let octets = read_some(&mut self.reader, out)?;
            self.consumed.fetch_add(octets as u64, Ordering::Relaxed);
            return Ok(octets);
        }
        let octets = self.fill_buf()?.read(out)?;
        self.consume(octets);
        Ok(octets)
    }
}

fn read_some(reader: &mut dyn Read, out: &mut [u8]) -> io::Result<usize> {
    loop {
        match reader.read(out) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            read => return read,
        }
    }
}

#[cfg(test)]
mod tests;
