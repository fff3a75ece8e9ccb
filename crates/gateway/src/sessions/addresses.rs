//! The addresses of one device: few, in order, in no more memory than they need.
//!
//! Most devices have one or two. A tree keeps room for eleven, which is half of what
//! a session takes; it is still written down as a map.

use super::Counted;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::collections::BTreeMap;
use std::net::IpAddr;

/// What each address of a device has sent and received.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Addresses(Vec<(IpAddr, Counted)>);

impl Addresses {
    fn place(&self, ip: IpAddr) -> Result<usize, usize> {
        self.0.binary_search_by_key(&ip, |a| a.0)
    }

    /// Makes sure that the address is there, and gives what it has counted.
    pub fn ensure(&mut self, ip: IpAddr) -> &mut Counted {
        let at = match self.place(ip) {
            Ok(at) => at,
            Err(at) => {
                self.0.reserve_exact(1);
                self.0.insert(at, (ip, Counted::default()));
                at
            }
        };
        // The place was found or made just now.
        #[expect(clippy::indexing_slicing, reason = "`at` is the place of an element")]
        &mut self.0[at].1
    }

    /// What an address has counted.
    pub fn get_mut(&mut self, ip: &IpAddr) -> Option<&mut Counted> {
        let at = self.place(*ip).ok()?;
        self.0.get_mut(at).map(|a| &mut a.1)
    }

    /// Takes an address away.
    pub fn remove(&mut self, ip: &IpAddr) -> Option<Counted> {
        let at = self.place(*ip).ok()?;
        Some(self.0.remove(at).1)
    }

    /// Whether an address is there.
    #[must_use]
    pub fn contains_key(&self, ip: &IpAddr) -> bool {
        self.place(*ip).is_ok()
    }

    /// The addresses, in order.
    pub fn keys(&self) -> impl Iterator<Item = &IpAddr> {
        self.0.iter().map(|a| &a.0)
    }

    /// What they have counted, in their order.
    pub fn values(&self) -> impl Iterator<Item = &Counted> {
        self.0.iter().map(|a| &a.1)
    }

    /// The same, to be changed.
    pub fn values_mut(&mut self) -> impl Iterator<Item = &mut Counted> {
        self.0.iter_mut().map(|a| &mut a.1)
    }

    /// Each address with what it has counted, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&IpAddr, &Counted)> {
        self.0.iter().map(|a| (&a.0, &a.1))
    }

    /// The same, with the counts to be changed.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = (&IpAddr, &mut Counted)> {
        self.0.iter_mut().map(|a| (&a.0, &mut a.1))
    }
}

impl FromIterator<(IpAddr, Counted)> for Addresses {
    fn from_iter<I: IntoIterator<Item = (IpAddr, Counted)>>(all: I) -> Self {
        let all: BTreeMap<IpAddr, Counted> = all.into_iter().collect();
        let mut few = Vec::with_capacity(all.len());
        few.extend(all);
        Addresses(few)
    }
}

impl<const N: usize> From<[(IpAddr, Counted); N]> for Addresses {
    fn from(all: [(IpAddr, Counted); N]) -> Self {
        all.into_iter().collect()
    }
}

impl Serialize for Addresses {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_map(self.iter())
    }
}

impl<'de> Deserialize<'de> for Addresses {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        BTreeMap::<IpAddr, Counted>::deserialize(d).map(Addresses::from_iter)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_kept_in_order_and_read_as_a_map() {
        let [a, b, c] = ["10.77.0.9", "10.77.0.10", "2001:db8:77::9"].map(|t| t.parse::<IpAddr>().unwrap());
        let mut all = Addresses::default();
        for ip in [c, a, b, a] {
            all.ensure(ip).until_mono_ms += 1;
        }
        assert_eq!(all.keys().copied().collect::<Vec<_>>(), [a, b, c]);
        assert_eq!(all.values().map(|c| c.until_mono_ms).collect::<Vec<_>>(), [2, 1, 1]);
        let tree: BTreeMap<IpAddr, Counted> = all.iter().map(|(ip, c)| (*ip, *c)).collect();
        let (text, of_tree) = (serde_json::to_string(&all).unwrap(), serde_json::to_string(&tree).unwrap());
        assert_eq!(text, of_tree, "as earlier versions wrote it");
        assert_eq!(serde_json::from_str::<Addresses>(&text).unwrap(), all);
        assert!(all.remove(&b).is_some() && all.remove(&b).is_none() && !all.contains_key(&b));
        assert!(all.get_mut(&b).is_none() && all.get_mut(&c).is_some());
    }
}
