import { MessageChannel, Worker, type MessagePort } from "node:worker_threads";
import { errorFromData, QStreamError, type ErrorData } from "../../lib/core/errors.ts";
import { openFileSystem, type FileSystemOptions } from "../../lib/files/index.ts";
import type { SlotHandle } from "../scheduler/scheduler.ts";
import type { Order, Report } from "../slot/protocol.ts";
import { PortTransport } from "../transport/port-transport.ts";
import { makeSlot } from "./local-slot.ts";
import type { LaunchedSlots, LaunchOptions } from "./slot-launcher.ts";

/** What a slot's thread is started with. */
export interface ThreadStart {
  readonly id: string;
  readonly files: unknown;
  readonly ports: readonly (readonly [string, MessagePort])[];
}

/** Messages between a slot's thread and the session. */
export type ToThread = { readonly kind: "order"; readonly order: Order } | { readonly kind: "close" };
export type FromThread =
  | { readonly kind: "report"; readonly report: Report }
  | { readonly kind: "crashed"; readonly error: ErrorData }
  | { readonly kind: "closed" };

const closeGraceMs = 2000;

/** Starts a worker thread for each slot, with a port from each to each other one, and a slot of the client in this thread. */
export function launchThreadSlots(options: LaunchOptions): LaunchedSlots {
  const ids = [...options.ids, options.client];
  const ports = connectAll(ids);
  const clientTransport = new PortTransport(options.client, ports.get(options.client));
  const clientSlot = makeSlot({
    id: options.client,
    transport: clientTransport,
    files: openFileSystem(options.files as FileSystemOptions),
    memoryBytes: () => process.memoryUsage.rss(),
    report: options.onReport,
  });
  const threads = options.ids.map((id) => new SlotThread(id, ports.get(id) ?? new Map(), options));
  return {
    slots: threads.map((thread) => thread.handle),
    client: { id: options.client, machine: "local", tags: [], order: (order) => clientSlot.order(order), lose: () => {} },
    close: async () => {
      await Promise.all([...threads.map((thread) => thread.close()), clientSlot.close()]);
    },
  };
}

/** One slot's worker thread as the session sees it. */
class SlotThread {
  readonly handle: SlotHandle;
  readonly #worker: Worker;
  readonly #exited: Promise<void>;
  #closing = false;

  constructor(id: string, ports: Map<string, MessagePort>, options: LaunchOptions) {
    const start: ThreadStart = { id, files: options.files, ports: [...ports] };
    const megabytes = options.memoryBytes === undefined ? undefined : Math.ceil(options.memoryBytes / 2 ** 20);
    this.#worker = new Worker(new URL("./thread-entry.js", import.meta.url), {
      name: id,
      workerData: start,
      transferList: [...ports.values()],
      stdout: options.stdout === "stderr",
      ...(megabytes === undefined ? {} : { resourceLimits: { maxOldGenerationSizeMb: megabytes } }),
    });
    if (options.stdout === "stderr") this.#worker.stdout.pipe(process.stderr);
    this.#worker.on("message", (message: FromThread) => {
      if (message.kind === "report") options.onReport(message.report);
      else if (message.kind === "crashed") this.#lost(options, id, errorFromData(message.error));
    });
    this.#worker.on("error", (error) => this.#lost(options, id, error));
    this.#exited = new Promise((resolve) => {
      this.#worker.once("exit", (code) => {
        this.#lost(options, id, new Error(`its thread ended with code ${code}`));
        resolve();
      });
    });
    this.handle = {
      id,
      machine: "local",
      tags: options.tags,
      order: (order) => this.#worker.postMessage({ kind: "order", order } satisfies ToThread),
      lose: () => {
        this.#lost(options, id, new Error("it didn't stop within two seconds"));
        void this.#worker.terminate();
      },
    };
  }

  async close(): Promise<void> {
    this.#closing = true;
    this.#worker.postMessage({ kind: "close" } satisfies ToThread);
    const timer = setTimeout(() => void this.#worker.terminate(), closeGraceMs);
    await this.#exited;
    clearTimeout(timer);
  }

  #lost(options: LaunchOptions, id: string, cause: Error): void {
    if (this.#closing) return;
    this.#closing = true;
    const advice = cause.message.includes("memory")
      ? "Give slots more memory (--memory, or local({ memoryBytes })), or keep less state in operators"
      : "The cause says what ended the thread";
    options.onLost(id, new QStreamError("SLOT_LOST", `slot ${id} was lost: ${cause.message}`, { cause, advice }));
  }
}

function connectAll(ids: readonly string[]): Map<string, Map<string, MessagePort>> {
  const ports = new Map(ids.map((id) => [id, new Map<string, MessagePort>()]));
  ids.forEach((first, index) => {
    for (const second of ids.slice(index + 1)) {
      const { port1, port2 } = new MessageChannel();
      ports.get(first)?.set(second, port1);
      ports.get(second)?.set(first, port2);
    }
  });
  return ports;
}
