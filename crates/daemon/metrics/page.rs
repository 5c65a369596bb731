//! The text: a family of samples after the other, each with what it is.

use std::fmt::{Display, Write};

use super::catalogue::Metric;

/// The page as it is written.
#[derive(Debug, Default)]
pub(super) struct Page {
    text: String,
}

/// Where the samples of one metric go.
pub(super) struct Samples<'a> {
    text: &'a mut String,
    metric: &'static Metric,
}

impl Page {
    /// Begins a metric; all its samples follow.
    pub(super) fn metric(&mut self, metric: &'static Metric) -> Samples<'_> {
        let Metric { name, kind, help, .. } = metric;
        self.put(format_args!("# HELP {name} {help}\n# TYPE {name} {}\n", kind.word()));
        Samples { text: &mut self.text, metric }
    }

    pub(super) fn into_text(self) -> String {
        self.text
    }

    fn put(&mut self, text: std::fmt::Arguments<'_>) {
        // A string takes all that there is memory for.
        let _ = self.text.write_fmt(text);
    }
}

impl Samples<'_> {
    /// A sample; `labels` are the values of the metric's labels, in their order.
    pub(super) fn put(&mut self, labels: &[&str], value: impl Display) {
        debug_assert_eq!(labels.len(), self.metric.labels.len(), "{}", self.metric.name);
        self.text.push_str(self.metric.name);
        for (at, (label, value)) in self.metric.labels.iter().zip(labels).enumerate() {
            self.text.push_str(if at == 0 { "{" } else { "," });
            self.text.push_str(label);
            self.text.push_str("=\"");
            escape(value, self.text);
            self.text.push('"');
        }
        if !labels.is_empty() {
            self.text.push('}');
        }
        let _ = writeln!(self.text, " {value}");
    }
}

/// A label's value may hold anything; three characters have to be written otherwise.
fn escape(value: &str, out: &mut String) {
    for letter in value.chars() {
        match letter {
            '\\' => out.push_str("\\\\"),
            '"' => out.push_str("\\\""),
            '\n' => out.push_str("\\n"),
            other => out.push(other),
        }
    }
}
