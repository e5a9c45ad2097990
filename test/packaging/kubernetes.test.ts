// The manifests for Kubernetes: every field by the types that are generated from its API description, which
// know what is misspelt; where kubectl is installed, what it makes of them; and what an orchestrator relies on.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { StatefulSet } from "kubernetes-types/apps/v1.d.ts";
import { parse, parseAllDocuments } from "yaml";
import { limits } from "../../host/limits.ts";

const root = join(import.meta.dirname, "../..");
const folder = join(root, "deploy/kubernetes");
const read = (name: string): string => readFileSync(join(folder, name), "utf8");

type Manifest = { readonly apiVersion: string; readonly kind: string };

const kustomization = parse(read("kustomization.yaml")) as { resources: string[]; namespace: string };
const manifests = kustomization.resources.map((name) => parse(read(name)) as Manifest);
const stateful = parse(read("stateful-set.yaml")) as StatefulSet;
const pod = stateful.spec?.template.spec;
const [container] = pod?.containers ?? [];

/** Module of kubernetes-types for an API group and version. */
const modules = new Map([
  ["v1", "core/v1"],
  ["apps/v1", "apps/v1"],
  ["networking.k8s.io/v1", "networking/v1"],
]);

/** What tsc says of the manifests as literals of their types. */
function typeFaults(checked: readonly Manifest[]): string {
  const work = mkdtempSync(join(tmpdir(), "mayfly-manifests-"));
  try {
    const lines = checked.map((manifest, index) => {
      const types = JSON.stringify(
        join(root, "node_modules/kubernetes-types", `${modules.get(manifest.apiVersion)}.d.ts`),
      );
      return `export const m${index}: import(${types}).${manifest.kind} = ${JSON.stringify(manifest, null, 1)};`;
    });
    writeFileSync(join(work, "manifests.ts"), lines.join("\n"));
    const tsc = join(root, "node_modules/typescript/bin/tsc");
    const flags = [
      "--noEmit",
      "--strict",
      "--skipLibCheck",
      "--ignoreConfig",
      "--types",
      "",
      "--allowImportingTsExtensions",
    ];
    return spawnSync(process.execPath, [tsc, ...flags, "manifests.ts"], { cwd: work, encoding: "utf8" })
      .stdout;
  } finally {
    rmSync(work, { recursive: true });
  }
}

test("every manifest is of its kind, with no field that the kind does not have", () => {
  assert.equal(typeFaults(manifests), "");
});

test("a misspelt field and a wrong type are found", () => {
  const text = JSON.stringify(stateful);
  const misspelt = JSON.parse(text.replace("enableServiceLinks", "enableServicesLinks")) as Manifest;
  assert.match(typeFaults([misspelt]), /enableServicesLinks/);
  const wrong = JSON.parse(text.replace('"replicas":1', '"replicas":"1"')) as Manifest;
  assert.match(typeFaults([wrong]), /'string' is not assignable to type 'number'/);
});

test("kubectl puts all of them together", (context) => {
  const made = spawnSync("kubectl", ["kustomize", folder], { encoding: "utf8" });
  if (made.error !== undefined) {
    context.skip("kubectl is not installed");
    return;
  }
  assert.equal(made.status, 0, made.stderr);
  const kinds = parseAllDocuments(made.stdout).map((document) => {
    const { kind, metadata } = document.toJS() as { kind: string; metadata: { namespace?: string } };
    assert.ok(kind === "Namespace" || metadata.namespace === kustomization.namespace, kind);
    return kind;
  });
  assert.deepEqual(kinds.sort(), manifests.map(({ kind }) => kind).sort());
});

test("no manifest is left out", () => {
  const files = readdirSync(folder).filter((name) => name !== "kustomization.yaml");
  assert.deepEqual(files.sort(), [...kustomization.resources].sort());
});

test("the pod is one, is asked whether it lives and is ready, and gets no variables of a service", () => {
  assert.equal(stateful.spec?.replicas, 1);
  assert.equal(pod?.enableServiceLinks, false);
  assert.equal(container?.livenessProbe?.httpGet?.path, "/healthz");
  assert.equal(container?.startupProbe?.httpGet?.path, "/healthz");
  assert.equal(container?.readinessProbe?.httpGet?.path, "/readyz");
  const pauseS = container?.lifecycle?.preStop?.sleep?.seconds ?? 0;
  assert.ok(
    (pod?.terminationGracePeriodSeconds ?? 0) * 1_000 >= limits.drainTimeoutMs + 5_000 + pauseS * 1_000,
  );
});

test("the pod may not do more than it must", () => {
  assert.equal(pod?.securityContext?.runAsNonRoot, true);
  assert.equal(pod?.automountServiceAccountToken, false);
  assert.deepEqual(container?.securityContext, {
    allowPrivilegeEscalation: false,
    readOnlyRootFilesystem: true,
    capabilities: { drop: ["ALL"] },
  });
});
