//! A site that is changed by a form of the console.

use super::*;

#[tokio::test]
async fn a_site_is_changed_by_form_and_two_editors_notice_each_other() {
    on_both(|store| async move {
        let mut street = street(store).await;
        let one_time = street.person("ayu", Role::Operator, Some("51.03.01")).await;
        street.settle("ayu", &one_time, OWN).await;
        let page = street.get("/console/sites/BJ-001").await;
        assert!(page.text.contains("value=\"Bale Banjar Bindu\""), "{}", page.text);
        let csrf = page.csrf();
        let fields = |name: &'static str, lat: &'static str| {
            vec![
                ("revision", "1"),
                ("name", name),
                ("area", "51.03.01.1002"),
                ("lat", lat),
                ("lon", "115.21"),
                ("position_quality", "surveyed"),
                ("stage", "installed"),
            ]
        };
        let with = |mut f: Vec<(&'static str, &'static str)>| {
            f.push(("csrf", Box::leak(csrf.clone().into_boxed_str())));
            f
        };
        let bad = street.form("/console/sites/BJ-001", &with(fields("X", "delapan"))).await;
        assert_eq!(bad.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(
            bad.text.contains("&quot;delapan&quot; bukan angka") || bad.text.contains("bukan angka"),
            "{}",
            bad.text
        );
        let saved =
            street.form("/console/sites/BJ-001", &with(fields("Bale Banjar Bindu Kaja", "-8,61"))).await;
        assert_eq!(saved.location(), "/console/sites/BJ-001?saved=1");
        let late = street.form("/console/sites/BJ-001", &with(fields("Bale Lain", "-8.62"))).await;
        assert_eq!(late.status, StatusCode::CONFLICT);
        assert!(
            late.text.contains("Bale Banjar Bindu Kaja") && late.text.contains("Bale Lain"),
            "{}",
            late.text
        );
        let audit = street.get("/console/audit").await;
        assert!(audit.text.contains("Nama: Bale Banjar Bindu → Bale Banjar Bindu Kaja"), "{}", audit.text);
        let issued = street.form("/console/sites/BJ-001/claim", &[("csrf", &csrf), ("hours", "72")]).await;
        assert_eq!(issued.status, StatusCode::OK);
        assert!(issued.text.contains("<code class=\"secret\">") && issued.text.contains("class=\"qr\""));
        assert!(!street.get("/console/sites/BJ-001").await.text.contains("class=\"secret\""));
        // The link to the other language opens the address of the form that was just sent.
        assert_eq!(street.get("/console/sites/BJ-001/claim").await.location(), "/console/sites/BJ-001");
    })
    .await;
}
