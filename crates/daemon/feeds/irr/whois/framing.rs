//! What an IRRd server sends, cut into answers.
//!
//! ```text
//!   A14\n192.0.2.0/24 \nC\n     the octets that were asked for: their count, they themselves, and a C
//!   C\n                         done; there is nothing to send
//!   D\n                         nothing by that name
//!   E\n                         several by that name
//!   F unknown command\n         refused, and why
//! ```
//!
//! The server is a stranger. A count is believed only as far as the limit, and no room is made for octets that have
//! not come; a line that begins like no answer, or does not end, is a fault, after which nothing that follows means
//! anything and the connection is to be closed. Nothing here knows what was asked.

/// The longest line that heads an answer: `F` brings a text.
pub(crate) const LONGEST_LINE: usize = 1024;

/// An answer to one question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// What was asked for; not always text.
    Data(Vec<u8>),
    /// Done, or there is nothing to send.
    Done,
    /// Nothing has that name.
    NotFound,
    /// Several have that name.
    Ambiguous,
    /// The server refuses, and says why.
    Refused(String),
}

/// What a server can do wrong. What it sends from there on is not to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum FramingFault {
    /// A line that begins like no answer.
    #[error("it sends what is no answer of IRRd's protocol (it begins with octet {0:#04x})")]
    Unknown(u8),
    /// A line without an end.
    #[error("it sends a line longer than {LONGEST_LINE} octets")]
    LongLine,
    /// A count that is no number.
    #[error("it announces an answer whose length is no number")]
    Length,
    /// A count that is over the limit.
    #[error("it announces an answer of {announced} octets, and {most} are taken")]
    TooLong {
        /// What it says.
        announced: u64,
        /// The limit.
        most: usize,
    },
    /// No `C` where the octets end.
    #[error("an answer does not end where it says")]
    NoEnd,
}

/// Cuts a stream of octets into answers.
#[derive(Debug)]
pub(crate) struct Answers {
    /// What has come and was not handed out, from `begin` on.
    octets: Vec<u8>,
    begin: usize,
    most: usize,
}

impl Answers {
    /// Of which none may be longer than `most` octets.
    pub(crate) fn new(most: usize) -> Self {
        Answers { octets: Vec::new(), begin: 0, most }
    }

    /// Takes what was read.
    pub(crate) fn push(&mut self, octets: &[u8]) {
        if self.begin > self.octets.len() / 2 {
            self.octets.drain(..self.begin);
            self.begin = 0;
        }
        self.octets.extend_from_slice(octets);
    }

    /// The next answer that is there whole.
    pub(crate) fn next(&mut self) -> Result<Option<Answer>, FramingFault> {
        let waiting = self.octets.get(self.begin..).unwrap_or_default();
        let Some((answer, len)) = cut(waiting, self.most)? else { return Ok(None) };
        self.begin += len;
        Ok(Some(answer))
    }
}

/// The answer that `octets` begin with, and how many of them it is.
fn cut(octets: &[u8], most: usize) -> Result<Option<(Answer, usize)>, FramingFault> {
    let Some(first) = octets.first() else { return Ok(None) };
    if !b"ACDEF".contains(first) {
        return Err(FramingFault::Unknown(*first));
    }
    let Some(end) = octets.iter().take(LONGEST_LINE).position(|octet| *octet == b'\n') else {
        return if octets.len() < LONGEST_LINE { Ok(None) } else { Err(FramingFault::LongLine) };
    };
    let (line, rest) = (&octets[1..end], octets.get(end + 1..).unwrap_or_default());
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let answer = match (first, line) {
        (b'A', _) => {
            let len = length(line, most)?;
            return Ok(data(rest, len)?.map(|(answer, used)| (answer, end + 1 + used)));
        }
        (b'C', []) => Answer::Done,
        (b'D', []) => Answer::NotFound,
        (b'E', []) => Answer::Ambiguous,
        (b'F', text) => Answer::Refused(String::from_utf8_lossy(text.trim_ascii()).into_owned()),
        _ => return Err(FramingFault::Unknown(*line.first().unwrap_or(first))),
    };
    Ok(Some((answer, end + 1)))
}

fn length(digits: &[u8], most: usize) -> Result<usize, FramingFault> {
    if !digits.iter().all(u8::is_ascii_digit) {
        return Err(FramingFault::Length);
    }
    let text = std::str::from_utf8(digits).map_err(|_| FramingFault::Length)?;
    let announced = text.parse::<u64>().map_err(|_| FramingFault::Length)?;
    match usize::try_from(announced) {
        Ok(len) if len <= most => Ok(len),
        _ => Err(FramingFault::TooLong { announced, most }),
    }
}

/// The octets of an answer and the `C` behind them.
fn data(rest: &[u8], len: usize) -> Result<Option<(Answer, usize)>, FramingFault> {
    let Some((data, tail)) = rest.split_at_checked(len) else { return Ok(None) };
    match tail {
        [] | [b'C'] | [b'C', b'\r'] => Ok(None),
        [b'C', b'\n', ..] => Ok(Some((Answer::Data(data.to_vec()), len + 2))),
        [b'C', b'\r', b'\n', ..] => Ok(Some((Answer::Data(data.to_vec()), len + 3))),
        _ => Err(FramingFault::NoEnd),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(octets: &[u8], most: usize) -> (Vec<Answer>, Option<FramingFault>) {
        let (mut answers, mut told) = (Answers::new(most), Vec::new());
        answers.push(octets);
        loop {
            match answers.next() {
                Ok(Some(answer)) => told.push(answer),
                Ok(None) => return (told, None),
                Err(fault) => return (told, Some(fault)),
            }
        }
    }

    #[test]
    fn every_kind_of_answer_is_read() {
        let (answers, fault) = all(b"C\nA6\nAS1 2\nC\nD\nE\nF no such thing\nA0\nC\n", 100);
        let refused = Answer::Refused("no such thing".into());
        let [nothing, data] = [Answer::Data(Vec::new()), Answer::Data(b"AS1 2\n".to_vec())];
        let expected = [Answer::Done, data, Answer::NotFound, Answer::Ambiguous, refused, nothing];
        assert_eq!((answers.as_slice(), fault), (expected.as_slice(), None));
    }

    #[test]
    fn it_does_not_matter_how_the_octets_come() {
        let stream = b"C\nA6\nAS1 2\nC\nF why not\nA4\nC\nD\nC\n";
        let whole = all(stream, 100);
        for step in 1..stream.len() {
            let (mut answers, mut told) = (Answers::new(100), Vec::new());
            for part in stream.chunks(step) {
                answers.push(part);
                while let Some(answer) = answers.next().unwrap() {
                    told.push(answer);
                }
            }
            assert_eq!((told, None), whole, "in steps of {step}");
            assert_eq!(answers.begin, answers.octets.len());
        }
    }

    #[test]
    fn what_hostile_servers_send_is_a_fault() {
        let long = [b"F ".as_slice(), &[b'x'; LONGEST_LINE]].concat();
        for (octets, fault) in [
            (b"HTTP/1.1 400 Bad Request\r\n".as_slice(), FramingFault::Unknown(b'H')),
            (b"\n", FramingFault::Unknown(b'\n')),
            (b"Cx\n", FramingFault::Unknown(b'x')),
            (b"A\n", FramingFault::Length),
            (b"A-1\n", FramingFault::Length),
            (b"A+1\n", FramingFault::Length),
            (b"A99999999999999999999999\n", FramingFault::Length),
            (b"A101\n", FramingFault::TooLong { announced: 101, most: 100 }),
            (b"A18446744073709551615\n", FramingFault::TooLong { announced: u64::MAX, most: 100 }),
            (b"A2\nab\nC\n", FramingFault::NoEnd),
            (b"A2\nabD\n", FramingFault::NoEnd),
            (b"A2\nabCC\n", FramingFault::NoEnd),
            (&long, FramingFault::LongLine),
        ] {
            assert_eq!(all(octets, 100), (Vec::new(), Some(fault)), "{}", octets.escape_ascii());
        }
        assert_eq!(all(&[b"A100\n".as_slice(), &[b'x'; 100], b"C\n"].concat(), 100).1, None);
    }

    #[test]
    fn a_part_of_an_answer_is_none_yet() {
        for part in [b"".as_slice(), b"A", b"A3", b"A3\n", b"A3\nabc", b"A3\nabcC", b"F wh", b"D"] {
            assert_eq!(all(part, 100), (Vec::new(), None), "{}", part.escape_ascii());
        }
    }
}
