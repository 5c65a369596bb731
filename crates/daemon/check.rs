//! `palisade check`: reads a configuration as `palisade run` would, and says what it would do.

use std::path::PathBuf;

use crate::config::Config;

/// What can be asked of `palisade check`.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// The configuration
    #[arg(short, long, value_name = "FILE", default_value = "/etc/palisade/palisade.toml")]
    config: PathBuf,
}

/// Checks, and prints what was found.
pub(crate) fn run(arguments: &Arguments) -> miette::Result<()> {
    let config = Config::load(&arguments.config)?;
    println!("{config:#?}");
    Ok(())
}
