use kulkul_wire::netlink::message::{Message, Messages};
use kulkul_wire::netlink::tables::{self, Part};
use kulkul_wire::netlink::{Change, Element, Extra, Set, flows, routes};

/// Any bytes as one datagram of the kernel; what is read as an element is written and read back.
pub fn check(bytes: &[u8]) {
    for message in Messages(bytes) {
        let Ok(message) = message else { return };
        let _ = (message.errno(), message.words());
        let _ = (tables::table_digest(&message), tables::generation_from(&message));
        let _ = (routes::neighbour_from(&message), routes::address_from(&message));
        let _ = flows::heard_from(&message, |_| false);
        for part in Part::ALL {
            let _ = tables::lasting(&message, part);
        }
        for element in read(&message, Set::Auth4).into_iter().flatten() {
            let (sent, ..) = tables::batch(&[Change::Add(element)], 1);
            let again: Vec<_> =
                Messages(&sent).flatten().filter_map(|m| read(&m, Set::Auth4)).flatten().collect();
            assert_eq!(again, [as_sent(element)]);
        }
    }
}

fn read(message: &Message<'_>, set: Set) -> Option<Vec<Element>> {
    let mut out = Vec::new();
    tables::elements(message, set, &mut out).ok().map(|()| out)
}

/// No time left and a rate of nothing are sent as the least that the kernel takes.
fn as_sent(element: Element) -> Element {
    let extra = match element.extra {
        Extra::Cap { bytes_per_s } => Extra::Cap { bytes_per_s: bytes_per_s.max(1) },
        other => other,
    };
    Element { left_ms: element.left_ms.map(|ms| ms.max(1)), extra, ..element }
}
