//! What is said to whoever started the program: results on standard output, problems on standard error.
//!
//! Somebody may have closed either (`palisade check | head`), and that is no reason to stop doing what was asked, so
//! nothing here can fail.

use std::error::Error;
use std::fmt;
use std::io::{self, Write};

use miette::{Diagnostic, LabeledSpan, MietteHandlerOpts, ReportHandler, Severity, SourceCode};
use textwrap::{WordSeparator, WordSplitter};

/// Prints a result.
pub(crate) fn print(text: &str) {
    let mut stdout = io::stdout().lock();
    drop(stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()));
}

/// Prints something that is no result, on standard error.
pub(crate) fn remark(text: &str) {
    drop(writeln!(io::stderr().lock(), "{text}"));
}

/// Prints a problem: first those that it is made of, so that what they come to stands last.
pub(crate) fn tell(problem: &dyn Diagnostic) {
    drop(io::stderr().lock().write_all(text_of(problem).as_bytes()));
}

/// A problem as it is printed.
pub(crate) fn text_of(problem: &dyn Diagnostic) -> String {
    let mut text = String::new();
    for part in problem.related().into_iter().flatten() {
        text += &format!("{}\n", Told(part));
    }
    text + &format!("{}\n", Told(problem))
}

/// A number in groups of three: `1,234,567`.
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// A number of things: `1 route`, `1,234 routes`.
pub(crate) fn counted(number: u64, one: &str) -> String {
    let ending = match number {
        1 => "",
        _ if one.ends_with("SH") => "es",
        _ => "s",
    };
    format!("{} {one}{ending}", grouped(number))
}

/// A problem as it is shown, without those that it is made of.
struct Told<'a>(&'a dyn Diagnostic);

impl fmt::Display for Told<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Slugs, names of files and addresses are words, wherever they could be broken.
        let whole_words = MietteHandlerOpts::new()
            .break_words(false)
            .word_separator(WordSeparator::AsciiSpace)
            .word_splitter(WordSplitter::NoHyphenation);
        whole_words.build().debug(&Alone(self.0), f)
    }
}

/// A problem that keeps what it is made of to itself.
#[derive(Debug)]
struct Alone<'a>(&'a dyn Diagnostic);

impl fmt::Display for Alone<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self.0, f)
    }
}

impl Error for Alone<'_> {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.0.source()
    }
}

impl Diagnostic for Alone<'_> {
    fn code<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.0.code()
    }

    fn severity(&self) -> Option<Severity> {
        self.0.severity()
    }

    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.0.help()
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        self.0.source_code()
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        self.0.labels()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped_by_three() {
        for (number, text) in
            [(0, "0"), (999, "999"), (1000, "1,000"), (123_456, "123,456"), (1_234_567, "1,234,567")]
        {
            assert_eq!(grouped(number), text);
        }
    }

    #[test]
    fn one_thing_is_not_things() {
        for (number, one, text) in [
            (0, "route", "0 routes"),
            (1, "route", "1 route"),
            (1234, "UPDATE", "1,234 UPDATEs"),
            (1, "ROUTE-REFRESH", "1 ROUTE-REFRESH"),
            (2, "ROUTE-REFRESH", "2 ROUTE-REFRESHes"),
        ] {
            assert_eq!(counted(number, one), text);
        }
    }
}
