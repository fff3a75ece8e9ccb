//! `kulkul gateway connections`: asks the running box who was online at a moment.

use super::language;
use crate::ending::{Ending, Failure, Mend as _, Outcome};
use crate::screen;
use kulkul_gateway::config::Config;
use kulkul_gateway::connections::{Found, Span};
use kulkul_gateway::status::{self, Question};
use kulkul_gateway::words::{Lang, Words};
use kulkul_model::{Moment, Zone};

/// What is asked of the connection log.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The moment, RFC 3339 with its zone
    #[arg(long, value_name = "TIME")]
    at: String,
    /// The source port that the other side saw; without it everybody who was online
    #[arg(long, value_name = "N")]
    port: Option<u16>,
    /// How far the other side's clock may be wrong, seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 2)]
    within: u32,
    /// Why you ask, such as the letter's number; it is kept in the journal
    #[arg(long, value_name = "TEXT")]
    reason: String,
    /// As JSON
    #[arg(long)]
    json: bool,
}

impl Args {
    /// Asks and prints; ends with 1 where the log has nobody.
    ///
    /// # Errors
    /// Says what is wrong and the mend.
    pub async fn run(self, config: Config) -> Outcome {
        let (words, lang) = (Words::builtin(), language());
        let at = Moment::parse(&self.at).or_input(words.text(lang, "connections-ask"))?;
        let reason: String = self.reason.trim().chars().take(200).collect();
        let question =
            Question::Connections { at, within_s: self.within.min(86_400), port: self.port, reason };
        let answer = match status::ask(&config.data.join(status::SOCKET), question).await {
            Ok(answer) => answer,
            Err(e) => return Err(Failure::unable(e, words.text(lang, "status-not-running"))),
        };
        if let Some(error) = answer.get("error").and_then(|e| e.as_str()) {
            return Err(Failure::unable(
                std::io::Error::other(error.to_owned()),
                "see kulkul gateway doctor",
            ));
        }
        let found: Vec<Found> = serde_json::from_value(answer.clone())?;
        if self.json {
            screen::line(answer.to_string())?;
        } else {
            screen::line(in_words(&found, &words, lang, &Zone::named("Asia/Makassar")?))?;
        }
        Ok(if found.is_empty() { Ending::No } else { Ending::Done })
    }
}

fn in_words(found: &[Found], words: &Words, lang: Lang, zone: &Zone) -> String {
    let time = |at: Moment| format!("{} {}", zone.civil(at).strftime("%Y-%m-%d %H:%M:%S"), zone.short(at));
    let span = |span: Span| {
        let until = span.until.map_or_else(|| words.text(lang, "connections-now").to_owned(), time);
        (time(span.from), until)
    };
    let mut lines = Vec::new();
    for one in found {
        let (mac, session) = (one.mac.to_string(), one.session.to_string());
        lines.push(words.with(lang, "connections-session", &[("mac", &mac), ("session", &session)]));
        for held in &one.addresses {
            let (address, (from, until)) = (held.address.to_string(), span(held.span));
            let with = [("address", address.as_str()), ("from", &from), ("until", &until)];
            lines.push(format!("  {}", words.with(lang, "connections-address", &with)));
        }
        for went in &one.connections {
            let (from, until) = span(went.span);
            let protocol = match went.protocol {
                6 => "TCP".to_owned(),
                17 => "UDP".to_owned(),
                other => other.to_string(),
            };
            let port = went.port.to_string();
            let with = [("protocol", protocol.as_str()), ("port", &port), ("from", &from), ("until", &until)];
            lines.push(format!("  {}", words.with(lang, "connections-port", &with)));
        }
    }
    if found.is_empty() {
        lines.push(words.text(lang, "connections-none").to_owned());
    } else {
        lines.push(words.text(lang, "portal-log-behind").to_owned());
    }
    lines.join("\n")
}
