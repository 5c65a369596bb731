//! Prefixes under which new tables may say otherwise: what lies there waits to be judged again.
//!
//! The newest tables judge it, whichever change had it listed, so that overlapping changes lose nothing. It is done a slice at
//! a time between what peers say.

use std::collections::VecDeque;

use palisade_bgp::prefix::{Address, Net};

/// Prefixes whose subtrees are to be judged again, in the order they were listed.
#[derive(Debug)]
pub(crate) struct Touched<A: Address> {
    nets: VecDeque<Net<A>>,
    /// How far that has come under the first of them.
    judged: Option<Net<A>>,
}

impl<A: Address> Default for Touched<A> {
    fn default() -> Self {
        Touched { nets: VecDeque::new(), judged: None }
    }
}

impl<A: Address> Touched<A> {
    /// Lists more prefixes. Where that makes more than the table has entries, all of it is judged instead, which is less
    /// work and keeps the list from growing without end.
    pub(crate) fn extend(&mut self, nets: impl Iterator<Item = Net<A>>, entries: usize) {
        let room = (entries + 1).saturating_sub(self.nets.len());
        let mut nets = nets.fuse();
        self.nets.extend(nets.by_ref().take(room));
        if nets.next().is_some() {
            self.nets = VecDeque::from([Net::DEFAULT]);
            self.judged = None;
        }
    }

    /// Whether nothing is left.
    pub(crate) fn is_empty(&self) -> bool {
        self.nets.is_empty()
    }

    /// The subtree to go on with, and the prefix after which to do so.
    pub(crate) fn next(&self) -> Option<(Net<A>, Option<Net<A>>)> {
        self.nets.front().map(|net| (*net, self.judged))
    }

    /// Notes how far the subtree was judged: up to a prefix, or all of it.
    pub(crate) fn judged(&mut self, up_to: Option<Net<A>>) {
        self.judged = up_to;
        if up_to.is_none() {
            self.nets.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_longer_than_the_table_is_the_whole_table() {
        let net = |at: u32| Net::new(at << 8, 24);
        let mut touched = Touched::default();
        touched.extend((0..10).map(net), 10);
        assert_eq!(touched.next(), Some((net(0), None)));
        touched.judged(Some(net(0)));
        touched.extend((0..1).map(net), 10);
        assert_eq!(touched.next(), Some((net(0), Some(net(0)))));
        touched.extend((0..1).map(net), 10);
        assert_eq!(touched.next(), Some((Net::DEFAULT, None)), "from its beginning");
        touched.judged(None);
        assert!(touched.is_empty());
    }
}
