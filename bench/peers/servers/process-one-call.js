// One call in a process of its own: the request message comes on standard input, the response message
// goes to standard output. Argument: the module's file.

import { readFileSync, writeSync } from "node:fs";
import { Guest } from "./guest-abi.js";

const message = readFileSync(0);
const module = new WebAssembly.Module(readFileSync(process.argv[2] ?? ""));
writeSync(1, new Guest(module).handle(message));
