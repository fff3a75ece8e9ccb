//! ICMP echo, the ping (RFC 792, RFC 4443), as bytes and back.

/// Bytes of an echo message that the gateway sends.
pub const LENGTH: usize = 40;

/// What became of an echo on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Heard {
    /// It was answered.
    Answered,
    /// It had gone as far as it was let: who says so is on the way.
    Passed,
    /// Somebody says that it cannot go on.
    Unreachable,
}

/// The length of the IPv4 header that a packet begins with.
fn header(packet: &[u8]) -> usize {
    packet.first().map_or(0, |b| usize::from(b & 15) * 4)
}

/// One echo's identity: a reply must repeat all of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Echo {
    /// Drawn for each target; the kernel replaces it on unprivileged sockets.
    pub id: u16,
    /// Counts the packets.
    pub seq: u16,
    /// Drawn for each run, so that a stray reply is not taken for ours.
    pub mark: u64,
}

impl Echo {
    /// The request; the checksum of IPv6 is the kernel's and stays zero.
    #[must_use]
    pub fn request(&self, v6: bool) -> Vec<u8> {
        let mut out = vec![if v6 { 128 } else { 8 }, 0, 0, 0];
        out.extend(self.id.to_be_bytes());
        out.extend(self.seq.to_be_bytes());
        out.extend(self.mark.to_be_bytes());
        out.resize(LENGTH, 0x6b);
        if !v6 {
            let sum = checksum(&out).to_be_bytes();
            out.splice(2..4, sum);
        }
        out
    }

    /// What a packet on a raw socket says of this request; nothing where it is of another.
    ///
    /// IPv4 packets have their header before them on such a socket, those of IPv6 do not.
    #[must_use]
    pub fn heard(&self, packet: &[u8], v6: bool) -> Option<Heard> {
        if self.is_answered_by(packet, v6, !v6, true) {
            return Some(Heard::Answered);
        }
        let packet = if v6 { packet } else { packet.get(header(packet)..)? };
        let (&[kind, _, _, _, _, _, _, _], sent) = packet.split_first_chunk::<8>()?;
        let sent = sent.get(if v6 { 40 } else { header(sent) }..)?;
        let &[asked, 0, _, _, i1, i2, s1, s2, ..] = sent else { return None };
        let ours = asked == if v6 { 128 } else { 8 }
            && u16::from_be_bytes([i1, i2]) == self.id
            && u16::from_be_bytes([s1, s2]) == self.seq;
        match (kind, v6) {
            (11, false) | (3, true) if ours => Some(Heard::Passed),
            (3, false) | (1, true) if ours => Some(Heard::Unreachable),
            _ => None,
        }
    }

    /// Whether a packet is the reply to this request.
    ///
    /// `header` tells that an IPv4 header stands before it, as on raw sockets; `own_id`
    /// that the id is compared too, which an unprivileged socket leaves to the kernel.
    #[must_use]
    pub fn is_answered_by(&self, packet: &[u8], v6: bool, header: bool, own_id: bool) -> bool {
        let packet = if header { packet.get(self::header(packet)..).unwrap_or_default() } else { packet };
        let &[kind, 0, _, _, i1, i2, s1, s2, ref rest @ ..] = packet else { return false };
        kind == if v6 { 129 } else { 0 }
            && (!own_id || u16::from_be_bytes([i1, i2]) == self.id)
            && u16::from_be_bytes([s1, s2]) == self.seq
            && rest.starts_with(&self.mark.to_be_bytes())
    }
}

/// The Internet checksum (RFC 1071).
fn checksum(bytes: &[u8]) -> u16 {
    let mut sum: u32 = bytes
        .chunks(2)
        .map(|c| u32::from(c.first().copied().unwrap_or(0)) << 8 | u32::from(c.get(1).copied().unwrap_or(0)))
        .sum();
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !u16::try_from(sum).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reply_is_known_by_everything_it_repeats() {
        let echo = Echo { id: 0x1234, seq: 7, mark: 99 };
        let request = echo.request(false);
        assert_eq!((request.len(), checksum(&request)), (LENGTH, 0));
        let mut reply = request.clone();
        reply[0] = 0;
        assert!(echo.is_answered_by(&reply, false, false, true));
        let mut raw = vec![0x45; 20];
        raw.extend(&reply);
        assert!(echo.is_answered_by(&raw, false, true, true));
        assert!(!echo.is_answered_by(&request, false, false, true), "our own request is no reply");
        let other = Echo { seq: 8, ..echo };
        assert!(!other.is_answered_by(&reply, false, false, true));
        reply[4] ^= 1;
        assert!(!echo.is_answered_by(&reply, false, false, true));
        assert!(echo.is_answered_by(&reply, false, false, false), "the kernel chose the id");
        for cut in 0..16 {
            assert!(!echo.is_answered_by(&reply[..cut], false, false, false));
        }
        let mut told = vec![0x45; 20];
        told.extend([11, 0, 0, 0, 0, 0, 0, 0, 0x45]);
        told.extend([0; 19]);
        told.extend(&request[..8]);
        assert_eq!(echo.heard(&told, false), Some(Heard::Passed));
        assert_eq!(Echo { seq: 8, ..echo }.heard(&told, false), None, "of another one");
        told[20] = 3;
        assert_eq!(echo.heard(&told, false), Some(Heard::Unreachable));
        for cut in 0..told.len() {
            assert_eq!(echo.heard(&told[..cut], false), None);
        }
        let mut six = vec![3, 0, 0, 0, 0, 0, 0, 0];
        six.extend([0; 40]);
        six.extend(&echo.request(true)[..8]);
        assert_eq!(echo.heard(&six, true), Some(Heard::Passed));
        let v6 = echo.request(true);
        assert_eq!(&v6[..4], [128, 0, 0, 0]);
    }
}
