import { dispatch, spawn, start, stop, type Ref } from "nact";
import type { ActorBehavior, ActorHost, ActorReference } from "./actor-host.ts";

// nact copies the parent's map of children for each message, so no actor parents more than this many.
const childrenMax = 64;

interface Supervisor {
  readonly reference: Ref<unknown>;
  children: number;
}

/**
 * Hosts actors on nact. The only file that knows nact, whose traps it keeps away: reset directives are never used (a crash
 * stops the actor), no actor has many children, and what is sent to a stopped actor is counted.
 */
export class NactHost implements ActorHost {
  readonly #system = start();
  #supervisor: Supervisor | undefined;
  #count = 0;
  #deadLetters = 0;
  #closed = false;

  get deadLetters(): number {
    return this.#deadLetters;
  }

  spawn<Message>(name: string, behavior: ActorBehavior<Message>): ActorReference<Message> {
    let stopped = false;
    let waiting = 0;
    const supervisor = this.#supervisorWithRoom();
    supervisor.children++;
    const end = (): void => {
      stopped = true;
      this.#deadLetters += waiting;
      this.#childEnded(supervisor);
    };
    const receive = (_state: undefined, message: Message): undefined | Promise<undefined> => {
      waiting--;
      const handled = behavior.receive(message);
      return handled === undefined ? undefined : handled.then(() => undefined);
    };
    const reference: Ref<unknown> = spawn(supervisor.reference, receive, `actor-${this.#count++}`, {
      onCrash: (_message, error, context) => {
        // What a handler throws after its actor was stopped has nobody left to hear it.
        if (stopped) return context.stop;
        end();
        behavior.crashed(error);
        return context.stop;
      },
    });
    return {
      name,
      tell: (message) => {
        if (stopped || this.#closed) this.#deadLetters++;
        else {
          waiting++;
          dispatch(reference, message);
        }
      },
      stop: () => {
        if (stopped) return;
        end();
        if (!this.#closed) stop(reference);
      },
    };
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    stop(this.#system);
  }

  #childEnded(supervisor: Supervisor): void {
    supervisor.children--;
    if (supervisor.children === 0 && supervisor !== this.#supervisor && !this.#closed) stop(supervisor.reference);
  }

  #supervisorWithRoom(): Supervisor {
    if (this.#supervisor === undefined || this.#supervisor.children >= childrenMax) {
      const reference: Ref<unknown> = spawn(this.#system, () => undefined, `supervisor-${this.#count++}`);
      this.#supervisor = { reference, children: 0 };
    }
    return this.#supervisor;
  }
}
