//! A table of the configuration while it is read: each of its keys is asked for once, and what nobody asked for is
//! unknown.
//!
//! A derived deserializer stops at the first thing that is wrong and forgets where the rest is. So sections read the
//! tree that `toml` parses, in which every key and every value knows its place, and go on after an error: the caller
//! gets `None`, the [`Problems`] get what to tell the user.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeString, DeTable, DeValue};

use super::nearest::nearest;
use super::problem::{Fault, Problems};
use super::source::quoted;

/// Values that one list may have.
pub(super) const MAX_LIST: usize = 100_000;

/// A table and what was asked of it.
pub(crate) struct Section<'a> {
    /// As it is written: `[router]`.
    name: &'static str,
    table: &'a DeTable<'a>,
    /// What holds where the table itself says nothing.
    below: Option<&'a DeTable<'a>>,
    /// What holds where neither of them says anything: what the group that it is of says.
    group: Option<&'a DeTable<'a>>,
    span: Range<usize>,
    asked: Vec<&'static str>,
    /// Keys that can't be had, of which that was told.
    refused: Vec<&'static str>,
    problems: &'a Problems,
}

/// A value under a key, or one of a list of them.
#[derive(Clone, Copy)]
pub(crate) struct Field<'a> {
    /// The key, for messages.
    pub(crate) key: &'a str,
    value: &'a Spanned<DeValue<'a>>,
    /// Whether it is one of a list.
    listed: bool,
}

/// What may be written in full, as a table, or in short.
pub(crate) enum Either<'a> {
    /// In full.
    Table(Section<'a>),
    /// In short.
    Value(Field<'a>),
}

/// A list of values.
#[derive(Debug)]
pub(crate) struct List<T> {
    /// Where it is.
    pub(crate) span: Range<usize>,
    /// How many values are written.
    pub(crate) written: usize,
    /// Those that could be read.
    pub(crate) values: Vec<Spanned<T>>,
}

impl<'a> Section<'a> {
    /// The whole document.
    pub(crate) fn root(table: &'a DeTable<'a>, problems: &'a Problems) -> Self {
        Section::of("the file", table, 0..0, problems)
    }

    /// A table, called `name` in messages, whose header is at `span`.
    pub(crate) fn of(
        name: &'static str,
        table: &'a DeTable<'a>,
        span: Range<usize>,
        problems: &'a Problems,
    ) -> Self {
        Section {
            name,
            table,
            below: None,
            group: None,
            span,
            asked: Vec::new(),
            refused: Vec::new(),
            problems,
        }
    }

    /// The same, with the keys of `below` where it has none itself.
    pub(crate) fn over(&self, below: &Section<'a>) -> Self {
        Section { below: Some(below.table), ..self.again() }
    }

    /// The same, with the keys of `group` where it has none itself.
    pub(crate) fn of_group(self, group: &Section<'a>) -> Self {
        Section { group: Some(group.table), ..self }
    }

    /// The same, of which nothing was asked yet.
    pub(crate) fn again(&self) -> Self {
        Section::of(self.name, self.table, self.span.clone(), self.problems)
    }

    /// Whether it is the group that says what a key is.
    pub(crate) fn is_grouped(&self, key: &str) -> bool {
        !self.has_own(key) && self.group.is_some_and(|group| group.contains_key(key))
    }

    fn has_own(&self, key: &str) -> bool {
        self.table.contains_key(key) || self.below.is_some_and(|below| below.contains_key(key))
    }

    /// Where its header is.
    pub(crate) fn span(&self) -> Range<usize> {
        self.span.clone()
    }

    /// As it is written: `[router]`.
    pub(crate) fn name(&self) -> &'static str {
        self.name
    }

    /// Where problems go.
    pub(crate) fn problems(&self) -> &'a Problems {
        self.problems
    }

    fn ask(&mut self, key: &'static str) -> Option<&'a Spanned<DeValue<'a>>> {
        self.asked.push(key);
        self.table.get(key).or_else(|| self.below?.get(key)).or_else(|| self.group?.get(key))
    }

    /// The value under `key`, where there is one and `read` can read it.
    pub(crate) fn optional<T>(
        &mut self,
        key: &'static str,
        read: impl FnOnce(Field<'a>) -> Result<T, Fault>,
    ) -> Option<Spanned<T>> {
        let value = self.ask(key)?;
        self.read(Field { key, value, listed: false }, read)
    }

    /// The value under `key`; `None` is an error that has been told.
    pub(crate) fn required<T>(
        &mut self,
        key: &'static str,
        example: &str,
        read: impl FnOnce(Field<'a>) -> Result<T, Fault>,
    ) -> Option<Spanned<T>> {
        self.expect(key, example);
        self.optional(key, read)
    }

    /// Says that `key` is missing, where it is.
    pub(crate) fn expect(&self, key: &'static str, example: &str) {
        if !self.has(key) {
            let fault = Fault::new(format!("{} has no `{key}`", self.name), format!("`{key}` belongs here"));
            self.problems.push(self.span(), fault.help(format!("write `{key} = {example}`")));
        }
    }

    /// Whether there is such a key.
    pub(crate) fn has(&self, key: &str) -> bool {
        self.has_own(key) || self.is_grouped(key)
    }

    /// Whether there is a key that can't be had, which is then told.
    pub(crate) fn refused(&mut self, key: &'static str, fault: impl FnOnce() -> Fault) -> bool {
        self.refused.push(key);
        let written = self.table.get_key_value(key);
        if let Some((written, _)) = written {
            self.problems.push(written.span(), fault());
        }
        written.is_some()
    }

    /// The list under `key`, with those of its values that `read` can read; `None` where there is no such key.
    pub(crate) fn list<T>(
        &mut self,
        key: &'static str,
        example: &str,
        read: impl Fn(Field<'a>) -> Result<T, Fault>,
    ) -> Option<List<T>> {
        let value = self.ask(key)?;
        let DeValue::Array(array) = value.get_ref() else {
            let fault = Field { key, value, listed: false }.unlike("a list");
            self.problems.push(value.span(), fault.help(format!("write `{key} = [{example}]`")));
            return None;
        };
        if array.len() > MAX_LIST {
            let fault = Fault::new(format!("`{key}` has {} values", array.len()), "too many");
            self.problems.push(value.span(), fault.help(format!("no more than {MAX_LIST} are taken")));
            return None;
        }
        let values = array.iter().filter_map(|value| self.read(Field { key, value, listed: true }, &read));
        Some(List { span: value.span(), written: array.len(), values: values.collect() })
    }

    fn read<T>(
        &self,
        field: Field<'a>,
        read: impl FnOnce(Field<'a>) -> Result<T, Fault>,
    ) -> Option<Spanned<T>> {
        match read(field) {
            Ok(value) => Some(Spanned::new(field.value.span(), value)),
            Err(fault) => {
                self.problems.push(field.value.span(), fault);
                None
            }
        }
    }

    /// The table under `key`, called `name` in messages.
    pub(crate) fn section(&mut self, key: &'static str, name: &'static str) -> Option<Section<'a>> {
        let value = self.ask(key)?;
        self.table_of(Field { key, value, listed: false }, name)
    }

    /// The tables under `key`, each called `name` in messages.
    pub(crate) fn sections(&mut self, key: &'static str, name: &'static str) -> Vec<Section<'a>> {
        let Some(value) = self.ask(key) else { return Vec::new() };
        let DeValue::Array(array) = value.get_ref() else {
            let fault = Field { key, value, listed: false }.unlike("a list of tables");
            self.problems.push(value.span(), fault.help(format!("begin each with `{name}`")));
            return Vec::new();
        };
        array.iter().filter_map(|value| self.table_of(Field { key, value, listed: false }, name)).collect()
    }

    /// The table that is the value of a field.
    pub(crate) fn table_of(&self, field: Field<'a>, name: &'static str) -> Option<Section<'a>> {
        let span = field.value.span();
        let DeValue::Table(table) = field.value.get_ref() else {
            self.problems.push(span, field.unlike("a table").help(format!("begin it with `{name}`")));
            return None;
        };
        Some(Section::of(name, table, span, self.problems))
    }

    /// What is under `key`, be it a table, called `name` in messages, or one value.
    pub(crate) fn either(&mut self, key: &'static str, name: &'static str) -> Option<Either<'a>> {
        let value = self.ask(key)?;
        Some(self.either_of(Field { key, value, listed: false }, name))
    }

    /// The list under `key`, each of it a table, called `name` in messages, or one value.
    pub(crate) fn either_list(
        &mut self,
        key: &'static str,
        name: &'static str,
        example: &str,
    ) -> Option<List<Either<'a>>> {
        let fields = self.list(key, example, Ok)?;
        let either =
            |field: &Spanned<Field<'a>>| Spanned::new(field.span(), self.either_of(*field.get_ref(), name));
        Some(List {
            span: fields.span,
            written: fields.written,
            values: fields.values.iter().map(either).collect(),
        })
    }

    fn either_of(&self, field: Field<'a>, name: &'static str) -> Either<'a> {
        match field.value.get_ref() {
            DeValue::Table(table) => Either::Table(Section::of(name, table, field.span(), self.problems)),
            _ => Either::Value(field),
        }
    }

    /// Every key and value, for a table whose keys are data.
    pub(crate) fn entries(&self) -> Vec<(Spanned<&'a str>, Field<'a>)> {
        let entry = |(key, value): (&'a Spanned<_>, &'a Spanned<DeValue<'a>>)| {
            let text: &'a str = AsRef::<str>::as_ref(key.get_ref());
            (Spanned::new(key.span(), text), Field { key: text, value, listed: false })
        };
        self.table.iter().map(entry).collect()
    }

    /// Says which keys are not known: those that nobody asked for.
    pub(crate) fn end(self) {
        let known = |key: &&Spanned<DeString<'_>>| {
            let key: &str = key.get_ref();
            self.asked.contains(&key) || self.refused.contains(&key)
        };
        let mut unknown: Vec<_> = self.table.keys().filter(|key| !known(key)).collect();
        unknown.sort_by_key(|key| key.span().start);
        for key in unknown {
            self.problems.push_with(key.span(), || self.unknown(key.get_ref()));
        }
    }

    fn unknown(&self, key: &str) -> Fault {
        let fault = Fault::new(format!("{} has no key {}", self.name, quoted(key)), "unknown");
        let keys = self.keys();
        match nearest(key, &keys) {
            Some(known) => fault.help(format!("did you mean `{known}`?")),
            None if keys.len() == 1 => fault.help(format!("its only key is {}", listed(&keys))),
            None => fault.help(format!("its keys are {}", listed(&keys))),
        }
    }

    /// The keys that it can have, each once.
    fn keys(&self) -> Vec<&'static str> {
        let mut keys = Vec::new();
        for key in &self.asked {
            if !self.refused.contains(key) && !keys.contains(key) {
                keys.push(*key);
            }
        }
        keys
    }
}

/// `a`, `b` and `c`.
pub(crate) fn listed(words: &[&str]) -> String {
    let quoted: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
    match quoted.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} and {last}", rest.join(", ")),
        _ => quoted.concat(),
    }
}

impl<'a> Field<'a> {
    /// Where it is.
    pub(crate) fn span(self) -> Range<usize> {
        self.value.span()
    }

    /// Whether it is a table.
    pub(crate) fn is_table(self) -> bool {
        matches!(self.value.get_ref(), DeValue::Table(_))
    }

    /// The values of a list, each under the same key; `None` where it is none.
    pub(crate) fn values(self) -> Option<Vec<Field<'a>>> {
        let DeValue::Array(array) = self.value.get_ref() else { return None };
        Some(array.iter().map(|value| Field { value, listed: true, ..self }).collect())
    }

    /// A string.
    pub(crate) fn text(self) -> Result<&'a str, Fault> {
        match self.value.get_ref() {
            DeValue::String(text) => Ok(text),
            _ => Err(self.unlike("a string").help("put it in quotes")),
        }
    }

    /// `true` or `false`.
    pub(crate) fn boolean(self) -> Result<bool, Fault> {
        match self.value.get_ref() {
            DeValue::Boolean(value) => Ok(*value),
            _ => Err(self.unlike("a boolean").help("write `true` or `false`, without quotes")),
        }
    }

    /// An integer of at least `least` and at most `most`; `unit` follows the numbers in the message.
    pub(crate) fn integer(self, least: u32, most: u32, unit: &str) -> Result<u32, Fault> {
        let DeValue::Integer(integer) = self.value.get_ref() else {
            return Err(self
                .unlike("an integer")
                .help(format!("write a number from {least} to {most}{unit}")));
        };
        let value = u32::from_str_radix(integer.as_str(), integer.radix()).ok();
        value.filter(|value| (least..=most).contains(value)).ok_or_else(|| {
            let label = format!("must be from {least} to {most}{unit}");
            Fault::new(format!("`{}` is out of range: {}", self.key, quoted(&integer.to_string())), label)
        })
    }

    /// A number, with a point in it or not, of at least `least` and at most `most`.
    pub(crate) fn fraction(self, least: f64, most: f64) -> Result<f64, Fault> {
        let text = match self.value.get_ref() {
            DeValue::Float(float) => float.as_str(),
            DeValue::Integer(integer) if integer.radix() == 10 => integer.as_str(),
            _ => {
                return Err(self.unlike("a number").help(format!("write one from {least:?} to {most:?}")));
            }
        };
        let value = text.parse().ok().filter(|value| (least..=most).contains(value));
        value.ok_or_else(|| {
            let label = format!("must be from {least:?} to {most:?}");
            Fault::new(format!("`{}` is out of range: {}", self.key, quoted(text)), label)
        })
    }

    /// That it can't be what it is; `label` says why.
    pub(crate) fn not(self, label: &str) -> Fault {
        let written = match self.value.get_ref() {
            DeValue::String(text) => quoted(text),
            DeValue::Integer(number) => quoted(&number.to_string()),
            _ => "this".into(),
        };
        Fault::new(format!("`{}` can't be {written}", self.key), label)
    }

    fn unlike(self, expected: &str) -> Fault {
        let found = match self.value.get_ref() {
            DeValue::String(_) => "a string",
            DeValue::Integer(_) => "an integer",
            DeValue::Float(_) => "a fraction",
            DeValue::Boolean(_) => "a boolean",
            DeValue::Datetime(_) => "a date",
            DeValue::Array(_) => "a list",
            DeValue::Table(_) => "a table",
        };
        let each = if self.listed { "each of " } else { "" };
        Fault::new(
            format!("{each}`{}` must be {expected}, not {found}", self.key),
            format!("this is {found}"),
        )
    }
}
