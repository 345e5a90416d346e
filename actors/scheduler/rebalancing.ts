import { QStreamError } from "../../lib/core/errors.ts";
import { hasActors } from "../../lib/core/plan.ts";
import type { SlotPlace } from "../../lib/core/placement-strategy.ts";
import type { Clock } from "../../lib/core/seam/clock.ts";
import { imbalanceOf, planRebalance, type Move, type RebalanceInput } from "../../lib/placement/index.ts";
import type { ChannelMove } from "./execution-events.ts";
import type { RebalanceRequest } from "./messages.ts";
import type { Running } from "./running.ts";

// Milliseconds after which somebody who asked while channels were being recovered is answered.
const againMs = 100;
// The policy looks so often, and acts where the slot with most to do had this much more than the mean twice in a row.
const lookMs = 5000;
const imbalanceMost = 1.5;
const looksInARow = 2;
// It leaves an execution alone for so long after it has moved something: what moves has to be made again, and to settle.
const restMs = 30_000;
// Milliseconds that all channels together must have worked for their differences to say something; until then all count alike.
const leastBusyMs = 2000;

interface Looks {
  nextAt: number;
  inARow: number;
  busy: readonly number[];
}

interface RebalancingParts {
  readonly clock: Clock;
  readonly slots: () => readonly SlotPlace[];
  readonly client: string;
  /** Whether it looks at the load by itself. */
  readonly byItself: boolean;
  /** Asks again, in a turn of its own. */
  readonly again: (request: RebalanceRequest) => void;
  /** Other lives take over from the present ones of channels. */
  readonly recover: (running: Running, numbers: readonly number[]) => void;
}

/** Moves channels to slots that have less to do, when somebody asks for it, or by itself where the policy is on. */
export class Rebalancing {
  readonly #parts: RebalancingParts;
  readonly #looks = new WeakMap<Running, Looks>();
  /** Who asked while channels were being recovered. */
  readonly #waiting = new Set<RebalanceRequest>();

  constructor(parts: RebalancingParts) {
    this.#parts = parts;
  }

  asked(running: Running | undefined, request: RebalanceRequest): void {
    if (running === undefined) {
      request.refuse(new QStreamError("EXECUTION_UNKNOWN", `execution ${request.subject} doesn't run`));
    } else if (running.recovering === undefined) {
      request.refuse(
        new QStreamError("UNSUPPORTED", "channels of an execution that keeps no lineage can't go elsewhere", {
          advice: 'Run it without the store "none"',
        }),
      );
    } else if (running.phase === "preparing" || running.recovering.active) {
      this.#waiting.add(request);
      this.#parts.clock.after(againMs, () => {
        if (this.#waiting.delete(request)) this.#parts.again(request);
      });
    } else if (running.phase === "running") {
      request.answer(this.#move(running, planRebalance(this.#inputOf(running, running.record.busy()))));
    } else request.answer([]);
  }

  /** Nobody is going to be answered any more. */
  close(): void {
    for (const request of this.#waiting) request.refuse(new QStreamError("SESSION_CLOSED", "the session was closed"));
    this.#waiting.clear();
  }

  /** Looks now and then whether some slots have far more to do than others. */
  look(running: Running): void {
    const { byItself, clock } = this.#parts;
    // The state of most actors doesn't outlive a move.
    if (!byItself || running.recovering === undefined || hasActors(running.request.plan)) return;
    const now = clock.monotonic();
    const looks = this.#looks.get(running) ?? { nextAt: now + lookMs, inARow: 0, busy: [] };
    this.#looks.set(running, looks);
    if (now < looks.nextAt) return;
    looks.nextAt = now + lookMs;
    const busy = running.record.busy();
    const since = busy.map((ms, number) => Math.max(0, ms - (looks.busy[number] ?? 0)));
    looks.busy = busy;
    const input = this.#inputOf(running, since);
    looks.inARow = imbalanceOf(input) > imbalanceMost ? looks.inARow + 1 : 0;
    if (looks.inARow < looksInARow) return;
    looks.inARow = 0;
    looks.nextAt = now + restMs;
    this.#move(running, planRebalance(input));
  }

  #inputOf({ request, lives, record }: Running, measured: readonly number[]): RebalanceInput {
    const { slots, client } = this.#parts;
    const isTelling = measured.reduce((sum, ms) => sum + ms, 0) >= leastBusyMs;
    const busy = isTelling ? measured : measured.map(() => 0);
    const done = (number: number): boolean => {
      const life = lives.all[number];
      return life === undefined || record.isDone(life.step, life.channel);
    };
    const sizes = record.edgeSizes();
    return { plan: request.plan, slots: slots(), client, channels: lives.all, busy, done, sizes };
  }

  #move(running: Running, moves: readonly Move[]): readonly ChannelMove[] {
    if (moves.length === 0) return [];
    const { request, lives, recovering } = running;
    const { execution, plan } = request;
    const told = moves.map(({ number, from, to }): ChannelMove => {
      const { step = -1, channel = -1 } = lives.all[number] ?? {};
      return { step: plan.steps[step]?.id ?? "", channel, slot: to, from };
    });
    for (const { number, to } of moves) recovering?.choose(number, to);
    request.onEvent({ kind: "rebalanced", execution, moves: told });
    this.#parts.recover(
      running,
      moves.map(({ number }) => number),
    );
    return told;
  }
}
