//! A secret that two routers share: it is compared and used, and never shown.
//!
//! Whoever prints it, for a log or while looking for a fault, sees that there is one and no more. It is not wiped from memory
//! when it goes: the configuration that it came from is there in full.

use std::fmt;
use std::sync::Arc;

/// Octets that are not for anybody's eyes.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Secret(Arc<[u8]>);

impl Secret {
    /// These octets.
    pub(crate) fn new(octets: &[u8]) -> Self {
        Secret(octets.into())
    }

    /// The octets, for whoever uses them.
    pub(crate) fn octets(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_sees_it() {
        assert_eq!(format!("{:?}", Some(Secret::new(b"hunter2"))), "Some(Secret(..))");
    }
}
