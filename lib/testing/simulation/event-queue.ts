/** Something that is to happen at a time. */
export interface Event {
  readonly atMs: number;
  /** Orders events of the same time. */
  readonly tie: number;
  readonly number: number;
  /** Undefined once the event was cancelled. */
  callback: (() => void) | undefined;
}

// Cancelled events are swept out once there are this many, and they are the larger part.
const sweepMin = 1024;

/** Events in the order of their times: a binary heap. */
export class EventQueue {
  #heap: Event[] = [];
  #cancelled = 0;

  /** Events that are still to happen. */
  get size(): number {
    return this.#heap.length - this.#cancelled;
  }

  add(event: Event): void {
    this.#heap.push(event);
    this.#rise(this.#heap.length - 1);
  }

  cancel(event: Event): void {
    if (event.callback === undefined) return;
    event.callback = undefined;
    this.#cancelled++;
    if (this.#cancelled >= sweepMin && this.#cancelled * 2 > this.#heap.length) this.#sweep();
  }

  /** The next event, which stays. */
  peek(): Event | undefined {
    for (;;) {
      const first = this.#heap[0];
      if (first === undefined || first.callback !== undefined) return first;
      this.#removeFirst();
      this.#cancelled--;
    }
  }

  /** Takes the event that `peek` gave. */
  take(): void {
    this.#removeFirst();
  }

  #removeFirst(): void {
    const last = this.#heap.pop();
    if (last === undefined || this.#heap.length === 0) return;
    this.#heap[0] = last;
    this.#sink(0);
  }

  #sweep(): void {
    this.#heap = this.#heap.filter((event) => event.callback !== undefined);
    this.#cancelled = 0;
    for (let index = (this.#heap.length >> 1) - 1; index >= 0; index--) this.#sink(index);
  }

  #rise(from: number): void {
    const heap = this.#heap;
    const event = heap[from] as Event;
    let index = from;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      const above = heap[parent] as Event;
      if (!isBefore(event, above)) break;
      heap[index] = above;
      index = parent;
    }
    heap[index] = event;
  }

  #sink(from: number): void {
    const heap = this.#heap;
    const event = heap[from] as Event;
    let index = from;
    for (;;) {
      let child = 2 * index + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && isBefore(heap[child + 1] as Event, heap[child] as Event)) child++;
      const below = heap[child] as Event;
      if (!isBefore(below, event)) break;
      heap[index] = below;
      index = child;
    }
    heap[index] = event;
  }
}

function isBefore(left: Event, right: Event): boolean {
  if (left.atMs !== right.atMs) return left.atMs < right.atMs;
  if (left.tie !== right.tie) return left.tie < right.tie;
  return left.number < right.number;
}
