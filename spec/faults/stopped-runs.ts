// A run of files that is stopped again and again, by Ctrl-C or kill -9, and gone on with: what its sinks have written at the end is
// compared with what has to come out.

import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import * as assert from "uvu/assert";
import { openStore } from "../../actors/stores/open-store.ts";
import type { LineageStore } from "../../lib/core/contracts/lineage-store.ts";
import type { Random } from "../../lib/core/seam/random.ts";
import { digestOf } from "../kit/faults.ts";
import { projectFolder } from "../kit/sources.ts";
import type { ToldToStop } from "./run-to-stop.ts";

export interface StoppedRunOptions {
  /** Below dist, so that `qstream` is found from there. */
  readonly codeFolder: string;
  /** Where its inputs, outputs and store are. */
  readonly folder: string;
  readonly rows: number;
  /** Milliseconds that each task of one of its operators waits. */
  readonly everyMs: number;
  /** Milliseconds between two checkpoints; undefined for `qstream run`, which has its own. */
  readonly checkpointEveryMs: number | undefined;
  readonly say: (text: string) => void;
}

/** How one process that runs it is stopped. */
export interface Stop {
  readonly signal: "SIGINT" | "SIGKILL";
  /** Milliseconds after it is seen to work. */
  readonly afterMs: number;
}

/** How it is gone on with. */
export interface Continuation {
  readonly slots: number;
  readonly rescale: boolean;
  /** The flow's code has changed. */
  readonly upgrade: boolean;
}

const files = 4;
const keys = 97;
const main = join(projectFolder, "dist/lib/cli/main.js");
const program = join(projectFolder, "dist/spec/faults/run-to-stop.js");
const hungMs = 60_000;

/** Some processes, one after the other, that run one flow to its end. */
export class StoppedRun {
  readonly #options: StoppedRunOptions;
  readonly #store: string;
  readonly #out: string;
  readonly #gate: string;
  readonly #module: string;
  #version = 0;
  /** Its present name: another one once it has got other channels. */
  #execution: string | undefined;

  constructor(options: StoppedRunOptions) {
    const { folder, codeFolder, rows } = options;
    this.#options = options;
    this.#store = `lmdb:${join(folder, "store")}`;
    this.#out = join(folder, "out");
    this.#gate = join(folder, "gate");
    this.#module = join(codeFolder, "stopped.mjs");
    mkdirSync(folder, { recursive: true });
    for (let file = 0; file < files; file++) {
      const lines = Array.from({ length: rows / files }, (_, at) => lineOf(file + at * files));
      writeFileSync(join(folder, `in-${file}.csv`), `n,key,text\n${lines.join("\n")}\n`);
    }
    this.#write();
  }

  /** Starts it, or goes on with it, and stops that. */
  async stopped({ signal, afterMs }: Stop, again: Continuation): Promise<void> {
    const child = this.#start(again);
    const printed = printedBy(child);
    const ended = once(child, "close");
    await this.#begun(child);
    await wait(afterMs);
    const killed = child.kill(signal);
    const late = setTimeout(() => child.kill("SIGKILL"), hungMs);
    await ended;
    clearTimeout(late);
    assert.ok(killed, `it had ended: ${printed()}`);
    assert.is(child.signalCode ?? child.exitCode, signal === "SIGKILL" ? "SIGKILL" : 130, printed());
    await this.#find();
    this.#options.say(`${signal} ${afterMs.toFixed(0)} ms after it went on (${described(again)})`);
  }

  /** Goes on with it to its end, and compares. */
  async ends(again: Continuation): Promise<void> {
    writeFileSync(this.#gate, "");
    const child = this.#start(again);
    const printed = printedBy(child);
    await once(child, "close");
    assert.is(child.exitCode, 0, printed());
    this.#options.say(`ended (${described(again)})`);
    const { rows } = this.#options;
    const numbers = Array.from({ length: rows }, (_, n) => n);
    assert.is(digestOf(this.#written("rows")), digestOf(numbers.map(lineOf)), "rows");
    const sums = new Map<number, number>();
    for (const n of numbers) sums.set(n % keys, (sums.get(n % keys) ?? 0) + n);
    assert.is(digestOf(this.#written("sums")), digestOf([...sums].map(([key, value]) => `${key},${value}`)), "sums");
    const hidden = readdirSync(this.#out, { recursive: true }).map(String);
    assert.equal(
      hidden.filter((name) => /(^|\/)\./u.test(name)),
      [],
    );
    assert.equal(await this.#listed(), [], "what is done isn't kept");
  }

  #start({ slots, rescale, upgrade }: Continuation): ChildProcess {
    if (upgrade && this.#execution !== undefined) {
      this.#version++;
      this.#write();
    }
    const { QSTREAM_SLOT: _slot, NODE_OPTIONS: _options, ...env } = process.env;
    const words = this.#words(slots, rescale && this.#execution !== undefined);
    return spawn(process.execPath, words, { cwd: projectFolder, env, stdio: ["ignore", "pipe", "pipe"] });
  }

  #words(slots: number, rescale: boolean): readonly string[] {
    const { folder, rows, everyMs, checkpointEveryMs } = this.#options;
    const args = { path: join(folder, "in-*.csv"), out: this.#out, gate: this.#gate, last: rows - 1, everyMs };
    const resume = this.#execution;
    const upgrade = this.#version > 0;
    if (checkpointEveryMs !== undefined) {
      const common = { module: this.#module, slots, store: this.#store, checkpointEveryMs };
      const told: ToldToStop = { ...common, args, resume, rescale, upgrade };
      return ["--enable-source-maps", program, JSON.stringify(told)];
    }
    const common = [main, "run", this.#module, "--store", this.#store, "--slots", String(slots), "--quiet"];
    if (resume === undefined) {
      return [...common, ...Object.entries(args).flatMap(([name, value]) => ["--arg", `${name}=${value}`])];
    }
    return [...common, "--resume", resume, ...(upgrade ? ["--upgrade"] : []), ...(rescale ? ["--rescale"] : [])];
  }

  /** Lines that a sink wrote, without headers. */
  #written(sink: string): readonly string[] {
    const folder = join(this.#out, sink);
    return readdirSync(folder).flatMap((name) => readFileSync(join(folder, name), "utf8").trim().split("\n").slice(1));
  }

  /** Returns once the process has begun to work, or has shut out the one before it; or has ended. */
  async #begun(child: ChildProcess): Promise<void> {
    const store = await openStore(this.#store);
    try {
      const before = await progressOf(store);
      // oxlint-disable-next-line no-await-in-loop -- looks again and again
      while (child.exitCode === null && (await progressOf(store)) === before) await wait(5);
    } finally {
      await store.close();
    }
  }

  async #listed(): Promise<readonly string[]> {
    const store = await openStore(this.#store);
    try {
      return (await store.list()).map(({ execution }) => execution);
    } finally {
      await store.close();
    }
  }

  /** Under which name it can be gone on with: the first one while a change of channels isn't whole. */
  async #find(): Promise<void> {
    const [first] = (await this.#listed()).toSorted((left, right) => changesOf(left) - changesOf(right));
    assert.ok(first !== undefined, "the store doesn't know it");
    this.#execution = first;
  }

  /** Writes the flow's module: each version has other code that does the same. */
  #write(): void {
    mkdirSync(this.#options.codeFolder, { recursive: true });
    writeFileSync(
      this.#module,
      `
import { existsSync } from "node:fs";
import { setTimeout as wait } from "node:timers/promises";
import { csv, defineFlow, schema } from "qstream";
const version = ${this.#version};
class Pacing {
  constructor(args) { this.args = args; }
  async execute({ objects }, ctx) {
    await wait(this.args.everyMs);
    if (objects.some(({ n }) => n === this.args.last)) {
      while (!existsSync(this.args.gate) && !ctx.signal.aborted) await wait(5);
    }
    return version < 0 ? [] : objects;
  }
  snapshot() { return null; }
  restore() {}
}
const row = schema({ n: "float64", key: "float64", text: "string" });
export default defineFlow(
  import.meta.url,
  { path: "string", out: "string", gate: "string", last: "int32", everyMs: "int32" },
  (q, args) => {
    const rows = q.read("rows", csv(args.path, { schema: row })).apply("pace", () => new Pacing(args));
    return {
      rows: rows.toCsv(args.out + "/rows"),
      sums: rows.reduceByKey("sum", ({ key }) => key, () => 0, (sum, { n }) => sum + n).toCsv(args.out + "/sums"),
    };
  },
);
`,
    );
  }
}

/** Changes with each task that the store has of any channel, and each time one is shut out. */
async function progressOf(store: LineageStore): Promise<string> {
  const found = await store.list();
  const sums = await Promise.all(
    found.map(async ({ execution, channels }) => {
      const numbers = Array.from({ length: channels }, (_, channel) => channel);
      const progress = await Promise.all(numbers.map((channel) => store.progress(execution, channel)));
      return progress.reduce((sum, { lastSeq, generation }) => sum + lastSeq + 1 + generation, 0);
    }),
  );
  return sums.join(" ");
}

/** A continuation that is drawn by chance. */
export function drawContinuation(random: Random): Continuation {
  return { slots: 1 + Math.floor(random() * 4), rescale: random() < 0.4, upgrade: random() < 0.3 };
}

function lineOf(n: number): string {
  return `${n},${n % keys},row ${n}`;
}

function changesOf(execution: string): number {
  return Number(/-r(\d+)$/u.exec(execution)?.[1] ?? 0);
}

function described({ slots, rescale, upgrade }: Continuation): string {
  return [`${slots} slots`, ...(rescale ? ["--rescale"] : []), ...(upgrade ? ["--upgrade"] : [])].join(" ");
}

/** What a process prints. */
function printedBy({ stdout, stderr }: ChildProcess): () => string {
  let printed = "";
  for (const stream of [stdout, stderr]) stream?.setEncoding("utf8").on("data", (text: string) => (printed += text));
  return () => printed.slice(-5000);
}
