// A host in a process of its own, for bench/observing.ts: one that counts its calls as every host does, one that
// does not look at them, or one that traces a share of them too. Prints where it listens.

import pino from "pino";
import { start } from "../host/main.ts";

const [, , dataDir = "", kind = "", collector = ""] = process.argv;

const host = await start(
  {
    host: "127.0.0.1",
    port: 0,
    dataDir,
    minWorkers: 1,
    maxWorkers: 1,
    token: null,
    secretKey: null,
    secretKeyOld: null,
    hostNames: [],
    origins: [],
    allowUnmetered: false,
    threadsOnly: false,
    rates: null,
    traceEndpoint: kind === "traced" ? collector : null,
    traceSample: 0.01,
    traceHeaders: {},
  },
  { log: pino({ level: "silent" }), ...(kind === "unobserved" && { onCallEnd: () => {} }) },
);
console.log(`listening on ${host.url}`);
process.once("SIGTERM", () => void host.stop().then(() => process.exit(0)));
