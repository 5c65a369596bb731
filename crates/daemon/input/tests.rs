//! Every compression, whole, joined, cut and damaged.

use std::io::{self, Read, Write};

use super::*;

/// Hands out an octet at a time, as a slow pipe does.
struct Dribble(io::Cursor<Vec<u8>>);

impl Read for Dribble {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let one = out.len().min(1);
        self.0.read(&mut out[..one])
    }
}

fn input(octets: Vec<u8>) -> Input {
    Input::new("the file".into(), Box::new(io::Cursor::new(octets)))
}

fn unpacked(octets: Vec<u8>) -> Result<Vec<u8>, String> {
    let mut out = Vec::new();
    input(octets).read_to_end(&mut out).map_err(|error| error.to_string())?;
    Ok(out)
}

fn text() -> Vec<u8> {
    (0..40_000u32).flat_map(|n| (n * n).to_be_bytes()).collect()
}

fn packed(compression: Compression, octets: &[u8]) -> Vec<u8> {
    match compression {
        Compression::Gzip => {
            let mut out = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
            out.write_all(octets).unwrap();
            out.finish().unwrap()
        }
        Compression::Bzip2 => {
            let mut out = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast());
            out.write_all(octets).unwrap();
            out.finish().unwrap()
        }
        Compression::Zstd => {
            let mut out = zstd::stream::write::Encoder::new(Vec::new(), 1).unwrap();
            out.include_checksum(true).unwrap();
            out.write_all(octets).unwrap();
            out.finish().unwrap()
        }
    }
}

const ALL: [Compression; 3] = [Compression::Gzip, Compression::Bzip2, Compression::Zstd];

#[test]
fn what_is_not_compressed_is_read_as_it_is() {
    for plain in
        [&b""[..], b"B", b"BZh9", b"{\"roas\":[]}", &[0x42, 0x5a, 0x68, 0x39, 0, 16, 0, 4, 0, 0, 0, 0]]
    {
        assert_eq!(unpacked(plain.to_vec()), Ok(plain.to_vec()));
    }
}

#[test]
fn members_of_any_compression_are_read_one_after_another() {
    for first in ALL {
        for second in ALL {
            let joined = [packed(first, &text()), packed(second, b"and more")].concat();
            assert_eq!(unpacked(joined), Ok([&text()[..], b"and more"].concat()), "{first} {second}");
        }
    }
}

#[test]
fn a_member_of_nothing_is_nothing() {
    for compression in ALL {
        assert_eq!(unpacked(packed(compression, b"")), Ok(Vec::new()), "{compression}");
    }
}

#[test]
fn zstds_skippable_frames_are_skipped() {
    let skippable = [0x50, 0x2a, 0x4d, 0x18, 4, 0, 0, 0, 1, 2, 3, 4];
    let packed = packed(Compression::Zstd, b"text");
    assert_eq!(unpacked([&skippable[..], &packed, &skippable, &packed].concat()), Ok(b"texttext".to_vec()));
}

#[test]
fn a_pipe_may_hand_out_an_octet_at_a_time() {
    for compression in ALL {
        let octets = [packed(compression, b"one"), packed(compression, b"two")].concat();
        let mut out = String::new();
        Input::new("-".into(), Box::new(Dribble(io::Cursor::new(octets)))).read_to_string(&mut out).unwrap();
        assert_eq!(out, "onetwo");
    }
}

#[test]
fn a_cut_file_gives_what_it_holds_and_then_says_where_it_ends() {
    for compression in ALL {
        // bzip2 gives nothing out before a block of up to 100 kB is whole.
        let text: Vec<u8> = text().repeat(3);
        let mut octets = packed(compression, &text);
        octets.truncate(octets.len() - 5);
        let mut input = input(octets.clone());
        let mut out = Vec::new();
        let error = input.read_to_end(&mut out).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof, "{compression}: {error}");
        assert!(
            error.to_string().starts_with(&format!("the file ends in the middle of its {compression} data"))
        );
        assert!(out.len() > 100_000 && text.starts_with(&out), "{compression} gave {}", out.len());
        assert_eq!(input.read(&mut [0; 8]).unwrap(), 0, "nothing comes after the error");
    }
}

#[test]
fn damage_is_told_from_an_early_end() {
    for compression in ALL {
        let mut octets = packed(compression, &text());
        let middle = octets.len() / 2;
        octets[middle..middle + 16].fill(0xff);
        let error = unpacked(octets).unwrap_err();
        assert!(error.starts_with("the file has damaged") && error.ends_with("fetch it again"), "{error}");
    }
}

#[test]
fn zeros_may_follow_and_nothing_else() {
    for compression in ALL {
        let octets = packed(compression, b"text");
        assert_eq!(unpacked([&octets[..], &[0; 1024]].concat()), Ok(b"text".to_vec()));
        let error = unpacked([&octets[..], &[0; 7], b"tail"].concat()).unwrap_err();
        let at = octets.len() + 7;
        assert!(error.contains(&format!("after its {compression} data, from octet {at}")), "{error}");
    }
}

#[test]
fn a_zstd_window_over_the_limit_is_refused() {
    // Magic, then a frame header with a window descriptor of 2^41 octets (RFC 8878 s3.1.1.1.2).
    let error = unpacked([0x28, 0xb5, 0x2f, 0xfd, 0x00, 0xf8, 1, 0, 0].to_vec()).unwrap_err();
    assert!(error.contains("damaged zstd data"), "{error}");
}

#[test]
fn xz_is_named_for_what_it_is() {
    let error = unpacked(vec![0xfd, b'7', b'z', b'X', b'Z', 0, 0, 4, 0, 0]).unwrap_err();
    assert!(error.contains("xz -dc the file"), "{error}");
}

#[test]
fn a_bomb_is_read_as_a_stream() {
    let bomb = packed(Compression::Gzip, &vec![0; 4 << 20]);
    assert!(bomb.len() < 64 << 10);
    let mut input = input(bomb);
    let mut chunk = [0; 4096];
    let mut total = 0;
    while let Ok(octets @ 1..) = input.read(&mut chunk) {
        total += octets;
    }
    assert_eq!(total, 4 << 20);
}

#[test]
fn what_was_consumed_counts_the_file_and_not_what_it_unpacks_to() {
    let octets = packed(Compression::Gzip, &text());
    let length = octets.len() as u64;
    let mut input = input(octets);
    let consumed = input.consumed();
    assert_eq!(consumed.load(Ordering::Relaxed), 0);
    io::copy(&mut input, &mut io::sink()).unwrap();
    assert_eq!(consumed.load(Ordering::Relaxed), length);
}

#[test]
fn names_that_are_no_files_are_told_apart() {
    let folder = tempfile::tempdir().unwrap();
    let of = |path: &Path| Input::open(path).err().map(|error| error.to_string()).unwrap_or_default();
    assert!(of(folder.path()).ends_with("is a directory: name the files in it"));
    assert!(of(&folder.path().join("none")).ends_with("none: there is no such file"));
    let file = folder.path().join("some");
    std::fs::write(&file, b"text").unwrap();
    let mut input = Input::open(&file).unwrap();
    assert!(input.name().ends_with("some"));
    assert_eq!(Input::look_at(&file).unwrap(), Some(4));
    assert_eq!(io::read_to_string(&mut input).unwrap(), "text");
}
