//! Linker settings of the program.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    let of = |what: &str| std::env::var(format!("CARGO_CFG_TARGET_{what}")).unwrap_or_default();
    if of("OS") == "linux" && of("ENV") == "gnu" {
        // Relocations as a bit map instead of a list: a megabyte less that every start reads (glibc 2.36).
        println!("cargo:rustc-link-arg-bins=-Wl,-z,pack-relative-relocs");
    }
}
