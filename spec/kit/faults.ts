// Real faults for specs: which processes the slots of a session are, how to kill and stop them at times drawn from a seed, and
// whether anything stays behind.

import { createHash } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import * as assert from "uvu/assert";
import type { ExecutionEvent, Flow, RunOptions } from "../../lib/index.ts";
import { QStreamError } from "../../lib/core/errors.ts";
import { seededRandom, type Random } from "../../lib/core/seam/random.ts";

// Processes of slots that this process has seen.
const seen = new Set<number>();

/** A slot's process, as the system sees it. */
export interface SlotProcess {
  readonly pid: number;
  readonly slot: string;
}

/** Processes of slots that are children of a process (this one unless told), in the order in which they were started. */
export function slotProcesses(parent = process.pid): SlotProcess[] {
  return childrenOf(parent).flatMap((pid) => {
    const slot = environmentOf(pid, "QSTREAM_SLOT");
    if (slot === undefined) return [];
    seen.add(pid);
    return { pid, slot };
  });
}

/** Names of folders in the system's temporary one that these processes have made. */
export function temporaryFoldersOf(pids: readonly number[]): string[] {
  return readdirSync(tmpdir()).filter((name) => pids.some((pid) => new RegExp(`^qstream-(code-)?${pid}-`).test(name)));
}

/** Process ids of the living children of a process. */
export function childrenOf(parent: number): number[] {
  return readdirSync("/proc")
    .map(Number)
    .filter((pid) => pid > 0 && isChild(pid, parent))
    .toSorted((a, b) => a - b);
}

function isChild(pid: number, parent: number): boolean {
  // After the name, which may hold anything and ends with the last parenthesis: state, then the parent's id.
  const [state, ofParent] = readSystem(`/proc/${pid}/stat`)
    .replace(/^.*\) /su, "")
    .split(" ");
  return Number(ofParent) === parent && state !== "Z" && state !== "X";
}

function environmentOf(pid: number, name: string): string | undefined {
  const found = readSystem(`/proc/${pid}/environ`)
    .split("\0")
    .find((entry) => entry.startsWith(`${name}=`));
  return found?.slice(name.length + 1);
}

/** What the system says of a process, or nothing if it has just ended. */
function readSystem(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}

/** False if it was gone already. */
export function signal(pid: number, name: NodeJS.Signals): boolean {
  try {
    return process.kill(pid, name);
  } catch {
    return false;
  }
}

/** What a script of faults has to work with while a flow runs. */
export interface Faults {
  readonly random: Random;
  /** What was done so far, for messages. */
  readonly log: string[];
  /** Waits; rejects nothing and takes no longer than the flow. False if the flow has ended: who looks in a loop must stop then. */
  after: (milliseconds: number) => Promise<boolean>;
  /** Waits for the next event of a kind; false if the flow ended before. */
  next: (kind: ExecutionEvent["kind"]) => Promise<boolean>;
  /** Waits until readers have given so many objects; false if the flow ended before. */
  read: (rows: number) => Promise<boolean>;
  /** Sends a signal to one slot that is drawn by chance (SIGKILL unless told), to a named one or to all; false where there is none. */
  hit: (which?: string, name?: NodeJS.Signals) => boolean;
}

/** How a flow went that had faults. */
export interface FaultedRun<Outs> {
  readonly outputs: Outs;
  readonly events: readonly ExecutionEvent[];
  readonly slotsLost: number;
  readonly recoveries: number;
  readonly tasksReplayed: number;
  readonly elapsedMs: number;
}

/** What a run is given beside its arguments. */
export interface FaultedOptions extends RunOptions {
  readonly seed: number;
  /** Milliseconds after which the run counts as hung. Default 15,000. */
  readonly withinMs?: number;
  /** A file that is made when the script has ended: the flow waits for it before it ends. */
  readonly gate?: string;
}

/**
 * Runs a flow while a script does harm to it. Errors name the seed and what was done.
 *
 * @param script - what is done, in order; it is no longer heard once the flow has ended
 */
export async function runWithFaults<Args extends object, Outs extends Record<string, unknown>>(
  flow: Flow<Args, Outs>,
  args: Args,
  { seed, withinMs = 45_000, gate, ...options }: FaultedOptions,
  script: (faults: Faults) => Promise<void>,
): Promise<FaultedRun<Outs>> {
  const watch = new Watch(seededRandom(seed));
  const run = (flow.start as (args: Args, options: RunOptions) => ReturnType<Flow<Args, Outs>["start"]>)(args, {
    ...options,
    onEvent: (event) => watch.event(event),
  });
  const limit = new AbortController();
  const startedAt = performance.now();
  try {
    const execution = await run;
    const scripted = script(watch)
      .catch((error: unknown) => watch.log.push(`the script failed: ${String(error)}`))
      .finally(() => gate !== undefined && writeFileSync(gate, ""));
    const late = wait(withinMs, undefined, { signal: limit.signal }).then(
      () => {
        const { channels = [] } = execution.metrics ?? {};
        const states = channels.map(({ step, channel, slot, state }) => `${step}.${channel}@${slot} ${state}`);
        execution.cancel("it hangs");
        throw new Error(`it didn't end within ${withinMs} ms: ${states.join(", ")}`);
      },
      () => undefined as never,
    );
    const outputs = await Promise.race([execution.outputs, late]);
    watch.end();
    await scripted;
    return watch.result(outputs, performance.now() - startedAt);
  } catch (error) {
    watch.end();
    if (error instanceof QStreamError) throw Object.assign(error, { message: watch.told(seed, error.message) });
    throw new Error(watch.told(seed, (error as Error).message), { cause: error });
  } finally {
    limit.abort();
  }
}

class Watch implements Faults {
  readonly random: Random;
  readonly log: string[] = [];
  readonly #events: ExecutionEvent[] = [];
  readonly #startedAt = performance.now();
  readonly #ended = new AbortController();
  #listeners: ((event: ExecutionEvent | undefined) => boolean)[] = [];

  constructor(random: Random) {
    this.random = random;
  }

  event(event: ExecutionEvent): void {
    this.#events.push(event);
    if (event.kind !== "progress") this.#note(event.kind === "slot-lost" ? `lost ${event.slot}` : event.kind);
    this.#listeners = this.#listeners.filter((listener) => !listener(event));
  }

  end(): void {
    this.#ended.abort();
    for (const listener of this.#listeners) listener(undefined);
    this.#listeners = [];
  }

  async after(milliseconds: number): Promise<boolean> {
    await wait(milliseconds, undefined, { signal: this.#ended.signal }).catch(() => {});
    return !this.#ended.signal.aborted;
  }

  next(kind: ExecutionEvent["kind"]): Promise<boolean> {
    return this.#until((event) => event.kind === kind);
  }

  read(rows: number): Promise<boolean> {
    return this.#until((event) => event.kind === "progress" && event.metrics.rowsRead >= rows);
  }

  hit(which?: string, name: NodeJS.Signals = "SIGKILL"): boolean {
    if (this.#ended.signal.aborted) return false;
    const all = slotProcesses();
    const drawn = all[Math.floor(this.random() * all.length)];
    const chosen = which === "all" ? all : which === undefined ? [drawn] : [all.find(({ slot }) => slot === which)];
    const hit = chosen.filter((slot) => slot !== undefined && signal(slot.pid, name));
    this.#note(`${name} to ${hit.map((slot) => slot?.slot).join(", ") || "nobody"}`);
    return hit.length > 0;
  }

  result<Outs>(outputs: Outs, elapsedMs: number): FaultedRun<Outs> {
    const last = this.#events.findLast((event) => event.kind === "done" || event.kind === "progress");
    const channels = last === undefined ? [] : last.metrics.channels;
    return {
      outputs,
      events: this.#events,
      elapsedMs,
      slotsLost: this.#events.filter(({ kind }) => kind === "slot-lost").length,
      recoveries: this.#events.filter(({ kind }) => kind === "recovered").length,
      tasksReplayed: channels.reduce((sum, { metrics }) => sum + metrics.tasksReplayed, 0),
    };
  }

  told(seed: number, message: string): string {
    return `seed ${seed}: ${message} [${this.log.join("; ")}]`;
  }

  #until(wanted: (event: ExecutionEvent) => boolean): Promise<boolean> {
    if (this.#ended.signal.aborted) return Promise.resolve(false);
    return new Promise((resolve) => {
      this.#listeners.push((event) => {
        const found = event === undefined || wanted(event);
        if (found) resolve(event !== undefined);
        return found;
      });
    });
  }

  #note(what: string): void {
    this.log.push(`${Math.round(performance.now() - this.#startedAt)} ms ${what}`);
  }
}

/** What a list of objects holds, whatever their order: compares fast and prints short. */
export function digestOf(objects: readonly unknown[]): string {
  const hash = createHash("sha256");
  for (const text of objects.map((object) => JSON.stringify(object)).toSorted()) hash.update(text).update("\n");
  return `${objects.length} objects ${hash.digest("hex").slice(0, 16)}`;
}

/** A folder of a spec's own. */
export function makeSpecFolder(name: string): { readonly path: string; readonly remove: () => void } {
  const path = mkdtempSync(join(tmpdir(), `qstream-spec-${name}-`));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}

/** What a process may leave behind: slots, and folders with its id in the system's temporary one, or with that of a slot. */
export async function assertNothingLeft(): Promise<void> {
  const left = (): string[] => [
    ...slotProcesses().map(({ pid, slot }) => `process ${pid} of ${slot}`),
    ...temporaryFoldersOf([process.pid, ...seen]).filter((name) => !name.startsWith(`qstream-code-${process.pid}-`)),
  ];
  const deadline = performance.now() + 3000;
  // oxlint-disable-next-line no-await-in-loop -- what is ending may take a moment
  while (left().length > 0 && performance.now() < deadline) await wait(50);
  assert.equal(left(), [], "left behind");
}

/** True where the system shows its processes as Linux does; else `skipped: needs ...` is printed, which the runner counts. */
export function hasProcesses(): boolean {
  if (readSystem("/proc/self/stat") !== "") return true;
  console.log("skipped: needs Linux's /proc");
  return false;
}
