import { actor } from "../../../../lib/actors/actor.ts";
import type { ActorContext } from "../../../../lib/core/contracts/actor.ts";

/** A piece of work, and what comes of it. */
export interface Job {
  readonly id: number;
  readonly worker: string;
  readonly how: "plain" | "fails" | "aside" | "stops" | "later" | "refuses";
  readonly next: readonly Job[];
}

/** What a worker has been sent by one other, in order. */
interface Sent {
  readonly from: string;
  readonly number: number;
  readonly job: Job;
}

interface WorkerState {
  readonly key: string;
  readonly done: number[];
  /** By receivers, how many were sent to each: the number of the next one. */
  readonly sent: Record<string, number>;
  /** By senders, the number of the last one. */
  readonly heard: Record<string, number>;
  /** Of each job, what chance gave: the ledger has to have been told the same. */
  readonly drawn: Record<number, number>;
  readonly asideFor: number[];
  readonly disorder: string[];
}

/** Notes what it is told: each job once, if all is well. */
export const ledger = actor({
  kind: "ledger",
  durable: { snapshotEvery: 5 },
  init: (_key: string): { readonly notes: { id: number; drawn: number; at: number }[] } => ({ notes: [] }),
  receive: {
    note({ notes }, note: { readonly id: number; readonly drawn: number; readonly at: number }) {
      notes.push(note);
    },
    get: ({ notes }) => notes,
  },
});

/** Ends the worker that fails so: its next message brings it back. */
class Fatal extends Error {}

/** Does jobs, and sends what comes of them to others like it. */
export const worker = actor({
  kind: "worker",
  durable: { snapshotEvery: 4 },
  supervise: [{ on: Fatal, do: "stop" }],
  init: (key: string): WorkerState => ({ key, done: [], sent: {}, heard: {}, drawn: {}, asideFor: [], disorder: [] }),
  receive: {
    work(state, { from, number, job }: Sent, ctx) {
      // What is put aside is handled later, though it came in order.
      if (!state.asideFor.includes(job.id)) order(state, from, number);
      if (job.how === "fails") {
        state.done.push(-1);
        ctx.after(1, "finish", job);
        throw job.id % 2 === 0 ? new Error(`job ${job.id} fails`) : new Fatal(`job ${job.id} ends its worker`);
      }
      if (job.how === "aside" && !state.asideFor.includes(job.id)) {
        state.asideFor.push(job.id);
        ctx.stash();
        return;
      }
      if (job.how === "later") ctx.after(1 + (job.id % 50), "finish", job);
      else finish(state, job, ctx);
      if (job.how === "stops") ctx.stop();
      if (job.how !== "aside") ctx.unstash();
      if (job.how === "refuses") ctx.refuse(new Error(`job ${job.id} is refused`));
    },
    finish,
    unstash(_state, _none: undefined, ctx) {
      ctx.unstash();
    },
    get: (state) => state,
  },
});

/** Begins jobs, one after the other, by a timer. */
export const source = actor({
  kind: "source",
  durable: { snapshotEvery: 3 },
  init: (_key: string): { jobs: readonly Job[]; next: number; sent: Record<string, number> } => ({
    jobs: [],
    next: 0,
    sent: {},
  }),
  receive: {
    start(state, jobs: readonly Job[], ctx) {
      if (state.jobs.length > 0) return;
      state.jobs = jobs;
      ctx.after(1, "next");
    },
    next(state, _none: undefined, ctx) {
      const job = state.jobs[state.next++];
      if (job === undefined) return;
      send(state.sent, "source", job, ctx);
      ctx.after(1 + Math.floor(ctx.random() * 20), "next");
    },
    isDone: ({ jobs, next }) => jobs.length > 0 && next > jobs.length,
  },
});

function order(state: WorkerState, from: string, number: number): void {
  const last = state.heard[from] ?? 0;
  // A job that failed left no trace, not even of its number.
  if (number <= last) state.disorder.push(`${from} sent ${number} after ${last}`);
  state.heard[from] = number;
}

function finish(state: WorkerState, job: Job, ctx: ActorContext): void {
  state.done.push(job.id);
  const drawn = ctx.random();
  state.drawn[job.id] = drawn;
  ctx.entity(ledger, "all").tell("note", { id: job.id, drawn, at: ctx.now() });
  for (const next of job.next) send(state.sent, state.key, next, ctx);
}

function send(sent: Record<string, number>, from: string, job: Job, ctx: ActorContext): void {
  const number = (sent[job.worker] ?? 0) + 1;
  sent[job.worker] = number;
  ctx.entity(worker, job.worker).tell("work", { from, number, job });
}

export const workers = ["a", "b", "c", "d"];

/** Draws jobs, each with what comes of it. */
export function drawJobs(random: () => number, count: number, mayBeAside: boolean): Job[] {
  let ids = 0;
  const aside = mayBeAside ? "aside" : "plain";
  const hows = ["plain", "plain", "plain", "plain", "later", aside, "stops", "fails", "refuses"] as const;
  const draw = (depth: number): Job => {
    const id = ++ids;
    const how = hows[Math.floor(random() * hows.length)] ?? "plain";
    const width = depth === 0 ? 0 : Math.floor(random() * 3);
    const next = Array.from({ length: width }, () => draw(depth - 1));
    return { id, how, worker: workers[Math.floor(random() * workers.length)] ?? "a", next };
  };
  return Array.from({ length: count }, () => draw(3));
}

/** The jobs that are done where nothing is lost, ascending. */
export function doneOf(jobs: readonly Job[]): number[] {
  return jobs.flatMap(doneIn).toSorted((a, b) => a - b);
}

function doneIn({ id, how, next }: Job): number[] {
  return how === "fails" ? [] : [id, ...next.flatMap(doneIn)];
}
