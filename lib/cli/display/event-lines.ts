import type { ExecutionEvent, SlowTask, TaskFailed } from "../../../actors/scheduler/execution-events.ts";
import { formatDuration } from "./units.ts";

/** An event that is told in a line of its own, which stays above the bars. */
export type ToldEvent = Extract<ExecutionEvent, { kind: (typeof told)[number] }>;

const told = ["verifying", "waiting", "slot-lost", "task-failed", "task-slow", "rebalanced", "recovered"] as const;

/** Lines for failed tasks of a step; what fails beyond them shows in its numbers. */
const failuresTold = 10;
/** Lines for slow tasks of a step, where one follows the other. */
const slowTold = 10;

/** True for what bars don't show. */
export function isTold(event: ExecutionEvent): event is ToldEvent {
  return told.some((kind) => kind === event.kind);
}

/** Words events, those of one execution. A step that goes on failing, and what follows from that, is told a few times only. */
export class EventLines {
  readonly #failures = new Map<string, number>();
  readonly #slow = new Map<string, number>();

  /** Undefined for one that isn't told any more. */
  lineOf(event: ToldEvent): string | undefined {
    switch (event.kind) {
      case "verifying":
        return verifyingLine(event);
      case "waiting":
        return `Waits for ${event.missing}${atMost(event.waitMs)}`;
      case "rebalanced":
        return rebalancedLine(event);
      case "slot-lost":
        return `${event.error.message}. What ran there is made again.`;
      case "task-failed":
        return this.#failureLine(event);
      case "task-slow":
        return this.#slowLine(event);
      case "recovered":
        return this.#recoveredLine(event);
    }
  }

  #failureLine({ step, attempt, attempts, next, error }: TaskFailed): string | undefined {
    const told = this.#failures.get(step) ?? 0;
    this.#failures.set(step, told + 1);
    if (told > failuresTold) return undefined;
    if (told === failuresTold) return `"${step}" goes on failing: no more is told of that.`;
    const then = next === "try-again" ? "It is tried again." : "What the task had taken is passed over.";
    return `${ended(`Attempt ${attempt} of ${attempts} failed: ${oneLine(error.message)}`)} ${then}`;
  }

  #slowLine(task: SlowTask): string | undefined {
    const told = this.#slow.get(task.step) ?? 0;
    this.#slow.set(task.step, told + 1);
    if (told > slowTold) return undefined;
    return told === slowTold ? `"${task.step}" goes on being slow: no more is told of that.` : `${slowLine(task)}.`;
  }

  #recoveredLine({ channels, replays }: Extract<ToldEvent, { kind: "recovered" }>): string | undefined {
    if (channels.length > 0 && channels.every(({ step }) => (this.#failures.get(step) ?? 0) > failuresTold)) {
      return undefined;
    }
    const slots = new Set(channels.map(({ slot }) => slot));
    const others = replays === 1 ? "1 other makes its" : `${replays} others make their`;
    const again = replays === 0 ? "" : `; ${others} outputs again`;
    const go = channels.length === 1 ? "1 channel goes" : `${channels.length} channels go`;
    return `${go} on in ${[...slots].join(", ")}${again}`;
  }
}

/** Which code is waited for, and since when. */
export function slowLine({ step, channel, seq, waitMs }: SlowTask): string {
  const task = seq === undefined ? "its open" : `task ${seq}`;
  return `Waits for the code of "${step}", channel ${channel}, ${task}: ${formatDuration(waitMs)} by now`;
}

/** How many channels go elsewhere; where they are then is told once they are. */
function rebalancedLine({ moves }: Extract<ToldEvent, { kind: "rebalanced" }>): string {
  const from = [...new Set(moves.map((move) => move.from))];
  return `${moves.length === 1 ? "1 channel leaves" : `${moves.length} channels leave`} ${from.join(", ")} for slots with less to do`;
}

/** Which tasks are run twice, and of which steps none. */
function verifyingLine({ share, unverified }: Extract<ToldEvent, { kind: "verifying" }>): string {
  const steps = unverified.map(({ step, why }) => `${step} (${why})`);
  const but = steps.length === 0 ? "" : `, but for ${steps.join(", ")}`;
  const some = `The first task of each channel and ${Number((share * 100).toPrecision(3))} % of the others`;
  return `${share >= 1 ? "All tasks" : some} are run twice${but}`;
}

/** The message of user code without what a terminal would obey. */
function oneLine(text: string): string {
  return text.replaceAll(/\s+/gu, " ").replaceAll(/\p{Cc}/gu, "�");
}

function ended(text: string): string {
  return /[.!?]$/u.test(text) ? text : `${text}.`;
}

function atMost(waitMs: number): string {
  return Number.isFinite(waitMs) ? `, ${Math.round(waitMs / 1000)} s at most` : "";
}
