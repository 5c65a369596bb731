//! What happens at the exchange, and what every member must hold after each thing.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::cases;
use crate::held::{Holdings, differences};
use crate::lan;
use crate::oracle;
use crate::support::bird::Bird;
use crate::support::namespace::{self, run};
use crate::support::router::Router;
use crate::support::vrp;
use crate::world::{NOISE_OCTETS, World};

/// How long the route server may take for any one thing.
const PATIENCE: Duration = Duration::from_secs(20);
/// Between one look at what the members hold and the next.
const PAUSE: Duration = Duration::from_millis(40);
/// How long what is right has to stay so.
const SETTLING: Duration = Duration::from_millis(150);
/// Differences told of each member.
const TOLD: usize = 6;
/// Octets that wait for a member at most, in the route server and in the kernels at both ends.
const QUEUE_OCTETS: usize = (1 << 20) + 2 * (1 << 16);
/// What a member is told when the route server stops (RFC 9003).
const STOP_WORDS: &str = "the router is being stopped";

/// Tells the whole story.
pub(crate) fn tell(seed: u64) {
    namespace::prepare();
    // In the namespace's own /run, so that it goes with it.
    let folder = tempfile::tempdir_in("/run").expect("a folder can be made");
    let mut story = Story::begin(seed, folder.path());
    story.everybody_comes_up();
    story.paths_are_withdrawn();
    story.best_paths_ask_for_something_else();
    story.a_member_is_lost_and_returns();
    story.vrps_change();
    story.two_members_stop_reading();
    story.a_member_asks_for_all_again();
    story.the_route_server_stops();
}

struct Story<'a> {
    world: World,
    folder: &'a Path,
    birds: BTreeMap<&'static str, Bird>,
    router: Router,
    /// The members that don't read now.
    stopped: Vec<&'static str>,
    /// How often each member's session must have come up.
    sessions: BTreeMap<&'static str, usize>,
}

impl<'a> Story<'a> {
    fn begin(seed: u64, folder: &'a Path) -> Self {
        let cases = cases::all();
        let world = World::of(seed, &cases);
        cases::hold(&cases, &world);
        lan::make(&world.members);
        vrp::write(&world.vrps, folder);
        let router = Router::configure(folder, &world.members);
        let birds = world.members.iter().map(|member| (member.name, Bird::play(member, folder)));
        let birds = birds.collect();
        let sessions = world.members.iter().map(|member| (member.name, 1)).collect();
        Story { world, folder, birds, router, stopped: Vec::new(), sessions }
    }

    fn everybody_comes_up(&mut self) {
        self.after("everybody comes up", |story| story.router.start());
    }

    fn paths_are_withdrawn(&mut self) {
        self.world.withdraw_some(&[]);
        self.after("paths are withdrawn", Story::announce);
    }

    fn best_paths_ask_for_something_else(&mut self) {
        self.world.change_wishes_of_best(&[]);
        self.after("best paths ask for something else", Story::announce);
    }

    fn a_member_is_lost_and_returns(&mut self) {
        self.world.member("delta-1").up = false;
        self.after("a member is lost", |story| story.bird("delta-1").kill());
        self.world.member("delta-1").up = true;
        *self.sessions.entry("delta-1").or_default() += 1;
        self.after("it returns", |story| story.bird("delta-1").run());
    }

    fn vrps_change(&mut self) {
        let (before, sent) = (self.refused(), announcements_sent(&self.birds));
        self.world.change_vrps();
        vrp::write(&self.world.vrps, self.folder);
        self.after("VRPs change", |story| story.router.signal("HUP"));
        let after = self.refused();
        let newly =
            |these: &[String], those: &[String]| these.iter().filter(|one| !those.contains(one)).count();
        let (refused, accepted) = (newly(&after, &before), newly(&before, &after));
        println!("== {refused} paths are refused now, and {accepted} are not any more");
        assert!(refused > 20 && accepted > 20, "which proves nothing");
        assert_eq!(announcements_sent(&self.birds), sent, "nobody is asked for anything (RFC 9324)");
    }

    /// The others are served as ever, one of whom shares its outgoing messages with one that does not read. Those hold the
    /// newest state once they read again.
    fn two_members_stop_reading(&mut self) {
        self.stopped = vec!["bravo", "charlie"];
        self.stopped.clone().into_iter().for_each(|name| self.bird(name).send("STOP"));
        let (mut round, mut missed) = (0, 0);
        while missed < QUEUE_OCTETS * 5 / 4 {
            round += 1;
            self.world.make_noise(round, &self.stopped);
            self.after(&format!("two members don't read, round {round}"), Story::announce);
            let bravo = self.world.members.iter().find(|member| member.name == "bravo").expect("a member");
            missed += oracle::holdings(&self.world, bravo).len() * NOISE_OCTETS;
        }
        self.world.withdraw_some(&self.stopped);
        self.after("two members don't read, paths are withdrawn", Story::announce);
        println!("== bravo was to be told {missed} octets");
        for name in std::mem::take(&mut self.stopped) {
            assert!(lan::unread(&self.world, name) > 0, "{name} has read all");
            self.bird(name).send("CONT");
        }
        self.after("they read again", Story::announce);
    }

    fn a_member_asks_for_all_again(&mut self) {
        for name in ["alpha", "charlie"] {
            let held: usize = self.bird(name).holdings().values().map(Vec::len).sum();
            let due = self.bird(name).announcements_received() + held;
            self.after(&format!("{name} asks for all again"), |story| {
                let asked = Instant::now();
                story.bird(name).ask("reload in exchange");
                while story.bird(name).announcements_received() < due && asked.elapsed() < PATIENCE {
                    std::thread::sleep(PAUSE);
                }
            });
            assert_eq!(self.bird(name).announcements_received(), due, "what {name} was told");
        }
    }

    fn the_route_server_stops(&mut self) {
        let status = self.router.stop(PATIENCE);
        let log = self.router.log();
        assert!(status.success(), "{status}:\n{log}");
        assert!(!log.contains("panicked") && !log.contains("ERROR"), "{log}");
        assert_eq!(run("ip route show proto 213; ip -6 route show proto 213"), "", "routes in the kernel");
        for (name, bird) in &self.birds {
            let told = bird.log();
            assert_eq!(
                told.matches(STOP_WORDS).count(),
                1,
                "{name} was not told why:\n{}",
                bird.last_words()
            );
            let complaints = ["<BUG>", "Invalid", "invalid", "malformed", "Malformed"];
            assert!(
                !complaints.iter().any(|word| told.contains(word)),
                "{name} complains:\n{}",
                bird.last_words()
            );
        }
        println!("== it stops; {} lines of log", log.lines().count());
        assert!(log.lines().count() < 60, "it talks too much:\n{log}");
    }

    /// Does something, and waits until all members that are up and read hold what they must, and stay with it.
    fn after(&mut self, what: &str, happens: impl FnOnce(&mut Self)) {
        let members = self.world.members.iter();
        let expected: Vec<Holdings> = members.map(|to| oracle::holdings(&self.world, to)).collect();
        let started = Instant::now();
        happens(self);
        let took = loop {
            let looked_after = started.elapsed();
            let wrong = self.wrong(&expected);
            if wrong.is_empty() {
                break looked_after;
            }
            assert!(looked_after < PATIENCE, "{what}:\n{wrong}\n{}", self.router.last_words());
            std::thread::sleep(PAUSE);
        };
        std::thread::sleep(SETTLING);
        let wrong = self.wrong(&expected);
        assert!(wrong.is_empty(), "{what}, and it had been right:\n{wrong}\n{}", self.router.last_words());
        self.no_session_has_flapped(what);
        let paths: usize = expected.iter().flat_map(|held| held.values()).map(Vec::len).sum();
        println!("== {what}: all hold exactly what they must after {took:.0?}; {paths} paths");
    }

    /// What members hold that is not as it must be; empty where there is nothing.
    fn wrong(&self, expected: &[Holdings]) -> String {
        let mut told = String::new();
        for (member, expected) in self.world.members.iter().zip(expected) {
            if member.up && !self.stopped.contains(&member.name) {
                let found = self.birds.get(member.name).map(Bird::holdings).unwrap_or_default();
                let differ = differences(expected, &found);
                if !differ.is_empty() {
                    let _ = writeln!(told, "{}: {} prefixes differ", member.name, differ.len());
                    differ.iter().take(TOLD).for_each(|one| told.push_str(&one.to_string()));
                }
            }
        }
        told
    }

    fn no_session_has_flapped(&self, what: &str) {
        for (name, times) in &self.sessions {
            let down =
                usize::from(!self.world.members.iter().any(|member| member.name == *name && member.up));
            let said = ["session up", "session down"].map(|words| self.router.said_of(name, words));
            assert_eq!(said, [*times, times - 1 + down], "{what}: {name}:\n{}", self.router.log());
        }
    }

    fn bird(&mut self, name: &str) -> &mut Bird {
        self.birds.get_mut(name).expect("a member's BIRD")
    }

    /// Has every member that can be told so announce what it announces now.
    fn announce(&mut self) {
        for member in self.world.members.iter().filter(|member| !self.stopped.contains(&member.name)) {
            if let Some(bird) = self.birds.get(member.name) {
                bird.announce(member);
            }
        }
    }

    /// Every path that is refused.
    fn refused(&self) -> Vec<String> {
        let vrps = &self.world.vrps;
        let members = self.world.members.iter();
        let said =
            members.flat_map(|from| from.announced.iter().map(move |(prefix, said)| (from, prefix, said)));
        let refused =
            said.filter(|(from, prefix, said)| oracle::refusal(from, **prefix, said, vrps).is_some());
        refused.map(|(from, prefix, _)| format!("{prefix} of {}", from.name)).collect()
    }
}

fn announcements_sent(birds: &BTreeMap<&'static str, Bird>) -> Vec<usize> {
    birds.values().map(Bird::announcements_sent).collect()
}
