import { deepFreeze } from "../../core/deep-freeze.ts";

/**
 * What a machine keeps while it is down: values by key. What is written counts once it is flushed: a crash loses what isn't, from its
 * end on. Values are read-only from then on, as messages are.
 */
export interface ExploredDisk {
  /** The value that was written last; undefined where there is none. Whoever runs sees what isn't flushed, too. */
  get: <T = unknown>(key: string) => T | undefined;
  /** Writes a value; undefined takes it away. */
  set: (key: string, value: unknown) => void;
  /** All that was written so far stays. */
  flush: () => void;
  keys: () => IterableIterator<string>;
}

interface Write {
  readonly key: string;
  readonly before: unknown;
}

/** A machine's disk, which outlives the machine's lives. */
export class MachineDisk implements ExploredDisk {
  readonly #values = new Map<string, unknown>();
  /** What isn't flushed, with what was there before it. */
  #unflushed: Write[] = [];
  readonly #isStrict: boolean;
  readonly #touched: (isChanged: boolean) => void;

  /** The machine's number. */
  readonly machine: number;

  /** @param touched - told of each look and each change, as several actors may use one disk */
  constructor(machine: number, isStrict: boolean, touched: (isChanged: boolean) => void) {
    this.machine = machine;
    this.#isStrict = isStrict;
    this.#touched = touched;
  }

  get<T = unknown>(key: string): T | undefined {
    this.#touched(false);
    return this.#values.get(key) as T | undefined;
  }

  set(key: string, value: unknown): void {
    this.#touched(true);
    if (this.#isStrict && typeof value === "object") deepFreeze(value);
    this.#unflushed.push({ key, before: this.#values.get(key) });
    this.#put(key, value);
  }

  flush(): void {
    this.#touched(true);
    if (this.#unflushed.length > 0) this.#unflushed = [];
  }

  keys(): IterableIterator<string> {
    this.#touched(false);
    return this.#values.keys();
  }

  get size(): number {
    this.#touched(false);
    return this.#values.size;
  }

  /** How many writes a crash could lose. */
  get unflushed(): number {
    return this.#unflushed.length;
  }

  /** All that is on it, and what a crash could put back. */
  content(): { readonly values: ReadonlyMap<string, unknown>; readonly unflushed: readonly Write[] } {
    return { values: this.#values, unflushed: this.#unflushed };
  }

  /** Loses what isn't flushed, but for the first so many writes. */
  crash(kept: number): void {
    this.#touched(true);
    for (let write = this.#unflushed.pop(); write !== undefined; write = this.#unflushed.pop()) {
      if (this.#unflushed.length < kept) break;
      this.#put(write.key, write.before);
    }
    this.#unflushed = [];
  }

  wipe(): void {
    this.#touched(true);
    this.#values.clear();
    this.#unflushed = [];
  }

  #put(key: string, value: unknown): void {
    if (value === undefined) this.#values.delete(key);
    else this.#values.set(key, value);
  }
}
