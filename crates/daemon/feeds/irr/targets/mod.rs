//! What must hold for any octets whatever that a registry's server sends: the functions that the fuzz targets and the
//! seeded test share. They have the machines by their path, because a program has no library that others could use.

#[path = "../nrtm/stream.rs"]
#[allow(dead_code, reason = "what the program uses of it besides")]
pub(crate) mod stream;

#[path = "../whois/framing.rs"]
#[allow(dead_code, reason = "what the program uses of it besides")]
pub(crate) mod framing;

use framing::{Answer, Answers};
use stream::{ChangeStream, End};

/// The most octets of an answer that the targets allow.
const MOST: usize = 1000;

/// Answers are the same however the octets come, and none is longer than allowed.
pub(crate) fn whois(octets: &[u8]) {
    let step = 1 + octets.first().map_or(0, |first| usize::from(*first) % 16);
    let read = |step: usize| {
        let (mut answers, mut told) = (Answers::new(MOST), Vec::new());
        for part in octets.chunks(step) {
            answers.push(part);
            loop {
                match answers.next() {
                    Ok(Some(answer)) => told.push(answer),
                    Ok(None) => break,
                    // From here on nothing means anything.
                    Err(fault) => return (told, Some(fault)),
                }
            }
        }
        (told, None)
    };
    let whole = read(octets.len().max(1));
    assert_eq!(read(step), whole);
    let fits = |answer: &Answer| !matches!(answer, Answer::Data(data) if data.len() > MOST);
    assert!(whole.0.iter().all(fits));
}

/// Changes come in the order of their serials, within the range that was announced, and only of a stream that is whole.
pub(crate) fn nrtm(octets: &[u8]) {
    let (first, octets) = octets.split_first().map_or((0, octets), |(first, rest)| (u64::from(*first), rest));
    let step = 1 + usize::try_from(first).unwrap_or(0) % 16;
    let read = |step: usize| {
        let mut stream = ChangeStream::new("TEST", first);
        octets.chunks(step).try_for_each(|part| stream.push(part))?;
        stream.finish()
    };
    let whole = read(octets.len().max(1));
    assert_eq!(read(step), whole);
    let Ok((operations, end)) = whole else { return };
    assert!(operations.windows(2).all(|pair| pair[0].serial < pair[1].serial));
    assert!(operations.iter().all(|operation| operation.serial >= first && !operation.object.is_empty()));
    match end {
        End::At(last) => assert!(operations.iter().all(|operation| operation.serial <= last)),
        End::NothingNew => assert!(operations.is_empty()),
    }
}
