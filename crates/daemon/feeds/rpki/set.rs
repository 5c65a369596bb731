//! What one source says: VRPs and ASPAs, each as an index that is shared and never changed.

use std::sync::Arc;

use palisade_policy::{Aspa, AspaIndex, RovIndex, Vrp};

/// VRPs and ASPAs. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub(crate) struct RpkiSet {
    /// The VRPs.
    pub(crate) rov: Arc<RovIndex>,
    /// The ASPAs.
    pub(crate) aspa: Arc<AspaIndex>,
}

impl RpkiSet {
    /// The set of these, made from this one: where little is different, most is shared. What is equal stays the very
    /// same.
    pub(crate) fn replaced(&self, vrps: Vec<Vrp>, aspas: Vec<Aspa>) -> RpkiSet {
        let rov = self.rov.replaced(vrps);
        let is_same =
            self.rov.difference(&rov).is_some_and(|(come, gone)| come.is_empty() && gone.is_empty());
        let rov = if is_same { Arc::clone(&self.rov) } else { Arc::new(rov) };
        RpkiSet { rov, aspa: unless_equal(&self.aspa, AspaIndex::build(aspas)) }
    }
}

/// `new`, or `old` itself where they are equal: then nothing has to be judged again.
pub(super) fn unless_equal(old: &Arc<AspaIndex>, new: AspaIndex) -> Arc<AspaIndex> {
    if old.changed(&new).is_empty() { Arc::clone(old) } else { Arc::new(new) }
}
