//! The floor: this harness's own `floor` command, see the `floor` module.

use std::path::PathBuf;

use super::{Daemon, Setting};
use crate::load::{Kind, Load, News};
use crate::member;
use crate::oracle::Rigor;
use crate::problem::Problem;

pub(super) struct Floor(pub(super) PathBuf);

impl Daemon for Floor {
    fn name(&self) -> &'static str {
        "floor"
    }

    fn program(&self) -> PathBuf {
        self.0.clone()
    }

    fn rigor(&self) -> Rigor {
        Rigor::Copy
    }

    fn declines(&self, load: &Load) -> Option<&'static str> {
        (load.news != News::None).then_some("it judges nothing")
    }

    fn needs_cache(&self) -> bool {
        false
    }

    fn configure(&self, _setting: &Setting<'_>) -> Result<(), Problem> {
        Ok(())
    }

    fn command(&self, setting: &Setting<'_>) -> Vec<String> {
        let mut command = vec![self.0.display().to_string(), "floor".into()];
        command.push(format!("{}:{}", member::TARGET, member::BGP_PORT));
        if setting.load.kind == Kind::Full {
            command.push("--only-to".into());
            command.push(member::address(setting.load.senders).to_string());
        }
        command
    }
}
