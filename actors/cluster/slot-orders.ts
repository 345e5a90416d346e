import type { Order } from "../slot/protocol.ts";
import type { SlotOrder } from "./protocol.ts";

/**
 * Orders on their way to machines. What is ordered of the slots of a machine in one turn is told at once: an execution's plan, and
 * where everybody is, then travels once to a machine, and not once to each of its slots.
 */
export class SlotOrders {
  readonly #send: (machine: string, orders: readonly SlotOrder[]) => void;
  readonly #mayBegin: (() => Promise<void>) | undefined;
  readonly #waiting = new Map<string, SlotOrder[]>();
  #begun: "not yet" | "asked" | "yes" = "not yet";

  /** @param mayBegin - fulfilled when slots may hear of the execution; undefined where they may at any time */
  constructor(
    send: (machine: string, orders: readonly SlotOrder[]) => void,
    mayBegin: (() => Promise<void>) | undefined,
  ) {
    this.#send = send;
    this.#mayBegin = mayBegin;
  }

  /** True while machines may not hear of the execution yet. */
  get held(): boolean {
    return this.#begun === "asked";
  }

  add(machine: string, slot: string, order: Order): void {
    if (order.kind === "prepare") this.#begin();
    const orders = this.#waiting.get(machine);
    if (orders !== undefined) {
      orders.push({ slot, order });
      return;
    }
    this.#waiting.set(machine, [{ slot, order }]);
    queueMicrotask(() => this.flush(machine));
  }

  /** Sends what waits for a machine: something else is to be told to it. */
  flush(machine: string): void {
    if (this.held) return;
    const orders = this.#waiting.get(machine);
    if (orders === undefined) return;
    this.#waiting.delete(machine);
    this.#send(machine, orders);
  }

  #begin(): void {
    if (this.#begun !== "not yet") return;
    this.#begun = "asked";
    const begin = (): void => {
      this.#begun = "yes";
      for (const machine of this.#waiting.keys()) this.flush(machine);
    };
    if (this.#mayBegin === undefined) begin();
    else void this.#mayBegin().then(begin);
  }
}
