import { QStreamError } from "../../core/errors.ts";
import { checkOptionNames, namesOf } from "../../core/option-names.ts";
import type { ExplorationOptions } from "./exploration.ts";
import type { ExplorationFaults, MsRange } from "./faults.ts";

const optionNames = namesOf<ExplorationOptions<unknown>>({
  name: true,
  machines: true,
  machinesMin: true,
  start: true,
  restarted: true,
  faults: true,
  always: true,
  never: true,
  eventually: true,
  atEnd: true,
  steps: true,
  stopWhen: true,
  mayFail: true,
  strict: true,
  show: true,
});

const faultNames = namesOf<ExplorationFaults>({
  withinMs: true,
  delayMs: true,
  loss: true,
  duplicate: true,
  reorder: true,
  partitions: true,
  crashes: true,
  pauses: true,
  clockSkew: true,
  detectAfterMs: true,
});

const kindNames: Readonly<Record<string, readonly string[]>> = {
  partitions: ["most", "forMs", "oneWay"],
  crashes: ["most", "restartAfterMs", "lostDisks", "machines"],
  pauses: ["most", "forMs", "machines"],
};

/** Machines of an exploration, at most. */
export const machinesMost = 1000;

/** Refuses an exploration that can't be: OPTION_INVALID. */
export function checkExploration<System>(module: string, options: ExplorationOptions<System>): void {
  checkModule("defineExploration", module);
  checkOptionNames("defineExploration()", options, optionNames);
  if (typeof options.start !== "function") {
    throw invalid("the exploration has no `start`", "Give it what starts the actors: start(world) { ... }");
  }
  if (isAsync(options.start))
    throw invalid("`start` is async", "Start the actors at once; what comes later is world.after");
  const { machines, machinesMin, steps, faults } = options;
  const names = Array.isArray(machines) ? (machines as readonly string[]) : undefined;
  if (names !== undefined) checkMachineNames(names);
  else if (machines !== undefined) checkWhole("machines", machines as number, 1, machinesMost);
  if (machinesMin !== undefined) {
    if (typeof machines !== "number") throw invalid("machinesMin is given without a number of machines");
    checkWhole("machinesMin", machinesMin, 1, machines);
  }
  if (steps !== undefined) checkWhole("steps", steps, 1, 2 ** 31);
  for (const kind of ["always", "never", "eventually", "atEnd"] as const) checkChecks(kind, options[kind]);
  const count = typeof machines === "number" ? machines : 0;
  const known = names ?? (count > 0 ? Array.from({ length: count }, (_, index) => `machine-${index}`) : undefined);
  if (faults !== undefined) checkFaults(faults, known);
}

/** Refuses what is no URL of a module: OPTION_INVALID. */
export function checkModule(what: string, module: unknown): void {
  if (typeof module === "string" && /^[a-z][a-z+.-]*:/iu.test(module)) return;
  const given = JSON.stringify(module)?.slice(0, 60) ?? typeof module;
  throw invalid(`${what} was given ${given} as its module`, "Give it import.meta.url");
}

function checkMachineNames(names: readonly string[]): void {
  if (
    names.length === 0 ||
    names.length > machinesMost ||
    names.some((name) => typeof name !== "string" || name === "")
  )
    throw invalid("the names of machines are none", "Give from 1 to 1,000 names, or a number");
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) throw invalid(`two machines are called "${twice}"`, "Give each a name of its own");
}

function checkChecks(kind: string, checks: Readonly<Record<string, unknown>> | undefined): void {
  for (const [name, check] of Object.entries(checks ?? {})) {
    if (isAsync(check))
      throw invalid(`${kind} "${name}" is async`, "A check says at once whether it holds: nothing goes on meanwhile");
    if (typeof check === "function") continue;
    const inner = (check as { readonly check?: unknown; readonly withinMs?: unknown } | undefined) ?? {};
    if (kind !== "eventually" || typeof inner.check !== "function") {
      throw invalid(
        `${kind} "${name}" is no function`,
        "Give what is called with (system, world), and says whether it holds",
      );
    }
    const { withinMs } = inner;
    if (withinMs !== undefined && !(typeof withinMs === "number" && withinMs >= 0 && withinMs < 2 ** 31))
      throw invalid(`eventually "${name}" has withinMs ${String(withinMs)}`, "Give milliseconds from 0 on");
  }
}

function checkFaults(faults: ExplorationFaults, machines: readonly string[] | undefined): void {
  checkOptionNames("faults", faults, faultNames);
  const { loss, duplicate, delayMs, detectAfterMs, withinMs, clockSkew } = faults;
  checkShare("loss", loss);
  checkShare("duplicate", duplicate);
  checkMs("delayMs", delayMs);
  checkMs("detectAfterMs", detectAfterMs);
  if (withinMs !== undefined) checkMs("withinMs", withinMs);
  const rate = typeof clockSkew === "number" ? clockSkew : clockSkew?.rate;
  if (rate !== undefined && !(rate >= 0 && rate < 1))
    throw invalid(`clockSkew is ${rate}`, "Give a share from 0 to less than 1: 0.1 is 10 %");
  for (const kind of ["partitions", "crashes", "pauses"] as const) {
    const each = faults[kind];
    if (each === undefined) continue;
    checkOptionNames(`faults.${kind}`, each, kindNames[kind] ?? []);
    if (each.most !== undefined) checkWhole(`faults.${kind}.most`, each.most, 0, 1000);
    if ("forMs" in each) checkMs(`faults.${kind}.forMs`, each.forMs);
    if ("restartAfterMs" in each) checkMs(`faults.${kind}.restartAfterMs`, each.restartAfterMs);
    if ("lostDisks" in each) checkShare(`faults.${kind}.lostDisks`, each.lostDisks);
    if ("machines" in each) checkKnown(`faults.${kind}.machines`, each.machines, machines);
  }
}

function isAsync(code: unknown): boolean {
  return typeof code === "function" && code.constructor.name === "AsyncFunction";
}

function checkKnown(what: string, named: readonly string[] | undefined, known: readonly string[] | undefined): void {
  const wrong = named?.find((name) => known !== undefined && !known.includes(name));
  if (wrong !== undefined) throw invalid(`${what} names "${wrong}"`, `There are ${known?.join(", ") ?? ""}`);
}

function checkShare(what: string, share: number | undefined): void {
  if (share === undefined || (share >= 0 && share <= 1)) return;
  throw invalid(`${what} is ${share}`, "Give a share from 0 to 1: 0.02 is 2 %");
}

function checkMs(what: string, range: MsRange | undefined): void {
  if (range === undefined) return;
  const [least, most] = typeof range === "number" ? [range, range] : range;
  if (least >= 0 && most >= least && most < 2 ** 31) return;
  throw invalid(`${what} is ${JSON.stringify(range)}`, "Give milliseconds from 0 on, or [least, most]");
}

/** Refuses what is no whole number of a range: OPTION_INVALID. */
export function checkWhole(what: string, value: number, least: number, most: number): void {
  if (Number.isInteger(value) && value >= least && value <= most) return;
  throw invalid(`${what} is ${String(value)}`, `Give a whole number from ${least} to ${most.toLocaleString("en-US")}`);
}

function invalid(what: string, advice?: string): QStreamError {
  return new QStreamError("OPTION_INVALID", what, advice === undefined ? {} : { advice });
}
