// User code that goes astray beside an execution whose code doesn't.

import * as assert from "uvu/assert";
import type { Place } from "../../lib/core/errors.ts";
import type { ErrorCode } from "../../lib/index.ts";
import { failure } from "../kit/failure.ts";
import { happens } from "./happens.ts";
import { astrayRows, type Astray } from "./matrix-flows.ts";
import { assertNextRuns, type MatrixWorld } from "./matrix-world.ts";
import { SteadyRun } from "./steady-run.ts";

interface Expected {
  readonly astray: Astray;
  readonly code: ErrorCode;
  readonly said: RegExp;
}

const failures: readonly Expected[] = [
  { astray: "throw", code: "STEP_FAILED", said: /this input is bad/u },
  { astray: "huge", code: "STEP_FAILED", said: /allocation failed|Invalid typed array length/u },
];
const ends: readonly Expected[] = [
  { astray: "exit", code: "SLOT_LOST", said: /process\.exit\(3\)/u },
  { astray: "heap", code: "SLOT_LOST", said: /memory/u },
];

/** Each way fails its own execution, and says which step it was; the one beside it is right. */
export async function codeAstray({ session, folder }: MatrixWorld): Promise<string> {
  const measured: string[] = [];
  const fail = async (ways: readonly Expected[], place: Place): Promise<void> => {
    for (const { astray, code, said } of ways) {
      const started = performance.now();
      const run = (): Promise<unknown> => astrayRows.run({ astray }, { on: session, attempts: 2 });
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      const { message } = await failure(run, code, place);
      assert.match(message, said);
      measured.push(`${astray} after ${Math.round(performance.now() - started)} ms`);
    }
  };
  // Whose it is, nobody knows: it isn't fair to whoever runs in the same slot.
  await fail([{ astray: "rejection", code: "SLOT_LOST", said: /nobody waits/u }], {});
  const steady = await SteadyRun.begin(session, folder);
  const hanging = await astrayRows.start({ astray: "hang" }, { on: session });
  await fail(failures, { step: "astray" });
  // Nothing is done about it but that it is told, after ten seconds.
  const { step } = await happens(hanging, "task-slow");
  assert.is(step, "astray");
  hanging.cancel("it hangs");
  await failure(() => hanging.outputs, "ABORTED");
  await fail(ends, { step: "astray" });
  await steady.endsRight();
  await assertNextRuns(session);
  return `${measured.join(", ")}; beside them ${steady.count("slot-lost")} losses, ${steady.count("recovered")} recoveries`;
}
