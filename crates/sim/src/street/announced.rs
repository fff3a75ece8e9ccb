//! What the place's network tells a device about its portal (RFC 8910): asked as devices ask.
//!
//! DHCP by ISC's dhclient, which asks for the options by their numbers; the router
//! advertisement by a solicitation of our own, since no packaged client prints option 37.

use super::ground::{Running, until};
use super::layout::Street;
use super::roles;
use std::io;
use std::os::unix::fs::PermissionsExt as _;

/// The URI of the captive portal API in each way of announcing it; none where it is left out.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Announced {
    /// DHCPv4 option 114.
    pub dhcp4: Option<String>,
    /// DHCPv6 option 103.
    pub dhcp6: Option<String>,
    /// Option 37 of the router advertisement.
    pub advert: Option<String>,
}

impl Announced {
    /// The same URI in all three.
    #[must_use]
    pub fn everywhere(uri: &str) -> Self {
        let uri = Some(uri.to_owned());
        Announced { dhcp4: uri.clone(), dhcp6: uri.clone(), advert: uri }
    }

    /// Asks for all three from the phone's place.
    ///
    /// # Errors
    /// The system's, and that nobody advertises a router.
    pub fn ask(street: &Street) -> io::Result<Self> {
        let advert = roles::lines(&street.phone, "solicit", "")?;
        Ok(Announced {
            dhcp4: dhcp(street, &V4)?,
            dhcp6: dhcp(street, &V6)?,
            advert: advert.into_iter().next().filter(|uri| !uri.is_empty()),
        })
    }
}

/// How dhclient is told to ask for an option, and how it tells of it.
struct Family {
    arguments: &'static [&'static str],
    settings: &'static str,
    /// Why its script runs once an answer is in.
    reason: &'static str,
    variable: &'static str,
}

const V4: Family = Family {
    arguments: &["-4"],
    settings: "option captive-portal code 114 = text;\nrequest subnet-mask, routers, domain-name-servers, captive-portal;\n",
    reason: "BOUND",
    variable: "new_captive_portal=",
};

/// Stateless: the device has made its own address and only asks for information.
const V6: Family = Family {
    arguments: &["-6", "-S"],
    settings: "option dhcp6.captive-portal code 103 = text;\ninterface \"eth0\" { also request dhcp6.captive-portal; }\n",
    reason: "RENEW6",
    variable: "new_dhcp6_captive_portal=",
};

/// Asks once by dhclient, which changes nothing: its script only writes down what it was told.
fn dhcp(street: &Street, family: &Family) -> io::Result<Option<String>> {
    let dir = tempfile::tempdir_in(street.dir.path())?;
    let file = |name: &str| dir.path().join(name);
    let told = file("told");
    std::fs::write(file("settings"), family.settings)?;
    // Written whole and then moved, so that half of it is never read.
    let script = format!("#!/bin/sh\nenv > {0}.half\nmv {0}.half {0}.$reason\n", told.display());
    std::fs::write(file("script"), script)?;
    std::fs::set_permissions(file("script"), std::fs::Permissions::from_mode(0o755))?;
    let mut command = street.phone.command("dhclient");
    command.args(family.arguments).args(["-1", "-d"]);
    for (option, name) in [("-sf", "script"), ("-cf", "settings"), ("-lf", "leases"), ("-pf", "pid")] {
        command.arg(option).arg(file(name));
    }
    command.arg("eth0").stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null());
    let _client = Running::start(&mut command)?;
    let answer = file(&format!("told.{}", family.reason));
    let words = until("dhclient has an answer", 90, || std::fs::read_to_string(&answer).ok());
    Ok(words.lines().find_map(|l| l.strip_prefix(family.variable)).map(str::to_owned))
}
