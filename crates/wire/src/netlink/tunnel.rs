//! Routes into the tunnel and the rules that lead to them (linux/rtnetlink.h, linux/fib_rules.h).
//!
//! They are in a table of their own, which only packets that come in by named interfaces
//! are looked up in: neither the box itself nor anybody else is led there. Below each
//! route into the tunnel is one that says that there is no way: it stays when the tunnel's
//! interface goes, so that nothing takes another way then.

use super::Garbled;
use super::fib::{
    DELROUTE, DELRULE, DST, EXCL, GETRULE, LINK, NEWROUTE, NEWRULE, OIF, PRIORITY, PROTOCOL, REPLACE,
    ROUTE_TABLE, RULE_IIF, RULE_PRIORITY, RULE_TABLE, UNICAST, UNIVERSE, UNREACHABLE, address, is_six,
    put_address, rtmsg, rule_header, word,
};
use super::message::{ACK, Attributes, CREATE, DUMP, Message, REQUEST, Writer};
use ipnet::IpNet;

/// The table of the tunnel's routes.
pub const TABLE: u32 = 85;
/// The preference of the rules, before those of ways out.
pub const PREFERENCE: u32 = 31_900;

/// The metrics of a route into the tunnel, and of the one below it.
const METRICS: [u32; 2] = [10, 20];

/// A route of the tunnel's table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Route {
    /// Where it leads to.
    pub net: IpNet,
    /// The interface; none where it says that there is no way.
    pub interface: Option<u32>,
}

/// Reads a route of the tunnel's table; nothing when the message is about something else.
///
/// # Errors
/// `Garbled` when the body is cut or a value has the wrong size.
pub fn route_from(message: &Message<'_>) -> Result<Option<Route>, Garbled> {
    if message.kind != NEWROUTE {
        return Ok(None);
    }
    let Some(([family, prefix, _, _, table, _, _, kind, _, _, _, _], attributes)) =
        message.body.split_first_chunk::<12>()
    else {
        return Err(Garbled::Length);
    };
    let Some(six) = is_six(*family) else { return Ok(None) };
    let (mut dst, mut interface, mut table) = (None, None, u32::from(*table));
    for (attribute, value) in Attributes(attributes) {
        match attribute {
            DST => dst = Some(address(six, value)?),
            OIF => interface = Some(word(value)?),
            ROUTE_TABLE => table = word(value)?,
            _ => {}
        }
    }
    let (Some(dst), TABLE) = (dst, table) else { return Ok(None) };
    let net = IpNet::new(dst, *prefix).map_err(|_| Garbled::Value)?;
    // IPv6 names the loopback where there is no way.
    Ok(Some(Route { net, interface: interface.filter(|_| *kind == UNICAST) }))
}

/// Sets a route in place of one to the same range.
#[must_use]
pub fn put(route: &Route, seq: u32) -> Vec<u8> {
    set(route, NEWROUTE, REQUEST | ACK | CREATE | REPLACE, seq)
}

/// Takes a route away; it must be there.
#[must_use]
pub fn remove(route: &Route, seq: u32) -> Vec<u8> {
    set(route, DELROUTE, REQUEST | ACK, seq)
}

fn set(route: &Route, kind: u16, flags: u16, seq: u32) -> Vec<u8> {
    let six = route.net.addr().is_ipv6();
    let [into, nowhere] = METRICS;
    let (unicast, metric) = if route.interface.is_some() { (true, into) } else { (false, nowhere) };
    let scope = if unicast && !six { LINK } else { UNIVERSE };
    let leads = if unicast { UNICAST } else { UNREACHABLE };
    let mut w = Writer::new();
    let m = w.begin(kind, flags, seq, &rtmsg(six, route.net.prefix_len(), PROTOCOL, scope, leads));
    put_address(&mut w, DST, route.net.network());
    if let Some(interface) = route.interface {
        w.put(OIF, &interface.to_ne_bytes());
    }
    w.put(PRIORITY, &metric.to_ne_bytes());
    w.put(ROUTE_TABLE, &TABLE.to_ne_bytes());
    w.end(m);
    w.finish()
}

/// Asks for all rules of one family.
#[must_use]
pub fn rules(six: bool, seq: u32) -> Vec<u8> {
    let mut w = Writer::new();
    let m = w.begin(GETRULE, REQUEST | DUMP, seq, &rtmsg(six, 0, 0, 0, 0));
    w.end(m);
    w.finish()
}

/// The interface from which a rule leads into the tunnel's table; nothing for other rules.
///
/// # Errors
/// `Garbled` when the body is cut or a value has the wrong size.
pub fn rule_from(message: &Message<'_>) -> Result<Option<String>, Garbled> {
    if message.kind != NEWRULE {
        return Ok(None);
    }
    let Some(([_, _, _, _, table, _, _, _, _, _, _, _], attributes)) = message.body.split_first_chunk::<12>()
    else {
        return Err(Garbled::Length);
    };
    let (mut name, mut table, mut preference) = (None, u32::from(*table), 0);
    for (attribute, value) in Attributes(attributes) {
        match attribute {
            RULE_IIF => {
                let text = value.split(|b| *b == 0).next().unwrap_or_default();
                name = Some(String::from_utf8_lossy(text).into_owned());
            }
            RULE_TABLE => table = word(value)?,
            RULE_PRIORITY => preference = word(value)?,
            _ => {}
        }
    }
    Ok(name.filter(|_| table == TABLE && preference == PREFERENCE))
}

/// Makes the rule for packets that come in by an interface; EEXIST where it is there already.
#[must_use]
pub fn add_rule(interface: &str, six: bool, seq: u32) -> Vec<u8> {
    rule_message(interface, six, NEWRULE, REQUEST | ACK | CREATE | EXCL, seq)
}

/// Takes that rule away; it must be there.
#[must_use]
pub fn remove_rule(interface: &str, six: bool, seq: u32) -> Vec<u8> {
    rule_message(interface, six, DELRULE, REQUEST | ACK, seq)
}

fn rule_message(interface: &str, six: bool, kind: u16, flags: u16, seq: u32) -> Vec<u8> {
    let mut w = Writer::new();
    let m = w.begin(kind, flags, seq, &rule_header(six));
    w.put_text(RULE_IIF, interface);
    w.put(RULE_PRIORITY, &PREFERENCE.to_ne_bytes());
    w.put(RULE_TABLE, &TABLE.to_ne_bytes());
    w.end(m);
    w.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::netlink::message::Messages;

    #[test]
    fn a_route_reads_as_it_was_set() {
        for (net, interface) in
            [("10.200.0.0/16", Some(7)), ("10.200.0.0/16", None), ("fd20::/48", Some(7)), ("fd20::/48", None)]
        {
            let route = Route { net: net.parse().unwrap(), interface };
            let bytes = put(&route, 3);
            let message = Messages(&bytes).next().unwrap().unwrap();
            assert_eq!(route_from(&message).unwrap(), Some(route));
            let cut = Message { body: &[2, 0, 0], ..message };
            assert_eq!(route_from(&cut), Err(Garbled::Length));
        }
    }

    #[test]
    fn a_rule_reads_as_it_was_made_and_others_are_not_ours() {
        for six in [false, true] {
            let bytes = add_rule("lan1", six, 3);
            let message = Messages(&bytes).next().unwrap().unwrap();
            assert_eq!(rule_from(&message).unwrap().as_deref(), Some("lan1"));
        }
        let other = crate::netlink::ways::add_rule(crate::netlink::ways::Rule::InUse, false, 1);
        let message = Messages(&other).next().unwrap().unwrap();
        assert_eq!(rule_from(&message).unwrap(), None);
    }
}
