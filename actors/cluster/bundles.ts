import { createHash } from "node:crypto";
import { pathToFileURL } from "node:url";
import { QStreamError } from "../../lib/core/errors.ts";
import { delay, systemClock } from "../../lib/core/seam/clock.ts";
import { BundleFolder } from "../slots/bundle-folder.ts";
import { download } from "../transport/wire/download.ts";
import type { Security } from "../transport/wire/security.ts";
import type { BundleReference } from "./protocol.ts";

/** The code of executions on this machine: fetched once, checked, and kept while the machine runs. */
export class Bundles {
  readonly #security: Security;
  readonly #settle: (code: string) => string;
  readonly #folder = new BundleFolder();
  readonly #fetched = new Map<string, Promise<string>>();

  /** @param settle - puts this machine's own modules into the code; throws PACKAGE_MISSING where one isn't here */
  constructor(security: Security, settle: (code: string) => string) {
    this.#security = security;
    this.#settle = settle;
  }

  /**
   * The URL of a bundle on this machine.
   *
   * @throws QStreamError MACHINE_UNREACHABLE, MACHINE_REFUSED, FRAME_INVALID where it isn't what its hash says
   */
  fetch(bundle: BundleReference): Promise<string> {
    let fetched = this.#fetched.get(bundle.hash);
    if (fetched === undefined) {
      fetched = this.#fetch(bundle);
      this.#fetched.set(bundle.hash, fetched);
      // Another try may find what this one didn't.
      fetched.catch(() => this.#fetched.delete(bundle.hash));
    }
    return fetched;
  }

  close(): void {
    this.#folder.remove();
  }

  async #fetch({ hash, url }: BundleReference): Promise<string> {
    const bytes = await this.#download(url);
    if (createHash("sha256").update(bytes).digest("hex") !== hash) {
      throw new QStreamError("FRAME_INVALID", `the code that came from ${new URL(url).host} isn't what its hash says`, {
        advice: "Something between the machines changes what they send",
      });
    }
    return pathToFileURL(this.#folder.write(hash, this.#settle(Buffer.from(bytes).toString("utf8")))).href;
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

/** Bytes that the code of a flow may have, with what it imports. */
export const bundleBytesMax = 64 * 2 ** 20;
