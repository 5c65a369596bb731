//! An ASPA in JSON: rpki-client writes `{"customer_asid", "providers"}` with numbers, Routinator `{"customer",
//! "providers"}` with texts that have AS before them.

use palisade_bgp::Asn;
use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, SeqAccess};

use super::scalar::{Scalar, asn};
use crate::any_json::{AnyJson, any};
use crate::aspa::Aspa;

/// The most providers that one ASPA may name: what fits an RTR PDU (draft-ietf-sidrops-8210bis s5.12).
pub(super) const MAX_PROVIDERS: usize = 16_380;

/// An element of the list: an object, or something that should have been one.
pub(super) struct AspaElement(Result<Members, &'static str>);

impl AspaElement {
    /// The ASPA that it spells. One without a provider says nothing: AS 0 says that there is none.
    pub(super) fn aspa(self) -> Result<Aspa, String> {
        let Members { customer, providers } = self.0.map_err(|what| format!("{what}, not an object"))?;
        let customer = asn(customer).map_err(|fault| format!("customer: {fault}"))?;
        let providers = match providers {
            Some(Providers(Ok(providers))) => providers,
            Some(Providers(Err(fault))) => return Err(format!("providers of {customer}: {fault}")),
            None => return Err(format!("no providers of {customer}")),
        };
        if providers.is_empty() {
            return Err(format!("no provider of {customer}"));
        }
        Ok(Aspa { customer, providers: providers.into_iter().collect() })
    }
}

/// The members of an object that make an ASPA.
#[derive(Default)]
struct Members {
    customer: Option<Scalar>,
    providers: Option<Providers>,
}

/// The list of providers, or what is wrong with it.
struct Providers(Result<Vec<Asn>, String>);

impl<'de> AnyJson<'de> for Providers {
    fn other(what: &'static str) -> Self {
        Providers(Err(format!("{what}, not a list")))
    }

    fn list<S: SeqAccess<'de>>(mut seq: S) -> Result<Self, S::Error> {
        let mut providers = Ok(Vec::new());
        while let Some(element) = seq.next_element::<Scalar>()? {
            let Ok(read) = &mut providers else { continue };
            match asn(Some(element)) {
                Ok(_) if read.len() == MAX_PROVIDERS => {
                    providers = Err(format!("more than {MAX_PROVIDERS}"));
                }
                Ok(provider) => read.push(provider),
                Err(fault) => providers = Err(fault),
            }
        }
        Ok(Providers(providers))
    }
}

impl<'de> AnyJson<'de> for AspaElement {
    fn other(what: &'static str) -> Self {
        AspaElement(Err(what))
    }

    fn object<M: MapAccess<'de>>(mut map: M) -> Result<Self, M::Error> {
        let mut members = Members::default();
        while let Some(key) = map.next_key::<Key>()? {
            match key {
                Key::Customer => members.customer = Some(map.next_value()?),
                Key::Providers => members.providers = Some(map.next_value()?),
                Key::Other => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(AspaElement(Ok(members)))
    }
}

impl<'de> Deserialize<'de> for Providers {
    fn deserialize<D: Deserializer<'de>>(json: D) -> Result<Self, D::Error> {
        any(json)
    }
}

impl<'de> Deserialize<'de> for AspaElement {
    fn deserialize<D: Deserializer<'de>>(json: D) -> Result<Self, D::Error> {
        any(json)
    }
}

/// The name of a member.
#[derive(Deserialize)]
#[serde(field_identifier)]
enum Key {
    #[serde(rename = "customer_asid", alias = "customer")]
    Customer,
    #[serde(rename = "providers")]
    Providers,
    #[serde(other)]
    Other,
}
