import { QStreamError } from "../../core/errors.ts";
import type { SeedRun } from "./run-seed.ts";

/** Faults that alone were to strike, by their ids, and whether there are such. */
export class NamedFaults {
  /** Those that no run so far has. */
  readonly #missing: Set<string>;
  readonly #planned = new Set<string>();

  constructor(named: Iterable<string> | undefined) {
    this.#missing = new Set(named);
  }

  ran({ planned, struck }: Pick<SeedRun, "planned" | "struck">): void {
    if (this.#missing.size === 0) return;
    for (const id of planned) this.#planned.add(id);
    for (const id of [...planned, ...struck]) this.#missing.delete(id);
  }

  /**
   * Refuses faults that no run has. What befalls a message isn't known before it is sent: that none is befallen is no error.
   *
   * @param who - whose faults they are: `seed 7`
   * @throws QStreamError OPTION_INVALID
   */
  check(who: string): void {
    const wrong = [...this.#missing].find((id) => !isOfMessage(id));
    if (wrong === undefined) return;
    const known = [...this.#planned].join(", ");
    throw new QStreamError("OPTION_INVALID", `${who} has no fault "${wrong}"`, {
      advice: known === "" ? "There is none but what befalls messages" : `There is ${known}, and what befalls messages`,
    });
  }

  get warnings(): readonly string[] {
    const missing = [...this.#missing].filter(isOfMessage).join(", ");
    return missing === "" ? [] : [`nothing befalls ${missing}: it isn't sent, or comes as it was sent`];
  }
}

function isOfMessage(id: string): boolean {
  return id.startsWith("m");
}
