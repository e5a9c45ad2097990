// node:http in front, a new process of Node for each call. Argument: the folder of the functions.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { serveNode } from "./node-server.js";

const folder = process.argv[2] ?? "";
const oneCall = join(import.meta.dirname, "process-one-call.js");

serveNode(async (name, message, gone) => {
  const child = spawn(process.execPath, [oneCall, join(folder, `${name}.wasm`)], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  gone.addEventListener("abort", () => child.kill("SIGKILL"));
  // A child that was killed has closed its end.
  child.stdin.on("error", () => {}).end(message);
  /** @type {Buffer[]} */
  const chunks = [];
  child.stdout.on("data", (chunk) => chunks.push(chunk));
  await once(child, "close");
  if (child.exitCode !== 0) throw new Error(`The process ended with ${child.exitCode ?? child.signalCode}`);
  return new Uint8Array(Buffer.concat(chunks));
});
