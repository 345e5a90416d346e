import { Readable, pipeline } from "node:stream";
import { createGunzip } from "node:zlib";
import { QStreamError } from "../../lib/core/errors.ts";

const chunkBytes = 256 << 10;

/** True where a file's first bytes are gzip's. */
export function hasGzipMagic(bytes: Uint8Array): boolean {
  return bytes[0] === 0x1f && bytes[1] === 0x8b;
}

/** The content of a gzip file, of which no more than some chunks are in memory. A file that is cut or broken is BAD_INPUT. */
export async function* gunzip(blocks: AsyncIterable<Uint8Array>, file: string): AsyncGenerator<Buffer, void> {
  let taken = 0;
  const count = async function* (): AsyncGenerator<Uint8Array, void> {
    for await (const block of blocks) {
      taken += block.byteLength;
      yield block;
    }
  };
  const source = Readable.from(count(), { objectMode: false, highWaterMark: 4 * chunkBytes });
  const unzip = createGunzip({ chunkSize: chunkBytes });
  // The stream's own errors come out of the loop below; the callback only says that somebody listens.
  pipeline(source, unzip, () => {});
  try {
    for await (const chunk of unzip as AsyncIterable<Buffer>) yield chunk;
    if (taken === 0)
      throw new QStreamError("BAD_INPUT", "the gzip file is empty, not even a header is there", { file });
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? "";
    if (!code.startsWith("Z_")) throw error;
    throw new QStreamError("BAD_INPUT", `the gzip file is cut or broken: ${(error as Error).message}`, {
      file,
      advice: "Check it with gzip -t, and copy or download it again.",
      cause: error,
    });
  } finally {
    unzip.destroy();
    source.destroy();
  }
}
