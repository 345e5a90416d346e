// The Helm chart, as far as it can be looked at without helm: its values, and what it becomes, which is kept in deploy/helm/rendered.yaml.

import { createHash } from "node:crypto";
import { readdirSync, readFileSync, statSync } from "node:fs";
import * as assert from "uvu/assert";
import { parseAllDocuments } from "yaml";
import {
  assertGuarded,
  assertHealthPapers,
  assertKnown,
  assertTimeToDrain,
  deployPath,
  deployText,
  deployYaml,
  optionOf,
  type Yaml,
} from "../kit/deploy-files.ts";
import { suite } from "../kit/suite.ts";

const test = suite("the Helm chart");

/** Paths of all values: objects that are empty are values. */
function leavesOf(value: unknown, at = ""): string[] {
  const entries = typeof value === "object" && value !== null && !Array.isArray(value) ? Object.entries(value) : [];
  if (entries.length === 0) return [at];
  return entries.flatMap(([name, inner]) => leavesOf(inner, at === "" ? name : `${at}.${name}`));
}

test("the chart's templates, values and schema know the same values", () => {
  const values = deployYaml("helm", "qstream", "values.yaml");
  const leaves = leavesOf(values);
  const schema = JSON.parse(deployText("helm", "qstream", "values.schema.json")) as Yaml;
  const schemaOf = (place: string): Yaml | undefined =>
    place.split(".").reduce<Yaml | undefined>((inner, name) => inner?.["properties"]?.[name], schema);
  for (const leaf of leaves) {
    // Quantities and requests are Kubernetes's.
    if (/\.resources\./u.test(leaf)) continue;
    assert.ok(schemaOf(leaf) !== undefined, `values.schema.json doesn't know ${leaf}`);
  }
  const templates = filesOf("helm/qstream/templates").map((file) => deployText(file));
  const used = templates.flatMap((template) =>
    [...template.matchAll(/\.Values\.([\w.]+)/gu)].map(([, place = ""]) => place),
  );
  assert.ok(used.length > 0);
  for (const place of used) {
    assert.ok(
      leaves.some((leaf) => leaf === place || leaf.startsWith(`${place}.`)),
      `values.yaml has no ${place}`,
    );
  }
  const defined = templates.flatMap((one) => [...one.matchAll(/define "([\w.]+)"/gu)].map(([, name]) => name));
  for (const template of templates) {
    for (const [, name] of template.matchAll(/include "([\w.]+)"/gu)) assert.ok(defined.includes(name), `no ${name}`);
  }
  const unused = leaves
    .filter((leaf) => !/^(worker\.autoscaling|\w+\.resources)\b/u.test(leaf))
    .filter((leaf) => {
      return !used.some((place) => leaf === place || leaf.startsWith(`${place}.`));
    });
  assert.equal(unused, [], "values that no template reads");
});

test("words that somebody gives come last in the commands of heads and workers, where they count most", () => {
  for (const name of ["head", "worker"]) {
    const template = deployText("helm", "qstream", "templates", `${name}.yaml`);
    const [, last = ""] = / +args:\n([^]*?)\n {10}env:/u.exec(template) ?? [];
    assert.match(
      last,
      new RegExp(`range \\.Values\\.${name}\\.extraArgs \\}\\}\\n +- \\{\\{ \\. \\| quote .*\\n.*end \\}\\}$`, "u"),
    );
  }
});

/** Files below a folder of deploy/, sorted by their bytes. */
function filesOf(folder: string): string[] {
  return readdirSync(deployPath(folder), { recursive: true })
    .map((name) => `${folder}/${String(name)}`)
    .filter((file) => statSync(deployPath(file)).isFile())
    .toSorted((left, right) => Buffer.compare(Buffer.from(left), Buffer.from(right)));
}

const rendered = parseAllDocuments(deployText("helm", "rendered.yaml"))
  .map((one) => one.toJS() as Yaml | null)
  .filter((one) => one !== null);
const ofKind = (kind: string): Yaml[] => rendered.filter((one) => String(one["kind"]) === kind);
const nameOf = (one: Yaml): string => String(one["metadata"]?.["name"]);

test("rendered.yaml is what the chart becomes", () => {
  const hash = createHash("sha256");
  for (const file of filesOf("helm/qstream")) hash.update(readFileSync(deployPath(file)));
  const [, written = ""] = /^# chart: (\w+)$/mu.exec(deployText("helm", "rendered.yaml")) ?? [];
  assert.is(written, hash.digest("hex"), "the chart has changed: deploy/check.sh --render");
});

test("pods of the chart have few rights, limits, and the secrets that they name", () => {
  const secrets = new Map(ofKind("Secret").map((one) => [nameOf(one), Object.keys(one["stringData"] ?? {})]));
  const sets = ofKind("StatefulSet");
  assert.equal(sets.map(nameOf).toSorted(), [
    "example-qstream-head",
    "example-qstream-redis",
    "example-qstream-worker",
  ]);
  for (const set of sets) {
    const pod = set["spec"]?.["template"]?.["spec"];
    assert.is(pod?.["securityContext"]?.["runAsNonRoot"], true, nameOf(set));
    assert.is(pod?.["automountServiceAccountToken"], false, nameOf(set));
    const volumes = pod?.["volumes"] ?? [];
    for (const container of pod?.["containers"] ?? []) {
      const { securityContext, resources, volumeMounts, env } = container;
      assert.is(securityContext?.["readOnlyRootFilesystem"], true, nameOf(set));
      assert.is(securityContext?.["allowPrivilegeEscalation"], false, nameOf(set));
      assert.equal(securityContext?.["capabilities"]?.["drop"], ["ALL"]);
      assert.ok(resources?.["limits"]?.["memory"] !== undefined, nameOf(set));
      for (const mount of volumeMounts ?? []) {
        const claimed = (set["spec"]?.["volumeClaimTemplates"] ?? []).map((one) => one["metadata"]);
        assert.ok(
          [volumes, claimed].some((known) => known.some((volume) => volume?.["name"] === mount["name"])),
          `${nameOf(set)}: ${String(mount["name"])}`,
        );
      }
      for (const entry of env ?? []) {
        const reference = entry["valueFrom"]?.["secretKeyRef"];
        if (reference !== undefined)
          assert.ok(secrets.get(String(reference["name"]))?.includes(String(reference["key"])));
      }
    }
    for (const volume of volumes.filter((one) => one["secret"] !== undefined)) {
      assert.ok(secrets.has(String(volume["secret"]?.["secretName"])), nameOf(set));
    }
  }
});

test("heads and workers of the chart find each other, and nobody else finds them", () => {
  const podOf = (name: string): Yaml | undefined =>
    ofKind("StatefulSet").find((one) => nameOf(one) === name)?.["spec"]?.["template"]?.["spec"];
  const containerOf = (name: string): Yaml | undefined => podOf(name)?.["containers"]?.[0];
  const argumentsOf = (name: string): readonly string[] => containerOf(name)?.["args"] ?? [];
  const head = argumentsOf("example-qstream-head");
  const worker = argumentsOf("example-qstream-worker");
  for (const words of [head, worker]) {
    assertKnown(
      words.map((word) => word.replace("$(POD_NAME)", "example-0")),
      String(words[0]),
    );
    assertGuarded(words, String(words[0]));
    const environment = containerOf(`example-qstream-${String(words[0])}`)?.["env"] ?? [];
    const variable = (name: string): unknown => environment.find((one) => one["name"] === name)?.["value"];
    assert.is(variable("QSTREAM_HEALTH"), optionOf(words, "--bind"), "health is asked where it listens");
    assertHealthPapers(words, variable, String(words[0]));
  }
  const heads = ["0", "1"].map(
    (pod) => `wss://${optionOf(head, "--bind").replace("$(POD_NAME)", `example-qstream-head-${pod}`)}`,
  );
  assert.equal(optionOf(worker, "--join").split(","), heads);
  const [scaler] = ofKind("HorizontalPodAutoscaler");
  assert.is(scaler?.["spec"]?.["scaleTargetRef"]?.["name"], "example-qstream-worker");
  const requests = containerOf("example-qstream-worker")?.["resources"]?.["requests"];
  assert.is(requests?.["cpu"], optionOf(worker, "--slots"), "a core for each slot");
  const settings = argumentsOf("example-qstream-redis");
  assert.is(optionOf(settings, "--maxmemory-policy"), "noeviction");
  assert.is(optionOf(settings, "--appendonly"), "yes");
  // It needs room beside what it keeps while it writes its file anew.
  const [, gigabytes] = /^(\d+)gb$/u.exec(optionOf(settings, "--maxmemory")) ?? [];
  const limit = String(containerOf("example-qstream-redis")?.["resources"]?.["limits"]?.["memory"]);
  assert.ok(Number(gigabytes) < Number(/^(\d+)Gi$/u.exec(limit)?.[1]), `${gigabytes} of ${limit}`);
  assertTimeToDrain(worker, Number(podOf("example-qstream-worker")?.["terminationGracePeriodSeconds"]), "the chart");
});

test("each part of the chart is reached by those who dial it, on their ports, and by nobody else", () => {
  const selected = (labels: Yaml | undefined): string =>
    String(labels?.["app.kubernetes.io/component"] ?? Object.keys(labels ?? {}).join());
  const policies = ofKind("NetworkPolicy").map((one) => {
    const rules = (one["spec"]?.["ingress"] ?? []).map(({ from, ports }) => [
      (from ?? []).map((who) => selected(who["podSelector"]?.["matchLabels"])),
      (ports ?? []).map(({ port, endPort }) => (endPort === undefined ? [port] : [port, endPort])).flat(),
    ]);
    return [selected(one["spec"]?.["podSelector"]?.["matchLabels"]), rules] as const;
  });
  assert.equal(Object.fromEntries(policies), {
    head: [
      [["example-qstream-client"], [7420]],
      // Who begins to lead tells the one before (lib/cluster/former-leader.ts).
      [["head"], [7420]],
      // And drivers, which listen on free ports.
      [["worker"], [1024, 65_535]],
    ],
    worker: [[["head", "worker"], [7421]]],
    redis: [[["head", "worker"], [6379]]],
  });
});

test.run();
