import { createHash } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { bundleBytesMax } from "../../actors/cluster/bundles.ts";
import type { Rights } from "../../actors/transport/wire/server.ts";
import type { Coordination } from "../core/contracts/coordination.ts";
import type { Reign } from "./reign.ts";

/** What keeps bundles so that another head has them, too: while a head leads, it takes steps in Redis. */
export type BundleKeeper = Pick<Reign, "attempt" | "patiently">;

const shelfBytesMaxDefault = 512 * 2 ** 20;

/**
 * The code of flows that clients have sent to the head, for machines and drivers to fetch. When there is no room, what no execution
 * uses goes, the least recently used first.
 */
export class BundleShelf {
  /** By hash; what was used last is the last. */
  readonly #bundles = new Map<string, Buffer>();
  /** Undefined while the head waits. */
  readonly #keeper: () => BundleKeeper | undefined;
  readonly #inUse: () => ReadonlySet<string>;
  readonly #bytesMax: number;
  #bytes = 0;

  /** @param inUse - hashes of the code of executions that aren't over */
  constructor(
    keeper: () => BundleKeeper | undefined,
    inUse: () => ReadonlySet<string>,
    bytesMax: number = shelfBytesMaxDefault,
  ) {
    this.#keeper = keeper;
    this.#inUse = inUse;
    this.#bytesMax = bytesMax;
  }

  /** Answers a request for /bundles/<hash>. */
  answer(hash: string, request: IncomingMessage, response: ServerResponse, rights: Rights): void {
    if (rights !== "all") end(response, 403, "this token only lets you look");
    else if (this.#keeper() === undefined) end(response, 503, "this head waits: another one leads");
    else if (!/^[0-9a-f]{64}$/u.test(hash)) end(response, 404, "a bundle is named by its SHA-256");
    else if (request.method === "PUT") this.#take(hash, request, response);
    else {
      this.#find(hash, request.method === "HEAD").then(
        (bytes) => {
          if (bytes === undefined) {
            end(response, 404, "there is no such bundle");
            return;
          }
          response.writeHead(200, { "content-type": "text/javascript", "content-length": bytes.byteLength });
          response.end(request.method === "HEAD" ? undefined : bytes);
        },
        (error: unknown) => end(response, 503, error instanceof Error ? error.message : String(error)),
      );
    }
  }

  /** Keeps a bundle for other heads that they haven't any more. False where it isn't in memory either. */
  async keepAgain(hash: string): Promise<boolean> {
    const bytes = this.#bundles.get(hash);
    if (bytes === undefined) return false;
    await this.#keepElsewhere(hash, bytes);
    return true;
  }

  #keepElsewhere(hash: string, bytes: Uint8Array): Promise<void> | undefined {
    return this.#keeper()?.patiently((state) => state.putBundle(hash, bytes));
  }

  /**
   * What isn't in memory (any more) may have come to the head before this one.
   *
   * @param atOnce - whoever asks has it, and needn't wait for a Redis that is away
   */
  async #find(hash: string, atOnce: boolean): Promise<Buffer | undefined> {
    const held = this.#bundles.get(hash);
    if (held !== undefined) {
      this.#put(hash, held);
      return held;
    }
    const look = (state: Coordination): Promise<Uint8Array | undefined> => state.bundle(hash);
    const kept = await (atOnce ? this.#keeper()?.attempt(look) : this.#keeper()?.patiently(look));
    if (kept === undefined) return undefined;
    const bytes = Buffer.from(kept.buffer, kept.byteOffset, kept.byteLength);
    this.#put(hash, bytes);
    return bytes;
  }

  #take(hash: string, request: IncomingMessage, response: ServerResponse): void {
    const chunks: Buffer[] = [];
    let bytes = 0;
    request.on("data", (chunk: Buffer) => {
      bytes += chunk.byteLength;
      if (bytes <= bundleBytesMax) {
        chunks.push(chunk);
        return;
      }
      end(response, 413, `a bundle may have ${bundleBytesMax} bytes`);
      request.destroy();
    });
    request.on("error", () => {});
    request.on("end", () => {
      const all = Buffer.concat(chunks);
      if (createHash("sha256").update(all).digest("hex") !== hash) end(response, 400, "it isn't what its hash says");
      else {
        this.#keep(hash, all).then(
          () => end(response, 201, "kept"),
          (error: unknown) => end(response, 503, error instanceof Error ? error.message : String(error)),
        );
      }
    });
  }

  async #keep(hash: string, bytes: Buffer): Promise<void> {
    await this.#keepElsewhere(hash, bytes);
    this.#put(hash, bytes);
  }

  #put(hash: string, bytes: Buffer): void {
    if (!this.#bundles.delete(hash)) this.#bytes += bytes.byteLength;
    this.#bundles.set(hash, bytes);
    if (this.#bytes <= this.#bytesMax) return;
    const inUse = this.#inUse();
    for (const [oldest, { byteLength }] of this.#bundles) {
      if (this.#bytes <= this.#bytesMax || oldest === hash) return;
      if (inUse.has(oldest)) continue;
      this.#bundles.delete(oldest);
      this.#bytes -= byteLength;
    }
  }
}

function end(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { "content-type": "text/plain", connection: "close" });
  response.end(`${text}\n`);
}
