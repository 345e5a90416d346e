import type { ChannelParts } from "./channel-parts.ts";
import type { Checkpoints } from "./checkpoints.ts";
import { ReaderWork } from "./reader-work.ts";
import { saveWhole } from "./saved-state.ts";
import type { Tasks } from "./tasks.ts";
import { SinkWork } from "./work.ts";

/**
 * How a channel pauses whose step is to have another number of channels: a reader reads nothing more, others take what is on its
 * way to them. Then all of the state is saved, and the links end, which tells consumers that nothing more comes.
 */
export class Draining {
  readonly #parts: ChannelParts;
  readonly #tasks: Tasks;
  readonly #checkpoints: Checkpoints;
  #pausing = false;
  #saved = false;

  constructor(parts: ChannelParts, tasks: Tasks, checkpoints: Checkpoints) {
    this.#parts = parts;
    this.#tasks = tasks;
    this.#checkpoints = checkpoints;
  }

  /** True once nothing is left to take: then the channel pauses. */
  pauses(): boolean {
    const { work, inputs } = this.#parts;
    if (!(work instanceof ReaderWork) && (this.#tasks.output !== undefined || !inputs.drained)) return false;
    this.pause();
    return true;
  }

  /** True for a reader that pauses: what is left of its split is read by the channels to come. */
  get leaves(): boolean {
    return this.#pausing && this.#parts.work instanceof ReaderWork;
  }

  /** The channel only waits for its commits, and then saves its state. */
  pause(): void {
    this.#pausing = true;
  }

  /** True if the state has yet to be saved before the links end. */
  get saves(): boolean {
    return this.#pausing && !this.#saved;
  }

  /** Saves the state, once all tasks are committed. A life that was shut out ends nothing. */
  async save(): Promise<void> {
    this.#saved = await saveWhole(this.#parts, this.#tasks, this.#checkpoints);
    if (!this.#saved) await new Promise<never>(() => {});
    if (this.leaves) await this.#tasks.stop()?.close();
    // The channels to come go on with what a sink has written.
    const { work } = this.#parts;
    if (work instanceof SinkWork) await work.leave();
  }
}
