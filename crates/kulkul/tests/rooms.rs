//! The house's plan: which room may import which, and the names that no folder may have.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a test fails by panicking and reports by printing"
)]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

/// For each room, the rooms that it may import.
const PLAN: [(&str, &[&str]); 8] = [
    ("model", &[]),
    ("wire", &["model"]),
    ("proof", &["model", "wire"]),
    ("store", &["model", "wire"]),
    ("gateway", &["model", "wire", "proof"]),
    ("hub", &["model", "wire", "proof", "store"]),
    ("sim", &["model", "wire", "proof", "store", "hub", "gateway"]),
    ("kulkul", &["model", "wire", "proof", "store", "hub", "gateway", "sim"]),
];

/// Packages that do input or output, or know SQL; the pure rooms never see them.
const NOT_PURE: [&str; 7] = ["tokio", "sqlx", "axum", "reqwest", "hyper", "getrandom", "socket2"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

fn cargo(args: &[&str]) -> String {
    let out = Command::new(env!("CARGO")).args(args).current_dir(root()).output().unwrap();
    assert!(out.status.success(), "cargo {args:?}: {}", String::from_utf8_lossy(&out.stderr));
    String::from_utf8(out.stdout).unwrap()
}

/// Room to its dependencies: (package, kind), where kind is `normal`, `dev` or `build`.
fn dependencies() -> BTreeMap<String, Vec<(String, String)>> {
    let text = cargo(&["metadata", "--no-deps", "--format-version", "1", "--offline"]);
    let metadata: serde_json::Value = serde_json::from_str(&text).unwrap();
    let name = |v: &serde_json::Value| v["name"].as_str().unwrap().to_owned();
    metadata["packages"]
        .as_array()
        .unwrap()
        .iter()
        .map(|package| {
            let wants = package["dependencies"].as_array().unwrap().iter();
            let wants = wants.map(|d| (name(d), d["kind"].as_str().unwrap_or("normal").to_owned())).collect();
            (room(&name(package)).unwrap().to_owned(), wants)
        })
        .collect()
}

fn room(package: &str) -> Option<&str> {
    if package == "kulkul" { Some(package) } else { package.strip_prefix("kulkul-") }
}

#[test]
fn rooms_import_only_what_the_plan_allows() {
    let found = dependencies();
    let planned: Vec<&str> = PLAN.iter().map(|(room, _)| *room).collect();
    for name in found.keys() {
        assert!(planned.contains(&name.as_str()), "crates/{name} is a room that the plan does not know");
    }
    for (name, allowed) in PLAN {
        for (package, kind) in &found[name] {
            let Some(other) = room(package) else { continue };
            if kind == "dev" {
                let may_see_sim = ["sim", "kulkul"].contains(&name);
                assert!(other != "sim" || may_see_sim, "{name} dev-depends on sim");
            } else {
                assert!(allowed.contains(&other), "{name} imports {other}");
            }
        }
    }
}

#[test]
fn pure_rooms_do_no_input_or_output() {
    let found = dependencies();
    for name in ["model", "wire", "proof"] {
        for (package, kind) in &found[name] {
            assert!(kind == "dev" || !NOT_PURE.contains(&package.as_str()), "{name} imports {package}");
        }
    }
    for (package, _) in &found["gateway"] {
        assert_ne!(package, "sqlx", "the gateway knows no SQL");
    }
}

#[test]
fn the_router_build_has_no_hub_in_it() {
    let text = cargo(&[
        "tree",
        "--offline",
        "-p",
        "kulkul",
        "--no-default-features",
        "--features",
        "gateway",
        "-e",
        "normal",
        "--prefix",
        "none",
    ]);
    for package in ["kulkul-hub", "kulkul-store", "kulkul-sim", "sqlx", "calamine", "indicatif"] {
        assert!(
            !text.lines().any(|l| l.split(' ').next() == Some(package)),
            "{package} is in the router build"
        );
    }
    assert!(text.contains("kulkul-gateway"));
}

#[test]
fn main_is_short() {
    let main = std::fs::read_to_string(root().join("crates/kulkul/src/main.rs")).unwrap();
    assert!(main.lines().count() < 60, "main.rs grew to {} lines", main.lines().count());
}

#[test]
fn no_folder_or_file_has_a_name_that_was_not_found_yet() {
    let listed = Command::new("git").args(["ls-files"]).current_dir(root()).output();
    let Ok(listed) = listed else { return };
    let listed = String::from_utf8_lossy(&listed.stdout).into_owned();
    for path in listed.lines().filter(|p| p.starts_with("crates/")) {
        for part in Path::new(path).iter().filter_map(|p| p.to_str()) {
            let stem = part.strip_suffix(".rs").unwrap_or(part);
            for vague in ["util", "utils", "common", "manager", "managers", "helper", "helpers", "misc"] {
                assert_ne!(stem, vague, "{path}");
            }
        }
    }
}
