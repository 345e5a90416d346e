import type { SlotHandle } from "./execution-request.ts";

/** Slots by name: orders to all of many slots don't look through all of them for each. */
export class SlotIndex {
  readonly #client: SlotHandle;
  readonly #slots: () => readonly SlotHandle[];
  /** What the index is of. */
  #indexed: readonly SlotHandle[] | undefined;
  #byName = new Map<string, SlotHandle>();

  /** @param slots - gives the same list as long as nothing has changed */
  constructor(client: SlotHandle, slots: () => readonly SlotHandle[]) {
    this.#client = client;
    this.#slots = slots;
  }

  find(id: string): SlotHandle | undefined {
    if (id === this.#client.id) return this.#client;
    const slots = this.#slots();
    if (slots !== this.#indexed) {
      this.#indexed = slots;
      this.#byName = new Map(slots.map((slot) => [slot.id, slot]));
    }
    return this.#byName.get(id);
  }
}
