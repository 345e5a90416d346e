import { local } from "qstream";
import { blockBytes, digestOf, drawBytes, drawingSpeed } from "../data/bytes.ts";
import { slowSink, type Received } from "../flows/slow-sink.ts";
import type { Benchmark, Measured } from "../harness/benchmark.ts";
import { round } from "../harness/contest.ts";
import { outputsOf } from "../harness/links.ts";
import { watchProcesses, type Usage } from "../harness/processes.ts";

const bytes = 10e9;
const blocks = Math.ceil(bytes / blockBytes);
const slowerBy = 10;
const writtenBytesMax = 1e9;

export const benchmark: Benchmark = {
  name: "memory",
  workload:
    "10 GB of distinct bytes through an exchange into a sink ten times slower than the reader: most resident memory of all processes together, on threads or on processes",
  bar: { atMost: 700 },
  unit: "MB",
  measure,
};

async function measure(): Promise<Measured> {
  const bytesPerMs = drawingSpeed() / slowerBy;
  const threads = await measureOn("thread", 1, bytesPerMs);
  const processes = await measureOn("process", 2, bytesPerMs);
  const megabytes = Math.max(threads.residentBytes, processes.residentBytes) / 1e6;
  return {
    value: megabytes,
    details: {
      ours: `threads ${round(threads.residentBytes / 1e6)} MB, processes ${round(processes.residentBytes / 1e6)} MB`,
      seconds: `${round(threads.seconds)}, ${round(processes.seconds)}`,
      sink: `${round(bytesPerMs / 1000)} MB/s a channel`,
      written: `${round(threads.writtenBytes / 1e6)} MB, ${round(processes.writtenBytes / 1e6)} MB`,
    },
  };
}

async function measureOn(
  isolation: "thread" | "process",
  seed: number,
  bytesPerMs: number,
): Promise<Usage & { readonly seconds: number }> {
  const watch = watchProcesses();
  const from = performance.now();
  const received = await receive(isolation, seed, bytesPerMs);
  const usage = watch.stop();
  const seconds = (performance.now() - from) / 1000;
  const digest = expectedDigest(seed);
  if (received.bytes !== blocks * blockBytes || received.digest !== digest) {
    throw new Error(`the sinks got ${received.bytes} bytes with digest ${received.digest} instead of ${digest}`);
  }
  if (usage.writtenBytes > writtenBytesMax) throw new Error(`${usage.writtenBytes} bytes were written to disk`);
  return { ...usage, seconds };
}

async function receive(isolation: "thread" | "process", seed: number, bytesPerMs: number): Promise<Received> {
  await using session = await local({ slots: 2, isolation, store: "none" });
  const execution = await slowSink.start({ seed, blocks, bytesPerMs }, { on: session });
  const { received } = await outputsOf(Promise.resolve(execution), { from: "bytes", to: "received", objects: blocks });
  const spooled = execution.metrics?.bytesSpooled ?? 0;
  if (spooled > 0) throw new Error(`${spooled} bytes were spooled, though no stage is blocked`);
  return received;
}

function expectedDigest(seed: number): number {
  let digest = 0;
  for (let block = 0; block < blocks; block++) digest += digestOf({ block, bytes: drawBytes(seed, block) });
  return digest;
}
