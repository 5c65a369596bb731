//! An index made from another one by a handful of changes.

use std::sync::Arc;

use super::builder::MAX_ROUTE_OBJECTS;
use super::object::{IrrChange, IrrObject, Memberships};
use super::route_table::Route;
use super::set_table::Subject;
use super::sources::Sources;
use super::{IrrIndex, Table};
use crate::as_set::AsSet;
use crate::route_set::RouteSet;

impl IrrIndex {
    /// This index with changes made one after the other. It shares the whole tables with this one, and costs what the
    /// amendments cost, until there are more of these than [`super::MOST_AMENDMENTS`]: then it gets tables of its own.
    ///
    /// Of a union, an added object goes to the first part that knows its registry, else to the first; a removed one
    /// goes from all parts. What is past a limit of the builder's is left out.
    pub fn amended(&self, changes: impl IntoIterator<Item = IrrChange>) -> IrrIndex {
        let mut amending = Amending {
            routes: vec![Vec::new(); self.tables.len()],
            held: self.len(),
            tables: self.tables.to_vec(),
            sources: self.sources.clone(),
        };
        for change in changes {
            match change {
                IrrChange::Add(object) => amending.add(object),
                IrrChange::Remove(object) => amending.remove(&object),
            }
        }
        let Amending { mut tables, routes, sources, .. } = amending;
        for (table, routes) in tables.iter_mut().zip(routes) {
            table.routes = table.routes.amended(&routes);
        }
        IrrIndex { tables: tables.into(), sources }
    }
}

struct Amending {
    tables: Vec<Table>,
    /// For each table, the route objects to add or remove.
    routes: Vec<Vec<(bool, Route)>>,
    /// How many route objects there are at most by now.
    held: usize,
    /// Of all tables.
    sources: Arc<Sources>,
}

impl Amending {
    fn add(&mut self, object: IrrObject) {
        // What it asked for before may be in another part.
        match &object {
            IrrObject::Route(route, _) => {
                self.forget(&route.source, Subject::Route(route.prefix, route.origin));
            }
            IrrObject::AutNum(aut_num) => self.forget(&aut_num.source, Subject::AutNum(aut_num.asn)),
            IrrObject::AsSet(_) | IrrObject::RouteSet(_) => {}
        }
        let known = self.tables.iter().position(|table| table.sources.find(object.source()).is_some());
        let at = known.unwrap_or(0);
        let (Some(table), Some(routes)) = (self.tables.get_mut(at), self.routes.get_mut(at)) else { return };
        let number = number(&mut self.sources, object.source())
            .and_then(|_| number(&mut table.sources, object.source()));
        let Some(number) = number else { return };
        let source = table.sources.name(number);
        match object {
            IrrObject::Route(route, asked) if self.held < MAX_ROUTE_OBJECTS => {
                self.held += 1;
                routes.push((true, Route::new(route.prefix, route.origin, number)));
                table.sets.ask(&source, Subject::Route(route.prefix, route.origin), asked);
            }
            IrrObject::Route(..) => {}
            IrrObject::AsSet(set) => {
                let name = set.name.clone();
                table.sets.as_sets.put(AsSet { source: source.clone(), ..set });
                if table.sets.is_full() {
                    table.sets.as_sets.remove(&name, &source);
                }
            }
            IrrObject::RouteSet(set) => {
                let name = set.name.clone();
                table.sets.route_sets.put(RouteSet { source: source.clone(), ..set });
                if table.sets.is_full() {
                    table.sets.route_sets.remove(&name, &source);
                }
            }
            IrrObject::AutNum(aut_num) => {
                let subject = Subject::AutNum(aut_num.asn);
                table.sets.ask(&source, subject, aut_num.memberships);
                if table.sets.is_full() {
                    table.sets.ask(&source, subject, Memberships::default());
                }
            }
        }
    }

    /// Takes what an object asks for out of all parts.
    fn forget(&mut self, source: &str, subject: Subject) {
        for table in &mut self.tables {
            if let Some(number) = table.sources.find(source) {
                table.sets.ask(&table.sources.name(number), subject, Memberships::default());
            }
        }
    }

    fn remove(&mut self, object: &IrrObject) {
        for (table, routes) in self.tables.iter_mut().zip(&mut self.routes) {
            let Some(number) = table.sources.find(object.source()) else { continue };
            let source = table.sources.name(number);
            match object {
                IrrObject::Route(route, _) => {
                    routes.push((false, Route::new(route.prefix, route.origin, number)));
                    let subject = Subject::Route(route.prefix, route.origin);
                    table.sets.ask(&source, subject, Memberships::default());
                }
                IrrObject::AsSet(set) => table.sets.as_sets.remove(&set.name, &source),
                IrrObject::RouteSet(set) => table.sets.route_sets.remove(&set.name, &source),
                IrrObject::AutNum(aut_num) => {
                    table.sets.ask(&source, Subject::AutNum(aut_num.asn), Memberships::default());
                }
            }
        }
    }
}

/// The number of a registry, which is a new one where it has none yet; `None` where there are too many.
fn number(sources: &mut Arc<Sources>, name: &str) -> Option<u16> {
    match sources.find(name) {
        Some(number) => Some(number),
        None => Arc::make_mut(sources).number(name),
    }
}
