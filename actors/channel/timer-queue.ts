/** A timer as it waits for its time. */
export interface QueuedTimer {
  readonly name: string;
  /** Milliseconds since 1970 at which it goes off. */
  readonly at: number;
  /** The same as the clock's `monotonic` counts. */
  readonly dueMs: number;
  /** Grows with each that is set: of those of one time the earlier goes first. */
  readonly order: number;
}

// Timers of no use any more that may be left, beside as many as those that are.
const spareMin = 64;

/**
 * Timers by their times: a heap. One that is cleared, or set anew, stays in it until it comes to the front or those that are of
 * no use are more than the others.
 */
export class TimerQueue {
  #heap: QueuedTimer[] = [];
  readonly #isPending: (timer: QueuedTimer) => boolean;
  #count = 0;

  constructor(isPending: (timer: QueuedTimer) => boolean) {
    this.#isPending = isPending;
  }

  add(name: string, at: number, dueMs: number): QueuedTimer {
    const timer = { name, at, dueMs, order: this.#count++ };
    this.#push(timer);
    return timer;
  }

  /** The pending timer that goes off next. */
  first(): QueuedTimer | undefined {
    for (;;) {
      const first = this.#heap[0];
      if (first === undefined || this.#isPending(first)) return first;
      this.#pop();
    }
  }

  /** @param pending - how many are */
  compact(pending: number): void {
    if (this.#heap.length <= 2 * pending + spareMin) return;
    // What is in order is a heap.
    this.#heap = this.#heap.filter(this.#isPending).toSorted((a, b) => (isBefore(a, b) ? -1 : 1));
  }

  clear(): void {
    this.#heap = [];
  }

  #push(timer: QueuedTimer): void {
    const heap = this.#heap;
    let at = heap.length;
    while (at > 0) {
      const above = (at - 1) >> 1;
      const parent = heap[above] as QueuedTimer;
      if (!isBefore(timer, parent)) break;
      heap[at] = parent;
      at = above;
    }
    heap[at] = timer;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    let at = 0;
    for (;;) {
      let below = 2 * at + 1;
      if (below >= heap.length) break;
      if (below + 1 < heap.length && isBefore(heap[below + 1] as QueuedTimer, heap[below] as QueuedTimer)) below++;
      const child = heap[below] as QueuedTimer;
      if (!isBefore(child, last)) break;
      heap[at] = child;
      at = below;
    }
    heap[at] = last;
  }
}

function isBefore(one: QueuedTimer, other: QueuedTimer): boolean {
  return one.dueMs < other.dueMs || (one.dueMs === other.dueMs && one.order < other.order);
}
