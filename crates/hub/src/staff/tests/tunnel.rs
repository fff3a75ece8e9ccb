//! The tunnel in the console: the form for the regency, a box's end, the settings for the other end.

use super::*;
use kulkul_model::gateway::{Capabilities, GatewayId};
use kulkul_store::gateway::{self, Gateway};
use kulkul_store::tunnel;

const KEY: &str = "xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg=";

#[tokio::test]
async fn staff_say_where_the_data_centre_is_and_take_its_settings_away() {
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
        let write = street.hub.store().write(Lane::Page, move |tx| {
            Box::pin(async move {
                gateway::insert(tx, &row).await?;
                let networks = [("service", "10.79.3.0/24"), ("service", "10.200.1.0/24")];
                let networks = networks.map(|(kind, net)| (kind.to_owned(), net.parse().unwrap()));
                tunnel::tell(tx, &row.id, &[7; 32], &networks, start()).await?;
                tunnel::give(tx, &row.id, &["10.201.0.2".parse().unwrap()]).await?;
                tunnel::changed(tx, &row.id, false, start(), Some("nothing <comes>")).await
            })
        });
        write.await.unwrap();
        let path = "/console/tunnel";
        assert!(street.get(path).await.location().starts_with("/console/sign-in"));
        assert!(street.get("/console/tunnel/peers.conf").await.location().starts_with("/console/sign-in"));
        let once = street.person("ayu", Role::Operator, None).await;
        street.settle("ayu", &once, OWN).await;
        let page = street.get(&format!("{path}?lang=en")).await;
        assert!(
            page.text.contains("nothing &#60;comes&#62;") && page.text.contains("down since"),
            "{}",
            page.text
        );
        let csrf = page.csrf();
        let typed = |prefixes: &'static str| {
            [
                ("endpoint", "wg.example.go.id:51820"),
                ("key", KEY),
                ("prefixes", prefixes),
                ("pools", "10.201.0.0/20"),
                ("service", "1"),
            ]
        };
        let all = |prefixes| [&[("csrf", csrf.as_str())][..], &typed(prefixes)[..]].concat();
        let odd = street.form(path, &all("0.0.0.0/0")).await;
        assert_eq!(odd.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(odd.text.contains("0.0.0.0/0</textarea>"), "what was typed is still there: {}", odd.text);
        let done = street.form(path, &all("10.200.0.0/16")).await;
        assert_eq!(done.location(), "/console/tunnel?saved=1");
        let said = street.get(&format!("{path}?lang=en")).await;
        assert!(said.text.contains(KEY) && said.text.contains("10.200.0.0/16</textarea>"), "{}", said.text);
        assert!(said.text.contains("left out: overlaps the data centre"), "{}", said.text);
        let orders = crate::fleet::orders::list(&street.hub).await.unwrap();
        assert_eq!(orders[0].fields["segments"], serde_json::json!(["service"]));
        let conf = street.get("/console/tunnel/peers.conf").await;
        assert!(conf.text.contains("AllowedIPs = 10.201.0.2/32, 10.79.3.0/24\n"), "{}", conf.text);
        let audit = street.get("/console/audit?lang=en").await;
        assert!(audit.text.contains("tunnel"), "who said it is kept");
    })
    .await;
}
