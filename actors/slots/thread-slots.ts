import { isMainThread, MessageChannel, Worker, type MessagePort } from "node:worker_threads";
import { errorFromData, type ErrorData } from "../../lib/core/errors.ts";
import { removeFoldersOf, removeOwnFolders } from "../../lib/core/seam/temporary-folder.ts";
import { openFileSystem, type FileSystemOptions } from "../../lib/files/index.ts";
import type { SlotHandle } from "../scheduler/execution-request.ts";
import type { Order, Report } from "../slot/protocol.ts";
import { makeNotesMemory, type SlotActivity } from "../slot/turn-notes.ts";
import type { Compression } from "../transport/compression.ts";
import { PortTransport } from "../transport/port-transport.ts";
import { argumentsForThread } from "./inherited-arguments.ts";
import { activityAtEnd } from "./activity-watch.ts";
import { makeSlot } from "./local-slot.ts";
import { threadHeap } from "./slot-heap.ts";
import { slotLost, type SlotEnd } from "./slot-lost.ts";
import { successorOf, type LaunchedSlots, type LaunchOptions } from "./slot-launcher.ts";
import { watchTurns, type StuckTurn } from "./turn-watch.ts";

/** What a slot's thread is started with. */
export interface ThreadStart {
  readonly id: string;
  readonly files: unknown;
  readonly ports: readonly (readonly [string, MessagePort])[];
  /** Leads to slots of other machines. */
  readonly gateway: MessagePort | undefined;
  /** Where the thread notes what it is at. */
  readonly memory: Int32Array;
  /** How long it may stay away from its event loop; 0: as long as it wants. */
  readonly turnMs: number;
  /** Bytes of datasets that it keeps; undefined: as much as their sinks let it. */
  readonly datasetBytes?: number | undefined;
  /** How it packs large parcels for other machines. */
  readonly compression?: Compression | undefined;
}

/** Messages between a slot's thread and the session. */
export type ToThread =
  | { readonly kind: "order"; readonly order: Order }
  /** A slot was added: this leads to it. */
  | { readonly kind: "port"; readonly slot: string; readonly port: MessagePort }
  | { readonly kind: "close" };
export type FromThread =
  | { readonly kind: "report"; readonly report: Report }
  | { readonly kind: "ready" }
  | {
      readonly kind: "crashed";
      readonly how: "rejected" | "uncaught";
      readonly error: ErrorData;
      readonly activity: SlotActivity | undefined;
    }
  | { readonly kind: "closed" };

const closeGraceMs = 2000;
// A thread that is terminated and hasn't ended by then is in a native call, which nothing can interrupt.
const endGraceMs = 2000;
// How often a thread is started in place of a lost one before that is given up.
const startsMax = 5;

/** Starts a worker thread for each slot, with a port from each to each other one, and a slot of the client in this thread. */
export function launchThreadSlots(options: LaunchOptions): LaunchedSlots {
  const ids = [...options.ids, options.client];
  const ports = connectAll(ids);
  // Threads that end with their process have no time to remove what they had on disk.
  if (isMainThread && !process.listeners("exit").includes(removeOwnFolders)) process.once("exit", removeOwnFolders);
  const clientTransport = new PortTransport(options.client, ports.get(options.client));
  const clientSlot = makeSlot({
    id: options.client,
    transport: clientTransport,
    files: openFileSystem(options.files as FileSystemOptions),
    memoryBytes: () => process.memoryUsage.rss(),
    report: options.onReport,
  });
  const threads = options.ids.map((id) => new SlotThread(id, ports.get(id) ?? new Map(), options));
  for (const thread of threads) {
    // Nobody waits for these: executions that are placed on one that never comes up hear of that.
    thread.ready.catch((error: unknown) => options.onLost(thread.handle.id, asError(error)));
  }
  const slots = threads.map((thread) => thread.handle);
  let closed = false;
  const startThread = (id: string): SlotThread => {
    const own = new Map<string, MessagePort>();
    const connect = (slot: string): MessagePort => {
      const { port1, port2 } = new MessageChannel();
      own.set(slot, port1);
      return port2;
    };
    clientTransport.addPort(id, connect(options.client));
    for (const thread of threads) if (thread.open) thread.addPort(id, connect(thread.handle.id));
    const next = new SlotThread(id, own, options);
    threads.push(next);
    return next;
  };
  const replace = async (lost: string): Promise<void> => {
    let id = lost;
    for (let start = 1; ; start++) {
      id = successorOf(id);
      const next = startThread(id);
      try {
        // oxlint-disable-next-line no-await-in-loop -- one start after the other
        await next.ready;
        slots.push(next.handle);
        return;
      } catch (error) {
        if (closed || start >= startsMax) throw error;
      }
    }
  };
  return {
    slots,
    replace,
    client: {
      id: options.client,
      machine: "local",
      tags: [],
      order: (order) => clientSlot.order(order),
      lose: () => {},
    },
    close: async () => {
      closed = true;
      await Promise.all([...threads.map((thread) => thread.close()), clientSlot.close()]);
    },
  };
}

/** One slot's worker thread as the session sees it. */
class SlotThread {
  readonly handle: SlotHandle;
  /** Fulfilled with the thread's first word, rejected if it ends before. */
  readonly ready: Promise<void>;
  readonly #worker: Worker;
  readonly #exited: Promise<void>;
  readonly #options: LaunchOptions;
  readonly #id: string;
  #ready = false;
  #closing = false;
  readonly #memory = makeNotesMemory();
  readonly #unwatch: () => void;
  #stopWaiting: () => void = () => {};
  #swept: Promise<void> | undefined;
  #becameReady: () => void = () => {};
  #neverReady: (error: Error) => void = () => {};

  constructor(id: string, ports: Map<string, MessagePort>, options: LaunchOptions) {
    this.#id = id;
    this.#options = options;
    const { files, turnMs = 0, datasetBytes, compression } = options;
    const gateway = gatewayOf(id, options);
    const memory = this.#memory;
    const start: ThreadStart = { id, files, ports: [...ports], gateway, memory, turnMs, datasetBytes, compression };
    const execArgv = argumentsForThread();
    this.#worker = new Worker(new URL("./thread-entry.js", import.meta.url), {
      name: id,
      ...(execArgv === undefined ? {} : { execArgv }),
      workerData: start,
      transferList: [...ports.values(), ...(gateway === undefined ? [] : [gateway])],
      stdout: options.stdout === "stderr",
      resourceLimits: threadHeap(options.memoryBytes, options.logged === true),
    });
    if (options.stdout === "stderr") this.#worker.stdout.pipe(process.stderr);
    this.ready = new Promise((resolve, reject) => {
      this.#becameReady = resolve;
      this.#neverReady = reject;
    });
    this.#worker.on("message", (message: FromThread) => {
      this.#ready = true;
      this.#becameReady();
      if (message.kind === "report") options.onReport(message.report);
      else if (message.kind === "crashed") {
        this.#giveUp({ kind: message.how, error: errorFromData(message.error) }, message.activity);
      }
    });
    // The notes are those of the moment at which it ended.
    this.#worker.on("error", (error) =>
      this.#lost({ kind: "uncaught", error: asError(error) }, activityAtEnd(this.#memory)),
    );
    const thread = this.#worker.threadId;
    this.#exited = new Promise((resolve) => {
      this.#stopWaiting = resolve;
      this.#worker.once("exit", (code) => {
        this.#unwatch();
        this.#lost({ kind: "exited", what: "thread", code, started: this.#ready }, activityAtEnd(this.#memory));
        // One that was terminated left what it had on disk.
        this.#swept = removeFoldersOf({ thread });
        resolve();
      });
    });
    const stuck = ({ stuckMs, activity }: StuckTurn): void => this.#giveUp({ kind: "stuck", stuckMs }, activity);
    this.#unwatch = turnMs === 0 ? () => {} : watchTurns(this.#memory, turnMs, stuck);
    this.handle = {
      id,
      machine: options.machine ?? "local",
      tags: options.tags,
      order: (order) => this.#worker.postMessage({ kind: "order", order } satisfies ToThread),
      lose: () => this.#giveUp({ kind: "late" }),
    };
  }

  /** False once the thread has ended, or is told to. */
  get open(): boolean {
    return !this.#closing;
  }

  addPort(slot: string, port: MessagePort): void {
    this.#worker.postMessage({ kind: "port", slot, port } satisfies ToThread, [port]);
  }

  async close(): Promise<void> {
    this.#closing = true;
    this.#unwatch();
    // Who waits for a thread that is closed instead waits no more.
    this.#becameReady();
    this.#worker.postMessage({ kind: "close" } satisfies ToThread);
    // A thread that still starts holds nothing that would have to be closed.
    const timer = setTimeout(() => this.#terminate(), this.#ready ? closeGraceMs : 0);
    await this.#exited;
    clearTimeout(timer);
    await this.#swept;
  }

  #giveUp(end: SlotEnd, activity?: SlotActivity): void {
    this.#lost(end, activity);
    this.#terminate();
  }

  /** Ends the thread. One that can't be ended isn't waited for for ever, but what it still holds can't be had again. */
  #terminate(): void {
    void this.#worker.terminate();
    const timer = setTimeout(() => {
      this.#worker.unref();
      this.#stopWaiting();
      this.#options.onProcessLost?.(slotLost(this.#id, { kind: "unending" }));
    }, endGraceMs);
    void this.#exited.then(() => clearTimeout(timer));
  }

  #lost(end: SlotEnd, activity?: SlotActivity): void {
    if (this.#closing) return;
    this.#closing = true;
    this.#unwatch();
    const error = slotLost(this.#id, end);
    if (this.#ready) this.#options.onLost(this.#id, error, activity);
    else this.#neverReady(error);
  }
}

function gatewayOf(id: string, { gateway }: LaunchOptions): MessagePort | undefined {
  if (gateway === undefined) return undefined;
  const { port1, port2 } = new MessageChannel();
  gateway(id, port1);
  return port2;
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
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
