import type { LaunchedSlots } from "../../actors/slots/slot-launcher.ts";

/** Slots that are started in place of lost ones: what those had to do can be done by others. */
export class SlotReplacements {
  readonly #launched: LaunchedSlots;
  readonly #added: (isLast: boolean) => void;
  #awaited = 0;

  /**
   * @param added - told of each slot that comes, and of each that doesn't: there may be enough others. `isLast` while nothing is
   * awaited: of several machines that are lost at once, only the last one's slots leave nothing to wait for
   */
  constructor(launched: LaunchedSlots, added: (isLast: boolean) => void) {
    this.#launched = launched;
    this.#added = added;
  }

  replace(lost: string): void {
    this.#awaited++;
    const settled = (): void => {
      this.#awaited--;
      this.added();
    };
    this.#launched.replace(lost).then(settled, settled);
  }

  /** Slots have come by themselves. */
  added(): void {
    this.#added(this.#awaited === 0);
  }
}
