//! Route objects and as-sets change while two full tables are held, of peers that are held to them: how long it takes until
//! the listener is told of what comes of it. As `living`, with a registry in the place of the RTR cache.

use std::path::Path;
use std::time::{Duration, Instant};

use crate::lone::Lone;
use crate::member;
use crate::mirror::{FIRST_SERIAL, Mirrored};
use crate::phase::Step;
use crate::problem::Problem;
use crate::registry::Registry;
use crate::run::Stage;
use crate::table::Table;
use crate::vrps::Vrps;
use crate::watch::{Changing, Watch};

/// How long a daemon may take to read the database and ask what is new.
const TO_ASK: Duration = Duration::from_secs(120);
/// How long it may then take to put it into use, before its sessions come up.
const TO_SETTLE: Duration = Duration::from_secs(3);
/// Changes of each kind: the daemon asks for them every ten seconds.
const CHANGES: usize = 12;

/// The registry that a daemon judges by, and who tells it of changes.
pub(crate) struct Irr<'a> {
    registry: Registry<'a>,
    mirrored: Mirrored,
    lone: Lone<'a>,
}

impl<'a> Irr<'a> {
    /// Writes the database into a folder, and serves its changes on the ground that the calling thread has entered.
    pub(crate) fn new(table: &'a Table, dir: &Path) -> Result<Self, Problem> {
        let registry = Registry::new(table);
        eprintln!("  {} route objects", registry.write(dir)?);
        let mirrored = Mirrored::start((member::CACHE, member::MIRROR_PORT))?;
        Ok(Irr { registry, mirrored, lone: Lone::new(table, &Vrps::default()) })
    }

    /// A route object goes and comes back.
    fn objects(&mut self, stage: &mut Stage<'_>) -> Result<bool, Problem> {
        let places = self.lone.of_one_origin(CHANGES.div_ceil(2));
        let change = |irr: &Self, (place, origin): (u32, u32), comes| {
            irr.mirrored.change(comes, irr.registry.route(place, origin))
        };
        self.come_and_go("route-object", &places, change, stage)
    }

    /// A member of an as-set goes and comes back, which originates one prefix.
    fn members(&mut self, stage: &mut Stage<'_>) -> Result<bool, Problem> {
        let places = self.lone.of_origins_with_one(CHANGES.div_ceil(2));
        let change = |irr: &Self, (_, origin): (u32, u32), comes| {
            irr.mirrored.change(true, irr.registry.as_set_of(origin, comes))
        };
        self.come_and_go("as-set", &places, change, stage)
    }

    fn come_and_go(
        &self,
        phase: &'static str,
        places: &[(u32, u32)],
        change: impl Fn(&Self, (u32, u32), bool) -> (u64, Instant),
        stage: &mut Stage<'_>,
    ) -> Result<bool, Problem> {
        let mut watch = Watch::begin(phase, stage);
        for (it, comes) in places.iter().flat_map(|it| [(*it, false), (*it, true)]) {
            let place = it.0 as usize;
            let best = self.lone.best(place, &Vrps::default()).filter(|_| comes);
            stage.player.expect_at(stage.play.load.senders, place, best);
            let (serial, told_at) = change(self, it, comes);
            watch.one(told_at, || self.mirrored.served_at(serial), stage)?;
            if watch.is_hopeless() {
                break;
            }
        }
        watch.finish(stage)
    }
}

impl Changing for Irr<'_> {
    fn until_served(&self, name: &str) -> Result<(), Problem> {
        if self.mirrored.wait_for(FIRST_SERIAL, TO_ASK).is_none() {
            return Err(Problem::Daemon(format!("{name} did not ask what is new in the registry")));
        }
        std::thread::sleep(TO_SETTLE);
        Ok(())
    }

    fn play(&mut self, step: Step, stage: &mut Stage<'_>) -> Result<bool, Problem> {
        match step {
            Step::Registry => Ok(self.objects(stage)? && self.members(stage)?),
            _ => Ok(true),
        }
    }
}
