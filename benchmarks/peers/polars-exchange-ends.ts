// The two threads of the exchange by Polars.

import { parentPort, workerData, type MessagePort } from "node:worker_threads";
import { tableToIPC } from "apache-arrow";
import pl, { type DataFrame } from "nodejs-polars";
import { addSums, drawBatch, noSums, type ColumnSums } from "../data/columns.ts";
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
      frames = Array.from({ length: round.batches }, (_, index) => drawFrame(round.seed, index));
      parentPort?.postMessage("drawn");
    } else {
      send(frames, round.targets);
    }
  });
}

function drawFrame(seed: number, index: number): DataFrame {
  return pl.readIPCStream(Buffer.from(tableToIPC(drawBatch(seed, index), "stream"))).rechunk();
}

function send(frames: readonly DataFrame[], targets: number): void {
  const before = Atomics.load(consumed, 0);
  let sent = 0;
  for (const frame of frames) {
    const routed = frame.withColumn(pl.col("key").hash().modulo(targets).cast(pl.UInt8).alias("channel"));
    for (const part of routed.partitionBy(["channel"], false, false)) {
      port.postMessage(part.writeIPC());
      sent++;
    }
    for (let done = Atomics.load(consumed, 0); sent - (done - before) >= partsAhead; done = Atomics.load(consumed, 0)) {
      Atomics.wait(consumed, 0, done);
    }
  }
  port.postMessage(undefined);
}

function consume(): void {
  let sums = noSums;
  port.on("message", (part: Uint8Array | undefined) => {
    if (part === undefined) {
      parentPort?.postMessage(sums);
      sums = noSums;
      return;
    }
    sums = addSums(sums, sumFrame(pl.readIPC(Buffer.from(part.buffer, part.byteOffset, part.byteLength))));
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
