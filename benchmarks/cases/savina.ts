import { isDeepStrictEqual } from "node:util";
import { startActors } from "qstream";
import type { Benchmark, Measured } from "../harness/benchmark.ts";
import { median, round, timed } from "../harness/contest.ts";
import { programs } from "../savina/programs.ts";
import type { Program } from "../savina/program.ts";

const rounds = 3;

export const benchmark: Benchmark = {
  name: "savina",
  workload: `${programs.length} programs of actors one after the other, one slot; each result compared with that of plain code`,
  bar: { atMost: 3 },
  unit: "s",
  measure,
};

async function measure(): Promise<Measured> {
  const details: Record<string, string> = {};
  let totalMs = 0;
  for (const program of programs) {
    const times: number[] = [];
    const expected = program.plain(program.large);
    let handled = 0;
    for (let attempt = 0; attempt <= rounds; attempt++) {
      const { ms, result } = await timed({ name: program.name, run: () => runOnce(program) }, attempt);
      if (!isDeepStrictEqual(result.answer, expected))
        throw new Error(`${program.name} has another result than plain code`);
      handled = result.handled;
      times.push(ms);
    }
    const ms = median(times.slice(1));
    totalMs += ms;
    details[program.name] = `${round(ms)} ms, ${round(handled / ms / 1000)} M messages/s`;
  }
  return { value: totalMs / 1000, details: { ours: `${round(totalMs)} ms`, ...details } };
}

async function runOnce({ run, large }: Program): Promise<{ readonly answer: unknown; readonly handled: number }> {
  await using system = startActors();
  const answer = await run(system, large);
  return { answer, handled: system.metrics().handled };
}
