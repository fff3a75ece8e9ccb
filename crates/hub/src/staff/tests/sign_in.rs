//! Signing in and out: passwords, failures, forms from elsewhere, old sessions.

use super::*;

#[tokio::test]
async fn a_person_signs_in_once_by_the_handed_out_password_then_by_their_own() {
    on_both(|store| async move {
        let mut street = street(store).await;
        let one_time = street.person("ayu", Role::Operator, None).await;
        assert_eq!(street.get("/console/sites").await.location(), "/console/sign-in?next=%2Fconsole%2Fsites");
        // A token planted before the sign-in is not the session's afterwards.
        street.cookies.insert("kulkul_session".to_owned(), "planted".to_owned());
        let opened = street.sign_in("AYU", &one_time).await;
        assert_eq!((opened.status, opened.location()), (StatusCode::SEE_OTHER, "/console/password"));
        let cookie = opened.headers.get("set-cookie").unwrap().to_str().unwrap().to_owned();
        assert!(cookie.contains("; HttpOnly; SameSite=Lax") && !cookie.contains("planted"), "{cookie}");
        assert_eq!(street.get("/console").await.location(), "/console/password");
        let before = street.cookies["kulkul_session"].clone();
        let csrf = street.get("/console/password").await.csrf();
        let short = [("csrf", csrf.as_str()), ("old", &one_time), ("new", "pendek"), ("again", "pendek")];
        assert_eq!(street.form("/console/password", &short).await.status, StatusCode::UNPROCESSABLE_ENTITY);
        let good = [("csrf", csrf.as_str()), ("old", &one_time), ("new", OWN), ("again", OWN)];
        assert_eq!(street.form("/console/password", &good).await.location(), "/console");
        assert_eq!(street.get("/console").await.status, StatusCode::OK);
        // The session from before the change is over, and so is the handed-out password.
        let now = std::mem::replace(street.cookies.get_mut("kulkul_session").unwrap(), before);
        assert!(street.get("/console").await.location().starts_with("/console/sign-in"));
        street.cookies.insert("kulkul_session".to_owned(), now);
        let csrf = street.get("/console").await.csrf();
        assert_eq!(street.form("/console/sign-out", &[("csrf", &csrf)]).await.location(), "/");
        assert_eq!(street.sign_in("ayu", &one_time).await.status, StatusCode::UNAUTHORIZED);
        assert_eq!(street.sign_in("ayu", OWN).await.location(), "/console");
    })
    .await;
}

#[tokio::test]
async fn too_many_failures_wait_and_unknown_names_look_the_same() {
    on_both(|store| async move {
        let mut street = street(store).await;
        let one_time = street.person("ayu", Role::Operator, None).await;
        let known = street.sign_in("ayu", "salah sekali").await;
        let unknown = street.sign_in("siapa", "salah sekali").await;
        assert_eq!((known.status, unknown.status), (StatusCode::UNAUTHORIZED, StatusCode::UNAUTHORIZED));
        let (_, form) = known.text.split_once("<section").unwrap();
        let shown = form.split("</section>").next().unwrap().replace(&known.csrf(), "CSRF");
        insta::assert_snapshot!("sign_in_refused", shown);
        assert!(
            known.text.contains("Nama masuk atau sandi salah.")
                && unknown.text.contains("Nama masuk atau sandi salah.")
        );
        for _ in 0..4 {
            assert_eq!(street.sign_in("ayu", "salah sekali").await.status, StatusCode::UNAUTHORIZED);
        }
        let waiting = street.sign_in("ayu", &one_time).await;
        assert_eq!(waiting.status, StatusCode::TOO_MANY_REQUESTS);
        assert_eq!(waiting.headers.get("retry-after").unwrap(), "31");
        street.hand.set(start().plus_ms(31_000));
        assert_eq!(street.sign_in("ayu", &one_time).await.location(), "/console/password");
    })
    .await;
}

#[tokio::test]
async fn forms_from_elsewhere_and_old_sessions_are_refused() {
    on_both(|store| async move {
        let mut street = street(store).await;
        let one_time = street.person("ayu", Role::Operator, None).await;
        street.settle("ayu", &one_time, OWN).await;
        let csrf = street.get("/console").await.csrf();
        assert_eq!(street.form("/console/sign-out", &[("csrf", "0000")]).await.status, StatusCode::FORBIDDEN);
        assert_eq!(street.form("/console/sign-out", &[]).await.status, StatusCode::FORBIDDEN);
        let body = format!("csrf={csrf}");
        let kind = ("content-type", "application/x-www-form-urlencoded");
        for elsewhere in [("origin", "http://evil.test"), ("sec-fetch-site", "cross-site")] {
            let answer = street.send(Method::POST, "/console/sign-out", &[kind, elsewhere], &body).await;
            assert_eq!(answer.status, StatusCode::FORBIDDEN, "{elsewhere:?}");
        }
        // A sign-in form without its cookie, as another site would send it.
        let session = street.cookies.clone();
        street.cookies.clear();
        let fields = [("csrf", csrf.as_str()), ("name", "ayu"), ("password", OWN)];
        assert_eq!(street.form("/console/sign-in", &fields).await.status, StatusCode::FORBIDDEN);
        street.cookies = session;
        street.hand.set(start().plus_ms(11 * 3_600_000));
        assert_eq!(street.get("/console").await.status, StatusCode::OK);
        street.hand.set(start().plus_ms(24 * 3_600_000));
        assert!(street.get("/console").await.location().starts_with("/console/sign-in"));
    })
    .await;
}
