//! The sample is the same for the same seed, small, and as it says it is.

use super::*;

#[test]
fn a_seed_gives_the_same_octets_and_another_gives_others() {
    let (one, same, other) = (Sample::generate(1), Sample::generate(1), Sample::generate(2));
    assert_eq!((&one.vrps_json, &one.rpsl), (&same.vrps_json, &same.rpsl));
    assert!(one.peers.iter().zip(&same.peers).all(|(a, b)| a.mrt == b.mrt && a.truth == b.truth));
    assert_ne!(one.peers[0].mrt, other.peers[0].mrt);
}

#[test]
fn it_is_some_hundred_kilobytes_with_every_reason_in_it() {
    for seed in 1..6 {
        let sample = Sample::generate(seed);
        let octets = sample.vrps_json.len() + sample.rpsl.len();
        let octets = octets + sample.peers.iter().map(|peer| peer.mrt.len()).sum::<usize>();
        assert!((300_000..800_000).contains(&octets), "{octets}");
        let refused =
            |reason: &Reason| sample.peers.iter().any(|peer| peer.truth.refused.contains_key(reason));
        assert!(sample.reachable().len() > 1000);
        let missing: Vec<_> = Reason::ALL.iter().filter(|reason| !refused(reason)).collect();
        // The sample has no peer without a role, no session with long messages, no internal peer, and brings neither ASPAs nor
        // PeeringDB's word.
        use Reason::{AspaInvalid, AttributesTooLarge, NeverViaRs, NoPolicy, ReflectionLoop};
        let expected = [&NoPolicy, &AttributesTooLarge, &NeverViaRs, &AspaInvalid, &ReflectionLoop];
        assert_eq!(missing, expected, "seed {seed}");
        for peer in &sample.peers {
            let truth = &peer.truth;
            assert_eq!(truth.rov.iter().sum::<u64>(), truth.announcements, "{}", peer.name);
            let accepted = truth.held_accepted.len() as u64;
            assert!(accepted > 0 && accepted < truth.held, "{} {truth:?}", peer.name);
            let accepted = truth.announcements - truth.refused.values().sum::<u64>();
            assert!(accepted > truth.announcements / 2, "{} {truth:?}", peer.name);
        }
    }
}
