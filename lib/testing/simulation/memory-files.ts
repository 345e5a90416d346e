import { basename, dirname, join } from "node:path";
import { crc32 } from "node:zlib";
import type { FileEntry, FileSystem, FileWriter, OpenFile } from "../../core/contracts/file-system.ts";
import type { ResumableFiles, ResumableOptions, ResumableWriter } from "../../core/contracts/sink.ts";
import { QStreamError } from "../../core/errors.ts";
import { globExpression, isGlob } from "../../files/index.ts";

/** A file, whatever its name is or becomes: one that is removed while it is written goes on being written, for nobody. */
interface Content {
  bytes: Uint8Array;
  version: number;
}

/** What a later life of a writer goes on from. */
interface WriterState {
  readonly temporary: string;
  readonly bytes: number;
  readonly checksum: number;
  readonly finished: boolean;
}

/**
 * The files of a simulated world: those that are written stay in memory, one world's unseen by another's; all else is read
 * from a file system beneath. Writers can be gone on with, by the rules of the local ones: each life has a file of its own.
 */
export class MemoryFiles implements FileSystem, ResumableFiles {
  readonly #beneath: FileSystem;
  readonly #files = new Map<string, Content>();
  readonly #temporary = new Map<string, Content>();
  readonly #removed = new Set<string>();
  /** Files beneath that somebody reads, or whose reader was killed. */
  readonly #open = new Set<OpenFile>();
  #count = 0;

  /** @param beneath - where files are read that nobody has written here */
  constructor(beneath: FileSystem) {
    this.#beneath = beneath;
  }

  /** What was written and committed, by path. */
  get written(): ReadonlyMap<string, Uint8Array> {
    return new Map([...this.#files].map(([path, { bytes }]) => [path, bytes]));
  }

  /** Names of what no reader sees: files that were never finished, and what sinks keep for later lives of theirs. */
  get hidden(): readonly string[] {
    const committed = [...this.#files.keys()].filter((path) => basename(path).startsWith("."));
    return [...this.#temporary.keys(), ...committed];
  }

  async list(paths: string | readonly string[], signal?: AbortSignal): Promise<readonly FileEntry[]> {
    const found = new Map<string, FileEntry>();
    for (const path of typeof paths === "string" ? [paths] : paths) {
      signal?.throwIfAborted();
      // oxlint-disable-next-line no-await-in-loop -- one after the other, as elsewhere
      for (const entry of await this.#listed(path, signal)) found.set(entry.path, entry);
      const matches = matcherOf(this.#resolve(path));
      for (const [name, content] of this.#files) {
        if (matches(name) && !basename(name).startsWith(".")) found.set(name, entryOf(name, content));
      }
    }
    if (found.size > 0) return [...found.values()].toSorted((a, b) => (a.path < b.path ? -1 : 1));
    throw new QStreamError("PATH_NOT_FOUND", "no such file or folder", { file: String(paths) });
  }

  async open(entry: FileEntry | string, signal?: AbortSignal): Promise<OpenFile> {
    const path = typeof entry === "string" ? entry : entry.path;
    const resolved = this.#resolve(path);
    const content = this.#files.get(resolved);
    if (content !== undefined) return openContent(resolved, content);
    if (!this.#removed.has(resolved)) return this.#openBeneath(entry, signal);
    throw new QStreamError("PATH_NOT_FOUND", "the file was removed", { file: path });
  }

  /** The world is over: closes what those left open that were killed in it. */
  async close(): Promise<void> {
    await Promise.allSettled([...this.#open].map((file) => file.close()));
  }

  async create(path: string): Promise<FileWriter> {
    const resolved = this.#resolve(path);
    return this.#writer(resolved, `.writing.${basename(resolved)}`);
  }

  async createResumable(path: string, { owner, from }: ResumableOptions): Promise<ResumableWriter> {
    const resolved = this.#resolve(path);
    const prefix = `.${owner}.${basename(resolved)}`;
    if (from === undefined) return this.#writer(resolved, prefix);
    const state = from as WriterState;
    const temporary = join(dirname(resolved), state.temporary);
    const sources = [this.#temporary.get(temporary), this.#files.get(resolved)];
    const source = sources.find((content) => content !== undefined && holds(content, state));
    if (source === undefined) {
      throw new QStreamError("NOT_RECOVERABLE", "a file that was being written isn't what it was", { file: path });
    }
    if (state.finished) return this.#writerOf(resolved, temporary, source, true);
    return this.#writer(resolved, prefix, source.bytes.slice(0, state.bytes));
  }

  async discardResumable(folder: string, owner: string): Promise<void> {
    const resolved = this.#resolve(folder);
    for (const files of [this.#temporary, this.#files]) {
      for (const path of files.keys()) {
        const name = basename(path);
        const own = name.startsWith(`.${owner}.`) || name.startsWith(`..${owner}.`);
        if (own && dirname(path) === resolved) files.delete(path);
      }
    }
  }

  async remove(paths: readonly string[]): Promise<void> {
    for (const path of paths.map((given) => this.#resolve(given))) {
      this.#files.delete(path);
      this.#removed.add(path);
    }
  }

  async removeFolder(path: string): Promise<void> {
    const folder = `${this.#resolve(path)}/`;
    for (const files of [this.#temporary, this.#files]) {
      for (const name of files.keys()) if (name.startsWith(folder)) files.delete(name);
    }
  }

  /** The bytes of a file that was written and committed. No time passes: for whoever looks after a simulation. */
  look(path: string): Uint8Array | undefined {
    return this.#files.get(path)?.bytes;
  }

  localPath(path: string): string | undefined {
    return this.#files.has(this.#resolve(path)) ? undefined : this.#beneath.localPath(path);
  }

  async #openBeneath(entry: FileEntry | string, signal: AbortSignal | undefined): Promise<OpenFile> {
    const file = await this.#beneath.open(entry, signal);
    const open: OpenFile = {
      entry: file.entry,
      read: (position, length) => file.read(position, length),
      close: () => (this.#open.delete(open) ? file.close() : Promise.resolve()),
    };
    this.#open.add(open);
    return open;
  }

  #resolve(path: string): string {
    return this.#beneath.localPath(path) ?? path;
  }

  async #listed(path: string, signal: AbortSignal | undefined): Promise<readonly FileEntry[]> {
    // What is written here hides what is beneath, where one might have to wait for a disk.
    if (this.#files.has(this.#resolve(path))) return [];
    try {
      const entries = await this.#beneath.list(path, signal);
      return entries.filter((entry) => !this.#removed.has(this.#resolve(entry.path)));
    } catch (error) {
      if (error instanceof QStreamError && error.code === "PATH_NOT_FOUND") return [];
      throw error;
    }
  }

  #writer(path: string, prefix: string, bytes: Uint8Array = new Uint8Array(0)): ResumableWriter {
    const temporary = join(dirname(path), `${prefix}.${this.#count++}`);
    const content = { bytes, version: 0 };
    this.#temporary.set(temporary, content);
    return this.#writerOf(path, temporary, content, false);
  }

  #writerOf(path: string, temporary: string, content: Content, finishedBefore: boolean): ResumableWriter {
    let finished = finishedBefore;
    return {
      write: async (bytes) => {
        const longer = new Uint8Array(content.bytes.byteLength + bytes.byteLength);
        longer.set(content.bytes);
        longer.set(bytes, content.bytes.byteLength);
        content.bytes = longer;
        content.version = ++this.#count;
      },
      finish: async () => void (finished = true),
      commit: async () => {
        finished = true;
        // A life that committed before this one may have taken the name away.
        if (this.#temporary.delete(temporary)) this.#files.set(path, content);
        else if (!this.#files.has(path)) throw new QStreamError("BAD_INPUT", "the file is gone", { file: path });
        this.#removed.delete(path);
      },
      abort: async () => void this.#temporary.delete(temporary),
      leave: async () => {},
      snapshot: async (): Promise<WriterState> => {
        const { bytes } = content;
        return { temporary: basename(temporary), bytes: bytes.byteLength, checksum: crc32(bytes), finished };
      },
    };
  }
}

function holds({ bytes }: Content, state: WriterState): boolean {
  if (bytes.byteLength < state.bytes || (state.finished && bytes.byteLength !== state.bytes)) return false;
  return crc32(bytes.subarray(0, state.bytes)) === state.checksum;
}

function matcherOf(path: string): (name: string) => boolean {
  if (isGlob(path)) {
    const expression = globExpression(path);
    return (name) => expression.test(name);
  }
  const folder = path.endsWith("/") ? path : `${path}/`;
  return (name) => name === path || name.startsWith(folder);
}

function entryOf(path: string, { bytes, version }: Content): FileEntry {
  return { path, bytes: bytes.byteLength, version: `memory-${version}` };
}

function openContent(path: string, content: Content): OpenFile {
  return {
    entry: entryOf(path, content),
    read: async (position, length) => content.bytes.slice(position, position + length),
    close: async () => {},
  };
}
