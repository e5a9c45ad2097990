// node:http in front, a new thread (worker_threads) for each call; the compiled module is shared.
// Argument: the folder of the functions.

import { Worker } from "node:worker_threads";
import { Modules } from "./modules.js";
import { serveNode } from "./node-server.js";

const modules = new Modules(process.argv[2] ?? "");
const oneCall = new URL("thread-one-call.js", import.meta.url);

serveNode(async (name, message, gone) => {
  const worker = new Worker(oneCall, { workerData: { module: await modules.get(name), message } });
  gone.addEventListener("abort", () => void worker.terminate());
  return new Promise((resolve, reject) => {
    worker.on("message", resolve).on("error", reject);
    // After an answer this rejects nothing any more.
    worker.on("exit", () => reject(new Error("The thread ended without an answer")));
  });
});
