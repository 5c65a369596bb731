//! What came of a test: what differs from what must be, and why the route is as it is.

use serde::Serialize;
use toml::Spanned;

use super::case::{Case, Expected};
use crate::explain::explanation::{AnnouncementFacts, Explanation};

/// What came of a test.
#[derive(Debug, Serialize)]
pub(super) struct Outcome {
    pub(super) name: String,
    pub(super) ok: bool,
    /// What differs; empty where the test holds.
    pub(super) differences: Vec<Difference>,
    /// Why the route is as it is, where the test fails.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) explanation: Option<Explanation>,
}

/// Something that must be, and is not.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(super) struct Difference {
    /// The key of the expectation.
    pub(super) key: &'static str,
    pub(super) expected: String,
    pub(super) found: String,
}

impl Outcome {
    pub(super) fn new(case: &Case, explanation: Explanation) -> Self {
        let differences = differences(&case.expected, &explanation);
        let ok = differences.is_empty();
        let explanation = (!ok).then_some(explanation);
        Outcome { name: case.name.clone(), ok, differences, explanation }
    }
}

fn differences(expected: &Expected, found: &Explanation) -> Vec<Difference> {
    let mut comparison = Comparison(Vec::new());
    comparison.verdict(expected, found);
    // Of what is refused and should not be, nothing else is to be said.
    if found.accepted {
        comparison.attributes(expected, found);
        comparison.exports(expected, found);
    }
    comparison.0
}

struct Comparison(Vec<Difference>);

impl Comparison {
    fn same(&mut self, key: &'static str, expected: Option<String>, found: Option<String>) {
        if let Some(expected) = expected
            && found.as_ref() != Some(&expected)
        {
            self.0.push(Difference { key, expected, found: found.unwrap_or_else(|| NONE.into()) });
        }
    }

    fn verdict(&mut self, expected: &Expected, found: &Explanation) {
        let word = |accepted: bool| if accepted { "accepted" } else { "rejected" };
        let slug = |written: &Option<Spanned<String>>| written.as_ref().map(|slug| slug.get_ref().clone());
        self.same("accept", expected.accept().map(|it| word(it).into()), Some(word(found.accepted).into()));
        self.same("reason", slug(&expected.reason), found.reason.clone());
        self.same("observed", slug(&expected.observed), found.observed.clone());
        let rpki = expected.rpki.map(|state| state.slug().into());
        self.same("rpki", rpki, Some(found.rpki.state.clone()));
    }

    fn attributes(&mut self, expected: &Expected, found: &Explanation) {
        let after = after_import(found);
        let preference = found.table.as_ref().and_then(|table| table.local_preference);
        let number = |value: Option<u32>| value.map(|value| value.to_string());
        self.same("local_preference", number(expected.local_preference), number(preference));
        self.same("med", number(expected.med), number(after.med));
        self.same("next_hop", expected.next_hop.map(|it| it.to_string()), after.next_hop.clone());
        self.same("as_path", expected.as_path.clone(), Some(after.as_path.clone()));
        if let Some(expected) = &expected.communities {
            let all = [&after.communities, &after.large_communities, &after.extended_communities];
            let found = all.into_iter().flatten().cloned().collect();
            self.same("communities", Some(sorted(expected.clone())), Some(sorted(found)));
        }
    }

    fn exports(&mut self, expected: &Expected, found: &Explanation) {
        let exports = found.table.iter().flat_map(|table| &table.exports);
        let exports: Vec<_> = exports.collect();
        for (key, peers, wanted) in [
            ("exported_to", &expected.exported_to, true),
            ("not_exported_to", &expected.not_exported_to, false),
        ] {
            for peer in peers.iter().map(Spanned::get_ref) {
                let export = exports.iter().find(|export| export.peer == *peer);
                let is_sent = export.is_some_and(|export| export.sent);
                if is_sent != wanted {
                    let why = export.and_then(|export| export.because.clone());
                    let why =
                        why.unwrap_or_else(|| if is_sent { "it is sent it" } else { "it is not" }.into());
                    self.0.push(Difference { key, expected: peer.clone(), found: why });
                }
            }
        }
    }
}

const NONE: &str = "none";

/// What the table holds: what was received, unless import has changed it.
fn after_import(found: &Explanation) -> &AnnouncementFacts {
    let becomes = found.import.as_ref().and_then(|import| import.becomes.as_ref());
    becomes.unwrap_or(&found.announcement)
}

fn sorted(mut communities: Vec<String>) -> String {
    communities.sort();
    if communities.is_empty() { NONE.into() } else { communities.join(" ") }
}
