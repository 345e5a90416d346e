import { QStreamError } from "./errors.ts";
import type { Program } from "./program.ts";
import { delay, systemClock } from "./seam/clock.ts";

/** Where a flow's code is: data that travels to slots instead of code. */
export interface FlowReference {
  /** URL of the module that defines it, as `import.meta.url` gave it. */
  readonly module: string;
  /** Which of the module's flows: its name, or its place among them. */
  readonly name: string;
  /** URL to import instead of `module` where that can't be imported as it is (TypeScript that was bundled). */
  readonly load: string;
}

/** What `defineFlow` leaves for slots: how to build the flow's program for given arguments. */
export interface RegisteredFlow {
  readonly build: (args: unknown) => Program;
  /** For a process that runs the flow in the name of another: its graph and outputs, opaque here. */
  readonly prepare: (args: unknown) => unknown;
}

/** What one version of a module has defined: itself, or a bundle of it. */
interface Version {
  readonly flows: Map<string, RegisteredFlow>;
  readonly count: number;
  readonly isHalted: boolean;
}

interface Registry {
  readonly flows: Map<string, RegisteredFlow>;
  /** Number of flows that each module has defined so far. */
  readonly counts: Map<string, number>;
  /** Set in slots: `run` is refused while a slot loads a module. */
  slot: boolean;
  /** Modules that came to a run of a flow while they were loaded here: what follows it may never be defined. */
  readonly halted: Set<string>;
  waiting: (() => void)[];
  /** What was imported last for a module, where that isn't the module itself. */
  readonly imported: Map<string, string>;
  /** Versions of modules that another one has taken the place of, by what was imported. */
  readonly versions: Map<string, Version>;
  /** Who looks for flows of a module, one after the other. */
  readonly searches: Map<string, Promise<unknown>>;
}

// One registry a thread, shared by several copies of this package (a bundle's and ours).
const registrySymbol = Symbol.for("qstream.flow-registry.3");
const holder = globalThis as { [registrySymbol]?: Registry };
const registry: Registry = (holder[registrySymbol] ??= {
  flows: new Map(),
  counts: new Map(),
  slot: false,
  halted: new Set(),
  waiting: [],
  imported: new Map(),
  versions: new Map(),
  searches: new Map(),
});

const keyOf = (module: string, name: string): string => `${module}#${name}`;

/** Registers a flow and returns its name: the one given, or its module's for the first flow, and `module-N` for the Nth. */
export function registerFlow(module: string, name: string | undefined, flow: RegisteredFlow): string {
  const count = registry.counts.get(module) ?? 0;
  registry.counts.set(module, count + 1);
  const file = fileName(module);
  const chosen = name ?? (count === 0 ? file : `${file}-${count + 1}`);
  registry.flows.set(keyOf(module, chosen), flow);
  wakeWaiting();
  return chosen;
}

/** The name of a module's file without its ending: "wordcount" of "file:///flows/wordcount.ts". */
function fileName(module: string): string {
  const last = module.startsWith("data:") ? "" : (module.split(/[?#]/)[0]?.split("/").at(-1) ?? "");
  const name = last.replace(/(?<=.)\.[^.]*$/, "");
  try {
    return decodeURIComponent(name) || "flow";
  } catch {
    return name;
  }
}

/** Says that a module which is loaded in a slot has come to a run of a flow, which never settles there. */
export function haltModule(module: string): void {
  registry.halted.add(module);
  wakeWaiting();
}

function wakeWaiting(): void {
  for (const wake of registry.waiting.splice(0)) wake();
}

/** Says that this thread is a slot: flows that are run while their module loads never start. */
export function enterSlot(): void {
  registry.slot = true;
}

/** True in a thread or process that runs channels for somebody else. */
export function isSlot(): boolean {
  return registry.slot;
}

// A module that doesn't wait for its run goes on, perhaps after reading a file, and may define the flow that is looked for.
const haltedGraceMs = 1000;

/** Finds a flow's definition, importing its module first where that hasn't happened. */
export function findFlow(reference: FlowReference): Promise<RegisteredFlow> {
  // What registers says its module, and not which version of it it comes from: versions are imported one after the other.
  const { searches } = registry;
  const before = searches.get(reference.module) ?? Promise.resolve();
  const found = before.catch(() => {}).then(() => findVersion(reference));
  searches.set(reference.module, found);
  return found;
}

function findVersion(reference: FlowReference): Promise<RegisteredFlow> {
  const { module, load } = reference;
  const { imported, counts, slot } = registry;
  // A module that nobody looked for may be here because another one imports it.
  const present = imported.get(module) ?? (counts.has(module) ? module : undefined);
  // Outside of slots, what the module itself has defined is what its user means.
  const isMeant = present === load || (present === module && !slot);
  if (!isMeant) {
    if (present !== undefined) putAside(module, present);
    bringBack(module, load);
    imported.set(module, load);
  }
  return importFlow(reference);
}

/** Another version of the module is wanted: somebody has changed it, and submitted it again. */
function putAside(module: string, load: string): void {
  const { flows, counts, versions, halted } = registry;
  const version: Version = {
    flows: new Map(),
    count: counts.get(module) ?? 0,
    isHalted: halted.delete(module),
  };
  for (const [key, flow] of flows) {
    if (!key.startsWith(`${module}#`)) continue;
    version.flows.set(key, flow);
    flows.delete(key);
  }
  counts.delete(module);
  versions.set(load, version);
}

function bringBack(module: string, load: string): void {
  const { flows, counts, versions, halted } = registry;
  const version = versions.get(load);
  if (version === undefined) return;
  versions.delete(load);
  for (const [key, flow] of version.flows) flows.set(key, flow);
  counts.set(module, version.count);
  if (version.isHalted) halted.add(module);
}

async function importFlow(reference: FlowReference): Promise<RegisteredFlow> {
  const key = keyOf(reference.module, reference.name);
  const known = registry.flows.get(key);
  if (known !== undefined) return known;
  // A module that runs its flow at its top level never finishes loading in a slot, so the import isn't waited for alone.
  const loading = import(reference.load).then(
    () => undefined,
    (error: unknown) => ({ error }),
  );
  for (;;) {
    const registered = new Promise<"registered">((resolve) => registry.waiting.push(() => resolve("registered")));
    const halted = registry.halted.has(reference.module) ? [delay(systemClock, haltedGraceMs)] : [];
    const event = await Promise.race([loading, registered, ...halted]);
    const found = registry.flows.get(key);
    if (found !== undefined) return found;
    if (event === "registered") continue;
    throw new QStreamError("FLOW_NOT_FOUND", `slot found no flow "${reference.name}" in ${reference.module}`, {
      advice:
        "A flow is found by running its module again: define it with defineFlow(import.meta.url, ...) at the top level of the module, in the same order every time, and before the first `await flow.run()` there",
      cause: event?.error,
    });
  }
}
