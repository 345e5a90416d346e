import type { MachinePlace } from "../../actors/cluster/protocol.ts";
import type { RemoteSlots } from "../../actors/cluster/remote-slots.ts";
import type { ExecutionEvent } from "../../actors/scheduler/execution-events.ts";
import { QStreamError } from "../core/errors.ts";
import { delay, type Clock } from "../core/seam/clock.ts";
import type { LaunchHooks } from "../flow/session.ts";
import type { DriverStart } from "./protocol.ts";

/** Milliseconds for which all machines are waited for. */
export const allMachinesMs = 2000;
const anyMachineLeases = 3;
const lookMs = 100;
/** What is waited for so long is said. */
const waitToldMs = 1000;
const placesMost = 5;

export interface MachinesToCome {
  readonly start: Pick<DriverStart, "execution" | "begins" | "leaseMs">;
  readonly hooks: LaunchHooks;
  readonly remote: Pick<RemoteSlots, "slots" | "machines" | "awaitedMachines" | "forsaken">;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly onEvent: (event: ExecutionEvent) => void;
}

/**
 * Waits for machines: a moment for all that are known, longer for any, and as long as it takes where there were some before.
 *
 * @throws QStreamError MACHINE_UNREACHABLE where there is none
 */
export async function machinesCome({ start, hooks, remote, clock, signal, onEvent }: MachinesToCome): Promise<void> {
  const { execution, begins, leaseMs } = start;
  const began = clock.monotonic();
  const added = hooks.onAdded;
  const allMs = Math.min(leaseMs, allMachinesMs);
  const anyMs = begins ? anyMachineLeases * leaseMs : Infinity;
  let isTold = false;
  for (;;) {
    const waited = clock.monotonic() - began;
    const awaited = remote.awaitedMachines;
    if (remote.slots.length > 0 && (awaited.length === 0 || waited > allMs)) break;
    if (remote.forsaken !== undefined) throw remote.forsaken;
    if (remote.machines.length === 0 && waited > anyMs) {
      throw new QStreamError("MACHINE_UNREACHABLE", "the cluster has no machine that could run it", {
        advice: "Start one: qstream worker --join with the URL of the head",
      });
    }
    if (!isTold && waited > waitToldMs) {
      isTold = true;
      const missing = awaited.length === 0 ? "a machine: the cluster has none" : placesOf(awaited);
      onEvent({ kind: "waiting", execution, missing, waitMs: remote.slots.length > 0 ? allMs : anyMs });
    }
    const changed = new AbortController();
    hooks.onAdded = () => {
      changed.abort();
      added?.();
    };
    // oxlint-disable-next-line no-await-in-loop -- until they are there
    await delay(clock, lookMs, AbortSignal.any([changed.signal, signal])).catch(() => {});
    signal.throwIfAborted();
  }
  if (added !== undefined) hooks.onAdded = added;
}

/** Machines that nothing was heard of yet, with where they say that they are: perhaps nobody reaches them there. */
function placesOf(machines: readonly MachinePlace[]): string {
  const named = machines.slice(0, placesMost).map(({ id, url }) => `${id} at ${url}`);
  const more = machines.length > placesMost ? ` and ${machines.length - placesMost} more` : "";
  return `${named.join(", ")}${more} to answer`;
}
