import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { basename, join } from "node:path";

/** A folder's files over http, with ranges. */
export interface ServedFiles {
  readonly url: string;
  close: () => Promise<void>;
}

export async function serveFiles(folder: string): Promise<ServedFiles> {
  const server = createServer((request, response) => {
    readFile(join(folder, basename(request.url ?? ""))).then(
      (bytes) => {
        const head = { etag: '"1"', "accept-ranges": "bytes" };
        const range = /bytes=(\d+)-(\d+)/u.exec(request.headers.range ?? "");
        if (request.method === "HEAD") {
          response.writeHead(200, { ...head, "content-length": bytes.length }).end();
        } else if (range === null) {
          response.writeHead(200, head).end(bytes);
        } else {
          const part = bytes.subarray(Number(range[1]), Number(range[2]) + 1);
          const contentRange = `bytes ${range[1]}-${range[2]}/${bytes.length}`;
          response.writeHead(206, { ...head, "content-range": contentRange, "content-length": part.length }).end(part);
        }
      },
      () => response.writeHead(404).end(),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
