import { hasActors } from "../../lib/core/plan.ts";
import type { Clock } from "../../lib/core/seam/clock.ts";
import type { LineageActor } from "../lineage/lineage-actor.ts";
import type { Order } from "../slot/protocol.ts";
import { placesOf, prepareOrder } from "./execution-request.ts";
import { Recovering, type RecoveringParts } from "./recovering.ts";
import type { Running } from "./running.ts";

/** What the recovery of an execution needs beside the execution itself. */
export interface RecoverySurroundings extends Pick<RecoveringParts, "client" | "slots" | "waits" | "done"> {
  readonly lineage: LineageActor;
  readonly clock: Clock;
  readonly order: (slot: string, order: Order) => void;
  readonly phase: () => Running["phase"] | undefined;
  readonly fenced: (round: number, channels: Parameters<Recovering["fenced"]>[1]) => void;
  readonly failed: (error: Error) => void;
}

/** Joins the recovery of an execution to its scheduler: a slot that it comes to is made to know the execution first. */
export function joinRecovery(running: Running, around: RecoverySurroundings): Recovering {
  const { request, lives, slots, record } = running;
  const { execution } = request;
  const { lineage, clock, order, phase, fenced, failed, ...parts } = around;
  const places = currentPlaces(running);
  return new Recovering({
    ...parts,
    request,
    lives,
    known: slots,
    clock: hasActors(request.plan) ? clock : undefined,
    again: fenced,
    order: (slot, content) => {
      if (!slots.includes(slot)) {
        // It had nothing to do with the execution so far.
        slots.push(slot);
        const { ids, placement } = places();
        order(slot, prepareOrder(request, ids, placement, [], parts.slots()));
        if (phase() === "running") order(slot, { kind: "start", execution });
      }
      order(slot, content);
    },
    fence: (round, numbers) => {
      lineage.fence(execution, numbers).then(
        (channels) => fenced(round, channels),
        (error: unknown) => failed(error instanceof Error ? error : new Error(String(error))),
      );
    },
    checkpointsOf: (number) => lineage.checkpoints(execution, number),
    sizes: () => record.edgeSizes(),
  });
}

/** Says where all channels are: the same lists as long as none goes elsewhere. */
function currentPlaces({ request, lives }: Running): () => {
  readonly ids: readonly string[];
  readonly placement: readonly (readonly number[])[];
} {
  let known: ReturnType<ReturnType<typeof currentPlaces>> | undefined;
  let version = -1;
  return () => {
    if (known !== undefined && version === lives.version) return known;
    version = lives.version;
    const ids = [...new Set(lives.all.map(({ slot }) => slot))];
    const slots = request.plan.steps.map(({ channels }, step) =>
      Array.from({ length: channels }, (_, channel) => lives.at(step, channel)?.slot ?? ""),
    );
    return (known = { ids, placement: placesOf(slots, ids) });
  };
}
