//! The protocol with its buffers: packets in, what is to be sent or handed on out.
//!
//! Which addresses may be inside is checked here, both ways: what the other end sends
//! from somewhere else than its ranges is dropped, as is what would go elsewhere.

use boringtun::noise::{Tunn, TunnResult};
use boringtun::x25519::{PublicKey, StaticSecret};
use ipnet::IpNet;
use std::net::{IpAddr, SocketAddr};

/// The largest datagram, and what the protocol adds.
const BUFFER: usize = 65_535 + 256;
/// A reply to a flood of greetings; anybody could have sent it.
const COOKIE: u8 = 3;
/// Packets that wait for a first agreement are sent then; no more can wait.
const MOST_WAITING: usize = 300;

/// What is to be done with the bytes.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Done<'a> {
    /// Nothing.
    Nothing,
    /// Send them to the other end.
    Send(&'a [u8]),
    /// Hand them to the kernel.
    Deliver(&'a [u8]),
    /// They were not what they should be.
    Refused,
}

/// The other end.
pub(super) struct Peer {
    tunn: Tunn,
    own: StaticSecret,
    key: [u8; 32],
    keepalive_s: u16,
    /// Bytes up and down before the protocol was begun anew.
    before: (u64, u64),
    prefixes: Vec<IpNet>,
    buffer: Vec<u8>,
}

impl Peer {
    pub(super) fn new(own: &StaticSecret, key: [u8; 32], keepalive_s: u16, prefixes: &[IpNet]) -> Self {
        let (own, prefixes) = (own.clone(), prefixes.to_vec());
        let tunn = begin(&own, key, keepalive_s);
        Peer { tunn, own, key, keepalive_s, before: (0, 0), prefixes, buffer: vec![0; BUFFER] }
    }

    /// Begins the protocol anew, by the time of now.
    ///
    /// It takes the wall clock once: a box that was set only after it began would greet with times
    /// that the other end has seen, and never be answered.
    pub(super) fn begin_anew(&mut self) {
        let (_, up, down) = self.counts();
        self.before = (up, down);
        self.tunn = begin(&self.own, self.key, self.keepalive_s);
    }

    fn reaches(prefixes: &[IpNet], ip: IpAddr) -> bool {
        prefixes.iter().any(|p| p.contains(&ip))
    }

    /// A packet of the place.
    pub(super) fn out(&mut self, packet: &[u8]) -> Done<'_> {
        let inside = Tunn::dst_address(packet).is_some_and(|ip| Self::reaches(&self.prefixes, ip));
        if !inside {
            return Done::Refused;
        }
        Self::told(self.tunn.encapsulate(packet, &mut self.buffer), &self.prefixes)
    }

    /// A datagram from outside.
    pub(super) fn came(&mut self, from: SocketAddr, datagram: &[u8]) -> Done<'_> {
        // An empty one would be a question of our own.
        if datagram.is_empty() {
            return Done::Refused;
        }
        Self::told(self.tunn.decapsulate(Some(from.ip()), datagram, &mut self.buffer), &self.prefixes)
    }

    /// What waited for an agreement, one by one, until there is nothing left.
    pub(super) fn waiting(&mut self) -> Done<'_> {
        Self::told(self.tunn.decapsulate(None, &[], &mut self.buffer), &self.prefixes)
    }

    /// What the time asks for.
    pub(super) fn tick(&mut self) -> Done<'_> {
        match Self::told(self.tunn.update_timers(&mut self.buffer), &self.prefixes) {
            // It gives up after a while; a box does not.
            Done::Refused => Done::Nothing,
            done => done,
        }
    }

    /// Agrees on keys anew, unless that is under way.
    pub(super) fn shake(&mut self) -> Done<'_> {
        let again = self.tunn.is_expired();
        Self::told(self.tunn.format_handshake_initiation(&mut self.buffer, again), &self.prefixes)
    }

    /// Whether only the other end can have sent this.
    pub(super) fn is_proof(datagram: &[u8]) -> bool {
        datagram.first().is_some_and(|kind| *kind != COOKIE)
    }

    /// How many packets may wait.
    pub(super) const fn most_waiting() -> usize {
        MOST_WAITING
    }

    /// Milliseconds since keys were agreed on, and bytes up and down.
    pub(super) fn counts(&self) -> (Option<i64>, u64, u64) {
        let (since, up, down, ..) = self.tunn.stats();
        let since = since.map(|d| i64::try_from(d.as_millis()).unwrap_or(i64::MAX));
        let (up_before, down_before) = self.before;
        (since, up_before.saturating_add(up as u64), down_before.saturating_add(down as u64))
    }

    fn told<'a>(result: TunnResult<'a>, prefixes: &[IpNet]) -> Done<'a> {
        let deliver = |packet: &'a [u8], from: IpAddr| {
            if Self::reaches(prefixes, from) { Done::Deliver(packet) } else { Done::Nothing }
        };
        match result {
            TunnResult::Done => Done::Nothing,
            TunnResult::Err(_) => Done::Refused,
            TunnResult::WriteToNetwork(bytes) => Done::Send(bytes),
            TunnResult::WriteToTunnelV4(packet, from) => deliver(packet, from.into()),
            TunnResult::WriteToTunnelV6(packet, from) => deliver(packet, from.into()),
        }
    }
}

fn begin(own: &StaticSecret, key: [u8; 32], keepalive_s: u16) -> Tunn {
    Tunn::new(own.clone(), PublicKey::from(key), None, Some(keepalive_s), 1, None)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packet(from: [u8; 4], to: [u8; 4]) -> Vec<u8> {
        let mut p = vec![0x45, 0, 0, 28, 0, 0, 0, 0, 64, 17, 0, 0];
        p.extend(from);
        p.extend(to);
        p.extend([0; 8]);
        p
    }

    fn sent(done: Done<'_>) -> Vec<u8> {
        let Done::Send(bytes) = done else { panic!("{done:?}") };
        bytes.to_vec()
    }

    const BOX: [u8; 4] = [10, 201, 0, 7];
    const SERVER: [u8; 4] = [10, 200, 0, 1];

    /// A box and a data centre that know each other's keys.
    fn ends() -> (Peer, Peer) {
        let (a, b) = (StaticSecret::from([1; 32]), StaticSecret::from([2; 32]));
        let centre = ["10.200.0.0/16".parse().unwrap()];
        let place = ["10.201.0.7/32".parse().unwrap()];
        let (of_a, of_b) = (PublicKey::from(&a).to_bytes(), PublicKey::from(&b).to_bytes());
        (Peer::new(&a, of_b, 25, &centre), Peer::new(&b, of_a, 25, &place))
    }

    fn at() -> SocketAddr {
        "203.0.113.7:51820".parse().unwrap()
    }

    fn agreed() -> (Peer, Peer) {
        let (mut place, mut centre) = ends();
        // The packet that asks for it waits until they have agreed.
        let greeting = sent(place.out(&packet(BOX, SERVER)));
        let answer = sent(centre.came(at(), &greeting));
        let alive = sent(place.came(at(), &answer));
        assert_eq!(centre.came(at(), &alive), Done::Nothing);
        let waited = sent(place.waiting());
        assert_eq!(centre.came(at(), &waited), Done::Deliver(&packet(BOX, SERVER)));
        assert_eq!(place.waiting(), Done::Nothing);
        (place, centre)
    }

    #[test]
    fn a_packet_gets_through_and_its_answer_too() {
        let (mut place, mut centre) = agreed();
        let back = sent(centre.out(&packet(SERVER, BOX)));
        assert_eq!(place.came(at(), &back), Done::Deliver(&packet(SERVER, BOX)));
        assert_eq!(place.came(at(), &back), Done::Refused, "the same bytes again are nobody's");
        let (since, up, down) = place.counts();
        assert!(since.is_some() && up == 28 && down == 28, "{since:?} {up} {down}");
        place.begin_anew();
        assert_eq!(place.counts(), (None, 28, 28), "what was counted stays, what was agreed on does not");
        let answer = sent(centre.came(at(), &sent(place.shake())));
        assert!(matches!(place.came(at(), &answer), Done::Send(_)), "and both agree again");
    }

    #[test]
    fn what_is_not_of_its_ranges_goes_neither_in_nor_out() {
        let (mut place, mut centre) = agreed();
        assert_eq!(place.out(&packet(BOX, [203, 0, 113, 1])), Done::Refused);
        assert_eq!(place.out(&[]), Done::Refused);
        let forged = sent(centre.out(&packet([10, 9, 9, 9], BOX)));
        assert_eq!(place.came(at(), &forged), Done::Nothing, "dropped, and still a sign of life");
    }

    #[test]
    fn another_key_gets_no_answer() {
        let (mut place, _) = ends();
        let mut stranger = Peer::new(&StaticSecret::from([9; 32]), [7; 32], 25, &[]);
        let greeting = sent(place.shake());
        assert_eq!(stranger.came(at(), &greeting), Done::Refused);
        assert_eq!(place.came(at(), b"nonsense"), Done::Refused);
        assert_eq!(place.shake(), Done::Nothing, "under way already");
        assert_eq!(place.counts().0, None);
    }
}
