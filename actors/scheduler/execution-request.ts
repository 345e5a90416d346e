import type { FlowReference } from "../../lib/core/flow-registry.ts";
import type { Limits } from "../../lib/core/limits.ts";
import { hasActors, type Plan } from "../../lib/core/plan.ts";
import type { EdgeSizes, SlotPlace } from "../../lib/core/placement-strategy.ts";
import type { CheckpointPolicy } from "../channel/checkpoints.ts";
import type { NumberedSplit } from "../channel/reader-work.ts";
import type { ChannelOrder, Drain, EarlierChannels, Order } from "../slot/protocol.ts";
import type { ExecutionEvent, ExecutionMetrics } from "./execution-events.ts";

/** A slot as the scheduler commands it. */
export interface SlotHandle extends SlotPlace {
  order: (order: Order) => void;
  /** Gives the slot up: it didn't answer an order to stop in time. */
  lose: () => void;
}

export interface ExecutionRequest {
  readonly execution: string;
  readonly reference: FlowReference;
  readonly args: unknown;
  readonly plan: Plan;
  readonly limits: Limits;
  readonly seed: number;
  /** When it was started, milliseconds since 1970: the time that `open` of user code is told, in every life. */
  readonly openedAt: number;
  readonly strict: boolean;
  /** Which part of the tasks is run twice, to see whether they do the same. */
  readonly verifyReplay?: number | undefined;
  /** True for one that an earlier process started: every channel goes on from what the store has. */
  readonly resumed?: boolean;
  /** Numbers that lives of earlier processes may have had, which slots of this one may still hear of. */
  readonly firstLife?: number | undefined;
  /** How often tasks failed before isn't held against them: somebody wants to try again. */
  readonly attemptsAnew?: boolean | undefined;
  /** How tasks are logged and states saved; undefined where what is lost can't be made again. */
  readonly recovery: RecoverySettings | undefined;
  /** Splits of each reader, by step. */
  readonly splits: ReadonlyMap<number, readonly (readonly NumberedSplit[])[]>;
  readonly earlier?: EarlierChannels | undefined;
  /** For one that only ends what is on its way, and saves the states of its channels. Sinks don't commit. */
  readonly drain?: Drain | undefined;
  /** Bytes that went over the plan's edges when the flow ran before. */
  readonly sizes?: EdgeSizes | undefined;
  readonly onEvent: (event: ExecutionEvent) => void;
  readonly resolve: (outcome: {
    readonly parts: ReadonlyMap<string, readonly unknown[]>;
    readonly metrics: ExecutionMetrics;
  }) => void;
  readonly reject: (error: Error) => void;
}

export interface RecoverySettings {
  readonly checkpoints: CheckpointPolicy;
  /** How often a task may fail before the execution does. */
  readonly attempts: number;
  /** True if the log outlives the process, so that what fails or is stopped can be gone on with. */
  readonly outlives: boolean;
}

/** The index of each channel's slot. Steps on the same slots share one list, which then travels once to each slot. */
export function placesOf(
  placed: readonly (readonly string[])[],
  slots: readonly string[],
): readonly (readonly number[])[] {
  const indexOf = new Map(slots.map((id, index) => [id, index]));
  const known = new Map<string, readonly number[]>();
  return placed.map((channels) => {
    const indexes = channels.map((id) => indexOf.get(id) ?? -1);
    const key = indexes.join();
    const same = known.get(key) ?? indexes;
    known.set(key, same);
    return same;
  });
}

/** The slots that there are, for actors, which choose places themselves. */
export function placesFor(plan: Plan, slots: readonly SlotPlace[]): { readonly places?: readonly SlotPlace[] } {
  return hasActors(plan) ? { places: slots.map(({ id, machine, tags }) => ({ id, machine, tags })) } : {};
}

/** What a slot is told before anything of an execution runs there. */
export function prepareOrder(
  request: ExecutionRequest,
  slots: readonly string[],
  placement: readonly (readonly number[])[],
  channels: readonly ChannelOrder[],
  slotPlaces: readonly SlotPlace[],
): Order {
  const { execution, reference, args, plan, limits, seed, strict, verifyReplay, recovery } = request;
  const { openedAt, earlier, drain } = request;
  const task = { execution, reference, args, plan, limits, seed, openedAt, strict, verifyReplay, earlier, drain };
  const checkpoints = recovery?.checkpoints ?? { everyMs: Infinity, workMs: Infinity };
  const [logged, resumable] = [recovery !== undefined, recovery?.outlives === true];
  const where = { slots, placement, channels, ...placesFor(plan, slotPlaces) };
  return { kind: "prepare", ...task, ...where, logged, resumable, checkpoints };
}

/** What each slot is to run at first, by its index. A channel's first life has its number. */
export function channelOrders(request: ExecutionRequest, placement: readonly (readonly number[])[]): ChannelOrder[][] {
  const orders: ChannelOrder[][] = [];
  let number = 0;
  placement.forEach((channels, step) => {
    const splits = request.splits.get(step);
    channels.forEach((slot, channel) => {
      const own = splits?.[channel];
      const order = { step, channel, life: number++, generation: 0 };
      (orders[slot] ??= []).push(own === undefined ? order : { ...order, splits: own });
    });
  });
  return orders;
}
