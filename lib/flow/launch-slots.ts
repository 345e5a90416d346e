import { TurnHost } from "../../actors/hosts/turn-host.ts";
import type { LineageActor } from "../../actors/lineage/lineage-actor.ts";
import type { LossReason } from "../../actors/scheduler/messages.ts";
import { launchInlineSlots } from "../../actors/slots/inline-slots.ts";
import type { World } from "../../actors/slots/local-slot.ts";
import type { LaunchedSlots, LaunchOptions } from "../../actors/slots/slot-launcher.ts";
import { launchThreadSlots } from "../../actors/slots/thread-slots.ts";
import { MemoryNetwork } from "../../actors/transport/memory-transport.ts";
import { systemClock } from "../core/seam/clock.ts";
import { seededRandom } from "../core/seam/random.ts";
import { slotsOf } from "./check-options.ts";
import { storeOf } from "./session-lineage.ts";
import type { SessionOptions } from "./session.ts";

/** Whom slots tell what happens: the session, once it is there. */
export interface LaunchHooks {
  onReport: LaunchOptions["onReport"];
  onLost: (slot: string, error: Error, reason?: LossReason) => void;
  /** The lineage of the session's executions, where it has any. */
  lineage?: LineageActor | undefined;
  /** Slots have come. */
  onAdded?: () => void;
  onProcessLost?: NonNullable<LaunchOptions["onProcessLost"]>;
}

/** Starts the slots of a session on this machine. */
export async function launchSlots(options: SessionOptions, hooks: LaunchHooks): Promise<LaunchedSlots> {
  const launch: LaunchOptions = {
    ids: slotsOf(options).map((slot) => slot.id),
    client: "client",
    tags: options.tags ?? [],
    memoryBytes: options.memoryBytes,
    logged: storeOf(options) !== "none",
    files: options.files ?? {},
    stdout: options.stdout ?? "inherit",
    leaseMs: options.leaseMs ?? 10_000,
    turnMs: options.turnMs ?? 60_000,
    onReport: (report) => hooks.onReport(report),
    onLost: (slot, error, activity) => hooks.onLost(slot, error, activity),
    onProcessLost: (error) => hooks.onProcessLost?.(error),
  };
  switch (options.isolation ?? "thread") {
    case "thread":
      return launchThreadSlots(launch);
    case "process":
      return (await import("../../actors/slots/process-slots.ts")).launchProcessSlots(launch);
    case "none": {
      if (options.seed === undefined) return launchInlineSlots(launch, () => ({}), new MemoryNetwork());
      const random = seededRandom(options.seed);
      return launchInlineSlots(launch, () => seededWorld(random), new MemoryNetwork({ random }));
    }
  }
}

function seededWorld(random: () => number): World {
  return { host: new TurnHost(random, (turns) => systemClock.soon(turns)) };
}
