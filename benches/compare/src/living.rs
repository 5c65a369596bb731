//! VRPs change while two full tables are held: how long it takes until the listener is told of what comes of it.
//!
//! ```text
//!   player --- which VRP ---> cache --- Serial Notify, End of Data ---> daemon
//!      ^                                                                  |
//!      +---- listener's table, beside what it should be now --- UPDATE ---+
//! ```
//!
//! What should come of a change is computed and expected before the cache is told of it. A change is seen when the listener's
//! table is exactly right again: since one prefix is touched, at the UPDATE that says so.

use std::time::{Duration, Instant};

use crate::cache::{Cache, Told, VrpSet};
use crate::lone::{Lone, Turn};
use crate::member;
use crate::oracle::{Oracle, Rigor};
use crate::phase::Step;
use crate::problem::Problem;
use crate::random::Random;
use crate::run::Stage;
use crate::table::Table;
use crate::vrps::{Vrp, Vrps};
use crate::watch::{Changing, Watch};

/// How long a daemon may take to ask the cache for everything.
const TO_ASK: Duration = Duration::from_secs(60);
/// How long it may then take to put it into use, before its sessions come up.
const TO_SETTLE: Duration = Duration::from_secs(12);
/// Time between one change that was seen and the next.
const PAUSE: Duration = Duration::from_millis(200);
/// Changes of a burst, and the time between them.
const BURST: usize = 100;
const BURST_EVERY: Duration = Duration::from_millis(5);
/// Every so manieth VRP is replaced.
const REPLACED: u64 = 3;

/// The VRPs that a daemon judges by, and who tells it of them.
pub(crate) struct Living<'a> {
    table: &'a Table,
    vrps: Vrps,
    cache: Cache,
    lone: Lone<'a>,
    changes: usize,
}

impl<'a> Living<'a> {
    /// Serves VRPs on the ground that the calling thread has entered, for so many single changes.
    pub(crate) fn new(table: &'a Table, vrps: &Vrps, changes: usize) -> Result<Self, Problem> {
        let cache = Cache::start((member::CACHE, member::CACHE_PORT), vrps.iter().collect())?;
        Ok(Living { table, vrps: vrps.clone(), cache, lone: Lone::new(table, vrps), changes })
    }

    fn single(&mut self, stage: &mut Stage<'_>) -> Result<bool, Problem> {
        let mut watch = Watch::begin("single", stage);
        for turn in self.lone.turns(self.changes) {
            self.expect(turn, stage);
            let told = self.cache.change(vec![(turn.vrp, turn.comes)]);
            watch.one(told.at, || self.cache.served_at(told.serial), stage)?;
            if watch.is_hopeless() {
                break;
            }
            stage.player.wait(PAUSE)?;
        }
        watch.finish(stage)
    }

    fn burst(&mut self, stage: &mut Stage<'_>) -> Result<bool, Problem> {
        let turns = self.lone.mixed_turns(BURST);
        turns.iter().for_each(|turn| self.expect(*turn, stage));
        let mut watch = Watch::begin("burst", stage);
        let mut last = None;
        for (turn, n) in turns.iter().zip(0..) {
            let due = watch.began() + BURST_EVERY * n;
            stage.player.wait(due.saturating_duration_since(Instant::now()))?;
            last = Some(self.cache.change(vec![(turn.vrp, turn.comes)]));
        }
        if let Some(told) = last {
            watch.all(told.at, || self.cache.served_at(told.serial), stage)?;
        }
        watch.finish(stage)
    }

    /// A third of the VRPs have another origin, which the cache tells VRP by VRP.
    fn replace(&mut self, stage: &mut Stage<'_>) -> Result<bool, Problem> {
        let (old, mut new) = (self.vrps.clone(), self.vrps.clone());
        let replaced: Vec<Vrp> = old.iter().filter(|vrp| hash(*vrp).is_multiple_of(REPLACED)).collect();
        replaced.iter().for_each(|vrp| new.set(*vrp, false));
        replaced.iter().for_each(|vrp| new.set(Vrp { asn: vrp.asn.wrapping_add(1), ..*vrp }, true));
        let [before, after]: [VrpSet; 2] = [&old, &new].map(|vrps| vrps.iter().collect());
        let gone = before.difference(&after).map(|vrp| (*vrp, false));
        let delta = gone.chain(after.difference(&before).map(|vrp| (*vrp, true))).collect();
        self.all_are("replace", &new, |cache| cache.change(delta), stage)
    }

    /// The VRPs from before, which the cache has the daemon ask for as a whole.
    fn replace_back(&mut self, stage: &mut Stage<'_>) -> Result<bool, Problem> {
        let set = self.vrps.iter().collect();
        self.all_are("replace-back", &self.vrps, |cache| cache.replace(set), stage)
    }

    fn all_are(
        &self,
        phase: &'static str,
        vrps: &Vrps,
        tell: impl FnOnce(&Cache) -> Told,
        stage: &mut Stage<'_>,
    ) -> Result<bool, Problem> {
        let oracle = Oracle::new(stage.play.load, self.table, Some(vrps), Rigor::Exact);
        stage.player.begin(oracle.expectation(self.table, &stage.everyone), false);
        let mut watch = Watch::begin(phase, stage);
        let told = tell(&self.cache);
        watch.all(told.at, || self.cache.served_at(told.serial), stage)?;
        watch.finish(stage)
    }

    fn expect(&mut self, turn: Turn, stage: &mut Stage<'_>) {
        self.vrps.set(turn.vrp, turn.comes);
        let best = self.lone.best(turn.place, &self.vrps);
        stage.player.expect_at(stage.play.load.senders, turn.place, best);
    }
}

impl Changing for Living<'_> {
    fn until_served(&self, name: &str) -> Result<(), Problem> {
        if self.cache.wait_for(0, TO_ASK).is_none() {
            let said =
                self.cache.complaint().map_or(String::new(), |code| format!(" and complained ({code})"));
            return Err(Problem::Daemon(format!("{name} took no VRPs{said}")));
        }
        std::thread::sleep(TO_SETTLE);
        Ok(())
    }

    fn play(&mut self, step: Step, stage: &mut Stage<'_>) -> Result<bool, Problem> {
        match step {
            Step::Single => self.single(stage),
            Step::Burst => self.burst(stage),
            Step::Replace => Ok(self.replace(stage)? && self.replace_back(stage)?),
            _ => Ok(true),
        }
    }
}

/// A number that is the same every time and has nothing to do with where a VRP stands.
fn hash(vrp: Vrp) -> u64 {
    let lengths = u64::from(vrp.max_length) << 56 ^ u64::from(vrp.prefix.len) << 48;
    Random::new(vrp.prefix.bits ^ u64::from(vrp.asn) ^ lengths).number()
}
