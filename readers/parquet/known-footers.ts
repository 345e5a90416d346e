import type { OpenFile } from "../../lib/core/contracts/file-system.ts";
import { readFooter, type ParquetFooter } from "./footer.ts";

const filesMax = 8;
const footerBytesMax = 1 << 20;

/** The footers that a reader met last: a file of many splits would be parsed for each of them. */
export class KnownFooters {
  readonly #footers = new Map<string, ParquetFooter>();

  /** The footer of an open file, which is read anew if the file was replaced. */
  async of(file: OpenFile): Promise<ParquetFooter> {
    const { path, version, bytes } = file.entry;
    const name = JSON.stringify([path, version, bytes]);
    const known = this.#footers.get(name);
    if (known !== undefined) return known;
    const footer = await readFooter(file);
    if (footer.end - footer.start > footerBytesMax) return footer;
    for (const oldest of this.#footers.keys()) if (this.#footers.size >= filesMax) this.#footers.delete(oldest);
    this.#footers.set(name, footer);
    return footer;
  }
}
