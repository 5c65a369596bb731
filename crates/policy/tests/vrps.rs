//! Files of VRPs: the forms that are met, and what hostile ones come to.

#![allow(clippy::unwrap_used, clippy::panic, reason = "test code fails by panicking")]

mod support;

use std::fs::File;
use std::io::{self, BufReader, Read};

use palisade_bgp::Asn;
use palisade_policy::vrps::{MAX_OCTETS, VrpFormat};
use palisade_policy::{Aspa, EmptySet, Vrp, VrpFile, VrpFileError};
use proptest::prelude::*;
use support::{prefix, real_data};

fn read(text: &str) -> Result<VrpFile, VrpFileError> {
    VrpFile::read(text.as_bytes(), EmptySet::Refuse)
}

fn vrp(net: &str, max_length: u8, asn: u32) -> Vrp {
    Vrp::new(prefix(net), max_length, Asn(asn)).unwrap()
}

#[test]
fn the_forms_of_each_validator_are_read() {
    let expected = [vrp("192.0.2.0/24", 26, 64500), vrp("2001:db8::/32", 48, 64501)];
    let forms = [
        r#"{"metadata":{"vrps":2},"roas":[
            {"asn":64500,"prefix":"192.0.2.0/24","maxLength":26,"ta":"ripe","expires":1753453058},
            {"asn":64501,"prefix":"2001:db8::/32","maxLength":48,"ta":"ripe","expires":1753453058}],"spls":[{}]}"#,
        r#" {"roas":[{"asn":"AS64500","prefix":"192.0.2.0/24","maxLength":26,"ta":"lacnic"},
            {"ta":"x","nested":{"a":[1,{"b":null}]},"maxLength":48,"prefix":"2001:db8::/32","asn":"64501"}]}"#,
        "ASN,IP Prefix,Max Length,Trust Anchor\nAS64500,192.0.2.0/24,26,ripe\nAS64501,2001:db8::/32,48,ripe\n",
        "\u{feff}URI,ASN,IP Prefix,Max Length,Not Before,Not After\r\n\
         rsync://a/b.roa,AS64500,192.0.2.0/24,26,x,y\r\nrsync://a/c.roa,64501,2001:db8::/32,48,x,y",
        "# a remark\n\"ASN\",\"IP Prefix\",\"Max Length\",\"Trust Anchor\"\n\
         \"64500\",\"192.0.2.0/24\",\"26\",\"a\"\n\n\"64501\",\"2001:db8::/32\",\"48\",\"a\"\n",
    ];
    for form in forms {
        let file = read(form).unwrap();
        assert_eq!(file.vrps, expected, "{form}");
        assert_eq!(file.malformed.count, 0, "{form}");
    }
    assert_eq!(read(forms[0]).unwrap().format, VrpFormat::Json);
    assert_eq!(read(forms[2]).unwrap().format, VrpFormat::Csv);
}

fn aspa(customer: u32, providers: &[u32]) -> Aspa {
    Aspa { customer: Asn(customer), providers: providers.iter().copied().map(Asn).collect() }
}

#[test]
fn the_aspas_of_each_validator_are_read() {
    let forms = [
        r#"{"roas":[{"asn":1,"prefix":"10.0.0.0/8"}],"aspas":[
            {"customer_asid":64500,"expires":1753070425,"providers":[64502,64501]},
            {"customer_asid":64503,"expires":1753070425,"providers":[0]}]}"#,
        r#"{"metadata":{},"aspas":[{"customer":"AS64500","providers":["AS64501","AS64502"],"ta":"ripe"},
            {"providers":["AS0"],"customer":"AS64503"}],"roas":[{"asn":"AS1","prefix":"10.0.0.0/8"}]}"#,
    ];
    for form in forms {
        let file = read(form).unwrap();
        assert_eq!(file.aspas, [aspa(64500, &[64501, 64502]), aspa(64503, &[0])], "{form}");
        assert_eq!((file.vrps.len(), file.malformed.count), (1, 0), "{form}");
    }
}

#[test]
fn a_malformed_aspa_costs_itself_alone_and_is_named() {
    let many = vec!["1"; 16_381].join(",");
    let entries = [
        (r#"{"customer_asid":1,"providers":[]}"#.into(), "ASPA: no provider of AS1"),
        (r#"{"customer_asid":1}"#.into(), "ASPA: no providers of AS1"),
        (
            r#"{"customer_asid":1,"providers":[2,-1]}"#.into(),
            "ASPA: providers of AS1: asn is a negative number",
        ),
        (
            r#"{"customer_asid":1,"providers":{"ipv4":[2]}}"#.into(),
            "ASPA: providers of AS1: an object, not a list",
        ),
        (r#"{"providers":[2]}"#.into(), "ASPA: customer: no asn"),
        ("7".into(), "ASPA: a number, not an object"),
        (format!(r#"{{"customer_asid":1,"providers":[{many}]}}"#), "ASPA: providers of AS1: more than 16380"),
    ];
    for (entry, fault) in entries {
        let good = r#"{"customer_asid":2,"providers":[3]}"#;
        let file = read(&format!(r#"{{"aspas":[{good},{entry}]}}"#)).unwrap();
        assert_eq!(file.aspas, [aspa(2, &[3])], "{fault}");
        assert_eq!((file.malformed.first[0].position, file.malformed.first[0].fault.as_str()), (2, fault));
    }
}

#[test]
fn an_empty_list_is_a_claim_and_a_missing_one_is_none() {
    let aspas = r#""aspas":[{"customer_asid":2,"providers":[3]}]"#;
    assert_eq!(read(&format!("{{{aspas}}}")).unwrap().aspas.len(), 1);
    assert!(matches!(read(&format!(r#"{{"roas":[],{aspas}}}"#)), Err(VrpFileError::Empty(_))));
    assert!(matches!(read(r#"{"aspas":[]}"#), Err(VrpFileError::Empty(_))));
    assert!(matches!(read(r#"{"metadata":{}}"#), Err(VrpFileError::NotVrps)));
}

#[test]
fn without_a_max_length_it_is_the_prefixes_own() {
    for form in [
        r#"{"roas":[{"asn":64500,"prefix":"192.0.2.0/24"}]}"#,
        "ASN,IP Prefix,Max Length\nAS64500,192.0.2.0/24,\n",
    ] {
        assert_eq!(read(form).unwrap().vrps, [vrp("192.0.2.0/24", 24, 64500)]);
    }
}

#[test]
fn a_malformed_entry_costs_itself_alone_and_is_named() {
    let entries = [
        (
            r#"{"asn":1,"prefix":"10.0.0.0/8","maxLength":7}"#,
            "maxLength 7 is shorter than its prefix 10.0.0.0/8",
        ),
        (
            r#"{"asn":1,"prefix":"10.0.0.0/8","maxLength":33}"#,
            "maxLength 33 is longer than an address of 10.0.0.0/8 has bits",
        ),
        (r#"{"asn":1,"prefix":"10.0.0.0/8","maxLength":300}"#, "maxLength 300 of 10.0.0.0/8"),
        (r#"{"asn":1,"prefix":"10.0.0.0/8","maxLength":"24"}"#, "maxLength of `10.0.0.0/8` is `24`"),
        (
            r#"{"asn":1,"prefix":"10.0.0.0/8","maxLength":-1}"#,
            "maxLength of `10.0.0.0/8` is a negative number",
        ),
        (r#"{"asn":1,"prefix":"10.0.0.1/8","maxLength":24}"#, "no prefix: `10.0.0.1/8`"),
        (r#"{"asn":1,"prefix":"::/129","maxLength":24}"#, "no prefix: `::/129`"),
        (r#"{"asn":1,"prefix":7,"maxLength":24}"#, "prefix is 7"),
        (r#"{"asn":1,"maxLength":24}"#, "no prefix"),
        (r#"{"asn":4294967296,"prefix":"10.0.0.0/8","maxLength":24}"#, "4294967296 is no AS number"),
        (r#"{"asn":"ASN\u0007","prefix":"10.0.0.0/8","maxLength":24}"#, "`ASN\\u{7}` is no AS number"),
        (r#"{"asn":1.5,"prefix":"10.0.0.0/8","maxLength":24}"#, "asn is a fraction"),
        (r#"{"asn":{"a":1},"prefix":"10.0.0.0/8","maxLength":24}"#, "asn is an object"),
        (r#"{"prefix":"10.0.0.0/8","maxLength":24}"#, "no asn"),
        ("null", "null, not an object"),
        ("[[1],{}]", "a list, not an object"),
        (r#""AS1""#, "a text, not an object"),
        ("true", "a truth value, not an object"),
    ];
    for (entry, fault) in entries {
        let good = r#"{"asn":2,"prefix":"11.0.0.0/8","maxLength":8}"#;
        let file = read(&format!(r#"{{"roas":[{good},{entry},{good}]}}"#)).unwrap();
        assert_eq!(file.vrps, [vrp("11.0.0.0/8", 8, 2); 2], "{entry}");
        assert_eq!(file.malformed.count, 1, "{entry}");
        assert_eq!((file.malformed.first[0].position, file.malformed.first[0].fault.as_str()), (2, fault));
    }
}

#[test]
fn malformed_lines_are_named_by_their_number() {
    let long = format!("AS1,10.0.0.0/8,24,{}", "x".repeat(10_000));
    let text = format!(
        "ASN,IP Prefix,Max Length\nAS1,10.0.0.0/8\n{long}\nASx,10.0.0.0/8,8\nAS1,10.0.0.0/8,8\n\u{0}\n"
    );
    let file = read(&text).unwrap();
    assert_eq!(file.vrps, [vrp("10.0.0.0/8", 8, 1)]);
    let positions: Vec<u64> = file.malformed.first.iter().map(|entry| entry.position).collect();
    assert_eq!(positions, [2, 3, 4, 6]);
    assert_eq!(file.malformed.first[1].fault, "the line is too long");
}

#[test]
fn only_the_first_faults_are_named_and_all_are_counted() {
    let roas = vec!["null"; 1000].join(",");
    let file = read(&format!(r#"{{"roas":[{roas},{{"asn":1,"prefix":"10.0.0.0/8"}}]}}"#)).unwrap();
    assert_eq!(
        (file.malformed.count, file.malformed.first.len()),
        (1000, palisade_policy::malformed::MAX_NAMED)
    );
    assert!(file.malformed.to_string().ends_with("; .."), "{}", file.malformed);
}

#[test]
fn what_is_no_list_of_vrps_is_refused() {
    for text in
        ["", " \n", "{}", r#"{"slurmVersion":1,"roa":[]}"#, "hello", "10.0.0.0/8,24,AS1\n", "<html>", "# x\n"]
    {
        assert!(matches!(read(text), Err(VrpFileError::NotVrps)), "{text:?}: {:?}", read(text));
    }
    for text in [
        "{",
        r#"{"roas":[{"asn":1,"prefix":"10.0.0.0/8"}"#,
        r#"{"roas":{}}"#,
        r#"{"roas":[]} x"#,
        "{\"\\ud800\":1}",
    ] {
        assert!(matches!(read(text), Err(VrpFileError::Json(_))), "{text:?}: {:?}", read(text));
    }
}

/// Fewer VRPs let more in, so a file that breaks off after some is not taken for a small one.
#[test]
fn a_file_that_breaks_off_is_refused_wherever_it_does() {
    let whole = r#"{"roas":[{"asn":1,"prefix":"10.0.0.0/8","maxLength":8},{"asn":1,"prefix":"11.0.0.0/8"}]}"#;
    assert_eq!(read(whole).unwrap().vrps.len(), 2);
    for end in 0..whole.len() {
        assert!(read(&whole[..end]).is_err(), "{}", &whole[..end]);
    }
}

#[test]
fn an_empty_set_is_refused_unless_it_is_expected() {
    for text in [r#"{"roas":[]}"#, r#"{"roas":[null]}"#, "ASN,IP Prefix,Max Length\n"] {
        assert!(matches!(read(text), Err(VrpFileError::Empty(_))), "{text}");
        assert!(VrpFile::read(text.as_bytes(), EmptySet::Accept).unwrap().vrps.is_empty(), "{text}");
    }
}

#[test]
fn deep_nesting_is_an_error_or_passed_over_never_a_crash() {
    let deep = "[".repeat(200_000);
    for text in [
        deep.clone(),
        format!(r#"{{"a":{deep}"#),
        format!(r#"{{"roas":[{deep}"#),
        format!(r#"{{"roas":[{{"asn":{deep}"#),
    ] {
        assert!(read(&text).is_err());
    }
}

#[test]
fn a_reader_that_fails_is_not_taken_for_an_end() {
    struct Broken;
    impl Read for Broken {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::Error::other("gone"))
        }
    }
    for head in
        [r#"{"roas":[{"asn":1,"prefix":"10.0.0.0/8"},"#, "ASN,IP Prefix,Max Length\nAS1,10.0.0.0/8,8\n", " "]
    {
        let result = VrpFile::read(head.as_bytes().chain(Broken), EmptySet::Refuse);
        assert!(matches!(result, Err(VrpFileError::Io(_))), "{head}: {result:?}");
    }
}

/// Takes some seconds where it is not optimized: the bound is on what comes out of a decompressor.
#[test]
#[ignore = "reads 2 GiB"]
fn an_endless_input_ends_at_the_bound() {
    let endless = r#"{"a":1,"#.as_bytes().chain(io::repeat(b' '));
    let result = VrpFile::read(endless, EmptySet::Refuse);
    assert!(
        matches!(&result, Err(VrpFileError::Io(error)) if error.to_string().contains(&MAX_OCTETS.to_string()))
    );
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_input_makes_it_panic(octets: Vec<u8>) {
        for head in ["", "{\"roas\":[", "{\"roas\":[{\"asn\":", "ASN,IP Prefix,Max Length\n"] {
            let input = head.as_bytes().chain(octets.as_slice());
            let _ = VrpFile::read(input, EmptySet::Accept);
        }
    }

    #[test]
    fn a_damaged_file_is_refused_or_read_in_part(at in 0usize..150, octet: u8) {
        let mut file = br#"{"roas":[{"asn":"AS1","prefix":"10.0.0.0/8","maxLength":8},{"asn":1,"prefix":"11.0.0.0/8","maxLength":24}]}"#.to_vec();
        let at = at % file.len();
        file[at] = octet;
        if let Ok(file) = VrpFile::read(file.as_slice(), EmptySet::Accept) {
            prop_assert!(file.vrps.len() as u64 + file.malformed.count <= 2);
        }
    }
}

#[test]
fn real_files_are_read_to_the_last_entry() {
    for (file, vrps, malformed) in [
        ("rpki/routinator.lacnic.20240101.output.json", 25_000, 0),
        ("rpki/stayrtr.test.rpki.json", 19, 0),
        // Two entries of AS `AS`, and one without a prefix.
        ("rpki/dn42.export_dn42.json", 3309, 3),
        ("rpki/ripe-archive.afrinic.roas.csv", 4000, 0),
    ] {
        let Some(path) = real_data(file) else { continue };
        let input = BufReader::new(File::open(path).unwrap());
        let read = VrpFile::read(input, EmptySet::Refuse).unwrap();
        assert!(read.vrps.len() >= vrps, "{file}: {} VRPs", read.vrps.len());
        assert_eq!(read.malformed.count, malformed, "{file}: {}", read.malformed);
    }
    let Some(slurm) = real_data("rpki/dn42.export_rfc8416_dn42.json") else { return };
    let result = VrpFile::read(File::open(slurm).unwrap(), EmptySet::Refuse);
    assert!(matches!(result, Err(VrpFileError::NotVrps)), "a SLURM file is no list of VRPs: {result:?}");
}
