//! The sample through the judge: what its maker knows is what replay counts.

use super::*;
use crate::config::Config;

use crate::judging::{self, Tables};
use crate::sample::{Sample, Truth};

fn count(sample: &Sample, folder: &std::path::Path) -> Vec<Truth> {
    sample.write_to(folder).unwrap();
    let config = Config::load(&folder.join("palisade.toml")).unwrap();
    let Tables { snapshot, warnings, .. } = judging::tables(&config).unwrap();
    assert!(warnings.is_empty(), "{warnings:?}");
    let count = |name: &str| {
        let mut judging = Judging::new(&snapshot, Roster::new(Some(&config), &snapshot), None);
        let input = Input::open(&folder.join(name).with_extension("mrt")).unwrap();
        let mut reader = Reader::new();
        reader.read(input, &mut judging);
        assert_eq!(
            (judging.tally.damaged, judging.tally.unusable, judging.tally.faulty),
            (0, 0, 0),
            "{name}"
        );
        let refused = judging.tally.rejected.iter().map(|(reason, count)| (reason, *count));
        Truth {
            announcements: judging.tally.announcements,
            withdrawals: judging.tally.withdrawals,
            refused: refused.filter(|(_, count)| *count > 0).collect(),
            rov: judging.tally.rov,
            ..Truth::default()
        }
    };
    sample.peers.iter().map(|peer| count(peer.name)).collect()
}

#[test]
fn the_judge_finds_in_the_sample_what_its_maker_put_there() {
    for seed in [1, 2, 3, 2026, u64::MAX] {
        let sample = Sample::generate(seed);
        let folder = tempfile::tempdir().unwrap();
        for (peer, counted) in sample.peers.iter().zip(count(&sample, folder.path())) {
            let Truth { held, held_accepted, .. } = peer.truth.clone();
            let counted = Truth { held, held_accepted, ..counted };
            assert_eq!(counted, peer.truth, "seed {seed}, {}", peer.name);
        }
    }
}
