// One warm compiler thread for this process, started at the first build. Builds run one after
// another; the thread never keeps the process alive on its own.

import { once } from "node:events";
import { Worker } from "node:worker_threads";
import { buildFault } from "./build-error.ts";
import type { CompileAnswer, CompileRequest } from "./compile-request.ts";

let thread: Worker | undefined;
let last: Promise<unknown> = Promise.resolve();

/** Runs one build; a crash of the compiler is a BuildError, and the next build gets a new thread. */
export function compile(request: CompileRequest): Promise<CompileAnswer> {
  const turn = last.then(
    () => compileNow(request),
    () => compileNow(request),
  );
  last = turn;
  return turn;
}

async function compileNow(request: CompileRequest): Promise<CompileAnswer> {
  thread ??= startThread();
  const current = thread;
  const ended = new AbortController();
  current.ref();
  try {
    // Cloned to a copy of our own: a build is seldom and its messages are small.
    current.postMessage(request);
    const [answer] = await Promise.race([
      once(current, "message", { signal: ended.signal }),
      once(current, "exit", { signal: ended.signal }).then((): [CompileAnswer] => {
        thread = undefined;
        throw buildFault("the AssemblyScript compiler crashed; its own words are above");
      }),
    ]);
    return answer as CompileAnswer;
  } catch (error) {
    thread = undefined;
    throw error;
  } finally {
    ended.abort();
    current.unref();
  }
}

function startThread(): Worker {
  return new Worker(new URL(import.meta.resolve("./compiler-thread.ts")), { argv: [] });
}
