//! Not `--cfg loom`: tokio would take it for itself.

fn main() {
    println!("cargo::rustc-check-cfg=cfg(tower_expect_loom)");
    println!("cargo::rustc-cfg=tower_expect_loom");
}
