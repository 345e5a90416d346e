import type { Context } from "../../../lib/core/contracts/context.ts";
import type { FileWriter } from "../../../lib/core/contracts/file-system.ts";
import type { ResumableWriter, SinkChannel } from "../../../lib/core/contracts/sink.ts";
import { QStreamError } from "../../../lib/core/errors.ts";
import { FileChannel, type FileChannelOptions } from "./file-channel.ts";
import { HeldJournal, type HeldState } from "./held-journal.ts";
import { resumable } from "./part-files.ts";

/** A channel of a file sink: recovered from checkpoints where the file system can go on with files, else by replay alone. */
export function fileChannel(options: FileChannelOptions, ctx: Context): SinkChannel<unknown> {
  const Channel = resumable(ctx.files) === undefined ? FileChannel : RecoverableFileChannel;
  return new Channel(options, ctx);
}

interface PartState {
  /** What the file system needs to go on with the file. */
  readonly file: unknown;
  readonly rows: number;
  readonly bytes: number;
}

interface OpenPartState extends PartState {
  readonly encoder: unknown;
  readonly held: HeldState | undefined;
}

/** What a checkpoint has of a file sink's channel. */
export interface FilesState {
  readonly version: 1;
  readonly closed: readonly PartState[];
  readonly open: OpenPartState | undefined;
}

/** Checkpoints after a file's end until its rows are removed: the newest that is durable doesn't refer to them any more. */
const snapshotsUntilRemoved = 2;

class RecoverableFileChannel extends FileChannel {
  readonly #closedStates: PartState[] = [];
  #journal: HeldJournal | undefined;
  #ended: { readonly paths: readonly string[]; snapshots: number }[] = [];

  async snapshot(): Promise<FilesState> {
    await this.#removeEnded();
    for (const part of this.closed.slice(this.#closedStates.length)) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other, each once
      this.#closedStates.push({ file: await stateOf(part.writer), rows: part.rows, bytes: part.bytes });
    }
    return { version: 1, closed: [...this.#closedStates], open: await this.#openState() };
  }

  async restore(state: FilesState): Promise<void> {
    if (state.version !== 1) {
      throw new QStreamError("NOT_RECOVERABLE", `a file sink's checkpoint has version ${String(state.version)}`, {
        advice: "Go on with the version of QStream that the execution was started with.",
      });
    }
    for (const part of state.closed) {
      // oxlint-disable-next-line no-await-in-loop -- in the order of their names
      const writer = await this.createWriter(this.closed.length, part.file);
      this.closed.push({ writer, rows: part.rows, bytes: part.bytes });
      this.#closedStates.push(part);
    }
    if (state.open === undefined) return;
    const { rows, bytes, file, encoder: encoderState, held } = state.open;
    const encoder = this.options.format.encoder(this.ctx, encoderState);
    if (held !== undefined && encoder.held !== undefined) await this.#newJournal().restore(held, encoder.held);
    this.open = { writer: await this.createWriter(this.closed.length, file), encoder, rows, bytes };
  }

  protected override partEnded(): void {
    const paths = this.#journal?.paths ?? [];
    this.#journal = undefined;
    if (paths.length > 0) this.#ended.push({ paths, snapshots: 0 });
  }

  async #openState(): Promise<OpenPartState | undefined> {
    const { open } = this;
    if (open === undefined) return undefined;
    const { writer, encoder, rows, bytes } = open;
    const held =
      encoder.held === undefined
        ? undefined
        : await (this.#journal ?? this.#newJournal()).save(encoder.held, encoder.heldBytes);
    return { file: await stateOf(writer), rows, bytes, encoder: encoder.state?.(), held };
  }

  #newJournal(): HeldJournal {
    const index = this.closed.length;
    return (this.#journal = new HeldJournal(this.ctx.files, (rows) => this.files.rowsPath(index, rows)));
  }

  async #removeEnded(): Promise<void> {
    for (const ended of this.#ended) ended.snapshots += 1;
    const unneeded = this.#ended.filter((ended) => ended.snapshots > snapshotsUntilRemoved);
    this.#ended = this.#ended.filter((ended) => ended.snapshots <= snapshotsUntilRemoved);
    const paths = unneeded.flatMap((ended) => ended.paths);
    if (paths.length > 0) await this.ctx.files.remove(paths);
  }
}

function stateOf(writer: FileWriter): Promise<unknown> {
  return (writer as ResumableWriter).snapshot();
}
