//! How many connections there are, in all and from each address.
//!
//! Bounds the memory that strangers can hold: a device that opens thousands of
//! connections and sends nothing shuts out nobody but itself.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

/// Counts connections; cheap to clone.
#[derive(Clone, Debug)]
pub struct Crowd(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    most: usize,
    most_each: usize,
    now: Mutex<(usize, BTreeMap<IpAddr, usize>)>,
}

/// One connection's place in the crowd; dropping it makes room.
#[derive(Debug)]
pub struct Place {
    crowd: Crowd,
    ip: IpAddr,
}

impl Crowd {
    /// At most `most` connections in all and `most_each` from one address.
    #[must_use]
    pub fn new(most: usize, most_each: usize) -> Self {
        Crowd(Arc::new(Inner { most, most_each, now: Mutex::default() }))
    }

    /// A place for a connection from `ip`, or nothing when there is no room.
    ///
    /// All addresses of an IPv6 /64 count as one: a device may have as many as it likes.
    #[must_use]
    pub fn enter(&self, ip: IpAddr) -> Option<Place> {
        let ip = match ip.to_canonical() {
            IpAddr::V6(v6) if !v6.is_unicast_link_local() => {
                IpAddr::V6((u128::from(v6) & (u128::MAX << 64)).into())
            }
            other => other,
        };
        let mut now = self.0.now.lock().unwrap_or_else(PoisonError::into_inner);
        let each = now.1.get(&ip).copied().unwrap_or(0);
        if now.0 >= self.0.most || each >= self.0.most_each {
            return None;
        }
        now.0 += 1;
        now.1.insert(ip, each + 1);
        Some(Place { crowd: self.clone(), ip })
    }

    /// Connections now.
    #[must_use]
    pub fn count(&self) -> usize {
        self.0.now.lock().unwrap_or_else(PoisonError::into_inner).0
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut now = self.crowd.0.now.lock().unwrap_or_else(PoisonError::into_inner);
        now.0 = now.0.saturating_sub(1);
        let left = now.1.get(&self.ip).map_or(0, |n| n.saturating_sub(1));
        if left == 0 {
            now.1.remove(&self.ip);
        } else {
            now.1.insert(self.ip, left);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_address_cannot_take_every_place() {
        let crowd = Crowd::new(3, 2);
        let ip = |s: &str| s.parse::<IpAddr>().unwrap();
        let a = crowd.enter(ip("10.0.0.1")).unwrap();
        let _b = crowd.enter(ip("::ffff:10.0.0.1")).unwrap();
        assert!(crowd.enter(ip("10.0.0.1")).is_none());
        let c = crowd.enter(ip("fd00::1")).unwrap();
        assert!(crowd.enter(ip("fd00::2")).is_none(), "full");
        drop((a, c));
        let _d = crowd.enter(ip("fd00::3")).unwrap();
        let _e = crowd.enter(ip("fd00::4")).unwrap();
        assert_eq!(crowd.count(), 3);
        assert!(crowd.enter(ip("fd00::5")).is_none(), "one network, one share");
    }
}
