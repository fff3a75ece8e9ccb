//! Asking a box in the console: the form, what waits, what was answered, who may.

use super::*;
use crate::watch::assemble::Roster;
use kulkul_model::diagnostic::{DiagnosticId, DiagnosticOutcome};
use kulkul_model::gateway::{Capabilities, GatewayId};
use kulkul_store::diagnostic::{self, Answer as Told};
use kulkul_store::gateway::{self, Gateway};

#[tokio::test]
async fn staff_ask_a_box_in_the_console_and_read_its_answer_as_words() {
    on_both(|store| async move {
        let mut street = street(store).await;
        let id = GatewayId::from_bits(9);
        let row = Gateway {
            id: id.clone(),
            site: SiteCode::parse("BJ-001").unwrap(),
            public_key: [9; 32],
            hardware: String::new(),
            capabilities: Capabilities::default(),
            enrolled_at: start(),
            revoked_at: None,
            revoked_why: None,
        };
        let write = street
            .hub
            .store()
            .write(Lane::Page, move |tx| Box::pin(async move { gateway::insert(tx, &row).await }));
        write.await.unwrap();
        let roster = Roster::load(&mut street.hub.store().reader().await.unwrap()).await.unwrap();
        let board = roster.board(&street.hub.watch().live(), 0, start());
        street.hub.set_board(board);
        let path = format!("/console/gateways/{id}/diagnostics");
        assert!(street.get(&path).await.location().starts_with("/console/sign-in"));
        let once = street.person("ayu", Role::Operator, Some("51.03.01")).await;
        street.settle("ayu", &once, OWN).await;
        let list = street.get("/console/gateways?lang=en").await;
        assert!(list.text.contains(&path), "{}", list.text);
        let page = street.get(&format!("{path}?lang=en")).await;
        assert!(page.text.contains("Nothing was asked yet."), "{}", page.text);
        let csrf = page.csrf();
        let odd = street.form(&path, &[("csrf", &csrf), ("kind", "ping"), ("target", "<b>")]).await;
        assert_eq!(odd.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(odd.text.contains("value=\"&#60;b&#62;\""), "what was typed is still there: {}", odd.text);
        let done = street.form(&path, &[("csrf", &csrf), ("kind", "ping"), ("target", "203.0.113.1")]).await;
        assert_eq!(done.location(), path);
        let waits = street.get(&format!("{path}?lang=en")).await;
        assert!(waits.text.contains("Waiting for the box") && waits.text.contains("203.0.113.1"));
        assert!(waits.text.contains("ayu"), "who asked");
        let mut tx = street.hub.store().reader().await.unwrap();
        let asked: DiagnosticId = diagnostic::open(&mut tx, &id, start()).await.unwrap()[0].id;
        drop(tx);
        let write = street.hub.store().write(Lane::Page, move |tx| {
            Box::pin(async move {
                let text = "<script>alert(1)</script>\n5 sent".to_owned();
                let told = Told { at: start(), outcome: DiagnosticOutcome::Done, took_ms: 9, text };
                diagnostic::answer(tx, asked, &id, &told).await
            })
        });
        assert!(write.await.unwrap());
        let said = street.get(&format!("{path}?lang=en")).await;
        assert!(said.text.contains("&#60;script&#62;alert(1)&#60;/script&#62;\n5 sent"), "{}", said.text);
        assert!(!said.text.contains("<script>alert"));
        let audit = street.get("/console/audit?lang=en").await;
        assert!(audit.text.contains("asked <a href=\"/console/gateways?q=BJ-001\">the box at BJ-001"));
    })
    .await;
}
