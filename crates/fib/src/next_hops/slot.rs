//! One next hop: what routes need of it, what the kernel has, and which step leads from the one to the other.

use crate::connected::Unresolved;
use crate::error::Errno;
use crate::next_hop::NextHop;

/// The state of a next hop in the kernel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Object {
    Absent,
    Present { link: u32 },
}

pub(super) struct Slot {
    pub(super) next_hop: NextHop,
    /// The object's id, 0 on a kernel without objects.
    pub(super) id: u32,
    pub(super) object: Object,
    /// Rows that want this next hop.
    pub(super) wanted: u32,
    /// Rows that the kernel holds through it.
    pub(super) installed: u32,
    /// In `todo`.
    pub(super) queued: bool,
    /// Refused, and tried again with the next retry.
    pub(super) waiting: bool,
    /// The object went and its rows don't know yet.
    pub(super) lost: bool,
    /// The object came and rows that waited for it don't know yet.
    pub(super) woken: bool,
    /// Rows were passed over because the object was absent.
    pub(super) parked: bool,
    /// Found by the listing in progress.
    pub(super) seen: bool,
    pub(super) id_tries: u8,
    pub(super) refusal: Option<(Errno, Option<Box<str>>)>,
}

/// What has to be done for a next hop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    Nothing,
    Add { link: u32 },
    Move { link: u32 },
    Remove,
    Forget,
}

impl Slot {
    /// One that no row wants yet.
    pub(super) fn new(next_hop: NextHop, object: Object, id: u32) -> Self {
        Slot {
            next_hop,
            id,
            object,
            wanted: 0,
            installed: 0,
            queued: false,
            waiting: false,
            lost: false,
            woken: false,
            parked: false,
            seen: true,
            id_tries: 0,
            refusal: None,
        }
    }

    /// What is to be done, where `resolved` is the link that leads there now. What an earlier run left is let be until the start
    /// is complete.
    pub(super) fn step(&self, resolved: Result<u32, Unresolved>, started: bool) -> Step {
        match (self.object, resolved) {
            _ if self.waiting => Step::Nothing,
            (Object::Absent, Ok(link)) if self.wanted > 0 => Step::Add { link },
            (Object::Present { link: now }, Ok(link)) if self.wanted > 0 && now != link => {
                Step::Move { link }
            }
            (Object::Present { .. }, Err(_)) if self.wanted > 0 => Step::Remove,
            (Object::Present { .. }, _) if self.wanted == 0 && self.installed == 0 && started => Step::Remove,
            (Object::Absent, _) if self.wanted == 0 && self.installed == 0 => Step::Forget,
            _ => Step::Nothing,
        }
    }

    /// Why it can't be used.
    pub(super) fn reason(&self, unresolved: Option<Unresolved>) -> String {
        match (unresolved, &self.refusal) {
            (Some(why), _) => why.to_string(),
            (None, Some((errno, Some(text)))) => format!("refused by the kernel: {errno} ({text})"),
            (None, Some((errno, None))) => format!("refused by the kernel: {errno}"),
            (None, None) => "about to be used".to_owned(),
        }
    }
}
