//! What the command line shows: every help as people read it.

use crate::cli::Cli;
use clap::CommandFactory as _;

fn helps(command: &mut clap::Command, path: &str, into: &mut String) {
    let name = format!("{path}{}", command.get_name());
    into.push_str(&format!("## {name}\n\n{}\n", command.render_long_help()));
    for sub in command.get_subcommands_mut() {
        if sub.get_name() != "help" && !sub.is_hide_set() {
            helps(sub, &format!("{name} "), into);
        }
    }
}

#[test]
fn every_command_has_help_with_an_example() {
    let mut root = Cli::command();
    root.build();
    let mut all = String::new();
    helps(&mut root, "", &mut all);
    for page in all.split("## ").skip(1) {
        let name = page.lines().next().unwrap_or_default();
        assert!(page.contains("Example"), "the help of `{name}` has no example");
    }
    insta::assert_snapshot!(all);
}

#[test]
fn definitions_hold_together() {
    Cli::command().debug_assert();
}
