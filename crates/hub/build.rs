//! Tells cargo that new words and assets are reasons to build again.
#![expect(clippy::print_stdout, reason = "cargo reads a build script's standard output")]

fn main() {
    for folder in ["../../words", "../../web/dist", "assets", "templates"] {
        println!("cargo:rerun-if-changed={folder}");
    }
}
