//! What one path's communities ask for, and what that comes to for each member.

use palisade_bgp::Asn;

use super::{Region, Whom, Wish};

/// How many times one path may name somebody: more than the members of any exchange. One that does it more often is
/// withheld from all.
pub const MAX_NAMED: usize = 1024;

/// How a path is treated towards one member. What is withheld is treated in one way alone: nothing is prepended to it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Treatment {
    /// Whether it is not announced.
    pub withheld: bool,
    /// How many times more the announcing member's AS begins the path, 0 to 3.
    pub prepend: u8,
    /// Whether it is announced with NO_EXPORT (RFC 1997).
    pub no_export: bool,
}

impl Treatment {
    /// Not announced.
    pub const WITHHELD: Treatment = Treatment { withheld: true, prepend: 0, no_export: false };
}

/// What one path's communities ask for. The rules by which wishes that differ come to one treatment stand at the head of
/// [the module](super).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wishes {
    all: Level,
    /// By AS number, each once.
    peers: Box<[(Asn, Level)]>,
    /// By number, each once.
    regions: Box<[(Region, Level)]>,
}

/// What is asked for at one level: of a peer, of a region, or of all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Level {
    announce: bool,
    withhold: bool,
    prepend: u8,
    no_export: bool,
}

impl Level {
    fn take(&mut self, wish: Wish) {
        match wish {
            Wish::Announce => self.announce = true,
            Wish::DoNotAnnounce => self.withhold = true,
            Wish::PrependOnce => self.prepend = self.prepend.max(1),
            Wish::PrependTwice => self.prepend = self.prepend.max(2),
            Wish::PrependThrice => self.prepend = self.prepend.max(3),
            Wish::NoExport => self.no_export = true,
        }
    }

    fn merge(&mut self, other: Level) {
        self.announce |= other.announce;
        self.withhold |= other.withhold;
        self.prepend = self.prepend.max(other.prepend);
        self.no_export |= other.no_export;
    }

    /// Whether the path is withheld at this level; `None` where the level doesn't say.
    fn withheld(self) -> Option<bool> {
        (self.announce || self.withhold).then_some(self.withhold)
    }
}

impl Wishes {
    /// How the path is treated towards a member that nothing names.
    pub fn towards_all(&self) -> Treatment {
        treatment([self.all])
    }

    /// How it is treated towards a member of that AS, which is in those regions.
    pub fn towards(&self, asn: Asn, regions: &[Region]) -> Treatment {
        let mut of_regions = Level::default();
        for region in regions {
            of_regions.merge(level_of(&self.regions, *region));
        }
        treatment([level_of(&self.peers, asn), of_regions, self.all])
    }

    /// The AS numbers whose members may be treated unlike the rest, in order and each once.
    pub fn named_peers(&self) -> impl ExactSizeIterator<Item = Asn> {
        self.peers.iter().map(|(asn, _)| *asn)
    }

    /// The regions whose members may be treated unlike the rest, in order and each once.
    pub fn named_regions(&self) -> impl ExactSizeIterator<Item = Region> {
        self.regions.iter().map(|(region, _)| *region)
    }
}

/// What the levels that are about a member, the narrowest first, come to.
fn treatment<const LEVELS: usize>(levels: [Level; LEVELS]) -> Treatment {
    if levels.iter().find_map(|level| level.withheld()) == Some(true) {
        return Treatment::WITHHELD;
    }
    Treatment {
        withheld: false,
        prepend: levels.iter().map(|level| level.prepend).find(|prepend| *prepend > 0).unwrap_or(0),
        no_export: levels.iter().any(|level| level.no_export),
    }
}

fn level_of<T: Ord>(named: &[(T, Level)], name: T) -> Level {
    let at = named.binary_search_by(|(other, _)| other.cmp(&name));
    at.ok().and_then(|at| named.get(at)).map_or(Level::default(), |(_, level)| *level)
}

/// Wishes while communities are read.
#[derive(Debug, Default)]
pub(super) struct Draft {
    all: Level,
    peers: Vec<(Asn, Level)>,
    regions: Vec<(Region, Level)>,
    /// Whether more were named than may be.
    overflowed: bool,
}

impl Draft {
    /// One more wish. `named` is whom it names; 0 names nobody, and nothing is asked for.
    pub(super) fn take(&mut self, wish: Wish, whom: Whom, named: u32) {
        let mut level = Level::default();
        level.take(wish);
        match whom {
            Whom::All => self.all.merge(level),
            _ if named == 0 => {}
            _ if self.peers.len() + self.regions.len() == MAX_NAMED => self.overflowed = true,
            Whom::Peer => self.peers.push((Asn(named), level)),
            Whom::Region => self.regions.push((Region(named), level)),
        }
    }

    /// What they come to; `None` where that is nothing.
    pub(super) fn settle(mut self) -> Option<Wishes> {
        if self.overflowed {
            let all = Level { withhold: true, ..Level::default() };
            return Some(Wishes { all, peers: Box::default(), regions: Box::default() });
        }
        // "Announce to" that has nothing to undo asks for nothing.
        let all_withheld = self.all.withhold;
        let any_withheld = all_withheld || self.regions.iter().any(|(_, level)| level.withhold);
        self.all.announce = false;
        let peers = settled(self.peers, any_withheld);
        let regions = settled(self.regions, all_withheld);
        let nothing = self.all == Level::default() && peers.is_empty() && regions.is_empty();
        (!nothing).then_some(Wishes { all: self.all, peers, regions })
    }
}

/// The levels of each name together, in order, without those that ask for nothing: "announce" does only where that undoes
/// something.
fn settled<T: Ord + Copy>(mut named: Vec<(T, Level)>, announce_undoes: bool) -> Box<[(T, Level)]> {
    named.sort_unstable_by_key(|(name, _)| *name);
    named.dedup_by(|(name, level), (kept, merged)| {
        let same = name == kept;
        if same {
            merged.merge(*level);
        }
        same
    });
    for (_, level) in &mut named {
        level.announce &= announce_undoes;
    }
    named.retain(|(_, level)| *level != Level::default());
    named.into()
}
