//! Certificates in the console: what hinders one in words, and having it tried again.

use super::*;
use crate::watch::assemble::Roster;
use kulkul_model::gateway::{Capabilities, GatewayId};
use kulkul_store::certificate::{self, Trouble};
use kulkul_store::gateway::{self, Gateway};

#[tokio::test]
async fn staff_read_what_hinders_a_certificate_and_have_it_tried_at_once() {
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
        let trouble =
            Trouble { kind: "dns-key".to_owned(), detail: "ns1 says <no>".to_owned(), since: start() };
        let next = start().plus_ms(3_600_000);
        let (asked, of) = (id.clone(), trouble.clone());
        let write = street.hub.store().write(Lane::Page, move |tx| {
            Box::pin(async move {
                gateway::insert(tx, &row).await?;
                certificate::ask(tx, &asked, "bj-001.wifi.example", b"csr", start()).await?;
                certificate::failed(tx, &asked, b"csr", &of, next).await
            })
        });
        write.await.unwrap();
        let roster = Roster::load(&mut street.hub.store().reader().await.unwrap()).await.unwrap();
        let board = roster.board(&street.hub.watch().live(), 0, start());
        street.hub.set_board(board);

        let one_time = street.person("made.sari", Role::Operator, Some("51.03.01")).await;
        street.settle("made.sari", &one_time, OWN).await;
        let page = street.get("/console/certificates").await;
        for shown in [
            "Server zona tidak menerima kunci hub",
            "bj-001.wifi.example",
            "ns1 says &#60;no&#62;",
            "Bale Banjar Bindu",
            "Coba sekarang",
        ] {
            assert!(page.text.contains(shown), "{shown}: {}", page.text);
        }
        let path = format!("/console/certificates/{id}/again");
        let done = street.form(&path, &[("csrf", &page.csrf())]).await;
        assert_eq!((done.status, done.location()), (StatusCode::SEE_OTHER, "/console/certificates"));
        let held =
            certificate::find(&mut street.hub.store().reader().await.unwrap(), &id).await.unwrap().unwrap();
        assert_eq!((held.due_at, held.trouble), (start(), Some(trouble)));

        // Who looks after another district reads it, and may not.
        street.cookies.clear();
        let one_time = street.person("ketut", Role::Operator, Some("51.03.02")).await;
        street.settle("ketut", &one_time, OWN).await;
        let page = street.get("/console/certificates").await;
        assert!(page.text.contains("bj-001.wifi.example") && !page.text.contains("Coba sekarang"));
        let refused = street.form(&path, &[("csrf", &page.csrf())]).await;
        assert_eq!(refused.status, StatusCode::FORBIDDEN);
    })
    .await;
}
