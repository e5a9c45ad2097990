// Bare node:http: one instance of each function for all its calls. The price of HTTP and of the guest
// alone. Argument: the folder of the functions.

import { serveNode } from "./node-server.js";
import { keptGuests } from "./web-handler.js";

const guests = keptGuests(process.argv[2] ?? "");
serveNode(async (name, message) => (await guests(name)).handle(message));
