import type { Report } from "../slot/protocol.ts";
import type { WireCounts } from "../transport/wire/wire-counts.ts";

/** What a machine has refused, dropped and sent again since it began. All is made good: it is for people who look for a reason. */
export interface MachineCounts extends WireCounts {
  /** Messages of earlier lives of channels, for executions that are over, and orders of drivers that were replaced: dropped. */
  readonly late: number;
}

const nothing: WireCounts = { refusedConnections: 0, refusedMessages: 0, resent: 0, repeated: 0, redials: 0 };

/** Puts together what the parts of a machine count. */
export class MachineCounter {
  /** What its slots have dropped, each in all. */
  readonly #slots = new Map<string, Extract<Report, { kind: "dropped" }>>();
  /** Orders of drivers whose execution isn't here (any more). */
  strayOrders = 0;

  dropped(report: Extract<Report, { kind: "dropped" }>): void {
    this.#slots.set(report.slot, report);
  }

  /** @param unclaimed - messages for slots that aren't here (any more) */
  all(wire: WireCounts = nothing, unclaimed = 0): MachineCounts {
    let late = unclaimed + this.strayOrders;
    let { repeated } = wire;
    for (const slot of this.#slots.values()) {
      late += slot.late;
      repeated += slot.repeated;
    }
    return { ...wire, repeated, late };
  }
}
