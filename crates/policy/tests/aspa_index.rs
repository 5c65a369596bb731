//! The index of ASPAs: what comes twice, what is amended, and what differs.

use palisade_bgp::Asn;
use palisade_policy::{Aspa, AspaIndex, OriginSet};

fn providers(asns: &[u32]) -> OriginSet {
    asns.iter().copied().map(Asn).collect()
}

fn aspa(customer: u32, asns: &[u32]) -> Aspa {
    Aspa { customer: Asn(customer), providers: providers(asns) }
}

#[test]
fn a_customer_that_comes_twice_has_the_providers_of_both() {
    let index = AspaIndex::build([aspa(1, &[3, 2]), aspa(1, &[4]), aspa(5, &[0])]);
    assert_eq!((index.len(), index.providers(Asn(1))), (2, Some(&providers(&[2, 3, 4]))));
}

#[test]
fn an_amended_index_is_the_old_one_but_for_what_was_amended() {
    let old = AspaIndex::build([aspa(1, &[2]), aspa(3, &[4]), aspa(5, &[6])]);
    let changes =
        [(Asn(1), Some(providers(&[7]))), (Asn(3), None), (Asn(8), Some(providers(&[9]))), (Asn(99), None)];
    let new = old.amended(changes);
    assert_eq!(new.providers(Asn(1)), Some(&providers(&[7])));
    assert_eq!(new.providers(Asn(3)), None);
    assert_eq!(new.providers(Asn(5)), old.providers(Asn(5)));
    assert_eq!(old.changed(&new), providers(&[1, 3, 8]));
    assert_eq!(old.len(), 3, "the old one stays as it was");
}
