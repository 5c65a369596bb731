//! BIRD, whose policy has changed, asks for everything again, is told it, and holds what it did not want before. It is asked in
//! turn, and says all it has again.

use crate::claims;
use crate::lab::Lab;

pub(crate) fn tell(lab: &mut Lab) {
    claims::refresh_after_change(lab, |lab| {
        lab.edit("bird.conf", |text| text.replace("import where net != 193.0.9.0/24", "import all"));
        lab.peer().ask("configure");
    });
    claims::refresh_of_theirs(lab);
}
