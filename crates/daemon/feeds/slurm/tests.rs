//! SLURM as it is met, and what is refused.

#![allow(clippy::unwrap_used, reason = "test code fails by panicking")]

use super::*;

fn slurm(filters: &str, assertions: &str) -> String {
    format!(
        r#"{{"slurmVersion":2,"validationOutputFilters":{{"prefixFilters":[],"bgpsecFilters":[{{"SKI":"x"}}]{filters}}},
            "locallyAddedAssertions":{{"bgpsecAssertions":[]{assertions}}}}}"#
    )
}

fn read(text: &str) -> Result<SlurmFile, SlurmError> {
    SlurmFile::read(text.as_bytes())
}

fn version_1(filters: &str, assertions: &str) -> SlurmFile {
    let text = format!(
        r#"{{"slurmVersion":1,"validationOutputFilters":{{"prefixFilters":[{filters}]}},
            "locallyAddedAssertions":{{"prefixAssertions":[{assertions}]}}}}"#
    );
    read(&text).unwrap()
}

fn vrp(prefix: &str, max_length: u8, asn: u32) -> Vrp {
    Vrp::new(prefix.parse().unwrap(), max_length, Asn(asn)).unwrap()
}

fn together(files: &[SlurmFile]) -> Result<Slurm, SlurmError> {
    let names: Vec<PathBuf> = (0..files.len()).map(|at| format!("{at}.json").into()).collect();
    Slurm::of(names.iter().map(PathBuf::as_path).zip(files))
}

#[test]
fn filters_drop_what_matches_all_that_they_name() {
    let file = version_1(
        r#"{"prefix":"192.0.2.0/24","comment":"under it"},{"asn":64496},{"prefix":"198.51.100.0/24","asn":64497}"#,
        "",
    );
    let slurm = together(&[file]).unwrap();
    for (vrp, drops) in [
        (vrp("192.0.2.0/24", 24, 1), true),
        (vrp("192.0.2.128/25", 32, 1), true),
        (vrp("192.0.0.0/16", 24, 1), false),
        (vrp("10.0.0.0/8", 8, 64496), true),
        (vrp("198.51.100.0/25", 25, 64497), true),
        (vrp("198.51.100.0/25", 25, 64498), false),
        (vrp("198.51.0.0/16", 25, 64497), false),
        (vrp("2001:db8::/32", 48, 64497), false),
    ] {
        assert_eq!(slurm.drops(vrp), drops, "{vrp}");
    }
    assert!(!slurm.leaves_vrps() && slurm.leaves_aspas());
}

#[test]
fn assertions_of_both_kinds_are_read_under_every_name() {
    for (customer, providers) in
        [("customerAsn", "providerAsns"), ("customerAsid", "providers"), ("customerAsid", "providerSet")]
    {
        let text = slurm(
            &format!(r#","aspaFilters":[{{"{customer}":64496,"comment":"x"}}]"#),
            &format!(
                r#","prefixAssertions":[{{"asn":64496,"prefix":"2001:DB8::/32","maxPrefixLength":48,"source":"DN42"}}],
                   "aspaAssertions":[{{"{customer}":64496,"{providers}":[64498,64497]}}]"#
            ),
        );
        let slurm = together(&[read(&text).unwrap()]).unwrap();
        assert!(
            slurm.asserts(vrp("2001:db8::/32", 48, 64496)) && !slurm.asserts(vrp("2001:db8::/32", 32, 64496))
        );
        assert!(slurm.drops_aspa(Asn(64496)) && !slurm.drops_aspa(Asn(64497)));
        let aspas: Vec<&Aspa> = slurm.aspas().collect();
        assert_eq!((aspas.len(), aspas[0].providers.len()), (1, 2));
    }
}

#[test]
fn what_is_not_slurm_is_refused() {
    let version = |version: &str| {
        format!(
            r#"{{"slurmVersion":{version},"validationOutputFilters":{{}},"locallyAddedAssertions":{{}}}}"#
        )
    };
    let v1 = |text: &str| slurm(text, "").replace("\"slurmVersion\":2", "\"slurmVersion\":1");
    for (text, told) in [
        (String::new(), "not SLURM (RFC 8416): EOF"),
        ("[]".into(), "not SLURM (RFC 8416): invalid length"),
        (r#"{"roas":[]}"#.into(), "not SLURM (RFC 8416): unknown field `roas`"),
        (version("3"), "slurmVersion is 3"),
        (version("\"1\""), "not SLURM (RFC 8416): invalid type"),
        (v1(r#","aspaFilters":[]"#), "slurmVersion is 1, which has no aspaFilters"),
        (slurm(r#","aspaFilter":[]"#, ""), "not SLURM (RFC 8416): unknown field `aspaFilter`"),
        (slurm(r#","aspaFilters":[{"asn":1}]"#, ""), "not SLURM (RFC 8416): unknown field `asn`"),
        (
            slurm("", r#","prefixAssertions":[{"asn":1,"prefix":"10.0.0.1/8"}]"#),
            "prefixAssertions, entry 1: `10.0.0.1/8` is no prefix",
        ),
        (
            slurm("", r#","prefixAssertions":[{"asn":1,"prefix":"10.0.0.0/8","maxPrefixLength":7}]"#),
            "prefixAssertions, entry 1: maxLength 7 is shorter",
        ),
        (
            slurm("", r#","aspaAssertions":[{"customerAsn":1,"providerAsns":[]}]"#),
            "aspaAssertions, entry 1: 0 prov",
        ),
        (
            slurm("", "").replace(r#""prefixFilters":[]"#, r#""prefixFilters":[{"asn":1},{"comment":"x"}]"#),
            "prefixFilters, entry 2: neither prefix nor asn",
        ),
        (
            slurm("", "")
                .replace(r#""prefixFilters":[]"#, r#""prefixFilters":[{"asn":1,"maxPrefixLength":8}]"#),
            "not SLURM (RFC 8416): unknown field `maxPrefixLength`",
        ),
    ] {
        let fault = read(&text).unwrap_err().to_string();
        assert!(fault.starts_with(told), "{text}: {fault}");
    }
}

#[test]
fn files_that_speak_of_the_same_are_refused_together() {
    let asserted = |prefix: &str| version_1("", &format!(r#"{{"asn":1,"prefix":"{prefix}"}}"#));
    let filtered = |prefix: &str| version_1(&format!(r#"{{"prefix":"{prefix}"}}"#), "");
    for (one, other, conflicts) in [
        (asserted("10.0.0.0/8"), asserted("11.0.0.0/8"), false),
        (asserted("10.0.0.0/8"), asserted("10.0.0.0/8"), true),
        (asserted("10.0.0.0/8"), filtered("10.1.0.0/16"), true),
        (filtered("10.1.0.0/16"), asserted("10.0.0.0/8"), true),
        (filtered("10.1.0.0/16"), asserted("10.2.0.0/16"), false),
    ] {
        let told = together(&[one, other]).map(|_| ()).map_err(|fault| fault.to_string());
        assert_eq!(told.is_err(), conflicts, "{told:?}");
    }
    let within = version_1("", r#"{"asn":1,"prefix":"10.0.0.0/8"},{"asn":1,"prefix":"10.1.0.0/16"}"#);
    assert!(together(&[within]).is_ok(), "one file knows what it says");
    let aspa = || read(&slurm("", r#","aspaAssertions":[{"customerAsn":1,"providerAsns":[2]}]"#)).unwrap();
    assert_eq!(
        together(&[aspa(), aspa()]).unwrap_err().to_string(),
        "0.json and 1.json both speak of the ASPA of AS1: neither is used (RFC 8416 s4.2)"
    );
}

#[test]
fn real_files_are_read() {
    let folder = std::env::var_os("PALISADE_REAL_DATA").map_or("../shared/data".into(), PathBuf::from);
    if !folder.exists() {
        println!("skipped: real_files_are_read: no real data here (PALISADE_REAL_DATA)");
        return;
    }
    for (name, entries) in
        [("slurm.rpki-rs.full.json", 5), ("slurm.rpki-rs.full_v2.json", 7), ("slurm.stayrtr.json", 5)]
    {
        let file = SlurmFile::open(&folder.join("rpki").join(name)).unwrap();
        assert_eq!(file.len(), entries, "{name}");
    }
    // Of its 3,312 assertions one has no prefix.
    let refused = SlurmFile::open(&folder.join("rpki/dn42.export_rfc8416_dn42.json")).unwrap_err();
    assert!(refused.to_string().contains("invalid type: null"), "{refused}");
}
