import type { Context } from "../../../lib/core/contracts/context.ts";
import type { FileSystem, FileWriter } from "../../../lib/core/contracts/file-system.ts";
import type { ResumableFiles } from "../../../lib/core/contracts/sink.ts";
import { fingerprintOf } from "../../../lib/core/fingerprint.ts";
import { partName } from "./target.ts";

export interface PartFilesOptions {
  readonly folder: string;
  readonly extension: string;
  /** Put into names, so that files of several executions stay apart. */
  readonly mark: string | undefined;
}

/** The file system as one that goes on with files of an earlier life, where it can. */
export function resumable(files: FileSystem): ResumableFiles | undefined {
  const candidate = files as FileSystem & Partial<ResumableFiles>;
  return candidate.createResumable === undefined || candidate.discardResumable === undefined
    ? undefined
    : (candidate as FileSystem & ResumableFiles);
}

/** Removes what all lives of an owner left in a folder under temporary names. */
export async function discard(files: FileSystem, folder: string, owner: string | undefined): Promise<void> {
  if (owner !== undefined) await resumable(files)?.discardResumable(folder, owner);
}

/** The names of one channel's files, temporary and final, and the way to make them. The same in all lives of the channel. */
export class PartFiles {
  readonly #options: PartFilesOptions;
  readonly #ctx: Context;
  readonly #resumable: ResumableFiles | undefined;
  /** The beginning of the names of temporary files; undefined where no later life can find them. */
  readonly owner: string | undefined;

  constructor(options: PartFilesOptions, ctx: Context) {
    this.#options = options;
    this.#ctx = ctx;
    this.#resumable = resumable(ctx.files);
    const owner = `${ctx.execution}.${nameable(ctx.step)}.${ctx.channel}`;
    this.owner = this.#resumable === undefined ? undefined : owner;
  }

  /** The final path of the channel's nth file: distinct in all channels. */
  path(index: number): string {
    return `${this.#options.folder}${this.#name(index)}`;
  }

  /** The path of rows that belong to the nth file, hidden and removed by `discard`. */
  rowsPath(index: number, rows: string): string {
    return `${this.#options.folder}.${this.owner ?? ""}.${this.#name(index)}.rows-${rows}`;
  }

  /** Creates the nth file, or goes on with it. */
  create(index: number, from?: unknown): Promise<FileWriter> {
    if (this.#resumable === undefined || this.owner === undefined) return this.#ctx.files.create(this.path(index));
    const options = { owner: this.owner, ...(from === undefined ? {} : { from }) };
    return this.#resumable.createResumable(this.path(index), options);
  }

  /** Removes everything under temporary names, of all lives of this channel. */
  discard(): Promise<void> {
    return discard(this.#ctx.files, this.#options.folder, this.owner);
  }

  #name(index: number): string {
    const { channel, channels } = this.#ctx;
    return partName(channel + channels * index, this.#options.extension, this.#options.mark);
  }
}

const nameMax = 60;

/** A step's id as part of a file's name: other characters as their codes, and what is long cut and told apart by a hash. */
function nameable(step: string): string {
  const name = step.replaceAll(/[^\w-]/gu, (character) => `=${(character.codePointAt(0) ?? 0).toString(16)}`);
  return name.length <= nameMax ? name : `${name.slice(0, nameMax - 17)}=${fingerprintOf(step)}`;
}
