import type { FileEntry, FileWriter, OpenFile } from "../core/contracts/file-system.ts";
import type { ResumableWriter } from "../core/contracts/sink.ts";
import { QStreamError } from "../core/errors.ts";
import { delay, type Clock } from "../core/seam/clock.ts";
import type { SchemeFileSystem } from "./scheme.ts";

export interface HttpOptions {
  /** Times a request is repeated after a connection error, 429 or 5xx. Default 4. */
  readonly retries?: number;
  /** Milliseconds before the first repetition; each next one waits twice as long. Default 200. */
  readonly retryDelayMs?: number;
  /** Milliseconds that one request may take. Default 60,000. */
  readonly requestMs?: number;
  /** Bytes of files kept in memory whose server can't read ranges. Default 256 MiB. */
  readonly downloadBytesMax?: number;
  /** Headers sent with every request: authorization, say. */
  readonly headers?: Readonly<Record<string, string>>;
}

/**
 * Files behind http(s) URLs, read by ranges; files of servers without ranges are downloaded, within a limit.
 *
 * @param follow - whether a server may name another place to get a file from. Default true
 */
export function httpFiles(options: HttpOptions, clock: Clock, follow = true): SchemeFileSystem {
  return new HttpFiles(options, clock, follow);
}

const notImplemented = 501;

interface Download {
  readonly bytes: Uint8Array;
  readonly version: string;
}

class HttpFiles implements SchemeFileSystem {
  readonly #options: Required<HttpOptions>;
  readonly #clock: Clock;
  readonly #follow: boolean;
  /** Files of servers without ranges, by URL, oldest first; together within the limit. */
  readonly #downloads = new Map<string, Download>();

  constructor(options: HttpOptions, clock: Clock, follow: boolean) {
    this.#options = {
      retries: options.retries ?? 4,
      retryDelayMs: options.retryDelayMs ?? 200,
      requestMs: options.requestMs ?? 60_000,
      downloadBytesMax: options.downloadBytesMax ?? 256 << 20,
      headers: options.headers ?? {},
    };
    this.#clock = clock;
    this.#follow = follow;
  }

  async list(url: string, signal?: AbortSignal): Promise<readonly FileEntry[]> {
    return [await this.#entry(url, signal)];
  }

  async open(entry: FileEntry | string, signal?: AbortSignal): Promise<OpenFile> {
    const url = typeof entry === "string" ? entry : entry.path;
    const now = await this.#entry(url, signal);
    if (typeof entry !== "string" && entry.version !== now.version) throw changed(url);
    return {
      entry: now,
      read: (position, length) => this.#read(now, position, length, signal),
      close: () => Promise.resolve(),
    };
  }

  create(url: string): Promise<FileWriter> {
    return Promise.reject(readOnly(url));
  }

  createResumable(url: string): Promise<ResumableWriter> {
    return Promise.reject(readOnly(url));
  }

  discardResumable(folder: string): Promise<void> {
    return Promise.reject(readOnly(folder));
  }

  remove(urls: readonly string[]): Promise<void> {
    return urls[0] === undefined ? Promise.resolve() : Promise.reject(readOnly(urls[0]));
  }

  async #entry(url: string, signal?: AbortSignal): Promise<FileEntry> {
    const head = await this.#request(url, "HEAD", {}, signal, async (response) => response);
    const bytes = Number(head.headers.get("content-length") ?? Number.NaN);
    if (head.ok && Number.isSafeInteger(bytes)) return { path: url, bytes, version: versionOf(head.headers, bytes) };
    const broken = head.status >= 500 && head.status !== notImplemented;
    if (broken || head.status === 404 || head.status === 410) throw refused(url, head.status);
    // The server doesn't answer HEAD, or doesn't know the length: the first byte's range tells it, if it has ranges.
    const probed = await this.#request(url, "GET", { range: "bytes=0-0" }, signal, async (response) => {
      await response.body?.cancel();
      return response;
    });
    const total = Number(/\/(\d+)$/u.exec(probed.headers.get("content-range") ?? "")?.[1] ?? Number.NaN);
    if (probed.status === 206 && Number.isSafeInteger(total)) {
      return { path: url, bytes: total, version: versionOf(probed.headers, total) };
    }
    // 416: a range of an empty file.
    if (!probed.ok && probed.status !== 416) throw refused(url, probed.status);
    const whole = await this.#download(url, signal);
    return { path: url, bytes: whole.bytes.byteLength, version: whole.version };
  }

  async #read(entry: FileEntry, position: number, length: number, signal?: AbortSignal): Promise<Uint8Array> {
    const end = Math.min(entry.bytes, position + length);
    if (position >= end) return new Uint8Array(0);
    const kept = this.#downloads.get(entry.path);
    if (kept?.version === entry.version) return kept.bytes.slice(position, end);
    const range = { range: `bytes=${position}-${end - 1}` };
    const answer = await this.#request(entry.path, "GET", range, signal, async (response) => {
      if (response.status !== 206) {
        await response.body?.cancel();
        return response.status;
      }
      const total = Number(/\/(\d+)$/u.exec(response.headers.get("content-range") ?? "")?.[1] ?? entry.bytes);
      if (versionOf(response.headers, total) !== entry.version) throw changed(entry.path);
      const bytes = await this.#body(response, entry.path, end - position);
      // A connection that closed early is repeated like one that broke.
      if (bytes.byteLength < end - position)
        throw new TypeError(`only ${bytes.byteLength} of ${end - position} bytes came`);
      return bytes;
    });
    if (typeof answer !== "number") return answer;
    if (answer !== 200) throw refused(entry.path, answer);
    const whole = await this.#download(entry.path, signal);
    if (whole.version !== entry.version) throw changed(entry.path);
    return whole.bytes.slice(position, end);
  }

  async #download(url: string, signal?: AbortSignal): Promise<Download> {
    const known = this.#downloads.get(url);
    const whole = await this.#request(url, "GET", {}, signal, async (response): Promise<Download | number> => {
      if (response.status !== 200) {
        await response.body?.cancel();
        return response.status;
      }
      const length = Number(response.headers.get("content-length") ?? Number.NaN);
      if (known !== undefined && versionOf(response.headers, length) === known.version) {
        await response.body?.cancel();
        return known;
      }
      const bytes = await this.#body(response, url, this.#options.downloadBytesMax);
      return { bytes, version: versionOf(response.headers, Number.isNaN(length) ? bytes.byteLength : length) };
    });
    if (typeof whole === "number") throw refused(url, whole);
    this.#downloads.delete(url);
    this.#downloads.set(url, whole);
    let held = 0;
    for (const download of this.#downloads.values()) held += download.bytes.byteLength;
    for (const [oldest, download] of this.#downloads) {
      if (held <= this.#options.downloadBytesMax) break;
      this.#downloads.delete(oldest);
      held -= download.bytes.byteLength;
    }
    return whole;
  }

  async #body(response: Response, url: string, bytesMax: number): Promise<Uint8Array> {
    const parts: Uint8Array[] = [];
    let bytes = 0;
    for await (const part of (response.body ?? []) as AsyncIterable<Uint8Array>) {
      bytes += part.byteLength;
      if (bytes > bytesMax) {
        throw new QStreamError("LIMIT_EXCEEDED", `the server sends more than ${bytesMax} bytes at once`, {
          file: url,
          advice: "It can't read ranges of files: raise http.downloadBytesMax, or copy the file first.",
        });
      }
      parts.push(part);
    }
    return parts.length === 1 && parts[0] !== undefined ? parts[0] : Buffer.concat(parts);
  }

  /** One request with its repetitions. `take` reads the answer; what it throws as TypeError (fetch's own) is repeated. */
  async #request<T>(
    url: string,
    method: string,
    headers: Record<string, string>,
    signal: AbortSignal | undefined,
    take: (response: Response) => Promise<T>,
  ): Promise<T> {
    for (let attempt = 0; ; attempt++) {
      const limit = AbortSignal.timeout(this.#options.requestMs);
      try {
        const response = await fetch(url, {
          method,
          // Ranges count encoded bytes, so nothing may be encoded.
          headers: { "accept-encoding": "identity", ...this.#options.headers, ...headers },
          redirect: this.#follow ? "follow" : "manual",
          signal: signal === undefined ? limit : AbortSignal.any([signal, limit]),
        });
        if (response.status >= 300 && response.status < 400 && response.headers.has("location")) throw elsewhere(url);
        const busy = response.status === 429 || (response.status >= 500 && response.status !== notImplemented);
        if (!busy || attempt >= this.#options.retries) return await take(response);
        await response.body?.cancel();
      } catch (error) {
        signal?.throwIfAborted();
        if (error instanceof QStreamError) throw error;
        if (attempt >= this.#options.retries) {
          throw new QStreamError("BAD_INPUT", `the server can't be reached: ${causeOf(error)}`, {
            file: url,
            advice: `${attempt + 1} attempts failed. Check the URL and the network, or raise http.retries.`,
            cause: error,
          });
        }
      }
      await delay(this.#clock, this.#options.retryDelayMs * 2 ** attempt, signal);
    }
  }
}

function causeOf(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  return cause instanceof Error ? cause.message : String(cause);
}

function versionOf(headers: Headers, bytes: number): string {
  return headers.get("etag") ?? `${headers.get("last-modified") ?? ""}-${bytes}`;
}

function elsewhere(url: string): QStreamError {
  return new QStreamError("PATH_FORBIDDEN", "the server says that the file is at another URL", {
    file: url,
    advice: "Where --files says what flows may read, nothing leads elsewhere: read from that URL, below what it names",
  });
}

function changed(url: string): QStreamError {
  return new QStreamError("BAD_INPUT", "the file changed after it was listed", {
    file: url,
    advice: "Files must not be replaced while a flow reads them: run the flow again.",
  });
}

function refused(url: string, status: number): QStreamError {
  if (status === 404 || status === 410) {
    return new QStreamError("PATH_NOT_FOUND", `the server has no such file (status ${status})`, {
      file: url,
      advice: "Check the URL. Folders and globs can't be listed over http.",
    });
  }
  return new QStreamError("BAD_INPUT", `the server answered with status ${status}`, {
    file: url,
    advice: "Check the URL and the access to it (http.headers).",
  });
}

function readOnly(url: string): QStreamError {
  return new QStreamError("UNSUPPORTED", "files behind http(s) can only be read", {
    file: url,
    advice: "Write to a local path or to s3://.",
  });
}
