import { representationOf } from "../../../lib/core/batch/index.ts";
import type { Context } from "../../../lib/core/contracts/context.ts";
import type { FileWriter } from "../../../lib/core/contracts/file-system.ts";
import type { ResumableWriter, SinkChannel } from "../../../lib/core/contracts/sink.ts";
import { QStreamError } from "../../../lib/core/errors.ts";
import { support } from "./batch-support.ts";
import type { FileFormat, PartEncoder } from "./format.ts";
import { PartFiles } from "./part-files.ts";

/** One channel's part of a file sink's result. */
export interface FilesPart {
  readonly execution: string;
  /** Whose temporary files may still be there. */
  readonly owner: string | undefined;
  readonly files: readonly string[];
  readonly rows: number;
  readonly bytes: number;
}

export interface FileChannelOptions {
  readonly folder: string;
  readonly format: FileFormat;
  readonly rowsPerFile: number;
  readonly bytesPerFile: number;
  /** Put into names, so that files of several executions stay apart. */
  readonly mark: string | undefined;
}

/** A file that is finished, and not seen before the commit. */
export interface ClosedPart {
  readonly writer: FileWriter;
  readonly rows: number;
  readonly bytes: number;
}

/** The file that is being written: always the one after the closed ones. */
export interface OpenPart {
  readonly writer: FileWriter;
  readonly encoder: PartEncoder;
  rows: number;
  bytes: number;
}

/** One channel of a file sink: one file after the other, finished but invisible until the commit. */
export class FileChannel implements SinkChannel<unknown> {
  protected readonly options: FileChannelOptions;
  protected readonly ctx: Context;
  protected readonly files: PartFiles;
  protected readonly closed: ClosedPart[] = [];
  protected open: OpenPart | undefined;
  readonly #writers: FileWriter[] = [];
  #creating: Promise<FileWriter> | undefined;
  #aborted = false;

  constructor(options: FileChannelOptions, ctx: Context) {
    this.options = options;
    this.ctx = ctx;
    this.files = new PartFiles({ ...options, extension: options.format.extension }, ctx);
  }

  async write(objects: readonly unknown[]): Promise<void> {
    if (objects.length === 0) return;
    if (representationOf(objects[0]) === undefined) {
      await this.#writeRows(objects.length, (part, from, to) =>
        part.encoder.objects(from === 0 && to === objects.length ? objects : objects.slice(from, to)),
      );
      return;
    }
    const batches = support();
    for (const batch of objects) {
      const rows = batches.rows(batch);
      // oxlint-disable-next-line no-await-in-loop -- one batch after the other
      await this.#writeRows(rows, (part, from, to) =>
        part.encoder.batch(from === 0 && to === rows ? batch : batches.slice(batch, from, to)),
      );
    }
  }

  async done(): Promise<FilesPart> {
    await this.#endPart();
    return {
      execution: this.ctx.execution,
      owner: this.files.owner,
      files: this.closed.map((_, index) => this.files.path(index)),
      rows: this.closed.reduce((sum, part) => sum + part.rows, 0),
      bytes: this.closed.reduce((sum, part) => sum + part.bytes, 0),
    };
  }

  /** What is left under temporary names stays until all channels have committed: until then a later life may need it. */
  async commit(): Promise<void> {
    // oxlint-disable-next-line no-await-in-loop -- in the order of their names
    for (const part of this.closed) await part.writer.commit();
  }

  /** May come while a file is written, or made: that is waited for, and removed too. */
  async abort(): Promise<void> {
    await this.#end();
    await Promise.all(this.#writers.map((writer) => writer.abort()));
    await this.files.discard();
  }

  async #end(): Promise<void> {
    this.#aborted = true;
    this.open = undefined;
    await this.#creating?.catch(() => undefined);
  }

  /** What is left stays under hidden names. */
  async leave(): Promise<void> {
    await this.#end();
    await Promise.all(this.#writers.map((writer) => (isResumable(writer) ? writer.leave() : writer.abort())));
  }

  /** Makes the writer of the channel's nth file, or of the rest of it. */
  protected async createWriter(index: number, from?: unknown): Promise<FileWriter> {
    if (this.#aborted) throw aborted();
    this.#creating = this.files.create(index, from).then((created) => {
      this.#writers.push(created);
      return created;
    });
    const writer = await this.#creating;
    if (this.#aborted) throw aborted();
    return writer;
  }

  /** Called after a file's rows are all in it. */
  protected partEnded(): void | Promise<void> {}

  /** Writes rows to as many files as they need. */
  async #writeRows(
    rows: number,
    encode: (part: OpenPart, from: number, to: number) => Uint8Array | undefined,
  ): Promise<void> {
    const { rowsPerFile, bytesPerFile } = this.options;
    for (let from = 0; from < rows;) {
      // oxlint-disable-next-line no-await-in-loop -- one file after the other
      const part = (this.open ??= await this.#startPart());
      const to = Math.min(rows, from + rowsPerFile - part.rows);
      const bytes = encode(part, from, to);
      part.rows += to - from;
      from = to;
      // oxlint-disable-next-line no-await-in-loop -- see above
      if (bytes !== undefined) await this.#put(part, bytes);
      // oxlint-disable-next-line no-await-in-loop -- see above
      if (part.rows >= rowsPerFile || part.bytes + part.encoder.heldBytes >= bytesPerFile) await this.#endPart();
    }
  }

  async #startPart(): Promise<OpenPart> {
    const writer = await this.createWriter(this.closed.length);
    return { writer, encoder: this.options.format.encoder(this.ctx), rows: 0, bytes: 0 };
  }

  async #endPart(): Promise<void> {
    const part = this.open;
    if (part === undefined) return;
    this.open = undefined;
    for await (const bytes of part.encoder.end()) await this.#put(part, bytes);
    await part.writer.finish();
    this.closed.push({ writer: part.writer, rows: part.rows, bytes: part.bytes });
    await this.partEnded();
  }

  async #put(part: OpenPart, bytes: Uint8Array): Promise<void> {
    part.bytes += bytes.byteLength;
    await part.writer.write(bytes);
  }
}

function aborted(): QStreamError {
  return new QStreamError("ABORTED", "the execution was stopped while its files were written");
}

function isResumable(writer: FileWriter): writer is ResumableWriter {
  return "leave" in writer;
}
