import { fork, type ChildProcess } from "node:child_process";
import { randomBytes } from "node:crypto";
import { Readable } from "node:stream";
import { fileURLToPath } from "node:url";
import { errorFromData } from "../../lib/core/errors.ts";
import { makeTemporaryFolder, removeFoldersOf, removeTemporaryFolder } from "../../lib/core/seam/temporary-folder.ts";
import { openFileSystem, type FileSystemOptions } from "../../lib/files/index.ts";
import type { SlotHandle } from "../scheduler/execution-request.ts";
import type { SlotActivity } from "../slot/turn-notes.ts";
import { ProcessTransport } from "../transport/process-transport.ts";
import { argumentsForProcess } from "./inherited-arguments.ts";
import { Lease } from "./lease.ts";
import { makeSlot } from "./local-slot.ts";
import { processHeap } from "./slot-heap.ts";
import { signsOfLifeDescriptor } from "./signs-of-life.ts";
import { isOwnDoing, slotLost, type SlotEnd } from "./slot-lost.ts";
import { successorOf, type LaunchedSlots, type LaunchOptions } from "./slot-launcher.ts";
import type { FromThread, ToThread } from "./thread-slots.ts";

/** What a slot's process is started with, as its first message. */
export interface ProcessStart {
  readonly kind: "begin";
  readonly id: string;
  readonly files: unknown;
  readonly folder: string;
  readonly token: string;
  /** How long a turn may take; 0: as long as it wants. */
  readonly turnMs: number;
}

const closeGraceMs = 2000;
// Processes that end while they start, one after the other, after which none is started in place of a lost slot.
const startsMax = 5;

/** Starts a child process for each slot; links between them go over sockets in a private folder. */
export async function launchProcessSlots(options: LaunchOptions): Promise<LaunchedSlots> {
  const folder = makeTemporaryFolder();
  const token = randomBytes(32).toString("hex");
  const transport = await ProcessTransport.open({ slot: options.client, folder, token });
  const client = makeSlot({
    id: options.client,
    transport,
    files: openFileSystem(options.files as FileSystemOptions),
    memoryBytes: () => process.memoryUsage.rss(),
    report: options.onReport,
  });
  const { files, turnMs = 0 } = options;
  const processes = options.ids.map(
    (id) => new SlotProcess({ kind: "begin", id, files, folder, token, turnMs }, options),
  );
  let closed = false;
  const close = async (): Promise<void> => {
    closed = true;
    await Promise.all([...processes.map((slot) => slot.close()), client.close()]);
    removeTemporaryFolder(folder);
  };
  try {
    await Promise.all(processes.map((slot) => slot.ready));
  } catch (error) {
    await close();
    throw error;
  }
  const slots = processes.map((slot) => slot.handle);
  return {
    slots,
    client: { id: options.client, machine: "local", tags: [], order: (order) => client.order(order), lose: () => {} },
    replace: async (lost) => {
      let id = lost;
      for (let start = 1; ; start++) {
        id = successorOf(id);
        const next = new SlotProcess({ kind: "begin", id, files, folder, token, turnMs }, options);
        processes.push(next);
        try {
          // oxlint-disable-next-line no-await-in-loop -- one start after the other
          await next.ready;
          slots.push(next.handle);
          return;
        } catch (error) {
          if (closed || start >= startsMax) throw error;
        }
      }
    },
    close,
  };
}

/** One slot's child process as the session sees it. */
class SlotProcess {
  readonly handle: SlotHandle;
  readonly ready: Promise<void>;
  readonly #child: ChildProcess;
  readonly #exited: Promise<void>;
  readonly #options: LaunchOptions;
  readonly #id: string;
  #ready = false;
  #closing = false;
  #lease: Lease | undefined;
  #swept: Promise<void> | undefined;

  constructor(start: ProcessStart, options: LaunchOptions) {
    this.#options = options;
    this.#id = start.id;
    const given = argumentsForProcess();
    this.#child = fork(fileURLToPath(new URL("./process-entry.js", import.meta.url)), [], {
      serialization: "advanced",
      stdio: ["ignore", options.stdout === "stderr" ? 2 : "inherit", "inherit", "ipc", "pipe"],
      execArgv: [...given, ...processHeap(options.memoryBytes, options.logged === true, given)],
      env: { ...process.env, QSTREAM_SLOT: start.id },
    });
    const { pid } = this.#child;
    this.#exited = new Promise((resolve) => {
      this.#child.once("exit", () => {
        this.#lease?.stop();
        // One that was killed left what it had on disk.
        this.#swept = pid === undefined ? undefined : removeFoldersOf({ pid });
        resolve();
      });
    });
    this.ready = new Promise((resolve, reject) => {
      this.#child.on("message", (message: FromThread) => {
        if (message.kind === "report") options.onReport(message.report);
        else if (message.kind === "crashed")
          reject(this.#lost({ kind: message.how, error: errorFromData(message.error) }, message.activity));
        else if (message.kind === "ready") {
          this.#ready = true;
          this.#watch();
          resolve();
        }
      });
      this.#child.once("exit", (code, signal) => {
        const end: SlotEnd =
          signal === null
            ? { kind: "exited", what: "process", code: code ?? 0, started: this.#ready }
            : { kind: "killed", signal };
        void this.#exitedBy(end).then(reject);
      });
      this.#child.on("error", (error) => reject(this.#lost({ kind: "unreachable", error })));
    });
    this.#child.send(start);
    this.handle = {
      id: start.id,
      machine: "local",
      tags: options.tags,
      order: (order) => this.#send({ kind: "order", order }),
      lose: () => this.#giveUp({ kind: "late" }),
    };
  }

  /** Gives the process up once it shows no sign of life: what it had to do is done elsewhere. */
  #watch(): void {
    const signs = this.#child.stdio[signsOfLifeDescriptor];
    if (!(signs instanceof Readable)) return;
    this.#lease = new Lease(signs, this.#options.leaseMs, {
      silent: (silentMs) => this.#giveUp({ kind: "silent", silentMs }),
      stuck: ({ stuckMs, activity }) => this.#giveUp({ kind: "stuck", stuckMs }, activity),
    });
    // A pipe that is read keeps the event loop busy, as the child's IPC channel does only while somebody listens.
    (signs as Readable & { readonly unref?: () => void }).unref?.();
  }

  async close(): Promise<void> {
    this.#closing = true;
    this.#lease?.stop();
    this.#send({ kind: "close" });
    // A process that still starts holds nothing that would have to be closed.
    const timer = setTimeout(() => this.#child.kill("SIGKILL"), this.#ready ? closeGraceMs : 0);
    if (this.#child.exitCode === null && this.#child.signalCode === null) await this.#exited;
    clearTimeout(timer);
    await this.#swept;
  }

  #send(message: ToThread): void {
    if (this.#child.connected) this.#child.send(message);
  }

  /** The process is over. If that was its own doing, the task that it was in may be at fault. */
  async #exitedBy(end: SlotEnd): Promise<Error> {
    const lease = this.#closing || !isOwnDoing(end) ? undefined : this.#lease;
    return this.#lost(end, lease === undefined ? undefined : await lease.lastActivity());
  }

  #giveUp(end: SlotEnd, activity?: SlotActivity): void {
    this.#lost(end, activity);
    // It must not go on one day, as if nothing had happened.
    this.#child.kill("SIGKILL");
  }

  #lost(end: SlotEnd, activity?: SlotActivity): Error {
    const error = slotLost(this.#id, end);
    if (this.#closing) return error;
    this.#closing = true;
    // Nothing runs on one that never was ready: who started it hears of that.
    if (this.#ready) this.#options.onLost(this.#id, error, activity);
    return error;
  }
}
