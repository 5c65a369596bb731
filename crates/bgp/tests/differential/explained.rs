//! The list of differences that are understood, and what was met of it.

use std::collections::BTreeMap;

/// The differences to each other decoder: signature, and who is right by which words.
const LIST: &str = include_str!("explained.txt");

/// Counts differences by their signature.
pub(crate) struct Tally {
    explained: BTreeMap<String, usize>,
    /// With the first message that showed it.
    unexplained: BTreeMap<String, (usize, String)>,
    compared: usize,
}

impl Tally {
    pub(crate) fn new() -> Self {
        let mut explained = BTreeMap::new();
        let mut decoder = "";
        for (at, line) in
            LIST.lines().enumerate().filter(|(_, line)| !line.is_empty() && !line.starts_with('#'))
        {
            match line.split_once(" => ") {
                Some((signature, why)) => {
                    let right = ["we are: ", "they are: ", "both are: ", "neither is: "];
                    assert!(
                        right.iter().any(|who| why.starts_with(who)),
                        "line {}: who is right? {line}",
                        at + 1
                    );
                    let key = format!("{decoder} | {}", signature.trim());
                    assert!(explained.insert(key, 0).is_none(), "line {} says again: {line}", at + 1);
                }
                None => decoder = line,
            }
        }
        Tally { explained, unexplained: BTreeMap::new(), compared: 0 }
    }

    /// One message has been compared with one decoder.
    pub(crate) fn count(
        &mut self,
        decoder: &str,
        difference: Option<String>,
        message: impl FnOnce() -> String,
    ) {
        self.compared += 1;
        let Some(difference) = difference else { return };
        let signature = format!("{decoder} | {difference}");
        match self.explained.get_mut(&signature) {
            Some(count) => *count += 1,
            None => self.unexplained.entry(signature).or_insert_with(|| (0, message())).0 += 1,
        }
    }

    /// Says what was met; fails for what nobody has explained.
    pub(crate) fn conclude(&self, long: bool) {
        let differences: usize = self.explained.values().sum();
        eprintln!("{} comparisons, {differences} differences, all of them explained:", self.compared);
        for (signature, count) in self.explained.iter().filter(|(_, count)| **count > 0) {
            eprintln!("{count:>9}  {signature}");
        }
        if long {
            self.explained
                .iter()
                .filter(|(_, count)| **count == 0)
                .for_each(|(signature, _)| eprintln!("    never  {signature}"));
        }
        let unexplained: Vec<String> = self
            .unexplained
            .iter()
            .map(|(signature, (count, message))| format!("{count:>6}  {signature}\n        {message}"))
            .collect();
        assert!(
            unexplained.is_empty(),
            "{} differences are not explained:\n{}",
            unexplained.len(),
            unexplained.join("\n")
        );
    }
}
