import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { parseDocument } from "yaml";
import { projectFolder } from "./sources.ts";

/** A path below deploy/. */
export const deployPath = (...parts: readonly string[]): string => join(projectFolder, "deploy", ...parts);

/** What is in a file below deploy/. */
export const deployText = (...parts: readonly string[]): string => readFileSync(deployPath(...parts), "utf8");

/** Plain data of a YAML file, of which little is known before it is looked at. */
export interface Yaml {
  readonly [name: string]: Yaml & string & readonly (Yaml & string)[];
}

/** A file below deploy/ that has one document. */
export function deployYaml(...parts: readonly string[]): Yaml {
  const parsed = parseDocument(deployText(...parts), { merge: true });
  assert.equal([...parsed.errors, ...parsed.warnings].map(String), [], parts.join("/"));
  return parsed.toJS() as Yaml;
}

/** The program, as package.json names it. */
export const program = (
  JSON.parse(readFileSync(join(projectFolder, "package.json"), "utf8")) as { bin: { qstream: string } }
).bin.qstream;

/** Lets the program itself read the words of a command: one that it doesn't know ends it with 2. */
export function assertKnown(words: readonly string[], where: string): void {
  const given = words.map((word) =>
    word.replaceAll(/\$\{?\w+(:-(\w+))?\}?/gu, (_, __, otherwise: string) => otherwise ?? "2"),
  );
  const { status, stderr } = spawnSync(process.execPath, [join(projectFolder, program), ...given, "--help"], {
    encoding: "utf8",
  });
  assert.is(status, 0, `${where}: ${stderr}`);
}

/** What lets a process listen beyond loopback. */
export const guarded = ["--token-file", "--tls-cert", "--tls-key", "--tls-ca"];

export function assertGuarded(words: readonly string[], where: string): void {
  for (const option of guarded) assert.ok(words.includes(option), `${where} listens beyond loopback without ${option}`);
}

/** The word after an option. */
export function optionOf(words: readonly string[], option: string): string {
  return words[words.indexOf(option) + 1] ?? "";
}

/** Whoever ends a worker gives it more than the time in which others take over what runs there. */
export function assertTimeToDrain(words: readonly string[], seconds: number, where: string): void {
  const drainMs = Number(optionOf(words, "--drain-ms"));
  assert.ok(drainMs >= 30_000, `${where} says for how long it is waited that others take over`);
  assert.ok(seconds * 1000 >= drainMs + 5000, `${where} is killed after ${seconds} s, and drained for ${drainMs} ms`);
}

/** What lets healthy.mjs show a certificate, which ports with mutual TLS want to see: the process's own. */
export function assertHealthPapers(words: readonly string[], variable: (name: string) => unknown, where: string): void {
  assert.is(variable("QSTREAM_HEALTH_CERT"), optionOf(words, "--tls-cert"), where);
  assert.is(variable("QSTREAM_HEALTH_KEY"), optionOf(words, "--tls-key"), where);
}
