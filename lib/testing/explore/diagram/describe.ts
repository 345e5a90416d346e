import type { LostMessage, RunStep, RunViolation } from "../trace.ts";
import { counted, printable } from "./text.ts";

const namesShown = 8;

/** What happened in a step, in words on one line: what it got, what it did, what it sent, what was lost. */
export function describeStep(step: RunStep): string {
  return [describeDone(step), ...describeLosses(step)].filter((part) => part !== "").join("; ");
}

/** The same but for what was lost; nothing where the step is there for that alone. */
export function describeDone(step: RunStep): string {
  const { sends = [], lost = [], kind, text = "" } = step;
  // A note that says nothing is there for what was sent or lost.
  const isSilent = kind === "note" && text === "" && lost.length + sends.length > 0;
  const parts = isSilent ? [] : [describeEvent(step)];
  if (sends.length > 0) parts.push(`sends ${sends.length === 1 ? "" : `${sends.length} `}to ${named(sends)}`);
  return parts.join("; ");
}

/** What was lost in a step, messages that are alike together. */
export function describeLosses({ line, lost = [] }: RunStep): string[] {
  const losses = new Map<string, LostMessage[]>();
  for (const gone of lost) {
    const key = JSON.stringify([gone.text, gone.from, gone.reason]);
    losses.set(key, [...(losses.get(key) ?? []), gone]);
  }
  return [...losses.values()].map((alike) => {
    const [{ text, from, reason }] = alike as [LostMessage];
    const sender = from === line ? "" : ` from ${printable(from)}`;
    return `lost: ${printable(text)}${sender} to ${named(alike)} (${printable(reason)})`;
  });
}

/** Who gets messages, each once; many are cut short. */
function named(messages: readonly { readonly to: string }[]): string {
  const receivers = [...new Set(messages.map(({ to }) => printable(to)))];
  const shown = receivers.slice(0, namesShown).join(", ");
  return receivers.length > namesShown ? `${shown} and ${receivers.length - namesShown} others` : shown;
}

/** What a step is, without what came of it. */
function describeEvent(step: RunStep): string {
  const { kind, message, text = "" } = step;
  const words = printable(text);
  const because = words === "" ? "" : `: ${words}`;
  switch (kind) {
    case "deliver": {
      if (message === undefined) return `gets a message${because}`;
      const copy = message.duplicate === undefined ? "" : `, again (${printable(message.duplicate)})`;
      const sent = `from ${printable(message.from)}, sent at step ${message.sentStep}${copy}`;
      return `gets ${printable(message.text)} ${sent}${words === "" ? "" : ` (${words})`}`;
    }
    case "timer":
      return words === "" ? "timer" : `timer ${words}`;
    case "crash":
      return `crashes${because}`;
    case "restart":
      return `restarts${because}`;
    case "start":
      return `starts${because}`;
    case "stop":
      return `stops${because}`;
    case "partition":
      return `network parts: ${describeSides(step)}${words === "" ? "" : ` (${words})`}`;
    case "heal":
      return `network heals${because}`;
    case "note":
      return words === "" ? "note" : words;
  }
}

/** The sides of a partition: `n1 n2 | n3`. */
export function describeSides({ groups, line }: RunStep): string {
  if (groups === undefined) return line === "" ? "all from all" : `${printable(line)} | all others`;
  return groups.map((side) => side.map(printable).join(" ")).join(" | ");
}

/** Which promise was broken, and where: the headline of a violation. */
export function describeViolation({ invariant, kind, step }: RunViolation): string {
  const promised = { always: "must always hold", eventually: "must hold at last", never: "must never hold" }[kind];
  return `Violated at step ${step}: "${printable(invariant)}" ${promised}`;
}

/** What of a trace isn't shown; undefined where all of it is. */
export function describeLeftOut(earlier: number, later: number): string | undefined {
  if (earlier === 0 && later === 0) return undefined;
  const parts = [
    ...(earlier === 0 ? [] : [counted(earlier, "earlier step")]),
    ...(later === 0 ? [] : [counted(later, "later step")]),
  ];
  return `${parts.join(" and ")} left out`;
}
