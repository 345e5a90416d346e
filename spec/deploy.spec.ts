// What is in deploy/ fits together and fits the program: what can be seen without an engine or helm. deploy/check.sh does the rest
// with the tools for it.

import { spawnSync } from "node:child_process";
import { createPrivateKey, X509Certificate } from "node:crypto";
import { accessSync, constants, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as assert from "uvu/assert";
import {
  assertGuarded,
  assertHealthPapers,
  assertKnown,
  assertTimeToDrain,
  deployPath,
  deployText,
  deployYaml,
  guarded,
  optionOf,
  program,
} from "./kit/deploy-files.ts";
import { projectFolder } from "./kit/sources.ts";
import { suite } from "./kit/suite.ts";

const test = suite("deploy");

const compose = deployYaml("compose.yaml");

test("the image's stages copy what is there, and run the program as nobody special", () => {
  const lines = deployText("Dockerfile")
    .replaceAll("\\\n", " ")
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("#"))
    .map((line) => line.split(/\s+/u));
  const ignored = readFileSync(join(projectFolder, ".dockerignore"), "utf8").split("\n");
  const stages: string[] = [];
  for (const [instruction, ...words] of lines) {
    if (instruction === "FROM") stages.push(words.at(-1) ?? "");
    if (instruction !== "COPY") continue;
    const from = words[0]?.startsWith("--from=") === true ? words.shift()?.slice("--from=".length) : undefined;
    if (from !== undefined) {
      assert.ok(stages.slice(0, -1).includes(from), `COPY from ${from}`);
      continue;
    }
    for (const source of words.slice(0, -1).filter((word) => word !== ".")) {
      assert.ok(existsSync(join(projectFolder, source)), `COPY ${source}: it isn't there`);
      assert.ok(ignored.includes(`!${source}`), `COPY ${source}: .dockerignore keeps it out`);
    }
  }
  const last = lines.slice(lines.findLastIndex(([instruction]) => instruction === "FROM"));
  const of = (name: string): string =>
    last
      .filter(([instruction]) => instruction === name)
      .map((line) => line.slice(1).join(" "))
      .at(-1) ?? "";
  assert.match(of("USER"), /^[1-9]\d*:[1-9]\d*$/u);
  assert.match(of("HEALTHCHECK"), /CMD \["node", "\/app\/deploy\/healthy\.mjs"\]$/u);
  assert.equal(JSON.parse(of("ENTRYPOINT")), ["node", "--enable-source-maps", `/app/${program}`]);
  for (const folder of readdirSync(projectFolder)) {
    const sources = [
      "tsconfig.json",
      "scripts",
      "lib",
      "actors",
      "operators",
      "readers",
      "spec",
      "benchmarks",
      "examples",
    ];
    if (sources.includes(folder)) assert.ok(ignored.includes(`!${folder}`), `the build wants ${folder}`);
  }
});

test("the Compose file's services have what they name, and no more rights than they need", () => {
  const services = Object.entries(compose["services"] ?? {});
  for (const [name, service] of services) {
    assert.is(service["read_only"], true, name);
    assert.equal(service["cap_drop"], ["ALL"], name);
    assert.equal(service["security_opt"], ["no-new-privileges:true"], name);
    for (const network of service["networks"] ?? [])
      assert.ok(network in (compose["networks"] ?? {}), `${name}: ${network}`);
    for (const secret of service["secrets"] ?? []) {
      const source = typeof secret === "string" ? secret : secret["source"];
      assert.ok(String(source) in (compose["secrets"] ?? {}), `${name}: ${String(source)}`);
    }
    for (const volume of service["volumes"] ?? []) {
      const [source = ""] = String(volume).split(":");
      assert.ok(source.startsWith("$") || source in (compose["volumes"] ?? {}), `${name}: ${source}`);
    }
    for (const other of Object.keys(service["depends_on"] ?? {})) assert.ok(services.some(([one]) => one === other));
  }
  const redis = compose["services"]?.["redis"]?.["command"] ?? [];
  assert.is(optionOf(redis, "--maxmemory-policy"), "noeviction");
  assert.is(optionOf(redis, "--appendonly"), "yes");
  assert.is(compose["networks"]?.["inner"]?.["internal"], true);
  const on = (network: string): string[] =>
    services.filter(([, service]) => (service["networks"] ?? []).map(String).includes(network)).map(([name]) => name);
  // Where clients come in there is nothing of the cluster but the head: neither Redis nor a worker can be reached.
  assert.equal(Object.fromEntries(Object.keys(compose["networks"] ?? {}).map((name) => [name, on(name)])), {
    inner: ["redis", "head", "worker-1", "worker-2"],
    outer: ["head"],
    away: ["worker-1", "worker-2"],
  });
  assert.equal(
    services.filter(([, service]) => service["ports"] !== undefined).map(([name]) => name),
    ["head"],
  );
});

test("commands of the Compose file are the program's, and find each other", () => {
  for (const name of ["head", "worker-1", "worker-2"]) {
    const service = compose["services"]?.[name];
    const words = service?.["command"] ?? [];
    assertKnown(words, name);
    assertGuarded(words, name);
    // It listens on all of its networks. What a service is called is its name in each, and in its certificate.
    const [address, port = ""] = optionOf(words, "--bind").split(":");
    assert.is(address, "0.0.0.0");
    assert.is(optionOf(words, "--advertise"), `${name}:${port}`);
    const environment = service?.["environment"];
    assert.is(environment?.["QSTREAM_HEALTH"], `127.0.0.1:${port}`);
    assertHealthPapers(words, (variable) => environment?.[variable], name);
    const targets = (service?.["secrets"] ?? []).map((one) =>
      typeof one === "string" ? one : (one["target"] ?? one["source"]),
    );
    for (const option of guarded) {
      const file = optionOf(words, option).replace("/run/secrets/", "");
      assert.ok(targets.map(String).includes(file), `${name} isn't given ${file}`);
    }
    if (words[0] !== "worker") continue;
    assert.is(optionOf(words, "--join"), "wss://head:7420");
    assertTimeToDrain(words, Number.parseInt(String(service?.["stop_grace_period"]), 10), name);
  }
});

test("systemd's units run the program with what their environment files say", () => {
  for (const name of ["head", "worker"]) {
    const unit = deployText("systemd", `qstream-${name}.service`).replaceAll("\\\n", " ");
    const [, line = ""] = /^ExecStart=(.*)$/mu.exec(unit) ?? [];
    const words = line.split(/\s+/u);
    assert.is(words.shift(), "/usr/bin/node");
    assert.is(
      words.find((word) => word.endsWith(program)),
      `/opt/qstream/node_modules/qstream/${program}`,
    );
    const environment = deployText("systemd", `${name}.env`);
    const values = new Map(
      [...environment.matchAll(/^(\w+)=(.*)$/gmu)].map(([, key = "", value = ""]) => [key, value]),
    );
    const given = words
      .slice(words.findIndex((word) => word.endsWith(program)) + 1)
      .map((word) =>
        word.replaceAll(/\$\{(\w+)\}/gu, (_, variable: string) => values.get(variable) ?? `no ${variable}`),
      );
    assert.is(given[0], name);
    assert.not.match(given.join(" "), /no QSTREAM/u);
    assertKnown(given, `the unit of a ${name}`);
    assertGuarded(given, `the unit of a ${name}`);
    assert.match(unit, /^User=qstream$/mu);
    assert.match(unit, /^KillSignal=SIGTERM$/mu);
    // Not its drivers, which it ends itself.
    assert.match(unit, /^KillMode=mixed$/mu);
    const [, stopSeconds] = /^TimeoutStopSec=(\d+)$/mu.exec(unit) ?? [];
    if (name === "worker") assertTimeToDrain(given, Number(stopSeconds), "the unit of a worker");
    // A worker that was drained ends in order, and stays down.
    assert.match(unit, name === "head" ? /^Restart=always$/mu : /^Restart=on-failure$/mu);
  }
});

test("certificates.sh makes certificates for names and addresses, of one authority, and more of it later", () => {
  const folder = mkdtempSync(join(tmpdir(), "qstream-certificates-"));
  const made = (...words: readonly string[]): number | null =>
    spawnSync(deployPath("certificates.sh"), [folder, ...words], { stdio: "ignore" }).status;
  const read = (name: string): X509Certificate => new X509Certificate(readFileSync(join(folder, `${name}.crt`)));
  try {
    assert.is(made("head,localhost,127.0.0.1", "*.heads.example.org,::1"), 0);
    const authority = read("ca");
    assert.is(made("client"), 0);
    for (const name of ["head", "any.heads.example.org", "client"]) {
      assert.ok(read(name).checkIssued(authority) && read(name).verify(authority.publicKey), name);
      assert.ok(read(name).checkPrivateKey(createPrivateKey(readFileSync(join(folder, `${name}.key`)))), name);
      assert.is(statSync(join(folder, `${name}.key`)).mode & 0o077, 0, "others can't read keys");
    }
    assert.ok(read("head").checkHost("localhost") !== undefined && read("head").checkIP("127.0.0.1") !== undefined);
    assert.ok(read("any.heads.example.org").checkHost("one.heads.example.org") !== undefined);
    assert.ok(read("any.heads.example.org").checkIP("::1") !== undefined);
    assert.is(made("../elsewhere"), 2);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test("scripts can be run, and stop at the first error", () => {
  for (const script of ["certificates.sh", "check.sh"]) {
    accessSync(deployPath(script), constants.X_OK);
    assert.match(deployText(script), /^#!\/bin\/sh\n[^]*^set -eu$/mu);
  }
});

test.run();
