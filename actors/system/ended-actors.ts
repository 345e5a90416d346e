import type { Cell } from "./cell.ts";
import { idLabel } from "./reference.ts";

/** What is known of an actor that has ended. */
export interface EndedActor {
  readonly label: string;
  /** Why, if it failed. */
  readonly error: Error | undefined;
}

const most = 1000;

/** The actors that have ended last, of those that other slots may know: who sends to one from there hears what it was, and why it ended. */
export class EndedActors {
  readonly #actors = new Map<number, EndedActor>();

  add({ id, label, extras }: Cell): void {
    this.#actors.set(id, { label, error: extras?.error });
    if (this.#actors.size <= most) return;
    const [oldest] = this.#actors.keys();
    if (oldest !== undefined) this.#actors.delete(oldest);
  }

  get(id: number): EndedActor {
    return this.#actors.get(id) ?? { label: `actor ${idLabel(id)}`, error: undefined };
  }
}
