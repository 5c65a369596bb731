//! A route as a daemon holds it, in the same words whichever daemon it is.

use serde_json::Value;

/// What a daemon has been sent, and holds.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Route {
    pub(crate) prefix: String,
    /// RFC 7911; 0 where there is none, or the daemon does not show it.
    pub(crate) path_id: u32,
    pub(crate) as_path: Vec<u32>,
    /// Only the global one of two for IPv6; the link-local one, where that is all there is.
    pub(crate) next_hop: String,
    /// `a:b`, in order.
    pub(crate) communities: Vec<String>,
    /// `a:b:c`, in order.
    pub(crate) large_communities: Vec<String>,
    /// Whether the daemon keeps it over a restart of its peer.
    pub(crate) is_stale: bool,
}

impl Route {
    /// One without communities.
    pub(crate) fn plain(prefix: &str, as_path: &[u32], next_hop: &str) -> Self {
        let (prefix, next_hop) = (prefix.into(), next_hop.into());
        Route { prefix, as_path: as_path.to_vec(), next_hop, ..Route::default() }
    }

    /// In order, as `a:b` or `a:b:c`, from a text in which spaces are between them.
    pub(crate) fn in_order(communities: &str) -> Vec<String> {
        let mut list: Vec<String> = communities.split_whitespace().map(Into::into).collect();
        list.sort();
        list
    }
}

/// The AS numbers of a text.
pub(crate) fn numbers(text: &str) -> Vec<u32> {
    text.split_whitespace().filter_map(|word| word.parse().ok()).collect()
}

/// A list of AS numbers.
pub(crate) fn asns(list: &Value) -> Vec<u32> {
    items(list).filter_map(|asn| u32::try_from(asn.as_u64()?).ok()).collect()
}

/// What a list holds; nothing where it is none.
pub(crate) fn items(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().map(Vec::as_slice).unwrap_or_default().iter()
}

/// A text, or nothing.
pub(crate) fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}
