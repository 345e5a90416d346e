import type { LostMessage, RunMessage, RunSend, RunStep, RunTrace } from "../../../../lib/testing/explore/trace.ts";

/** What a made-up algorithm does in a step. */
export interface Doing {
  readonly random: () => number;
  send: (to: string, text: string) => void;
  timer: (name: string, afterMs: number) => void;
}

export type Behaviour = (event: { kind: string; from: string; text: string }, state: unknown, doing: Doing) => unknown;

export interface WorldSettings {
  readonly title: string;
  readonly seed: number;
  readonly ids: readonly string[];
  readonly machine?: (id: string) => string;
  readonly behaviour: (id: string) => Behaviour;
  readonly lossRate?: number;
  readonly duplicateRate?: number;
  /** Faults by the number of the step before which they happen. */
  readonly faults?: Readonly<Record<number, Pick<RunStep, "kind" | "line"> & Partial<RunStep>>>;
}

interface Coming {
  readonly at: number;
  readonly line: string;
  readonly kind: "deliver" | "timer";
  readonly text: string;
  readonly message?: RunMessage;
}

/** A tiny simulated network that runs made-up algorithms and writes down what happens, for pictures of it. */
export function runMadeWorld(settings: WorldSettings, stepsMax: number): RunTrace {
  const world = new MadeWorld(settings);
  for (const id of settings.ids) world.step({ line: id, kind: "start" }, { kind: "start", from: "", text: "" });
  while (world.steps.length < stepsMax && world.next());
  const { title, seed, ids, machine } = settings;
  const lines = ids.map((id) => (machine === undefined ? { id } : { id, machine: machine(id) }));
  return {
    title,
    seed,
    command: `npx qstream explore raft.js --seed ${seed} --steps ${stepsMax}`,
    lines,
    steps: world.steps,
  };
}

class MadeWorld {
  readonly steps: RunStep[] = [];
  readonly #settings: WorldSettings;
  readonly #states = new Map<string, unknown>();
  readonly #crashed = new Set<string>();
  #groups: readonly (readonly string[])[] = [];
  #coming: Coming[] = [];
  #now = 0;
  #messages = 0;
  #seed: number;

  constructor(settings: WorldSettings) {
    this.#settings = settings;
    this.#seed = settings.seed;
  }

  readonly random = (): number => {
    this.#seed = (Math.imul(this.#seed, 1664525) + 1013904223) >>> 0;
    return this.#seed / 2 ** 32;
  };

  /** Takes the next step; false where nothing is to come. */
  next(): boolean {
    const fault = this.#settings.faults?.[this.steps.length];
    if (fault !== undefined) {
      this.#fail(fault);
      return true;
    }
    const [first] = this.#coming.toSorted((one, other) => one.at - other.at);
    if (first === undefined) return false;
    this.#coming = this.#coming.filter((coming) => coming !== first);
    this.#now = Math.max(this.#now, first.at);
    const { line, kind, text, message } = first;
    if (this.#crashed.has(line)) {
      if (message !== undefined) this.#note({ ...message, to: line, reason: "receiver is down" });
      return true;
    }
    const event = { kind, from: message?.from ?? "", text };
    this.step(message === undefined ? { line, kind, text } : { line, kind, message }, event);
    return true;
  }

  step(partial: Pick<RunStep, "line" | "kind"> & Partial<RunStep>, event: Parameters<Behaviour>[0]): void {
    const { line } = partial;
    const step = this.steps.length;
    const [sends, lost]: [RunSend[], LostMessage[]] = [[], []];
    const doing: Doing = {
      random: this.random,
      timer: (name, afterMs) => {
        this.#coming = this.#coming.filter((coming) => coming.line !== line || coming.text !== name);
        this.#coming.push({ at: this.#now + afterMs, line, kind: "timer", text: name });
      },
      send: (to, text) => {
        const message = { id: ++this.#messages, from: line, sentAt: this.#now, sentStep: step, text };
        sends.push({ id: message.id, to, text });
        const reason = this.#reasonOfLoss(line, to);
        if (reason !== undefined) lost.push({ ...message, to, reason });
        else this.#carry(message, to);
      },
    };
    const state = this.#settings.behaviour(line)(event, this.#states.get(line), doing);
    this.#states.set(line, state);
    this.steps.push({
      ...partial,
      at: this.#now,
      step,
      state: JSON.stringify(state),
      ...(sends.length === 0 ? {} : { sends }),
      ...(lost.length === 0 ? {} : { lost }),
    });
  }

  #carry(message: RunMessage, to: string): void {
    const at = this.#now + 2 + this.random() * 12;
    this.#coming.push({ at, line: to, kind: "deliver", text: message.text, message });
    if (this.random() >= (this.#settings.duplicateRate ?? 0)) return;
    const copy = { ...message, duplicate: "copied by the network" };
    this.#coming.push({ at: at + 1 + this.random() * 9, line: to, kind: "deliver", text: message.text, message: copy });
  }

  #reasonOfLoss(from: string, to: string): string | undefined {
    const side = (id: string): number => this.#groups.findIndex((group) => group.includes(id));
    if (side(from) !== side(to)) return "parted";
    return this.random() < (this.#settings.lossRate ?? 0) ? "dropped" : undefined;
  }

  #note(gone: LostMessage): void {
    this.steps.push({ at: this.#now, step: this.steps.length, line: "", kind: "note", lost: [gone] });
  }

  #fail(fault: Pick<RunStep, "kind" | "line"> & Partial<RunStep>): void {
    if (fault.kind === "partition") this.#groups = fault.groups ?? [];
    if (fault.kind === "heal") this.#groups = [];
    if (fault.kind === "crash") this.#crashed.add(fault.line);
    if (fault.kind !== "restart") {
      this.steps.push({ ...fault, at: this.#now, step: this.steps.length });
      return;
    }
    this.#crashed.delete(fault.line);
    this.step(fault, { kind: "start", from: "", text: "" });
  }
}
