// A guest that fetches what it is told, and what its answers say.

import { strict as assert } from "node:assert";
import { assemble } from "../support/guests.ts";
import type { Answer } from "../support/http-client.ts";
import { type FetchParts, fetchMessage } from "../support/messages.ts";
import type { TestHost } from "../support/test-host.ts";

export /** Fetches what the request's body says, `times` times; the last answer is its own, or 599 with the reason. */
const fetcher = (times = 1): Uint8Array =>
  assemble(`(module
    (import "mayfly" "fetch" (func $fetch (param i32 i32) (result i32)))
    (import "mayfly" "request_read" (func $read (param i32)))
    (import "mayfly" "result_read" (func $result (param i32)))
    (import "mayfly" "response_write" (func $write (param i32 i32)))
    (memory (export "memory") 400)
    (func (export "mayfly_handle") (param $bytes i32)
      (local $head i32) (local $n i32) (local $times i32)
      (call $read (i32.const 64))
      (local.set $head (i32.add (i32.const 4) (i32.load (i32.const 64))))
      (local.set $times (i32.const ${times}))
      (loop $again
        (local.set $n (call $fetch (i32.add (i32.const 64) (local.get $head))
          (i32.sub (local.get $bytes) (local.get $head))))
        (br_if $again (local.tee $times (i32.sub (local.get $times) (i32.const 1)))))
      (if (i32.ge_s (local.get $n) (i32.const 0)) (then
        (call $result (i32.const 12000000))
        (call $write (i32.const 12000000) (local.get $n))
        (return)))
      (i32.store (i32.const 12000000) (i32.const 8))
      (i32.store (i32.const 12000004) (i32.const 599))
      (i32.store (i32.const 12000008) (i32.const 0))
      (call $result (i32.const 12000012))
      (call $write (i32.const 12000000) (i32.sub (i32.const 12) (local.get $n)))))`);

type Wanted = FetchParts | string;

/** Fetches by the function "fetcher" of a host, or by the one named. */
export function fetching(host: TestHost) {
  const fetch = (parts: Wanted, name = "fetcher"): Promise<Answer> =>
    host.call(name, { body: fetchMessage(typeof parts === "string" ? { url: parts } : parts) });
  /** One that must fail, and why. */
  const fails = async (parts: Wanted, code: string, name?: string): Promise<Answer> => {
    const answer = await fetch(parts, name);
    assert.equal(answer.status, 599, answer.text);
    assert.equal(answer.text.slice(0, answer.text.indexOf(":")), code, answer.text);
    return answer;
  };
  return { fetch, fails };
}
