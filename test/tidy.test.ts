// The rules of the house that a program can keep: what may import what, no cycles, no dead files,
// lengths, headers and words. Reads files as text; runs nothing of the host.

import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { basename, dirname, join, normalize } from "node:path";
import { test } from "node:test";

const root = join(import.meta.dirname, "..");
const read = (file: string): string => readFileSync(join(root, file), "utf8");
const list = (pattern: string): string[] =>
  globSync(pattern, { cwd: root })
    .map((file) => file.replaceAll("\\", "/"))
    .filter((file) => !file.includes("node_modules/"))
    .sort();

const hostFiles = list("host/**/*.ts");
const ownFiles = [...hostFiles, ...list("{test,bench,scripts,guest}/**/*.{ts,js}"), ...list("bin/*.js")];

/** Which folders of host/ a folder may import from; files at the root of host/ are open to all. */
const mayImport: Readonly<Record<string, readonly string[]>> = {
  wasm: [],
  worker: ["observe", "wasm", "files"],
  files: [],
  observe: [],
  store: ["worker"],
  access: ["store"],
  backup: ["store"],
  build: ["observe", "wasm"],
  invoke: ["worker", "wasm", "store"],
  deploy: ["worker", "wasm", "store", "observe", "files"],
  http: ["invoke", "deploy", "store", "observe", "services", "events", "access", "backup"],
  outbound: ["http"],
  services: ["store", "events"],
  events: ["http", "store", "observe"],
  postgres: ["events", "store"],
  cli: ["build", "observe", "wasm", "files", "backup"],
};

/** Files at the root of host/ that wire: nothing but an entry point may import them. */
const wiring = new Set([
  "host/main.ts",
  "host/host-releases.ts",
  "host/host-access.ts",
  "host/host-observers.ts",
  "host/host-pools.ts",
  "host/host-readings.ts",
  "host/host-services.ts",
  "host/host-state.ts",
  "host/host-process.ts",
  "host/supervisor.ts",
]);

/** Where processes and threads begin; every other file must be reached from one of these. */
const entries = [
  "host/cli/main.ts",
  "host/host-process.ts",
  "host/deploy/inspector.ts",
  "host/deploy/preparer-thread.ts",
  "host/worker/entry.ts",
  "host/store/sqlite/writer-thread.ts",
  "host/store/sqlite/snapshot-thread.ts",
  "host/wasm/rewriter-thread.ts",
  "host/build/compiler-thread.ts",
  "host/build/componentize.ts",
];

const linesMax = 400;

function importsOf(file: string): { target: string; typeOnly: boolean }[] {
  const found: { target: string; typeOnly: boolean }[] = [];
  const pattern =
    /(?:^|\n)\s*(?:import|export)\s+(type\s)?(?:[^"';]*?\sfrom\s+)?"(\.[^"]+)"|import\("(\.[^"]+)"\)|import\.meta\.resolve\("(\.[^"]+)"\)/g;
  for (const match of read(file).matchAll(pattern)) {
    const path = match[2] ?? match[3] ?? match[4] ?? "";
    // A thread's or a process's entry is started, not imported: no cycle goes through it.
    const typeOnly = match[1] !== undefined || match[4] !== undefined;
    found.push({ target: normalize(join(dirname(file), path)).replaceAll("\\", "/"), typeOnly });
  }
  return found;
}

const folderOf = (file: string): string | null => /^host\/([a-z]+)\//.exec(file)?.[1] ?? null;

test("a folder of host/ imports only from the folders it may know", () => {
  const faults: string[] = [];
  for (const file of hostFiles) {
    const from = folderOf(file);
    if (from === null) continue;
    const allowed = mayImport[from];
    assert.ok(allowed, `${file}: the folder ${from} has no line in mayImport`);
    for (const { target } of importsOf(file)) {
      const to = folderOf(target);
      if (to !== null && to !== from && !allowed.includes(to)) faults.push(`${file} imports ${target}`);
      if (wiring.has(target) && !entries.includes(file) && from !== "cli")
        faults.push(`${file} imports ${target}`);
    }
  }
  assert.deepEqual(faults, []);
});

test("no files of host/ import one another in a circle", () => {
  const state = new Map<string, "open" | "done">();
  const path: string[] = [];
  const visit = (file: string): void => {
    if (state.get(file) === "done" || !hostFiles.includes(file)) return;
    if (state.get(file) === "open")
      assert.fail(`a circle: ${[...path.slice(path.indexOf(file)), file].join(" -> ")}`);
    state.set(file, "open");
    path.push(file);
    for (const { target, typeOnly } of importsOf(file)) if (!typeOnly) visit(target);
    path.pop();
    state.set(file, "done");
  };
  for (const file of hostFiles) visit(file);
});

test("every file of host/ is reached from an entry", () => {
  const reached = new Set<string>();
  const visit = (file: string): void => {
    if (reached.has(file) || !hostFiles.includes(file)) return;
    reached.add(file);
    for (const { target } of importsOf(file)) visit(target);
  };
  for (const entry of [
    ...entries,
    ...list("scripts/*.ts").flatMap((file) => importsOf(file).map(({ target }) => target)),
  ]) {
    visit(entry);
  }
  assert.deepEqual(
    hostFiles.filter((file) => !reached.has(file)),
    [],
  );
});

test("every file opens with a comment that says what it is", () => {
  const faults = ownFiles.filter((file) => {
    const text = read(file).replace(/^#!.*\n/, "");
    // A test's names are its description.
    return !text.startsWith("//") && !text.startsWith("/*") && !file.endsWith(".test.ts");
  });
  assert.deepEqual(faults, []);
});

test(`no file is longer than ${linesMax} lines`, () => {
  const long = ownFiles.filter((file) => read(file).split("\n").length > linesMax);
  assert.deepEqual(long, []);
});

test("files are named in kebab case", () => {
  const faults = ownFiles.filter(
    (file) => !/^[a-z0-9]+(-[a-z0-9]+)*(\.test|\.d|\.as)?\.(ts|js)$/.test(basename(file)),
  );
  assert.deepEqual(faults, []);
});

test("no file holds a word that is to be settled, or a way around the types", () => {
  // Written apart, so that this file does not find itself.
  const words = [
    ["TO", "DO"],
    ["FIX", "ME"],
    ["as unknown", " as "],
    ["@ts-", "nocheck"],
  ].map((parts) => parts.join(""));
  const faults: string[] = [];
  for (const file of ownFiles) {
    const text = read(file);
    for (const word of words) {
      if (text.includes(word)) faults.push(`${file}: ${word}`);
    }
  }
  assert.deepEqual(faults, []);
});

test("no document or source names a path of the machine it was written on", () => {
  const machine = [
    ["/wo", "rk/"],
    ["/ro", "ot/"],
    ["../sha", "red"],
  ].map((parts) => parts.join(""));
  const files = [...ownFiles, ...list("docs/**/*.md"), ...list("*.{md,json}"), ".ci/run"];
  const faults = files.filter((file) => machine.some((path) => read(file).includes(path)));
  assert.deepEqual(faults, []);
});

test("the lock files name no registry and no package with an install script", () => {
  for (const file of [
    "package-lock.json",
    "bench/peers/package-lock.json",
    "guest/examples/ruby/package-lock.json",
  ]) {
    const lock = JSON.parse(read(file)) as {
      packages: Record<string, { resolved?: string; hasInstallScript?: boolean }>;
    };
    const faults = Object.entries(lock.packages).filter(
      ([, entry]) => entry.resolved || entry.hasInstallScript,
    );
    assert.deepEqual(faults, [], file);
  }
});
