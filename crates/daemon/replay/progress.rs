//! How far a replay is, on a terminal and nowhere else.

use std::io::{self, IsTerminal, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::input::Input;

/// How often it is drawn, at most.
const DRAWN_EVERY: Duration = Duration::from_millis(100);

/// A bar of octets read of all files together, as they lie there.
pub(crate) struct Progress {
    bar: ProgressBar,
    /// Octets of the files that have been read whole.
    before: u64,
}

impl Progress {
    /// A bar over `total` octets; where that is not known, a count of octets.
    pub(crate) fn new(total: Option<u64>) -> Self {
        if !io::stderr().is_terminal() {
            return Progress { bar: ProgressBar::hidden(), before: 0 };
        }
        let bar = match total {
            Some(total) => ProgressBar::new(total),
            None => ProgressBar::new_spinner(),
        };
        let template = match total {
            Some(_) => "{msg} {wide_bar} {binary_bytes} of {binary_total_bytes}, {eta} left",
            None => "{spinner} {msg} {binary_bytes}, {elapsed}",
        };
        bar.set_draw_target(ProgressDrawTarget::stderr_with_hz(10));
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        bar.enable_steady_tick(DRAWN_EVERY);
        Progress { bar, before: 0 }
    }

    /// An input that moves the bar as it is read.
    pub(crate) fn watch(&mut self, input: Input) -> Watched<'_> {
        self.bar.set_message(input.name().to_owned());
        Watched { consumed: input.consumed(), input, progress: self }
    }

    /// Takes the bar off the terminal.
    pub(crate) fn finish(self) {
        self.bar.finish_and_clear();
    }
}

/// See [`Progress::watch`].
pub(crate) struct Watched<'a> {
    input: Input,
    consumed: Arc<AtomicU64>,
    progress: &'a mut Progress,
}

impl Read for Watched<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let read = self.input.read(out);
        self.progress.bar.set_position(self.progress.before + self.consumed.load(Ordering::Relaxed));
        read
    }
}

impl Drop for Watched<'_> {
    fn drop(&mut self) {
        self.progress.before += self.consumed.load(Ordering::Relaxed);
    }
}
