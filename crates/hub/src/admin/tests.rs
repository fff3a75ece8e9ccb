//! Commands through the socket and without it do the same.

use super::{Answer, Client, Command, Socket, run};
use crate::staff::people::NewPerson;
use crate::{Clock, Config, Hub};
use kulkul_model::Moment;
use kulkul_model::staff::Role;
use kulkul_store::testing::on_both;
use std::os::unix::fs::PermissionsExt as _;

#[tokio::test]
async fn a_command_reaches_a_running_hub_and_nobody_else_may_send_one() {
    on_both(|store| async move {
        let data = tempfile::tempdir().unwrap();
        let (clock, _hand) = Clock::simulated(Moment::from_ms(1_800_000_000_000));
        let config = Config::defaults(data.path()).unwrap();
        let hub = Hub::start(config, clock, store.clone()).unwrap();
        assert!(Client::connect(data.path()).await.unwrap().is_none());
        // One left behind by a hub that was killed is replaced.
        drop(std::os::unix::net::UnixListener::bind(super::path(data.path())).unwrap());
        assert!(Client::connect(data.path()).await.unwrap().is_none());
        let socket = Socket::bind(data.path()).unwrap();
        let mode = std::fs::metadata(super::path(data.path())).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let serving = tokio::spawn(socket.serve(hub.clone()));
        let mut client = Client::connect(data.path()).await.unwrap().unwrap();
        let new = NewPerson { name: "ayu".into(), full_name: String::new(), role: Role::Admin, area: None };
        let added = client.ask(&Command::StaffAdd(new.clone())).await.unwrap();
        assert!(
            matches!(&added, Answer::Password { name, password } if name == "ayu" && password.len() == 14)
        );
        let again = client.ask(&Command::StaffAdd(new)).await.unwrap();
        assert!(matches!(&again, Answer::Refused { code, .. } if code == "staff-name-taken"), "{again:?}");
        let there = client.ask(&Command::StaffList).await.unwrap();
        assert_eq!(there, run(&hub, Command::StaffList).await);
        let broken = Command::Import {
            kind: "sites".into(),
            file_name: "x.csv".into(),
            bytes: "AAAA".into(),
            dry_run: true,
        };
        assert!(matches!(client.ask(&broken).await.unwrap(), Answer::Report { sound: false, .. }));
        hub.stop().cancel();
        serving.await.unwrap();
        assert!(!super::path(data.path()).exists());
    })
    .await;
}
