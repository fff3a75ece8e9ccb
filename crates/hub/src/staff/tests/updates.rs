//! Updates in the console: a rollout begun by a form, paused by a box, led on; who sees and who may.

use super::*;
use crate::fleet::updates::{run, told};
use crate::watch::assemble::Roster;
use kulkul_model::gateway::{Capabilities, GatewayId, UpdateStep};
use kulkul_store::gateway::{self, Gateway};
use kulkul_store::release::{self, Taken};
use kulkul_wire::link::{Digest, Entry, Event, Release};

const PROGRAM: Digest = Digest([7; 32]);

impl Street {
    /// A box at the place, and a release for it unless there is to be none.
    async fn stocked(&self, id: &GatewayId) {
        let has = Capabilities {
            version: "0.1.0".to_owned(),
            target: "x86_64-linux-gnu".to_owned(),
            ..Capabilities::default()
        };
        let row = Gateway {
            id: id.clone(),
            site: SiteCode::parse("BJ-001").unwrap(),
            public_key: [9; 32],
            hardware: String::new(),
            capabilities: has,
            enrolled_at: start(),
            revoked_at: None,
            revoked_why: None,
        };
        let release = Release {
            version: "0.2.0".to_owned(),
            target: "x86_64-linux-gnu".to_owned(),
            sha256: PROGRAM,
            bytes: 9_000_000,
            signed_at: start(),
        };
        let taken = Taken {
            release,
            key_id: "0123456789abcdef".to_owned(),
            statement: vec![1],
            taken_at: start(),
            taken_by: "cli".to_owned(),
        };
        let write = self.hub.store().write(Lane::Page, move |tx| {
            Box::pin(async move {
                gateway::insert(tx, &row).await?;
                release::put(tx, &taken).await
            })
        });
        write.await.unwrap();
        let roster = Roster::load(&mut self.hub.store().reader().await.unwrap()).await.unwrap();
        self.hub.set_board(roster.board(&self.hub.watch().live(), 0, start()));
    }

    async fn says(&self, id: &GatewayId, step: UpdateStep, reason: &str) {
        let (site, id, reason) = (SiteCode::parse("BJ-001").unwrap(), id.clone(), reason.to_owned());
        let write = self.hub.store().write(Lane::Journal, move |tx| {
            Box::pin(async move {
                let said = Entry::Event(Event::Update { program: PROGRAM, step, reason });
                told::entry(tx, (&site, &id), (Some(start()), start()), &said).await
            })
        });
        write.await.unwrap();
        run::look(&self.hub).await.unwrap();
    }
}

#[tokio::test]
async fn staff_roll_out_in_the_console_see_who_failed_and_go_on() {
    on_both(|store| async move {
        let mut street = street(store).await;
        let id = GatewayId::from_bits(9);
        let once = street.person("ayu", Role::Operator, None).await;
        street.settle("ayu", &once, OWN).await;
        let empty = street.get("/console/updates?lang=en").await;
        assert!(empty.text.contains("kulkul update take kulkul"), "what to do first: {}", empty.text);
        assert!(!empty.text.contains("name=\"stages\""));
        street.stocked(&id).await;
        let page = street.get("/console/updates?lang=en").await;
        assert!(
            page.text.contains("0123456789abcdef") && page.text.contains("area:51.03.02"),
            "{}",
            page.text
        );
        let csrf = page.csrf();
        let fields = |stages: &'static str, hours: &'static str| {
            [
                ("version", "0.2.0"),
                ("stages", stages),
                ("quiet", "02:00-05:00"),
                ("wait_hours", hours),
                ("most_undone", "1"),
            ]
        };
        let mut odd = vec![("csrf", csrf.as_str())];
        odd.extend(fields("site:BJ-999\n<b>", "24"));
        let odd = street.form("/console/updates?lang=en", &odd).await;
        assert_eq!(odd.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(odd.text.contains("id=\"stages-fault\">The register has no site:BJ-999."), "{}", odd.text);
        assert!(odd.text.contains("&#60;b&#62;</textarea>"), "what was typed is still there: {}", odd.text);
        let mut good = vec![("csrf", csrf.as_str())];
        good.extend(fields("area:51.03.01\nregency", "24"));
        assert_eq!(street.form("/console/updates", &good).await.location(), "/console/updates");
        run::look(&street.hub).await.unwrap();
        let runs = street.get("/console/updates?lang=en").await;
        assert!(
            runs.text.contains("Rollout 1: version 0.2.0") && runs.text.contains("0 / 1"),
            "{}",
            runs.text
        );
        assert!(runs.text.contains("Has not begun"), "the second stage");
        assert!(!runs.text.contains("without a program"), "{}", runs.text);

        street.says(&id, UpdateStep::Undone, "<i>no portal").await;
        let paused = street.get("/console/updates?lang=en").await;
        assert!(paused.text.contains("Paused: a box did not keep the release"), "{}", paused.text);
        assert!(paused.text.contains("&#60;i&#62;no portal") && paused.text.contains("Bale Banjar Bindu"));
        assert!(!paused.text.contains("/console/updates/1/pause"), "it is paused already");
        let boxes = street.get("/console/gateways?lang=en").await;
        assert!(boxes.text.contains("Update 0.2.0: Went back") && boxes.text.contains("x86_64-linux-gnu"));
        let again = street.form("/console/updates/1/pause?lang=en", &[("csrf", &csrf)]).await;
        assert_eq!(again.status, StatusCode::CONFLICT);
        assert!(again.text.contains("This rollout is paused"), "{}", again.text);
        assert_eq!(
            street.form("/console/updates/1/resume", &[("csrf", &csrf)]).await.location(),
            "/console/updates"
        );
        assert!(street.get("/console/updates?lang=en").await.text.contains("1 left aside"));
        let audit = street.get("/console/audit?lang=en").await;
        for line in ["began <a href=\"/console/updates\">rollout 1</a>", "<b>hub</b> paused", "went on with"]
        {
            assert!(audit.text.contains(line), "{line}: {}", audit.text);
        }

        let once = street.person("budi", Role::Operator, Some("51.03.01")).await;
        street.cookies.clear();
        street.settle("budi", &once, OWN).await;
        let seen = street.get("/console/updates?lang=en").await;
        assert!(seen.text.contains("Rollout 1") && !seen.text.contains("/console/updates/1/stop"));
        let csrf = seen.csrf();
        let stop = street.form("/console/updates/1/stop", &[("csrf", &csrf)]).await;
        assert_eq!(stop.status, StatusCode::FORBIDDEN, "not one of a district");
    })
    .await;
}
