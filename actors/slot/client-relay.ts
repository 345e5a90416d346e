import { QStreamError } from "../../lib/core/errors.ts";
import type { Program } from "../../lib/core/program.ts";
import type { Clock } from "../../lib/core/seam/clock.ts";
import { NactHost } from "../hosts/nact-host.ts";
import { FairTurns } from "./fair-turns.ts";
import type { Order, Report } from "./protocol.ts";
import type { FromActorsClient, ToActorsClient } from "./relayed-actors.ts";
import { SlotActors } from "./slot-actors.ts";

/** The client of a system of actors on a cluster, in a process of its own: the slot's part of the client's node. */
export class ClientRelay {
  readonly #build: () => Program;
  readonly #tell: (content: FromActorsClient) => void;
  /** The system can't be reached any more. */
  readonly #failed: (error: Error) => void;
  readonly #clock: Clock;
  readonly #host = new NactHost();
  #actors: SlotActors | undefined;
  /** Answers who looks at the system. */
  view: ((request: unknown) => Promise<unknown>) | undefined = undefined;
  #isOver = false;

  constructor(parts: {
    readonly build: () => Program;
    readonly tell: (content: FromActorsClient) => void;
    readonly failed: (error: Error) => void;
    readonly clock: Clock;
  }) {
    this.#build = parts.build;
    this.#tell = parts.tell;
    this.#failed = parts.failed;
    this.#clock = parts.clock;
  }

  /** The driver says something. */
  told(content: ToActorsClient): void {
    if (this.#isOver) return;
    if (content.kind === "link") this.#actors?.receive(content.message);
    else this.#ordered(content.order);
  }

  /** The connection is over, and with it the order of what was said. */
  broken(error: Error): void {
    if (this.#isOver) return;
    this.#failed(error);
    this.#release();
  }

  #ordered(order: Order): void {
    switch (order.kind) {
      case "prepare":
        if (this.#actors === undefined) this.#prepare(order);
        else this.broken(anotherDriver());
        return;
      case "start":
        this.#actors?.start();
        return;
      case "survey":
        this.#actors?.survey(order);
        return;
      case "recover":
        void this.#actors?.recover(order);
        return;
      case "release":
        this.#release();
        return;
      default:
      // Nothing else is for actors.
    }
  }

  #prepare(order: Extract<Order, { kind: "prepare" }>): void {
    const id = order.slots[order.placement[1]?.[0] ?? -1] ?? "client";
    this.#actors = new SlotActors(order, this.#build(), {
      id,
      host: this.#host,
      clock: this.#clock,
      turns: new FairTurns(this.#clock),
      lineage: { close: () => {} },
      transport: { send: (to, message) => this.#tell({ kind: "link", to, message }) },
      report: (report) => this.#reported(report),
    });
  }

  #reported(report: Report): void {
    const [channel] = report.kind === "channels-done" ? report.channels : [];
    if (channel !== undefined) this.#tell({ kind: "closed", metrics: channel.metrics });
  }

  #release(): void {
    this.#isOver = true;
    void this.#actors?.release().finally(() => this.#host.close());
  }
}

function anotherDriver(): QStreamError {
  return new QStreamError("SESSION_CLOSED", "the driver of the system of actors was lost, and its actors with it", {
    advice: "Start the system again; what has to outlive that is kept by durable actors",
  });
}
