// The thread on which one large upload is read and rewritten (rewriter.ts); it ends with that.

import { parentPort, workerData } from "node:worker_threads";
import { rewriteReply } from "./rewrite-reply.ts";

const reply = rewriteReply(workerData as Uint8Array);
const moved = "prepared" in reply && "bytes" in reply.prepared ? [reply.prepared.bytes.buffer] : [];
parentPort?.postMessage(reply, moved);
