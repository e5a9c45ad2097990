//! A function in Zig: a program that runs once for each request, as CGI has it (docs/languages.md).
//!
//!     zig build-exe hello.zig -target wasm32-wasi -O ReleaseSmall --stack 262144 -femit-bin=hello.wasm
//!     mayfly deploy hello-zig hello.wasm
//!
//! `std.process.Init`, as files.zig takes it, is shorter, but has the memory grow in each call, which keeps calls
//! off the fast path for short ones.

const std = @import("std");

pub fn main(init: std.process.Init.Minimal) !void {
    // The headers of a request, and all else in the environment, are less.
    var room: [128 * 1024]u8 = undefined;
    var fixed: std.heap.FixedBufferAllocator = .init(&room);
    const environ = try init.environ.createMap(fixed.allocator());
    const query = environ.get("QUERY_STRING") orelse "";
    const name = std.mem.cutPrefix(u8, query, "name=") orelse "world";
    var threaded: std.Io.Threaded = .init_single_threaded;
    var buffer: [1024]u8 = undefined;
    var stdout = std.Io.File.stdout().writerStreaming(threaded.io(), &buffer);
    const out = &stdout.interface;
    try out.print("Content-Type: text/plain; charset=utf-8\n\nHello, {s}!", .{name});
    try out.flush();
}
