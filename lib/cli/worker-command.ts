import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import { Worker, type WorkerOptions } from "../cluster/worker.ts";
import { headUrl } from "../cluster/head-url.ts";
import { QStreamError } from "../core/errors.ts";
import {
  leaseMsDefault,
  leaseMsLeast,
  leaseMsMost,
  parseAddress,
  parseBind,
  parseSecurity,
  securityOptions,
} from "./cluster-options.ts";
import { describeError } from "./describe-error.ts";
import { helpOf, usageError } from "./help.ts";
import { memoryBytes, wholeNumber } from "./option-values.ts";
import { untilSignal } from "./until-signal.ts";

/** `qstream worker`. Returns the exit code: 0 ended by a signal, 1 it can't go on, 2 the command was wrong. */
export async function workerCommand(words: readonly string[]): Promise<number> {
  let parsed: Omit<WorkerOptions, "onHead" | "broken"> | undefined;
  try {
    parsed = parse(words);
  } catch (error) {
    process.stderr.write(usageError((error as Error).message, "worker"));
    return 2;
  }
  if (parsed === undefined) {
    process.stdout.write(helpOf("worker"));
    return 0;
  }
  try {
    const worker = await Worker.open({
      ...parsed,
      onHead: (url) => process.stdout.write(url === undefined ? "lost the head; looking for it\n" : `joined ${url}\n`),
      // A thread that can't be ended holds what nobody else can have: only the end of the process helps.
      broken: (error) => {
        process.stderr.write(`${describeError(error)}\n`);
        process.exit(1);
      },
    });
    const { id, url, slots } = worker.machine.offer;
    process.stdout.write(`machine ${id} at ${url}, ${slots.length} slots\n`);
    await untilSignal();
    await worker.close();
    return 0;
  } catch (error) {
    process.stderr.write(`${describeError(error)}\n`);
    return error instanceof QStreamError && error.code === "OPTION_INVALID" ? 2 : 1;
  }
}

function parse(words: readonly string[]): Omit<WorkerOptions, "onHead" | "broken"> | undefined {
  const { values } = parseArgs({
    args: [...words],
    options: {
      join: { type: "string", multiple: true },
      slots: { type: "string" },
      tag: { type: "string", multiple: true },
      memory: { type: "string" },
      bind: { type: "string" },
      advertise: { type: "string" },
      "lease-ms": { type: "string" },
      "turn-ms": { type: "string" },
      help: { type: "boolean", short: "h" },
      ...securityOptions,
    },
  });
  if (values.help === true) return undefined;
  const join = (values.join ?? []).flatMap((urls) => urls.split(","));
  if (join.length === 0) throw new QStreamError("OPTION_INVALID", "--join ws://host:port is wanted: the URL of a head");
  for (const url of join) headUrl(url);
  const { slots, memory, advertise } = values;
  const lease = values["lease-ms"];
  const turn = values["turn-ms"];
  return {
    join,
    slots: slots === undefined ? availableParallelism() : wholeNumber("--slots", slots, 1, 1024),
    tags: values.tag ?? [],
    memoryBytes: memory === undefined ? undefined : memoryBytes("--memory", memory),
    bind: parseBind("--bind", values.bind ?? "127.0.0.1:0"),
    security: parseSecurity(values),
    advertise: advertise === undefined ? undefined : parseAddress("--advertise", advertise),
    leaseMs: lease === undefined ? leaseMsDefault : wholeNumber("--lease-ms", lease, leaseMsLeast, leaseMsMost),
    turnMs: turn === undefined ? 60_000 : wholeNumber("--turn-ms", turn, 0, 2 ** 31),
  };
}
