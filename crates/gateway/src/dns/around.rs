//! Known ways around a resolver, and the search engines' protected names: data.
//!
//! Names that makers publish for exactly this. A way around that is not here still works;
//! the list is a courtesy to schools, not a wall.

/// Names by which programs ask whether names are filtered here; "there is no such name" says
/// yes. Mozilla: "Canary domain"; Apple: "Prepare your network for iCloud Private Relay".
pub const CANARIES: [&str; 3] = ["use-application-dns.net", "mask.icloud.com", "mask-h2.icloud.com"];

/// Public resolvers over HTTPS and TLS, as their operators and the browsers' built-in lists
/// name them.
pub const RESOLVERS: [&str; 30] = [
    "dns.google",
    "dns.google.com",
    "dns64.dns.google",
    "*.cloudflare-dns.com",
    "*.dns.cloudflare.com",
    "one.one.one.one",
    "1dot1dot1dot1.cloudflare-dns.com",
    "*.dns.quad9.net",
    "dns9.quad9.net",
    "dns10.quad9.net",
    "dns11.quad9.net",
    "*.doh.opendns.com",
    "doh.familyshield.opendns.com",
    "dns.opendns.com",
    "*.dns.nextdns.io",
    "firefox.dns.nextdns.io",
    "*.adguard-dns.com",
    "dns.adguard.com",
    "dns-family.adguard.com",
    "doh.cleanbrowsing.org",
    "*.dns.controld.com",
    "freedns.controld.com",
    "*.dns.mullvad.net",
    "doh.dns.sb",
    "dot.sb",
    "dns.alidns.com",
    "doh.pub",
    "dot.pub",
    "doh.xfinity.com",
    "private.canadianshield.cira.ca",
];

/// A search engine's protected name, for each of its own. Google: "Lock SafeSearch for
/// accounts, devices & networks"; Microsoft: "Blocking adult content with SafeSearch";
/// DuckDuckGo, Pixabay and Yandex: their help pages on safe search for networks.
const PROTECTED: [(&str, &str); 12] = [
    ("www.bing.com.", "strict.bing.com."),
    ("bing.com.", "strict.bing.com."),
    ("edgeservices.bing.com.", "strict.bing.com."),
    ("duckduckgo.com.", "safe.duckduckgo.com."),
    ("www.duckduckgo.com.", "safe.duckduckgo.com."),
    ("start.duckduckgo.com.", "safe.duckduckgo.com."),
    ("www.youtube.com.", "restrictmoderate.youtube.com."),
    ("m.youtube.com.", "restrictmoderate.youtube.com."),
    ("youtubei.googleapis.com.", "restrictmoderate.youtube.com."),
    ("www.youtube-nocookie.com.", "restrictmoderate.youtube.com."),
    ("pixabay.com.", "safesearch.pixabay.com."),
    ("yandex.com.", "familysearch.yandex.ru."),
];
/// Google's protected name.
const GOOGLE: &str = "forcesafesearch.google.com.";

/// The protected name to answer with instead of `name`, lower case with a last dot.
pub fn protected(name: &str) -> Option<&'static str> {
    if is_google(name) {
        return Some(GOOGLE);
    }
    PROTECTED.iter().find(|(own, _)| *own == name).map(|(_, protected)| *protected)
}

/// `www.google.` and a country: `com`, `co.id`, `com.sg`, `de`, as google.com/supported_domains has them.
fn is_google(name: &str) -> bool {
    let Some(country) = name.strip_prefix("www.google.").or_else(|| name.strip_prefix("google.")) else {
        return false;
    };
    match country.strip_suffix('.').map(|c| c.split_once('.')) {
        Some(None) => country == "com." || country == "cat." || country.len() == 3,
        Some(Some(("co" | "com", land))) => land.len() == 2,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kulkul_wire::blocklist::tidy;

    #[test]
    fn the_engines_names_have_protected_ones_and_others_have_none() {
        for name in
            ["www.google.com.", "www.google.co.id.", "google.com.", "www.google.de.", "www.google.com.sg."]
        {
            assert_eq!(protected(name), Some(GOOGLE), "{name}");
        }
        for name in [
            "mail.google.com.",
            "www.google.example.",
            "forcesafesearch.google.com.",
            "google.",
            "www.google.",
        ] {
            assert_eq!(protected(name), None, "{name}");
        }
        assert_eq!(protected("www.bing.com."), Some("strict.bing.com."));
        assert!(PROTECTED.iter().all(|(_, to)| protected(to).is_none()), "no circle");
    }

    #[test]
    fn the_names_are_names() {
        for name in RESOLVERS.iter().chain(&CANARIES) {
            let name = name.trim_start_matches("*.");
            assert_eq!(tidy(name).as_deref(), Ok(name));
        }
    }
}
