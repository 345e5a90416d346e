import slotActors, { payer, register } from "../actors/slot-actors.ts";
import type { Benchmark, Measured } from "../harness/benchmark.ts";
import { contest, detailsOf } from "../harness/contest.ts";
import { TellThreads } from "../peers/tell-threads.ts";

const messages = 1_000_000;

export const benchmark: Benchmark = {
  name: "tell-slots",
  workload:
    "1 M messages {number, number, string} of an actor in one thread slot to one in another; the same objects by a postMessage each",
  bar: { atLeast: 8 },
  unit: "x",
  measure,
};

async function measure(): Promise<Measured> {
  await using system = await slotActors.start({ slots: 2 });
  const to = system.spawn(register);
  const from = system.spawn(payer, to);
  const threads = new TellThreads();
  const ours = async (): Promise<number> => {
    await to.ask("clear");
    const total = to.ask("total", messages, { timeoutMs: 120_000 });
    from.tell("pay", { first: 0, last: messages });
    return total;
  };
  try {
    const peer = { name: "postMessage", run: () => threads.run(messages) };
    const result = await contest({ name: "QStream", run: ours }, peer, { warmups: 3, rounds: 7 });
    const { deadLetters, failed } = await system.metrics();
    if (deadLetters + failed > 0) throw new Error(`${deadLetters} dead letters, ${failed} failures`);
    return { value: result.ratio, details: detailsOf(result, messages) };
  } finally {
    await threads.close();
  }
}
