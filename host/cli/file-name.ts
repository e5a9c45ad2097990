// Makes a function's name of its file's: for `dev`, which deploys under it, and `bench`, which shows it.

import { basename, dirname } from "node:path";
import { suggestedName } from "./arguments.ts";
import { WrongUsage } from "./failure.ts";

/** `greeter.ts` is greeter; `greeter/index.ts` is greeter too. */
export function nameOfFile(path: string): string {
  const base = basename(path).replace(/(\.as)?\.(ts|wasm)$/, "");
  const general = ["index", "main", "function", "handler", "handle", "mod", "src"];
  const folders = [basename(dirname(path)), basename(dirname(dirname(path)))];
  const own = general.includes(base) ? folders.find((folder) => !general.includes(folder)) : base;
  const name = suggestedName(own ?? base);
  if (name !== null) return name;
  throw new WrongUsage(
    `Cannot make a function name of ${JSON.stringify(base)}: name one, as in mayfly dev FILE NAME`,
  );
}
