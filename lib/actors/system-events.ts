import type { ExecutionEvent } from "../../actors/scheduler/execution-events.ts";
import type { ClientNode } from "../../actors/slot/hosted-node.ts";
import type { ActorEvent } from "../../actors/system/node-parts.ts";
import { errorFromData, type ErrorData } from "../core/errors.ts";
import type { ActorsCode } from "../core/program.ts";
import { LostHosts } from "./lost-hosts.ts";
import type { SystemView } from "./system-view.ts";

/** Hears what happens in a system on slots, from its start on, and tells those who want to know. */
export class SystemEvents {
  /** Who lets others look at the system. */
  view: SystemView | undefined = undefined;
  readonly lost = new LostHosts(() => this.#node?.distant.hosts ?? []);
  readonly isOpen: Promise<ClientNode>;
  readonly isStarted: Promise<void>;
  readonly #onEvent: (event: ActorEvent) => void;
  readonly #onExecution: ((event: ExecutionEvent) => void) | undefined;
  #node: ClientNode | undefined;
  #opened: (node: ClientNode) => void = () => {};
  #started: () => void = () => {};

  constructor(onEvent: (event: ActorEvent) => void, onExecution: ((event: ExecutionEvent) => void) | undefined) {
    this.#onEvent = onEvent;
    this.#onExecution = onExecution;
    this.isOpen = new Promise((resolve) => (this.#opened = resolve));
    this.isStarted = new Promise((resolve) => (this.#started = resolve));
  }

  /** For the node of this thread. */
  get client(): NonNullable<ActorsCode["client"]> {
    return {
      opened: (node) => {
        this.#node = node as ClientNode;
        this.#opened(this.#node);
      },
      event: (told) => this.#happened(eventOf(told)),
    };
  }

  /** Something happened in the system's execution. */
  executed(event: ExecutionEvent): void {
    if (event.kind === "started") this.#started();
    if (event.kind === "slot-lost") {
      const { slot, error } = event;
      const actors = this.lost.lost(slot);
      if (actors !== undefined) this.#happened({ kind: "slot-lost", slot, actors, error });
    }
    this.#onExecution?.(event);
  }

  #happened(event: ActorEvent): void {
    this.view?.happened(event);
    this.#onEvent(event);
  }
}

function eventOf(event: unknown): ActorEvent {
  const { error, ...rest } = event as { readonly error?: ErrorData };
  return (error === undefined ? rest : { ...rest, error: errorFromData(error) }) as ActorEvent;
}
