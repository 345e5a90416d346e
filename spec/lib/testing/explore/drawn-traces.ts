import fc from "fast-check";
import type { RunStep, RunStepKind, RunTrace } from "../../../../lib/testing/explore/trace.ts";

// What breaks out of markup, scripts, terminals and columns, if anything does.
const nasty = [
  "</script><script>alert(1)</script>",
  "<!--",
  "]]>",
  "&amp; & <b>",
  `" onload="alert(1)`,
  "'",
  "\u001b[31mred\u0007",
  "two\nlines\r\n\tthree",
  "\u2028\u2029",
  "\ud800 half",
  "\u0000\ufffe\uffff",
  "\u202eturned",
  "漢字の長い名前",
  "👩‍👩‍👧 family",
  "é́́́",
  "__proto__",
  "",
];

export const drawnText: fc.Arbitrary<string> = fc.oneof(
  fc.constantFrom(...nasty),
  fc.string({ unit: "binary", maxLength: 30 }),
  fc.string({ maxLength: 60 }),
);

const kinds: readonly RunStepKind[] = [
  ...([
    "deliver",
    "deliver",
    "deliver",
    "timer",
    "crash",
    "restart",
    "partition",
    "heal",
    "start",
    "stop",
    "note",
  ] as const),
];

/** Traces of any shape: with names and texts that mean harm, messages from nowhere, steps that follow no protocol. */
export const drawnTrace: fc.Arbitrary<RunTrace> = fc
  .record({
    title: drawnText,
    command: fc.option(drawnText, { nil: undefined }),
    names: fc.uniqueArray(drawnText, { minLength: 1, maxLength: 7 }),
    machines: fc.array(fc.option(fc.constantFrom("m1", "m2", "<m3>"), { nil: undefined }), { maxLength: 7 }),
    steps: fc.array(
      fc.record({
        kind: fc.constantFrom(...kinds),
        text: drawnText,
        draw: fc.array(fc.nat(1000), { minLength: 8, maxLength: 8 }),
      }),
      {
        maxLength: 40,
      },
    ),
    violation: fc.option(fc.record({ invariant: drawnText, message: drawnText, at: fc.nat(50) }), { nil: undefined }),
  })
  .map(({ title, command, names, machines, steps, violation }) => ({
    title,
    seed: steps.length,
    ...(command === undefined ? {} : { command }),
    lines: names.map((id, index) => ({ id, ...(machines[index] === undefined ? {} : { machine: machines[index] }) })),
    steps: steps.map(({ kind, text, draw }, step) => drawnStep(kind, text, draw, step, names)),
    ...(violation === undefined ? {} : { violation: { ...violation, kind: "always" as const, step: violation.at } }),
  }));

function drawnStep(
  kind: RunStepKind,
  text: string,
  draw: readonly number[],
  step: number,
  names: readonly string[],
): RunStep {
  const [who = 0, from = 0, ago = 0, sent = 0, lost = 0, copy = 0, state = 0, side = 0] = draw;
  const name = (number: number): string => names[number % names.length] ?? "";
  const sentStep = step - (ago % (step + 3));
  const message = { id: step, from: name(from), sentAt: sentStep * 1.5, sentStep, text };
  return {
    at: step * 1.5,
    step,
    kind,
    text,
    line: who % 9 === 0 ? "" : who % 9 === 1 ? "m1" : name(who),
    ...(kind === "deliver" ? { message: copy % 4 === 0 ? { ...message, duplicate: text } : message } : {}),
    ...(sent % 3 === 0
      ? {
          sends: [
            { id: 1000 + step, to: name(sent), text },
            { id: 2000 + step, to: name(side) },
          ],
        }
      : {}),
    ...(lost % 3 === 0
      ? {
          lost: [
            { ...message, id: 3000 + step, to: name(lost), reason: text },
            { ...message, id: 4000 + step, to: name(side), sentStep: step, reason: "parted" },
          ],
        }
      : {}),
    ...(state % 2 === 0 ? { state: text } : {}),
    ...(kind === "partition" && side % 2 === 0 ? { groups: [names.slice(0, side % 5), names.slice(side % 5)] } : {}),
  };
}
