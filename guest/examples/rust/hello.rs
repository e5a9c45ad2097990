//! A function in Rust: a program that runs once for each request, as CGI has it (docs/languages.md).
//!
//!     rustc --target wasm32-wasip1 -O -C strip=symbols -C link-arg=-zstack-size=131072 -o hello.wasm hello.rs
//!     mayfly deploy hello-rust hello.wasm

use std::env;

fn main() {
    let query = env::var("QUERY_STRING").unwrap_or_default();
    let name = query.strip_prefix("name=").unwrap_or("world");
    print!("Content-Type: text/plain; charset=utf-8\n\nHello, {name}!");
}
