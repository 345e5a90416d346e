import type { LinkMessage } from "../../lib/core/contracts/transport.ts";
import type { HostedExecution } from "./hosted-execution.ts";
import type { ChannelReport, Order, ReplayReport, Report } from "./protocol.ts";

/** An execution of actors: it has no links of channels, so that nothing of them is opened, made again or committed. */
export abstract class HostedActors implements HostedExecution {
  readonly id: string;
  readonly onItsWay = false;
  readonly #slot: string;

  /** @param slot - which it is a part of */
  constructor(id: string, slot: string) {
    this.id = id;
    this.#slot = slot;
  }

  abstract readonly dropped: HostedExecution["dropped"];
  abstract start(): void;
  abstract receive(message: LinkMessage): void;
  abstract survey(order: Extract<Order, { kind: "survey" }>): Extract<Report, { kind: "surveyed" }>;
  abstract recover(order: Extract<Order, { kind: "recover" }>): Promise<void>;
  abstract channelReports(): ChannelReport[];
  /** @param reason - what the system failed of */
  abstract release(reason?: Error): Promise<void>;

  connect(): void {}

  replayReport(): ReplayReport {
    return { lives: 0, busy: 0, pulse: 0 };
  }

  async commit(): Promise<void> {
    await Promise.resolve();
  }

  async stop(reason: Error): Promise<void> {
    await this.release(reason);
  }

  /** What a survey finds: no links. */
  protected surveyed(round: number): Extract<Report, { kind: "surveyed" }> {
    return { kind: "surveyed", execution: this.id, slot: this.#slot, round, consumers: [], producers: [] };
  }
}
