import { QStreamError } from "./errors.ts";
import type { Program } from "./program.ts";

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
}

interface Registry {
  readonly flows: Map<string, RegisteredFlow>;
  /** Number of flows that each module has defined so far. */
  readonly counts: Map<string, number>;
  /** Set in slots: `run` is refused while a slot loads a module. */
  slot: boolean;
  waiting: (() => void)[];
}

// One registry a thread, shared by several copies of this package (a bundle's and ours).
const registrySymbol = Symbol.for("qstream.flow-registry.1");
const holder = globalThis as { [registrySymbol]?: Registry };
const registry: Registry = (holder[registrySymbol] ??= { flows: new Map(), counts: new Map(), slot: false, waiting: [] });

const keyOf = (module: string, name: string): string => `${module}#${name}`;

/** Registers a flow and returns its name: the one given, or `flow-N` for the Nth of its module. */
export function registerFlow(module: string, name: string | undefined, flow: RegisteredFlow): string {
  const count = registry.counts.get(module) ?? 0;
  registry.counts.set(module, count + 1);
  const chosen = name ?? `flow-${count + 1}`;
  registry.flows.set(keyOf(module, chosen), flow);
  for (const wake of registry.waiting.splice(0)) wake();
  return chosen;
}

/** Says that this thread is a slot: flows that are run while their module loads never start. */
export function enterSlot(): void {
  registry.slot = true;
}

/** True in a thread or process that runs channels for somebody else. */
export function isSlot(): boolean {
  return registry.slot;
}

/** Finds a flow's definition, importing its module first where that hasn't happened. */
export async function findFlow(reference: FlowReference): Promise<RegisteredFlow> {
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
    const event = await Promise.race([loading, registered]);
    const found = registry.flows.get(key);
    if (found !== undefined) return found;
    if (event === "registered") continue;
    throw new QStreamError("FLOW_NOT_FOUND", `slot found no flow "${reference.name}" in ${reference.module}`, {
      advice:
        "A flow is found by running its module again: define it with defineFlow(import.meta.url, ...) at the top level of the module, in the same order every time",
      cause: event?.error,
    });
  }
}
