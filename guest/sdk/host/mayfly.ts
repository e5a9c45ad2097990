// The host's imports of docs/abi.md, one declaration each. The name of this file matters: the
// compiler uses it as the imports' module name, "mayfly". Internal: functions call the wrappers in
// the folder above, which check and convert what these take as bare pointers.

/** Copies the request message to `ptr`. */
export declare function request_read(ptr: usize): void;

/** Hands over the response message of `len` bytes at `ptr`; once per call. */
export declare function response_write(ptr: usize, len: usize): void;

/** Begins an answer that is written in pieces: a response message without a body. */
export declare function response_begin(ptr: usize, len: usize): void;

/** Adds bytes to that answer's body; waits while the client is behind. */
export declare function response_push(ptr: usize, len: usize): void;

/** Ends that answer. */
export declare function response_end(): void;

/** Copies the next bytes of the request's body, `len` at most, to `ptr`: their number, 0 at its end. */
export declare function body_read(ptr: usize, len: usize): i32;

/** Reads what is left of the request's body, which becomes the result: its length. */
export declare function body_rest(): i32;

/** Looks up a variable by its UTF-8 name: the length of its value in bytes, or -1. */
export declare function env_get(ptr: usize, len: usize): i32;

/** Looks up a secret by its UTF-8 name: the length of its value in bytes, or -1. */
export declare function secret_get(ptr: usize, len: usize): i32;

/** Copies the result of the last host call to `ptr`. */
export declare function result_read(ptr: usize): void;

/** Writes one UTF-8 line to the function's log. */
export declare function log(level: i32, ptr: usize, len: usize): void;

/** Milliseconds since 1970, whole. */
export declare function now(): f64;

/** Returns after so many milliseconds. */
export declare function sleep(ms: f64): void;

/** Fetches what the message of `len` bytes at `ptr` asks for: the length of the answer, or, negated, of why there is none. */
export declare function fetch(ptr: usize, len: usize): i32;

/** Asks what the message of `len` bytes at `ptr` says: the length of the answer, or, negated, of why there is none. */
export declare function ask(ptr: usize, len: usize): i32;

/** Fills `len` bytes at `ptr` with random bytes. */
export declare function random(ptr: usize, len: usize): void;
