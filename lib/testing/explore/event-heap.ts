const roomAtFirst = 64;
// Cancelled events are swept out once there are this many, and they are the larger part.
const sweepMin = 256;

/** Events by their times: a binary heap whose times are numbers side by side, as comparing them is most of its work. */
export class EventHeap<WorldEvent> {
  readonly #isCancelled: (event: WorldEvent) => boolean;
  #times = new Float64Array(roomAtFirst);
  readonly #events: WorldEvent[] = [];
  #cancelled = 0;

  constructor(isCancelled: (event: WorldEvent) => boolean) {
    this.#isCancelled = isCancelled;
  }

  /** When the next event is due, also one that was cancelled. Infinity where there is none. */
  get nextAt(): number {
    return this.#events.length === 0 ? Infinity : (this.#times[0] as number);
  }

  add(at: number, event: WorldEvent): void {
    const count = this.#events.length;
    if (count === this.#times.length) {
      const larger = new Float64Array(count * 2);
      larger.set(this.#times);
      this.#times = larger;
    }
    this.#events.push(event);
    this.#rise(count, at, event);
  }

  /** Takes the next event; undefined where there is none. */
  take(): WorldEvent | undefined {
    const events = this.#events;
    const first = events[0];
    const last = events.pop();
    if (first === undefined || last === undefined) return undefined;
    if (events.length > 0) this.#sink(0, this.#times[events.length] as number, last);
    return first;
  }

  /** An event in here has been cancelled. */
  cancelled(): void {
    this.#cancelled++;
    if (this.#cancelled < sweepMin || this.#cancelled * 2 < this.#events.length) return;
    this.#cancelled = 0;
    this.#keep((event) => !this.#isCancelled(event));
  }

  /** All events, in no order. */
  all(): readonly WorldEvent[] {
    return this.#events;
  }

  #keep(isKept: (event: WorldEvent) => boolean): void {
    const kept = this.#events
      .map((event, index) => [this.#times[index] as number, event] as const)
      .filter(([, event]) => isKept(event));
    this.#events.length = 0;
    for (const [at, event] of kept) this.add(at, event);
  }

  #rise(from: number, at: number, event: WorldEvent): void {
    const times = this.#times;
    const events = this.#events;
    let index = from;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      const above = times[parent] as number;
      if (above <= at) break;
      times[index] = above;
      events[index] = events[parent] as WorldEvent;
      index = parent;
    }
    times[index] = at;
    events[index] = event;
  }

  #sink(from: number, at: number, event: WorldEvent): void {
    const times = this.#times;
    const events = this.#events;
    const count = events.length;
    let index = from;
    for (;;) {
      let child = 2 * index + 1;
      if (child >= count) break;
      if (child + 1 < count && (times[child + 1] as number) < (times[child] as number)) child++;
      const below = times[child] as number;
      if (below >= at) break;
      times[index] = below;
      events[index] = events[child] as WorldEvent;
      index = child;
    }
    times[index] = at;
    events[index] = event;
  }
}
