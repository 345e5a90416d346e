import { createHash } from "node:crypto";
import { pathToFileURL } from "node:url";
import { QStreamError } from "../../lib/core/errors.ts";
import { delay, systemClock } from "../../lib/core/seam/clock.ts";
import { BundleFolder } from "../slots/bundle-folder.ts";
import { download } from "../transport/wire/download.ts";
import type { Security } from "../transport/wire/security.ts";
import type { BundleReference } from "./protocol.ts";

/** How much code is kept that no execution uses any more. */
export interface BundlesMax {
  readonly bundles: number;
  readonly bytes: number;
}

interface Kept {
  readonly url: Promise<string>;
  /** On disk; 0 while it is on its way. */
  bytes: number;
  /** Executions that have it. */
  readonly users: Set<string>;
}

/** A machine's source of code. */
export type BundleSource = Pick<Bundles, "fetch" | "release" | "close">;

/**
 * The code of executions on this machine: fetched once, checked, and kept on disk. Where that is too much, what nobody uses goes, the
 * least recently used first.
 */
export class Bundles {
  readonly #security: Security;
  readonly #settle: (code: string) => string;
  readonly #most: BundlesMax;
  readonly #folder = new BundleFolder();
  /** By hash; what was used last is the last. */
  readonly #kept = new Map<string, Kept>();
  #bytes = 0;

  /** @param settle - puts this machine's own modules into the code; throws PACKAGE_MISSING where one isn't here */
  constructor(security: Security, settle: (code: string) => string, most: BundlesMax = mostDefault) {
    this.#security = security;
    this.#settle = settle;
    this.#most = most;
  }

  /**
   * The URL of a bundle on this machine, where it stays until its user lets it go.
   *
   * @param user - an execution
   * @throws QStreamError MACHINE_UNREACHABLE, MACHINE_REFUSED, FRAME_INVALID where it isn't what its hash says
   */
  fetch(bundle: BundleReference, user: string): Promise<string> {
    const { hash } = bundle;
    const kept = this.#kept.get(hash) ?? this.#begin(bundle);
    kept.users.add(user);
    this.#used(hash, kept);
    return kept.url;
  }

  /** An execution needs no code any more. */
  release(user: string): void {
    // One that moves to the end comes again, without its user.
    for (const [hash, kept] of this.#kept) if (kept.users.delete(user)) this.#used(hash, kept);
    this.#evict();
  }

  #begin(bundle: BundleReference): Kept {
    const { hash } = bundle;
    const url = this.#fetch(bundle).then(
      ({ path, bytes }) => {
        kept.bytes = bytes;
        this.#bytes += bytes;
        this.#evict();
        return pathToFileURL(path).href;
      },
      (error: unknown) => {
        // Another try may find what this one didn't.
        if (this.#kept.get(hash) === kept) this.#kept.delete(hash);
        throw error;
      },
    );
    url.catch(() => {});
    const kept: Kept = { url, bytes: 0, users: new Set() };
    return kept;
  }

  #used(hash: string, kept: Kept): void {
    this.#kept.delete(hash);
    this.#kept.set(hash, kept);
  }

  #evict(): void {
    for (const [hash, { bytes, users }] of this.#kept) {
      if (this.#kept.size <= this.#most.bundles && this.#bytes <= this.#most.bytes) return;
      // What is on its way is somebody's, who may have let it go.
      if (users.size > 0 || bytes === 0) continue;
      this.#kept.delete(hash);
      this.#bytes -= bytes;
      this.#folder.drop(hash);
    }
  }

  close(): void {
    this.#folder.remove();
  }

  async #fetch({ hash, url }: BundleReference): Promise<{ readonly path: string; readonly bytes: number }> {
    const bytes = await this.#download(url);
    if (createHash("sha256").update(bytes).digest("hex") !== hash) {
      throw new QStreamError("FRAME_INVALID", `the code that came from ${new URL(url).host} isn't what its hash says`, {
        advice: "Something between the machines changes what they send",
      });
    }
    const code = this.#settle(Buffer.from(bytes).toString("utf8"));
    return { path: this.#folder.write(hash, code), bytes: Buffer.byteLength(code) };
  }

  async #download(url: string): Promise<Uint8Array> {
    for (let tries = 1; ; tries++) {
      try {
        // oxlint-disable-next-line no-await-in-loop -- one try after the other
        return await download(url, this.#security, bundleBytesMax);
      } catch (error) {
        const isAway = error instanceof QStreamError && error.code === "MACHINE_UNREACHABLE";
        if (!isAway || tries === triesMax) throw error;
      }
      // oxlint-disable-next-line no-await-in-loop -- see above
      await delay(systemClock, firstPauseMs * 2 ** tries);
    }
  }
}

// A head that is busy, or a network that isn't there for a moment, fails no execution.
const triesMax = 5;
const firstPauseMs = 50;

const mostDefault: BundlesMax = { bundles: 256, bytes: 512 * 2 ** 20 };

/** Bytes that the code of a flow may have, with what it imports. */
export const bundleBytesMax = 64 * 2 ** 20;
