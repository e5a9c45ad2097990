//! What a program finds around it: the files its version carries, and the request's body.
//!
//!     zig build-exe files.zig -target wasm32-wasi -O ReleaseSmall --stack 262144 -femit-bin=files.wasm
//!     mayfly deploy files-zig files.wasm --files www
//!
//! GET answers with the file that the path names, anything else with the body in upper case.

const std = @import("std");
const Io = std.Io;

pub fn main(init: std.process.Init) !void {
    var buffer: [4096]u8 = undefined;
    var stdout = Io.File.stdout().writerStreaming(init.io, &buffer);
    const out = &stdout.interface;
    if (std.mem.eql(u8, init.environ_map.get("REQUEST_METHOD") orelse "", "GET")) {
        try serve(init, out);
    } else {
        try shout(init, out);
    }
    try out.flush();
}

fn serve(init: std.process.Init, out: *Io.Writer) !void {
    const path = init.environ_map.get("PATH_INFO") orelse "/";
    // Zig takes the first folder it is given, which is the root, for the current one, and WASI knows no other.
    const name = std.mem.trimStart(u8, path, "/");
    const file = Io.Dir.cwd().openFile(init.io, name, .{ .allow_directory = false }) catch |err| {
        std.log.err("{s}: {t}", .{ path, err });
        return out.writeAll("Status: 404 Not Found\nContent-Type: text/plain\n\nno such file\n");
    };
    defer file.close(init.io);
    var buffer: [4096]u8 = undefined;
    var reader = file.reader(init.io, &buffer);
    try out.writeAll("Content-Type: text/plain; charset=utf-8\n\n");
    _ = try reader.interface.streamRemaining(out);
}

fn shout(init: std.process.Init, out: *Io.Writer) !void {
    var buffer: [4096]u8 = undefined;
    var stdin = Io.File.stdin().readerStreaming(init.io, &buffer);
    try out.writeAll("Content-Type: text/plain; charset=utf-8\n\n");
    while (stdin.interface.takeByte()) |byte| {
        try out.writeByte(std.ascii.toUpper(byte));
    } else |err| if (err != error.EndOfStream) return err;
}
