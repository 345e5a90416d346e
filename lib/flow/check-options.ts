import { availableParallelism } from "node:os";
import { parseStore } from "../../actors/stores/open-store.ts";
import { QStreamError } from "../core/errors.ts";
import type { SlotPlace } from "../core/placement-strategy.ts";
import { checkLimits } from "../core/limits.ts";
import { checkOptionNames, namesOf } from "../core/option-names.ts";
import type { ResumeOptions, RunOptions } from "./run.ts";
import { sessionOptionNames } from "./session-option-names.ts";
import type { SessionOptions } from "./session.ts";
import { checkVerifyReplay } from "./verifying.ts";

const isolations: readonly unknown[] = ["thread", "process", "none"];
const outputs: readonly unknown[] = ["inherit", "stderr"];
const memoryBytesMin = 16 * 2 ** 20;

const ofRuns = {
  ...sessionOptionNames,
  on: true,
  signal: true,
  onEvent: true,
  limits: true,
  strict: true,
  verifyReplay: true,
  exactlyOnce: true,
} as const;

const runNames = namesOf<RunOptions>(ofRuns);
const { limits: _limits, strict: _strict, ...ofResumed } = ofRuns;
const resumeNames = namesOf<ResumeOptions>({ ...ofResumed, upgrade: true, rescale: true });

/** Refuses options that sessions don't have; a run's own session is opened with the options of the run. */
export function checkSessionNames(options: SessionOptions): void {
  checkOptionNames("local()", options, runNames);
}

/** Refuses options of a session that can't be, for those who have no compiler to do so. */
export function checkSessionOptions(options: SessionOptions): void {
  const { slots, isolation, memoryBytes, stdout, tags, seed } = options;
  check("slots", slots, isWhole(slots, 1, 1024), "a whole number from 1 to 1024");
  check("isolation", isolation, isolations.includes(isolation), '"thread", "process" or "none"');
  check("stdout", stdout, outputs.includes(stdout), '"inherit" or "stderr"');
  const wanted = "a whole number of bytes from 16 MiB (16 * 2 ** 20) on";
  check("memoryBytes", memoryBytes, isWhole(memoryBytes, memoryBytesMin, Number.MAX_SAFE_INTEGER), wanted);
  const areTags = Array.isArray(tags) && tags.every((tag) => typeof tag === "string");
  check("tags", tags, areTags, "an array of strings");
  checkLineageOptions(options);
  check("seed", seed, typeof seed === "number" && !Number.isNaN(seed), "a number");
}

/** Refuses places that can't be, before anything is opened: a store that is none, a folder that isn't local nor in S3. */
export function checkPlaces({ store, checkpoints }: Pick<SessionOptions, "store" | "checkpoints">): void {
  check("store", store, typeof store === "string", 'a text: "lmdb:folder", "redis://host:port", "memory" or "none"');
  if (store !== undefined && store !== "none") parseStore(store);
  check("checkpoints", checkpoints, isPlace(checkpoints), 'a folder or "s3://bucket/prefix", without *?[]{}');
}

function isPlace(place: unknown): boolean {
  if (typeof place !== "string" || !/^[^*?[\]{}]+$/u.test(place)) return false;
  return !/^[a-z][a-z0-9+.-]*:\/\//iu.test(place) || /^(?:file:\/\/\/.|s3:\/\/[\w.-]+(?:\/|$))/iu.test(place);
}

function checkLineageOptions(options: SessionOptions): void {
  const { checkpointEveryMs, attempts, storeWaitMs, leaseMs, turnMs } = options;
  checkPlaces(options);
  const most = Number.MAX_SAFE_INTEGER;
  check("checkpointEveryMs", checkpointEveryMs, isWhole(checkpointEveryMs, 1, most), "a whole number of milliseconds");
  check("attempts", attempts, isWhole(attempts, 1, 1000), "a whole number from 1 to 1000");
  check("leaseMs", leaseMs, isWhole(leaseMs, 1000, most), "a whole number of milliseconds from 1000 on");
  check("turnMs", turnMs, isWhole(turnMs, 0, most), "a whole number of milliseconds; 0 for no limit");
  check("storeWaitMs", storeWaitMs, isWhole(storeWaitMs, 0, most), "a whole number of milliseconds");
}

/** Refuses options of a run that can't be. */
export function checkRunOptions(options: RunOptions): void {
  checkOptionNames("run()", options, runNames);
  checkRunValues(options);
}

function checkRunValues(options: RunOptions): void {
  checkSessionOptions(options);
  const { on, signal, onEvent, limits, strict, exactlyOnce } = options;
  const isSession = typeof (on as { start?: unknown } | undefined)?.start === "function";
  check("on", on, isSession, "a session: await local()");
  check("signal", signal, isSignal(signal), "an AbortSignal");
  check("onEvent", onEvent, typeof onEvent === "function", "a function");
  check("strict", strict, typeof strict === "boolean", "true or false");
  check("exactlyOnce", exactlyOnce, typeof exactlyOnce === "boolean", "true or false");
  check("limits", limits, typeof limits === "object" && limits !== null, "an object");
  checkLimits(limits);
  checkVerifyReplay(options.verifyReplay);
}

/** Refuses options of going on with an execution that can't be. */
export function checkResumeOptions(options: ResumeOptions): void {
  checkOptionNames("resume()", options, resumeNames);
  checkRunValues(options);
  const { upgrade, rescale } = options;
  check("upgrade", upgrade, typeof upgrade === "boolean", "true or false");
  const wanted = "true, false, or an object with numbers of channels: { STEP: 4 }";
  check("rescale", rescale, typeof rescale === "boolean" || isPlainObject(rescale), wanted);
  if (typeof rescale !== "object") return;
  for (const [step, channels] of Object.entries(rescale)) {
    if (isWhole(channels, 1, 65_536)) continue;
    throw new QStreamError(
      "OPTION_INVALID",
      `rescale: ${show(channels)} channels of "${step}" is no whole number from 1 to 65536`,
    );
  }
}

function isPlainObject(value: unknown): boolean {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The slots that a session with these options is going to have. */
export function slotsOf(options: SessionOptions): SlotPlace[] {
  const count = options.slots ?? availableParallelism();
  const tags = options.tags ?? [];
  return Array.from({ length: count }, (_, index) => ({ id: `slot-${index}`, machine: "local", tags }));
}

function check(name: string, value: unknown, holds: boolean, wanted: string): void {
  if (value === undefined || holds) return;
  throw new QStreamError("OPTION_INVALID", `${name}: ${show(value)} is not ${wanted}`);
}

function isWhole(value: unknown, least: number, most: number): boolean {
  return Number.isInteger(value) && (value as number) >= least && (value as number) <= most;
}

function isSignal(value: unknown): boolean {
  const signal = value as Partial<AbortSignal> | undefined | null;
  return typeof signal?.aborted === "boolean" && typeof signal.addEventListener === "function";
}

function show(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value);
  return typeof value === "object" && value !== null ? "an object of another kind" : String(value);
}
