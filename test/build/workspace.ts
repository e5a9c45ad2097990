// A folder of files for one test, gone with it.

import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

export type Workspace = Disposable & {
  readonly path: string;
  readonly write: (name: string, text: string) => string;
};

export function workspace(files: Readonly<Record<string, string>> = {}): Workspace {
  const path = realpathSync(mkdtempSync(join(tmpdir(), "mayfly-build-")));
  const write = (name: string, text: string): string => {
    mkdirSync(dirname(join(path, name)), { recursive: true });
    writeFileSync(join(path, name), text);
    return join(path, name);
  };
  for (const [name, text] of Object.entries(files)) write(name, text);
  return { path, write, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}

export const helloSource = `import { Request, Response } from "mayfly";

export function handle(req: Request): Response {
  return Response.text("hello " + req.path);
}
`;
