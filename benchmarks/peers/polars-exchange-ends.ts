// The two threads of the exchange by Polars.

import { parentPort, workerData, type MessagePort } from "node:worker_threads";
import { tableToIPC } from "apache-arrow";
import pl, { type DataFrame } from "nodejs-polars";
import { drawBatch, type ColumnSums } from "../data/columns.ts";
import type { PolarsRound } from "./polars-exchange.ts";

interface Ends {
  readonly role: "producer" | "consumer";
  readonly port: MessagePort;
  readonly consumed: Int32Array;
}

const { role, port, consumed } = workerData as Ends;
const partsAhead = 16;

if (role === "producer") produce();
else consume();

function produce(): void {
  let frames: DataFrame[] = [];
  parentPort?.on("message", ({ kind, round }: { readonly kind: "draw" | "send"; readonly round: PolarsRound }) => {
    if (kind === "draw") {
      frames = drawFrames(round);
      parentPort?.postMessage("drawn");
    } else {
      send(frames, round.targets);
    }
  });
}

// Every call costs Polars a fraction of a millisecond whatever it has to do: frames of 0.5 M rows are its best.
const batchesOfFrame = 8;

function drawFrames({ seed, batches }: PolarsRound): DataFrame[] {
  const frames: DataFrame[] = [];
  for (let first = 0; first < batches; first += batchesOfFrame) {
    const count = Math.min(batchesOfFrame, batches - first);
    const parts = Array.from({ length: count }, (_, at) =>
      pl.readIPCStream(Buffer.from(tableToIPC(drawBatch(seed, first + at), "stream"))),
    );
    frames.push(pl.concat(parts).rechunk());
  }
  return frames;
}

function send(frames: readonly DataFrame[], targets: number): void {
  const before = Atomics.load(consumed, 0);
  let sent = 0;
  for (const frame of frames) {
    const routed = frame.withColumn(pl.col("key").hash().modulo(targets).cast(pl.UInt8).alias("channel"));
    for (const part of routed.partitionBy(["channel"], false, false)) {
      port.postMessage(part.writeIPCStream());
      sent++;
    }
    for (let done = Atomics.load(consumed, 0); sent - (done - before) >= partsAhead; done = Atomics.load(consumed, 0)) {
      Atomics.wait(consumed, 0, done);
    }
  }
  port.postMessage(undefined);
}

function consume(): void {
  let parts: DataFrame[] = [];
  port.on("message", (part: Uint8Array | undefined) => {
    if (part === undefined) {
      // One query over all parts: one for each part would take three times as long.
      parentPort?.postMessage(sumFrame(pl.concat(parts)));
      parts = [];
      return;
    }
    parts.push(pl.readIPCStream(Buffer.from(part.buffer, part.byteOffset, part.byteLength)));
    Atomics.add(consumed, 0, 1);
    Atomics.notify(consumed, 0);
  });
}

function sumFrame(frame: DataFrame): ColumnSums {
  const [keys = 0, prices = 0, weights = 0, letters = 0, names = 0] = frame
    .select(
      pl.col("key").cast(pl.Float64).sum(),
      pl.col("price").sum(),
      pl.col("weight").sum(),
      pl.col("name").str.lengths().cast(pl.Float64).sum().alias("letters"),
      pl.col("name").str.startsWith("a").cast(pl.Float64).sum().alias("names"),
    )
    .row(0) as number[];
  return { rows: frame.height, keys, prices, weights, letters, names };
}
