import type { ActorBehavior, ActorHost, ActorReference } from "../../../actors/hosts/actor-host.ts";

/** A host that knows how many of its actors haven't been stopped. */
export class CountingHost implements ActorHost {
  readonly #host: ActorHost;
  #living = 0;
  /** Actors that weren't stopped when the host was closed. */
  left = 0;

  constructor(host: ActorHost) {
    this.#host = host;
  }

  get deadLetters(): number {
    return this.#host.deadLetters;
  }

  spawn<Message>(name: string, behavior: ActorBehavior<Message>): ActorReference<Message> {
    const actor = this.#host.spawn(name, behavior);
    let stopped = false;
    this.#living++;
    const stop = (): void => {
      if (!stopped) this.#living--;
      stopped = true;
      actor.stop();
    };
    return { name, tell: (message) => actor.tell(message), stop };
  }

  close(): void {
    this.left = this.#living;
    this.#host.close();
  }
}
