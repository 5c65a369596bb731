//! Communities: what customers ask for, what is scrubbed, and what tells others where a route is from, as it is seen by
//! those who are sent the routes.

use crate::speaker::{Route, large, standard};
use crate::world::{US, World, until};

const SECTIONS: &str = r#"
[rpki]
files = ["vrps.json"]
[irr]
cache = "off"
dumps = ["irr.db"]
[actions]
set = "euro-ix"
[communities]
tags = { provider = ["196608:1000:1"], customer = ["196608:1000:2"] }
"#;
const VRPS: &str = r#"{"roas": [{"asn": 196801, "prefix": "45.0.0.0/8", "maxLength": 24}]}"#;
const DUMP: &str = "as-set: AS-CUSTOMER\nmembers: AS196703, AS196801\nsource: TEST\n";

const LISTENER: u32 = 196_704;
const PROVIDER: u32 = 196_702;

#[test]
fn communities_are_obeyed_scrubbed_and_added() {
    let mut world = World::start(SECTIONS, &[("vrps.json", VRPS), ("irr.db", DUMP)]);
    world.wait_for_sessions();
    let foreign = [standard(&[(3, 4)]), large(&[(196_990, 1, 1)])].concat();
    let asks = |second, asn| [standard(&[(3, 4)]), large(&[(US, second, asn), (196_990, 1, 1)])].concat();
    let customer = &mut world.customer;
    customer.announce(&[196_801], &foreign, &["45.1.0.0/24"]);
    customer.announce(&[196_801], &asks(0, LISTENER), &["45.2.0.0/24"]);
    customer.announce(&[196_801], &asks(0, PROVIDER), &["45.3.0.0/24"]);
    customer.announce(&[196_801], &asks(102, LISTENER), &["45.4.0.0/24"]);
    // What is a customer's to say is not a provider's, and its word on where a route is from is worth nothing.
    let lies = [standard(&[(3, 4)]), large(&[(US, 0, LISTENER), (US, 1000, 2), (196_990, 1, 1)])].concat();
    world.provider.announce(&[196_801], &lies, &["45.5.0.0/24"]);

    let route = |path: &[u32], tag: &str| Route {
        path: path.to_vec(),
        communities: vec!["3:4".into()],
        large_communities: vec!["196990:1:1".into(), tag.into()],
    };
    let from_customer = route(&[US, 196_703, 196_801], "196608:1000:2");
    let prepended = route(&[US, US, US, 196_703, 196_801], "196608:1000:2");
    let from_provider = route(&[US, PROVIDER, 196_801], "196608:1000:1");
    let listener = [
        ("45.1.0.0/24", from_customer.clone()),
        ("45.3.0.0/24", from_customer.clone()),
        ("45.4.0.0/24", prepended),
        ("45.5.0.0/24", from_provider.clone()),
    ];
    let expected = |routes: &[(&str, Route)]| {
        routes.iter().map(|(prefix, route)| ((*prefix).to_owned(), route.clone())).collect()
    };
    until("the listener has what it may have", || world.listener.heard().routes.len() == listener.len());
    assert_eq!(world.listener.heard().routes, expected(&listener));
    let provider =
        ["45.1.0.0/24", "45.2.0.0/24", "45.4.0.0/24"].map(|prefix| (prefix, from_customer.clone()));
    until("the provider has what it may have", || world.provider.heard().routes.len() == provider.len());
    assert_eq!(world.provider.heard().routes, expected(&provider));
    assert_eq!(world.told("45.2.0.0/24"), (0, 0), "not to the listener, not for a moment");
    let shown = world.path("45.5.0.0/24", "provider");
    assert_eq!(shown["large_communities"], serde_json::json!(["196990:1:1"]), "{shown}");
    let explained = world.explain("45.2.0.0/24", "customer");
    let sent = |name: &str| {
        let exports = explained["table"]["exports"].as_array().expect("a list");
        exports.iter().find(|export| export["peer"] == name).expect("a peer")["sent"] == true
    };
    assert_eq!([sent("provider"), sent("listener")], [true, false], "{explained:#}");
    world.hold_sessions();
}
