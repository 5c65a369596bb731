//! A file of tests, read, and then run.

use std::convert::Infallible;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use palisade_policy::{Reason, Snapshot};
use toml::Spanned;

use super::TestError;
use super::case::{self, Case};
use super::inline::Inline;
use super::outcome::Outcome;
use crate::announcement::AnnouncementError;
use crate::config::{self, Config, ConfigError, Fault, Problems, Source, nearest, value};
use crate::explain::offline::supposed;
use crate::judging::{self, Tables, tables};
use crate::played::PlayedRouter;
use crate::terminal;

/// A file of tests.
#[derive(Debug)]
pub(super) struct TestFile {
    source: Arc<Source>,
    /// The configuration that it names.
    config: Option<PathBuf>,
    inline: Option<Inline>,
    cases: Vec<Case>,
}

impl TestFile {
    /// Reads a file; what it says of peers and rules is checked when they are known.
    pub(super) fn read(path: &Path) -> Result<Self, ConfigError> {
        let folder = path.parent().unwrap_or(Path::new(""));
        config::document(Source::read(path)?, |mut root, source| {
            let config = root.optional("config", |field| value::path(field, folder)).map(Spanned::into_inner);
            let inline = root.section("tables", "[tables]").map(Inline::read);
            let cases = case::cases(&mut root);
            root.end();
            Some(TestFile { source: Arc::clone(source), config, inline, cases })
        })
    }

    /// Runs its tests, on `config` where one is named on the command line.
    pub(super) fn run(&self, config: Option<&Path>) -> Result<Vec<Outcome>, TestError> {
        let path = config.or(self.config.as_deref());
        let path = path.ok_or_else(|| TestError::NoConfig(self.source.name().into()))?;
        let mut config = match &self.inline {
            Some(inline) if !inline.members => Config::load_text(path)?,
            _ => Config::load(path)?,
        };
        let tables = self.tables(&mut config)?;
        let router = PlayedRouter::new(&config, tables);
        self.check_names(&config, router.tables())?;
        self.cases.iter().map(|case| self.run_one(case, &config, &router)).collect()
    }

    /// Its own tables, or those of the configuration, whose peers are then what is known of their networks.
    fn tables(&self, config: &mut Config) -> Result<Snapshot, ConfigError> {
        match &self.inline {
            Some(inline) => Ok(inline.in_place(tables::without_feeds(config)?)),
            None => {
                let Tables { snapshot, warnings, networks, .. } = judging::tables_of_now(config)?;
                config.peers = judging::resolved_peers(config, &networks.state().facts);
                warnings.iter().for_each(|warning| terminal::tell(warning));
                Ok(snapshot)
            }
        }
    }

    fn run_one(&self, case: &Case, config: &Config, router: &PlayedRouter<'_>) -> Result<Outcome, TestError> {
        let at = config.peers.iter().position(|peer| peer.name == *case.peer.get_ref()).unwrap_or_default();
        let (Some(peer), Some(policy)) = (config.peers.get(at), router.policy(at)) else {
            return Err(TestError::NoPeers(config.source.name().into()));
        };
        let received = case.announcement.received(case.prefix, policy);
        let received = received.map_err(|error| self.refused(case, &error))?;
        Ok(Outcome::new(case, supposed(&received, router, peer, policy, at)))
    }

    /// That a test's announcement is none.
    fn refused(&self, case: &Case, error: &AnnouncementError) -> ConfigError {
        let problems = Problems::new(Arc::clone(&self.source));
        problems.push(case.span.clone(), Fault::new(error.to_string(), "what this test announces"));
        let Err(error) = problems.none_or::<Infallible>(None);
        error
    }

    /// Every peer, check and rule that tests name must be there: a test of nothing would hold.
    fn check_names(&self, config: &Config, tables: &Snapshot) -> Result<(), ConfigError> {
        let problems = Problems::new(Arc::clone(&self.source));
        let peers: Vec<&str> = config.peers.iter().map(|peer| peer.name.as_str()).collect();
        let rules = tables.rules.iter().map(|(number, _)| Reason::Rule(number));
        let reasons =
            Reason::ALL.iter().copied().chain(rules).map(|reason| tables.rules.slug(reason).into_owned());
        let reasons: Vec<String> = reasons.collect();
        let reasons: Vec<&str> = reasons.iter().map(String::as_str).collect();
        for case in &self.cases {
            let expected = &case.expected;
            let named = expected.exported_to.iter().chain(&expected.not_exported_to);
            for peer in named.chain([&case.peer]) {
                is_known(peer, "peer", &peers, &problems);
            }
            for reason in expected.reason.iter().chain(&expected.observed) {
                is_known(reason, "reason", &reasons, &problems);
            }
        }
        problems.none_or(Some(()))
    }
}

fn is_known(name: &Spanned<String>, what: &str, known: &[&str], problems: &Problems) {
    let written = name.get_ref().as_str();
    if known.contains(&written) {
        return;
    }
    let fault = Fault::new(format!("there is no {what} {}", config::quoted(written)), "unknown");
    problems.push(
        name.span(),
        match nearest(written, known) {
            Some(meant) => fault.help(format!("did you mean `{meant}`?")),
            None => fault.help(format!("the configuration has no such {what}")),
        },
    );
}
