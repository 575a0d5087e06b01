//! Checkout, renewal and their replies (`/openapi.json`).

use serde::{Deserialize, Serialize};

/// `POST /v1/leases`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CheckoutBody {
    /// 32 lower-case hex digits; a retry repeats it (rule 20).
    pub checkout_id: String,
    /// 32 lower-case hex digits: one life of the process, new after fork.
    pub instance: String,
    /// base64url of at least 16 random bytes, new in every call.
    pub nonce: String,
    /// The product, as the license names it.
    pub product: String,
    /// What to take; one member today.
    pub items: Vec<Item>,
    /// Thumbprints (RFC 7638) of the vendor roots that the application carries.
    pub roots: Vec<String>,
    /// The newest lease token that the client holds (rule 21).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seen: Option<String>,
    /// The delegation above `seen`, after `show_delegation` (rule 21).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delegation: Option<String>,
    /// The whole wait in seconds, at most 86,400; has no effect before the queue.
    #[serde(default)]
    pub wait_s: u64,
    /// The user asked for it just now; deletes a cool-down (rule 16).
    #[serde(default)]
    pub interactive: bool,
    /// Token types that the client understands; none means the first set.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tokens: Vec<String>,
}

/// One feature and how many seats of it (rule 8).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Item {
    /// The feature within the product.
    pub feature: String,
    /// The application's version (rule 12).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Seats, at least 1.
    #[serde(default = "one")]
    pub n: u32,
}

fn one() -> u32 {
    1
}

/// `PUT /v1/leases/{id}`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RenewBody {
    /// The instance that took the seat.
    pub instance: String,
    /// base64url of at least 16 random bytes, new in every call.
    pub nonce: String,
    /// The newest lease token that the client holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seen: Option<String>,
    /// The delegation above `seen`, after `show_delegation`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delegation: Option<String>,
}

/// A signed lease with what is needed to verify it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LeaseReply {
    /// The holder, `E.N.H`: the lease's `jti`, and the `{id}` of renewal and release.
    pub id: String,
    /// The lease token.
    pub lease: String,
    /// The tokens above it: all in a checkout's reply, those that changed since `seen` in a renewal's.
    #[serde(default)]
    pub chain: Chain,
}

impl LeaseReply {
    /// The reply as JSON: the same bytes that serde writes. Ids and tokens have no letter that JSON escapes; they are
    /// copied as they are, where serde would look at each letter of some thousand.
    ///
    /// # Panics
    /// Never: strings always serialize.
    #[must_use]
    pub fn to_json(&self) -> Vec<u8> {
        let chain = &self.chain;
        let above = [
            ("issuer", &chain.issuer),
            ("license", &chain.license),
            ("delegation", &chain.delegation),
        ];
        let above = above
            .iter()
            .filter_map(|(name, token)| Some((*name, token.as_deref()?)));
        let mut texts = above.clone().map(|(_, token)| token);
        if ![&*self.id, &*self.lease].into_iter().all(plain) || !texts.all(plain) {
            return serde_json::to_vec(self).expect("strings always serialize");
        }
        let tokens: usize = above.clone().map(|(_, token)| token.len()).sum();
        let names = 128;
        let mut json = Vec::with_capacity(self.id.len() + self.lease.len() + tokens + names);
        let mut put = |parts: &[&str]| {
            parts
                .iter()
                .for_each(|p| json.extend_from_slice(p.as_bytes()))
        };
        put(&[
            r#"{"id":""#,
            &self.id,
            r#"","lease":""#,
            &self.lease,
            r#"","chain":{"#,
        ]);
        for (n, (name, token)) in above.enumerate() {
            let comma = if n == 0 { "" } else { "," };
            put(&[comma, "\"", name, r#"":""#, token, "\""]);
        }
        put(&["}}"]);
        json
    }
}

/// Nothing in it is escaped in JSON.
fn plain(text: &str) -> bool {
    let escaped = |byte: u8| byte < b' ' || byte == b'"' || byte == b'\\';
    // Without an early end, which would keep it from being looked at in vectors.
    !text.bytes().fold(false, |any, byte| any | escaped(byte))
}

/// The tokens above a lease.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Chain {
    /// Vendor root → issuing key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issuer: Option<String>,
    /// Issuing key → license.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub license: Option<String>,
    /// Site key → lease key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delegation: Option<String>,
}

/// `POST /v1/explain`: a checkout, and for whom (rule 22).
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ExplainBody {
    /// The login to judge; oneself where absent. Others only for administrators.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// The product; may be left out where only one has the feature.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub product: Option<String>,
    /// The feature, version and number of seats.
    pub item: Item,
    /// As in a checkout.
    #[serde(default)]
    pub interactive: bool,
    /// Roots that the application carries; every trusted one where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub roots: Option<Vec<String>>,
    /// What is to be taken as so, for this answer alone: at most 16, each after the one before it. Only for those who
    /// may ask for others and see licenses.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub suppose: Vec<super::Suppose>,
}

/// What would happen, and why.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ExplainReply {
    /// The login that was judged.
    pub user: String,
    /// The product that was judged: the one asked for, or the one that has the feature.
    #[serde(default)]
    pub product: String,
    /// A seat would be given.
    pub granted: bool,
    /// One sentence: the seat that it would get, or the no.
    pub summary: String,
    /// The no, as the application would get it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub denial: Option<super::Problem>,
    /// What was supposed, in words.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub supposed: Vec<String>,
    /// The answer without what was supposed, where something was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub today: Option<super::Today>,
    /// How it was judged, in order.
    pub steps: Vec<ExplainStep>,
    /// Who holds seats in the pool that decided, for those who may see it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub holders: Vec<super::Seat>,
}

/// One step of a judgement.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ExplainStep {
    /// `vendor/license/feature`, where the step concerns a pool.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pool: Option<String>,
    /// The rule applied.
    pub rule: u8,
    /// The code it failed with; absent where it passed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub denied: Option<super::Code>,
    /// What was compared.
    pub text: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reply_is_written_as_serde_writes_it() {
        let token = |there: bool, text: &str| there.then(|| text.to_owned());
        for lease in [
            "aA0-_.b",
            "",
            "\"",
            "\\",
            "\n",
            "\u{7f}",
            "\u{e9}",
            "</script>",
        ] {
            for bits in 0..8 {
                let reply = LeaseReply {
                    id: "1.2.3".to_owned(),
                    lease: lease.to_owned(),
                    chain: Chain {
                        issuer: token(bits & 1 > 0, "i.s.s"),
                        license: token(bits & 2 > 0, "l.i.c"),
                        delegation: token(bits & 4 > 0, lease),
                    },
                };
                let serde = serde_json::to_string(&reply).expect("JSON");
                let ours = String::from_utf8(reply.to_json()).expect("text");
                assert_eq!(ours, serde);
            }
        }
    }
}
