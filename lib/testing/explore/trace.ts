// What happened in one run of a distributed algorithm, as plain data: whoever explores runs makes it, and diagrams, reports and
// files of failures are made from it.

/**
 * A run, step after step, in the order in which its steps were taken. Plain data: it survives JSON both ways.
 *
 * @example
 * const trace: RunTrace = {
 *   title: "ping and pong",
 *   seed: 7,
 *   lines: [{ id: "ping" }, { id: "pong" }],
 *   steps: [
 *     { at: 0, step: 0, line: "ping", kind: "start", sends: [{ id: 1, to: "pong", text: "ping" }] },
 *     { at: 3, step: 1, line: "pong", kind: "deliver", message: { id: 1, from: "ping", sentAt: 0, sentStep: 0, text: "ping" } },
 *   ],
 * };
 */
export interface RunTrace {
  /** What ran, in a few words. */
  readonly title: string;
  readonly seed: number;
  /** The command line that repeats the run. */
  readonly command?: string;
  /** Who took steps: actors or channels, in the order in which they are shown. */
  readonly lines: readonly RunLine[];
  /** Ascending by `step` and by `at`. */
  readonly steps: readonly RunStep[];
  readonly violation?: RunViolation;
}

/** An actor or a channel: a line of a space-time diagram. */
export interface RunLine {
  /** Unique in its trace. */
  readonly id: string;
  /** Lines of one machine are shown side by side. */
  readonly machine?: string;
}

export type RunStepKind = "deliver" | "timer" | "crash" | "restart" | "partition" | "heal" | "start" | "stop" | "note";

/** One step: one event of one line, or of the network or a whole machine. */
export interface RunStep {
  /** Virtual milliseconds since the run's start. */
  readonly at: number;
  /** Number of the step: ascending, and unique in its trace. */
  readonly step: number;
  /** Id of the line; or the name of a machine, for what concerns all its lines; or "" for what concerns all of the run. */
  readonly line: string;
  readonly kind: RunStepKind;
  /** What a "deliver" step delivered. */
  readonly message?: RunMessage;
  /** Messages that were sent in this step, also those that were lost at once. */
  readonly sends?: readonly RunSend[];
  /** Messages that were lost in this step and won't be delivered: by a partition, a crash, the network's whim. */
  readonly lost?: readonly LostMessage[];
  /** State of the line after the step: a short text, mostly JSON. Absent where it is as before. */
  readonly state?: string;
  /** Name of the timer, reason of a crash, and what was noted. */
  readonly text?: string;
  /** Ids of lines or machines by side of a partition. Absent: `line` is cut off from all others. */
  readonly groups?: readonly (readonly string[])[];
}

/** A message that was delivered. */
export interface RunMessage {
  /** The same for all copies of a message that a network made. */
  readonly id: number;
  /** Id of the line that sent it. */
  readonly from: string;
  /** Virtual milliseconds. */
  readonly sentAt: number;
  /** Number of the step that sent it. */
  readonly sentStep: number;
  /** What is in it, in a few words. */
  readonly text: string;
  /** Present on a copy beside the one that was sent: says why there is one. */
  readonly duplicate?: string;
}

/** A message that a step sent. */
export interface RunSend {
  readonly id: number;
  /** Id of the line that is to get it. */
  readonly to: string;
  /** What is in it, in a few words. Needed only where nothing says later what became of the message. */
  readonly text?: string;
}

/** A message that came to nothing. */
export interface LostMessage extends RunMessage {
  /** Id of the line that would have got it. */
  readonly to: string;
  /** Why it was lost, in a few words. */
  readonly reason: string;
}

/** The promise that a run broke. */
export interface RunViolation {
  /** Name of the invariant. */
  readonly invariant: string;
  /** What was promised: it holds after each step, it holds at last, or it never holds. */
  readonly kind: "always" | "eventually" | "never";
  /** What was found, with the values that show it. */
  readonly message: string;
  /** Number of the step at which it was seen. */
  readonly step: number;
}
