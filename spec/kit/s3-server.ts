import { mkdtemp, rm } from "node:fs/promises";
import type { Server } from "node:http";
import { createRequire } from "node:module";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { FileSystemOptions } from "../../lib/files/index.ts";

/** A server on this machine that speaks S3, with a bucket `out`. */
export interface S3Server {
  readonly files: FileSystemOptions;
  /** What a process has in its environment that is to find the server there. */
  readonly env: Readonly<Record<string, string>>;
  close: () => Promise<void>;
}

interface LocalS3 {
  run: () => Promise<AddressInfo>;
  close: () => Promise<void>;
  httpServer: Server;
}
type LocalS3Class = new (options: Record<string, unknown>) => LocalS3;

const credentials = { accessKeyId: "S3RVER", secretAccessKey: "S3RVER" };

export async function startS3Server(): Promise<S3Server> {
  const directory = await mkdtemp(join(tmpdir(), "qstream-spec-s3-"));
  const LocalS3 = createRequire(import.meta.url)("s3rver") as LocalS3Class;
  const configureBuckets = [{ name: "out", configs: [] }];
  const server = new LocalS3({ port: 0, address: "127.0.0.1", silent: true, directory, configureBuckets });
  const { port } = await server.run();
  const endpoint = `http://127.0.0.1:${port}`;
  return {
    files: { s3: { endpoint, credentials, attempts: 2 } },
    env: {
      AWS_ENDPOINT_URL_S3: endpoint,
      AWS_ACCESS_KEY_ID: credentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
    },
    close: async () => {
      server.httpServer.closeAllConnections();
      await server.close();
      await rm(directory, { recursive: true, force: true });
    },
  };
}
