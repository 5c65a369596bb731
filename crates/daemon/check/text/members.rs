//! What of a member export is taken.

use super::page::{count, item};
use crate::check::members::MembersOutline;

pub(super) fn print(out: &mut String, MembersOutline { file, amending, export }: &MembersOutline) {
    let Some(export) = export else {
        let amending = match amending {
            0 => String::new(),
            blocks => format!(
                "; so {} on top of it {} unused",
                count(*blocks, "block"),
                if *blocks == 1 { "is" } else { "are" }
            ),
        };
        return item(out, "members", format_args!("from {file}, which is not read{amending}"));
    };
    let (members, sessions) = (count(export.members, "member"), count(export.sessions, "session"));
    let at = export.exchange.as_ref().map(|exchange| format!(" at {exchange}")).unwrap_or_default();
    item(out, "members", format_args!("{members}{at} with {sessions} from {file}"));
    let skipped = export.skipped.iter().map(|skipped| format!("{} {}", skipped.count, skipped.why));
    if !export.skipped.is_empty() {
        item(out, "", format_args!("no sessions: {}", skipped.collect::<Vec<_>>().join(", ")));
    }
}
