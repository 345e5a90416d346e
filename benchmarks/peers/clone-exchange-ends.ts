// The two threads of the exchange by structured clone.

import { parentPort, workerData, type MessagePort } from "node:worker_threads";
import { drawLetters, drawMeasures, MeasureDigest, stateOf, type Measure } from "../data/draw.ts";
import type { CloneRound } from "./clone-exchange.ts";

interface Ends {
  readonly role: "producer" | "consumer";
  readonly port: MessagePort;
  readonly consumed: Int32Array;
}

const { role, port, consumed } = workerData as Ends;
// Enough for both ends to be busy all the time, and no more than a link of ours may hold.
const arraysAhead = 16;

if (role === "producer") {
  const text = drawLetters();
  parentPort?.on("message", (round: CloneRound) => produce(text, round));
} else {
  consume();
}

function produce(text: string, { seed, objects, arrayLength }: CloneRound): void {
  const before = Atomics.load(consumed, 0);
  let state = stateOf(seed, 0);
  let sent = 0;
  for (let left = objects; left > 0; left -= arrayLength) {
    const measures: Measure[] = [];
    state = drawMeasures(text, state, Math.min(left, arrayLength), measures);
    port.postMessage(measures);
    sent++;
    for (
      let done = Atomics.load(consumed, 0);
      sent - (done - before) >= arraysAhead;
      done = Atomics.load(consumed, 0)
    ) {
      Atomics.wait(consumed, 0, done);
    }
  }
  port.postMessage(undefined);
}

function consume(): void {
  let digest = new MeasureDigest();
  port.on("message", (measures: readonly Measure[] | undefined) => {
    if (measures === undefined) {
      parentPort?.postMessage(digest.result());
      digest = new MeasureDigest();
      return;
    }
    digest.add(measures);
    Atomics.add(consumed, 0, 1);
    Atomics.notify(consumed, 0);
  });
}
