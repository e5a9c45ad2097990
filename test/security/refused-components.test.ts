// Components that are valid and use what the host does not run: each is refused at its upload, by a code and a
// word that name the part, and nothing is stored. Written byte by byte (component model, "Binary.md"), so that
// no tool is wanted.

import { strict as assert } from "node:assert";
import { after, test } from "node:test";
import { helloComponent } from "../../bench/peers/component/hello-component.ts";
import { named, section } from "../support/components.ts";
import { assemble } from "../support/guests.ts";
import { assertProblem, TestHost } from "../support/test-host.ts";

const host = await TestHost.start();
after(() => host.close());

const part = (id: number, ...content: (number | Uint8Array)[]): Buffer =>
  section(id, Buffer.concat(content.map((each) => (typeof each === "number" ? Buffer.of(each) : each))));
const component = (...parts: readonly Uint8Array[]): Buffer =>
  Buffer.concat([Buffer.from([0, 0x61, 0x73, 0x6d, 0x0d, 0, 1, 0]), ...parts]);
const id = { coreModule: 1, coreInstance: 2, coreType: 3, component: 4, instance: 5, alias: 6 } as const;
const more = { type: 7, canon: 8, start: 9, import: 10, export: 11, value: 12 } as const;

const core = (text: string): Buffer => section(id.coreModule, assemble(text));
const instantiated = (module: number): Buffer => part(id.coreInstance, 1, 0, module, 0);
/** A core function f () -> i32, and the type of a function () -> u32. */
const inner = [
  core(`(module (memory (export "m") 1) (func (export "f") (result i32) (i32.const 7)))`),
  instantiated(0),
  part(id.alias, 1, 0, 0, 1, 0, named("f")),
  part(more.type, 1, 0x40, 0, 0, 0x79),
];
/** That function lifted, with these options. */
const lifted = (...options: readonly number[]): Buffer =>
  part(more.canon, 1, 0, 0, 0, options.length, Buffer.from(options), 0);
const resource = part(more.type, 1, 0x3f, 0x7f, 0);

/** Exports f; imports f and calls it; and the two of them plugged into one another. */
const exporting = component(...inner, lifted(), part(more.export, 1, 0, named("f"), 1, 0, 0));
const calling = component(
  part(more.type, 1, 0x40, 0, 0, 0x79),
  part(more.import, 1, 0, named("f"), 1, 0),
  part(more.canon, 1, 1, 0, 0, 0),
);
const composed = component(
  section(id.component, exporting),
  section(id.component, calling),
  part(id.instance, 1, 0, 0, 0),
  part(id.alias, 1, 1, 0, 0, named("f")),
  part(id.instance, 1, 0, 1, 1, named("f"), 1, 0),
);

const cases: readonly (readonly [what: string, bytes: Uint8Array, feature: string, says: RegExp])[] = [
  [
    "a function of its own, lowered again",
    component(...inner, lifted(), part(more.canon, 1, 1, 0, 0, 0)),
    "calls-between-components",
    /a component that calls another one/,
  ],
  [
    "two components, one plugged into the other",
    composed,
    "calls-between-components",
    /a component that calls another one/,
  ],
  ["strings in UTF-16", component(...inner, lifted(1)), "utf16-strings", /strings that are not UTF-8/],
  [
    "strings in Latin-1 or UTF-16",
    component(...inner, lifted(2)),
    "utf16-strings",
    /strings that are not UTF-8/,
  ],
  [
    "a resource of its own, made",
    component(resource, part(more.canon, 1, 2, 0)),
    "own-resources",
    /a resource that the component defines/,
  ],
  [
    "a resource of its own, dropped",
    component(resource, part(more.canon, 1, 3, 0)),
    "own-resources",
    /a resource that the component defines/,
  ],
  [
    "a resource of its own, looked into",
    component(resource, part(more.canon, 1, 4, 0)),
    "own-resources",
    /a resource that the component defines/,
  ],
  [
    "two core modules with a memory each",
    component(...inner, core("(module (memory 1))"), instantiated(1)),
    "several-memories",
    /core modules with a memory each/,
  ],
  [
    "a core module that is instantiated twice, with its memory",
    component(...inner, instantiated(0)),
    "several-memories",
    /core modules with a memory each/,
  ],
  [
    "a core module with two memories",
    component(core("(module (memory 1) (memory 1))"), instantiated(0)),
    "multi-memory",
    /multi-memory/,
  ],
  [
    "an async function, as WASI 0.3 has them",
    component(...inner, lifted(6)),
    "component-model-async",
    /canonical option 0x06/,
  ],
  [
    "the type of an async function",
    component(part(more.type, 1, 0x43, 0, 0, 0x79)),
    "component-model-async",
    /an async function type/,
  ],
  [
    "a stream",
    component(part(more.type, 1, 0x66, 1, 0x7d)),
    "component-model-async",
    /a stream or future type/,
  ],
  ["a future", component(part(more.type, 1, 0x65, 0)), "component-model-async", /a stream or future type/],
  [
    "a task that ends by itself",
    component(part(more.canon, 1, 0x05)),
    "component-model-async",
    /canonical definition 0x05/,
  ],
  [
    "an import of a core module",
    component(part(more.import, 1, 0, named("m"), 0, 0x11, 0)),
    "imported-modules",
    /an import of a module/,
  ],
  [
    "an import of a component",
    component(part(more.import, 1, 0, named("c"), 4, 0)),
    "imported-components",
    /an import of a component/,
  ],
  [
    "a section of core types",
    component(part(id.coreType, 0)),
    "core-types-of-components",
    /a section of core types/,
  ],
  ["a start function with values", component(part(more.start, 0)), "component-values", /a section of values/],
];

for (const [what, bytes, feature, says] of cases) {
  test(`${what}: refused as ${feature}`, async () => {
    const answer = await host.upload("refused", bytes);
    assertProblem(answer, 422, "unsupported_feature");
    const problem = answer.json() as { detail: string; feature: unknown };
    assert.equal(problem.feature, feature);
    assert.match(problem.detail, new RegExp(`^Cannot accept the (component|module): it uses ${feature} `));
    assert.match(problem.detail, says);
  });
}

test("nothing of them is stored, and their neighbours are unharmed", async () => {
  assertProblem(await host.ask("GET", "/v1/functions/refused"), 404, "function_not_found");
  await host.deploy("neighbour", helloComponent);
  assert.equal((await host.ask("GET", "/fn/neighbour/?name=you")).text, "Hello, you!");
});

test("the same parts without what is refused are read to their end", async () => {
  for (const bytes of [component(...inner, lifted()), exporting, component(resource)]) {
    assertProblem(await host.upload("refused", bytes), 422, "unknown_abi");
  }
});
