// One call in a thread of its own.

import { parentPort, workerData } from "node:worker_threads";
import { Guest } from "./guest-abi.js";

parentPort?.postMessage(new Guest(workerData.module).handle(workerData.message));
