//! Tells cargo that new words and assets are reasons to build again.

fn main() {
    for folder in ["../../words", "../../web/dist", "assets", "templates"] {
        println!("cargo:rerun-if-changed={folder}");
    }
}
