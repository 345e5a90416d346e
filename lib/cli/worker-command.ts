import { availableParallelism } from "node:os";
import { resolve } from "node:path";
import type { Compression } from "../../actors/transport/compression.ts";
import { Worker, type WorkerOptions } from "../cluster/worker.ts";
import { headUrl } from "../cluster/head-url.ts";
import { QStreamError } from "../core/errors.ts";
import { asCommand } from "./as-command.ts";
import {
  leaseMsDefault,
  leaseMsLeast,
  leaseMsMost,
  parseAddress,
  parseBind,
  parsePlaces,
  parseSecurity,
  securityOptions,
} from "./cluster-options.ts";
import { delay, systemClock } from "../core/seam/clock.ts";
import { describeError } from "./describe-error.ts";
import { filesTag } from "../placement/index.ts";
import { formatDuration, formatNumber } from "./display/units.ts";
import { memoryBytes, wholeNumber } from "./option-values.ts";
import { untilSignal } from "./until-signal.ts";
import { parseWords } from "./parse-words.ts";

// Less than what Kubernetes gives a pod between SIGTERM and SIGKILL where nothing else is said.
const drainMsDefault = 25_000;
const drainMsMost = 86_400_000;

/** `qstream worker`. Returns the exit code: 0 ended by a signal or drained, 1 it can't go on, 2 the command was wrong. */
export function workerCommand(words: readonly string[]): Promise<number> {
  return asCommand(
    "worker",
    () => parse(words),
    async ({ drainMs, ...parsed }) => {
      let drained = (): void => {};
      const isDrained = new Promise<"drained">((resolve) => (drained = () => resolve("drained")));
      const worker = await Worker.open({
        ...parsed,
        onHead: (url) =>
          process.stdout.write(url === undefined ? "lost the head; looking for it\n" : `joined ${url}\n`),
        onTrouble: (error) => process.stderr.write(`${describeError(error)}\nIt is tried again until it works\n`),
        onBegunAnew: ({ id: next, url: at }) =>
          process.stdout.write(`given up by the cluster: comes back empty, as machine ${next} at ${at}\n`),
        onStoreAway: (away) =>
          process.stderr.write(
            away ? "Redis can't be reached from here: what needs it waits\n" : "Redis can be reached again\n",
          ),
        onDrained: drained,
        // A thread that can't be ended holds what nobody else can have: only the end of the process helps.
        broken: (error) => {
          process.stderr.write(`${describeError(error)}\n`);
          process.exit(1);
        },
      });
      // Whoever reads that it is there may end it at once.
      const signalled = untilSignal();
      const { id, url, slots } = worker.machine.offer;
      process.stdout.write(`machine ${id} at ${url}, ${formatNumber(slots.length, "slot")}\n`);
      const joinedAt = systemClock.monotonic();
      let end = await Promise.race([signalled, isDrained]);
      if (end === "SIGTERM" && drainMs > 0) {
        const most = formatDuration(drainMs);
        process.stdout.write(`leaves: others take over what runs here; that is waited for, ${most} at most\n`);
        worker.leave();
        end = await Promise.race([isDrained, delay(systemClock, drainMs).then(() => end)]);
        if (end !== "drained") {
          process.stdout.write(`not drained within ${most}: others make again what wasn't handed over\n`);
        }
      }
      if (end === "drained") {
        const time = formatDuration(systemClock.monotonic() - joinedAt);
        const { offer, executionsServed } = worker.machine;
        process.stdout.write(
          `drained after ${time}: nothing needs machine ${offer.id} any more; executions that ran here: ${executionsServed}\n`,
        );
      }
      await worker.close();
    },
    (error) => (error instanceof QStreamError && error.code === "OPTION_INVALID" ? 2 : 1),
  );
}

type ParsedOptions = Omit<
  WorkerOptions,
  "onHead" | "onTrouble" | "onBegunAnew" | "onStoreAway" | "onDrained" | "broken"
> & {
  /** Milliseconds for which it is waited that others take over, after SIGTERM. */
  readonly drainMs: number;
};

function parse(words: readonly string[]): ParsedOptions | undefined {
  const { values } = parseWords({
    args: [...words],
    options: {
      join: { type: "string", multiple: true },
      slots: { type: "string" },
      tag: { type: "string", multiple: true },
      memory: { type: "string" },
      datasets: { type: "string" },
      bind: { type: "string" },
      advertise: { type: "string" },
      "lease-ms": { type: "string" },
      files: { type: "string", multiple: true },
      has: { type: "string", multiple: true },
      "turn-ms": { type: "string" },
      "drain-ms": { type: "string" },
      compress: { type: "string" },
      help: { type: "boolean", short: "h" },
      ...securityOptions,
    },
  });
  if (values.help === true) return undefined;
  const join = (values.join ?? []).flatMap((urls) => urls.split(","));
  if (join.length === 0) throw new QStreamError("OPTION_INVALID", "--join ws://host:port is wanted: the URL of a head");
  for (const url of join) headUrl(url);
  if (values.tag?.includes("") === true) throw new QStreamError("OPTION_INVALID", "--tag is given without a name");
  const { slots, memory, datasets, advertise } = values;
  const lease = values["lease-ms"];
  const turn = values["turn-ms"];
  const drain = values["drain-ms"];
  return {
    join,
    slots: slots === undefined ? availableParallelism() : wholeNumber("--slots", slots, 1, 1024),
    tags: [...(values.tag ?? []), ...(values.has ?? []).map((folder) => filesTag(folderPath(folder)))],
    datasetBytes: datasets === undefined ? undefined : memoryBytes("--datasets", datasets),
    memoryBytes: memory === undefined ? undefined : memoryBytes("--memory", memory),
    bind: parseBind("--bind", values.bind ?? "127.0.0.1:0"),
    security: parseSecurity(values),
    files: parsePlaces("--files", values.files),
    advertise: advertise === undefined ? undefined : parseAddress("--advertise", advertise),
    leaseMs: lease === undefined ? leaseMsDefault : wholeNumber("--lease-ms", lease, leaseMsLeast, leaseMsMost),
    drainMs: drain === undefined ? drainMsDefault : wholeNumber("--drain-ms", drain, 0, drainMsMost),
    compression: parseCompression(values.compress),
    turnMs: turn === undefined ? 60_000 : wholeNumber("--turn-ms", turn, 0, 2 ** 31),
  };
}

function parseCompression(text: string = "none"): Compression {
  if (text === "none" || text === "lz4") return text;
  throw new QStreamError("OPTION_INVALID", `--compress ${text} isn't known`, { advice: "It may be none or lz4." });
}

/** Readers name files by whole paths; URLs stay as they are. */
function folderPath(folder: string): string {
  return /^[a-z][a-z\d+.-]*:\/\//iu.test(folder) ? folder : resolve(folder);
}
