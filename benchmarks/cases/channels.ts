import { local } from "qstream";
import { manyChannels } from "../flows/many-channels.ts";
import type { Benchmark, Measured } from "../harness/benchmark.ts";
import { median, round, timed } from "../harness/contest.ts";
import { outputsOf } from "../harness/links.ts";

const channels = 10_000;
const rounds = 5;

export const benchmark: Benchmark = {
  name: "channels",
  workload: "10,000 channels started, one object through each, and stopped",
  bar: { atMost: 1 },
  unit: "s",
  measure,
};

async function measure(): Promise<Measured> {
  await using session = await local({ slots: 2, store: "none" });
  const times: number[] = [];
  for (let attempt = 0; attempt <= rounds; attempt++) {
    const { ms, result } = await timed({ name: "QStream", run: () => passOne(session) }, attempt);
    const met = result.filter(({ object, channel }) => object === channel);
    if (met.length !== channels) throw new Error(`${met.length} of ${channels} channels passed their object on`);
    times.push(ms);
  }
  const [first = 0, ...warm] = times;
  return {
    value: median(warm) / 1000,
    details: { ours: `${round(median(warm))} ms`, first: `${round(first)} ms`, ourRounds: warm.map(round).join(" ") },
  };
}

async function passOne(
  session: Awaited<ReturnType<typeof local>>,
): Promise<readonly { readonly object: number; readonly channel: number }[]> {
  const execution = manyChannels.start({ channels }, { on: session });
  const outputs = await outputsOf(
    execution,
    { from: "numbers", to: "passing", objects: channels },
    { from: "passing", to: "passed", objects: channels },
  );
  return outputs.passed;
}
