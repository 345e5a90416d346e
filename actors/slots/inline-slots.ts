import { openFileSystem, type FileSystemOptions } from "../../lib/files/index.ts";
import type { MemoryNetwork } from "../transport/memory-transport.ts";
import type { Order, Report } from "../slot/protocol.ts";
import { makeSlot, type World } from "./local-slot.ts";
import type { LaunchedSlots, LaunchOptions } from "./slot-launcher.ts";

/** Runs all slots in this thread, for debugging and specs: links between them encode what they carry, as everywhere. */
export function launchInlineSlots(options: LaunchOptions, world: () => World, network: MemoryNetwork): LaunchedSlots {
  const files = openFileSystem(options.files as FileSystemOptions);
  const running = new KeepAlive();
  const slots = [...options.ids, options.client].map((id) => {
    const memoryBytes = (): number => (id === options.client ? process.memoryUsage.rss() : 0);
    const slot = makeSlot({
      id,
      files,
      memoryBytes,
      world: world(),
      transport: network.transport(id),
      report: (report) => {
        running.reported(id, report);
        options.onReport(report);
      },
    });
    const order = (given: Order): void => {
      running.ordered(id, given);
      slot.order(given);
    };
    const lose = (): void => running.lost(id);
    return { slot, handle: { id, machine: "local", tags: options.tags, order, lose } };
  });
  const handles = slots.map(({ handle }) => handle);
  const client = handles.pop();
  if (client === undefined) throw new Error("unreachable: the client is always among the slots");
  return {
    slots: handles,
    client,
    replace: () => Promise.reject(new Error("slots in one thread are lost together")),
    close: async () => {
      running.end();
      await Promise.all(slots.map(({ slot }) => slot.close()));
    },
  };
}

const longMs = 2 ** 30;

/**
 * Keeps the process alive while executions run in its own thread. Nothing else does where all of their channels wait, as no
 * timer of the engine does: the program would end before it's told that they wait for each other.
 */
class KeepAlive {
  readonly #running = new Set<string>();
  #timer: NodeJS.Timeout | undefined;

  ordered(slot: string, order: Order): void {
    if (order.kind === "prepare") {
      this.#running.add(`${slot} ${order.execution}`);
      this.#timer ??= setInterval(() => {}, longMs);
    } else if (order.kind === "release") this.#ended(slot, order.execution);
  }

  reported(slot: string, report: Report): void {
    if (report.kind === "stopped") this.#ended(slot, report.execution);
  }

  /** A slot that didn't stop in time isn't waited for any more. */
  lost(slot: string): void {
    for (const key of this.#running) if (key.startsWith(`${slot} `)) this.#running.delete(key);
    if (this.#running.size === 0) this.end();
  }

  end(): void {
    this.#running.clear();
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #ended(slot: string, execution: string): void {
    this.#running.delete(`${slot} ${execution}`);
    if (this.#running.size === 0) this.end();
  }
}
