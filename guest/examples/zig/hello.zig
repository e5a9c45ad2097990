//! A function in Zig: a program that runs once for each request, as CGI has it (docs/languages.md).
//!
//!     zig build-exe hello.zig -target wasm32-wasi -O ReleaseSmall --stack 131072 -femit-bin=hello.wasm
//!     mayfly deploy hello-zig hello.wasm

const std = @import("std");

pub fn main(init: std.process.Init) !void {
    const query = init.environ_map.get("QUERY_STRING") orelse "";
    const name = if (std.mem.cutPrefix(u8, query, "name=")) |value| value else "world";
    var buffer: [1024]u8 = undefined;
    var stdout = std.Io.File.stdout().writerStreaming(init.io, &buffer);
    const out = &stdout.interface;
    try out.print("Content-Type: text/plain; charset=utf-8\n\nHello, {s}!", .{name});
    try out.flush();
}
