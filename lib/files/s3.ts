import type { S3Client } from "@aws-sdk/client-s3";
import type { FileEntry, FileWriter, OpenFile } from "../core/contracts/file-system.ts";
import { QStreamError } from "../core/errors.ts";
import { globExpression, globPrefix, isGlob } from "./glob.ts";
import type { SchemeFileSystem } from "./scheme.ts";
import { PartWriter } from "./part-writer.ts";

export interface S3Options {
  /** URL of an S3-compatible server. Default: the environment's AWS_ENDPOINT_URL_S3 or AWS_ENDPOINT_URL, else Amazon's. */
  readonly endpoint?: string;
  /** Default: what the SDK finds; `us-east-1` where an endpoint is given and nothing is found. */
  readonly region?: string;
  /** Puts the bucket into the path and not into the host name. Default: true where an endpoint is given. */
  readonly forcePathStyle?: boolean;
  /** Default: the SDK's chain of environment, profile and machine. */
  readonly credentials?: {
    readonly accessKeyId: string;
    readonly secretAccessKey: string;
    readonly sessionToken?: string;
  };
  /** Times a request is tried. Default 5. */
  readonly attempts?: number;
}

/** Files in S3 buckets by `s3://bucket/key`. The SDK is loaded when the first path is used. */
export function s3Files(options: S3Options): SchemeFileSystem {
  return new S3Files(options);
}

type Sdk = typeof import("@aws-sdk/client-s3");

interface Connection {
  readonly sdk: Sdk;
  readonly client: S3Client;
}

const partBytesMin = 8 << 20;
// Parts grow, because an upload has at most 10,000: doubled every 1,000 parts, 5 TiB (the largest object) always fit.
const partBytes = (index: number): number => partBytesMin * 2 ** Math.min(7, Math.floor(index / 1000));

function addressOf(url: string): { bucket: string; key: string } {
  const found = /^s3:\/\/([^/]+)(?:\/(.*))?$/isu.exec(url);
  if (found?.[1] === undefined) {
    throw new QStreamError("OPTION_INVALID", "an S3 path needs a bucket", {
      file: url,
      advice: "Write s3://bucket/key, or s3://bucket/folder/ for all files of a folder.",
    });
  }
  return { bucket: found[1], key: found[2] ?? "" };
}

class S3Files implements SchemeFileSystem {
  readonly #options: S3Options;
  #connection: Promise<Connection> | undefined;

  constructor(options: S3Options) {
    this.#options = options;
  }

  async list(url: string, signal?: AbortSignal): Promise<readonly FileEntry[]> {
    const { bucket, key } = addressOf(url);
    const whole = key === "" || key.endsWith("/");
    if (!whole) {
      // An object whose name looks like a glob is that object.
      const entry = await this.#head(url, signal);
      if (entry !== undefined) return [entry];
    }
    const glob = isGlob(key);
    const prefix = glob ? globPrefix(key) : whole ? key : `${key}/`;
    const matches = glob ? globExpression(key) : undefined;
    const entries = await this.#listPrefix({ url, bucket, prefix, signal }, (name) =>
      matches === undefined ? !isHidden(name.slice(prefix.length)) : matches.test(name),
    );
    if (entries.length > 0) return entries;
    throw new QStreamError(
      "PATH_NOT_FOUND",
      glob ? "no object matches the glob" : "there is no such object or folder",
      {
        file: url,
        advice: "Check bucket, key, endpoint and region; keys are case-sensitive.",
      },
    );
  }

  async open(entry: FileEntry | string, signal?: AbortSignal): Promise<OpenFile> {
    const url = typeof entry === "string" ? entry : entry.path;
    const now = await this.#head(url, signal);
    if (now === undefined) {
      throw new QStreamError("PATH_NOT_FOUND", "there is no such object", {
        file: url,
        advice: "Check bucket and key; it may have been removed since it was listed.",
      });
    }
    if (typeof entry !== "string" && entry.version !== now.version) throw changed(url);
    return {
      entry: now,
      read: (position, length) => this.#read(now, position, length, signal),
      close: () => Promise.resolve(),
    };
  }

  async create(url: string): Promise<FileWriter> {
    const { bucket, key } = addressOf(url);
    if (key === "" || key.endsWith("/")) {
      throw new QStreamError("OPTION_INVALID", "an S3 object needs a key", {
        file: url,
        advice: "Write s3://bucket/key.",
      });
    }
    return new S3Writer(url, bucket, key, await this.#connect());
  }

  async remove(urls: readonly string[]): Promise<void> {
    const { sdk, client } = await this.#connect();
    for (const url of urls) {
      const { bucket, key } = addressOf(url);
      await guard(url, () => client.send(new sdk.DeleteObjectCommand({ Bucket: bucket, Key: key })));
    }
  }

  async #head(url: string, signal?: AbortSignal): Promise<FileEntry | undefined> {
    const { sdk, client } = await this.#connect();
    const { bucket, key } = addressOf(url);
    try {
      const head = await client.send(new sdk.HeadObjectCommand({ Bucket: bucket, Key: key }), sendOptions(signal));
      return { path: url, bytes: head.ContentLength ?? 0, version: head.ETag ?? "" };
    } catch (error) {
      if (statusOf(error) === 404) return undefined;
      throw asError(url, error);
    }
  }

  async #listPrefix(
    where: { url: string; bucket: string; prefix: string; signal: AbortSignal | undefined },
    accept: (key: string) => boolean,
  ): Promise<FileEntry[]> {
    const { sdk, client } = await this.#connect();
    const entries: FileEntry[] = [];
    let token: string | undefined;
    do {
      const command = new sdk.ListObjectsV2Command({
        Bucket: where.bucket,
        Prefix: where.prefix,
        ...(token === undefined ? {} : { ContinuationToken: token }),
      });
      const page = await guard(where.url, () => client.send(command, sendOptions(where.signal)));
      for (const { Key: key, Size: bytes, ETag: version } of page.Contents ?? []) {
        // A key that ends in a slash is the mark of an empty folder.
        if (key === undefined || key.endsWith("/") || !accept(key)) continue;
        entries.push({ path: `s3://${where.bucket}/${key}`, bytes: bytes ?? 0, version: version ?? "" });
      }
      token = page.IsTruncated === true ? page.NextContinuationToken : undefined;
    } while (token !== undefined);
    return entries;
  }

  async #read(entry: FileEntry, position: number, length: number, signal?: AbortSignal): Promise<Uint8Array> {
    const end = Math.min(entry.bytes, position + length);
    if (position >= end) return new Uint8Array(0);
    const { sdk, client } = await this.#connect();
    const { bucket, key } = addressOf(entry.path);
    return guard(entry.path, async () => {
      const object = await client.send(
        new sdk.GetObjectCommand({
          Bucket: bucket,
          Key: key,
          Range: `bytes=${position}-${end - 1}`,
          IfMatch: entry.version,
        }),
        sendOptions(signal),
      );
      if (object.ETag !== undefined && object.ETag !== entry.version) throw changed(entry.path);
      const bytes = (await object.Body?.transformToByteArray()) ?? new Uint8Array(0);
      if (bytes.byteLength === end - position) return bytes;
      throw new QStreamError("BAD_INPUT", `${bytes.byteLength} of ${end - position} bytes came`, {
        file: entry.path,
        advice: "The connection closed early: run the flow again.",
      });
    });
  }

  #connect(): Promise<Connection> {
    this.#connection ??= connect(this.#options);
    return this.#connection;
  }
}

async function connect(options: S3Options): Promise<Connection> {
  let sdk: Sdk;
  try {
    sdk = await import("@aws-sdk/client-s3");
  } catch (cause) {
    throw new QStreamError("PACKAGE_MISSING", "s3:// paths need the package @aws-sdk/client-s3", {
      advice: "Install it: npm install @aws-sdk/client-s3.",
      cause,
    });
  }
  const endpoint = options.endpoint ?? process.env["AWS_ENDPOINT_URL_S3"] ?? process.env["AWS_ENDPOINT_URL"];
  const region =
    options.region ?? process.env["AWS_REGION"] ?? process.env["AWS_DEFAULT_REGION"] ?? (endpoint && "us-east-1");
  const client = new sdk.S3Client({
    maxAttempts: options.attempts ?? 5,
    // Other servers than Amazon's don't know the checksums that the SDK would add by itself.
    requestChecksumCalculation: "WHEN_REQUIRED",
    responseChecksumValidation: "WHEN_REQUIRED",
    forcePathStyle: options.forcePathStyle ?? endpoint !== undefined,
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(region === undefined ? {} : { region }),
    ...(options.credentials === undefined ? {} : { credentials: { ...options.credentials } }),
  });
  return { sdk, client };
}

/** Writes an object by a multipart upload, which nobody sees before it is completed. */
class S3Writer implements FileWriter {
  readonly #url: string;
  readonly #target: { readonly Bucket: string; readonly Key: string };
  readonly #connection: Connection;
  readonly #parts: PartWriter;
  readonly #sent: { ETag: string; PartNumber: number }[] = [];
  #upload: string | undefined;
  #state: "open" | "finished" | "ended" = "open";

  constructor(url: string, bucket: string, key: string, connection: Connection) {
    this.#url = url;
    this.#target = { Bucket: bucket, Key: key };
    this.#connection = connection;
    this.#parts = new PartWriter(partBytes, (part, index) => this.#sendPart(part, index));
  }

  write(bytes: Uint8Array): Promise<void> {
    return this.#parts.write(bytes);
  }

  async finish(): Promise<void> {
    if (this.#state !== "open") return;
    await this.#parts.flush();
    this.#state = "finished";
  }

  async commit(): Promise<void> {
    if (this.#state === "ended") return;
    await this.finish();
    const { sdk, client } = this.#connection;
    await guard(this.#url, () =>
      this.#upload === undefined
        ? client.send(new sdk.PutObjectCommand({ ...this.#target, Body: new Uint8Array(0) }))
        : client.send(
            new sdk.CompleteMultipartUploadCommand({
              ...this.#target,
              UploadId: this.#upload,
              MultipartUpload: { Parts: this.#sent },
            }),
          ),
    );
    this.#state = "ended";
  }

  async abort(): Promise<void> {
    if (this.#state === "ended") return;
    this.#state = "ended";
    await this.#parts.drop();
    if (this.#upload === undefined) return;
    const { sdk, client } = this.#connection;
    try {
      await client.send(new sdk.AbortMultipartUploadCommand({ ...this.#target, UploadId: this.#upload }));
    } catch (error) {
      // The upload is gone already, or the server can't abort one: nobody sees its parts, which the server's own rule for
      // unfinished uploads removes.
      if (![404, 405, 501].includes(statusOf(error) ?? 0)) throw asError(this.#url, error);
    }
  }

  async #sendPart(part: Uint8Array, index: number): Promise<void> {
    const { sdk, client } = this.#connection;
    await guard(this.#url, async () => {
      this.#upload ??= (await client.send(new sdk.CreateMultipartUploadCommand(this.#target))).UploadId;
      const place = { ...this.#target, UploadId: this.#upload, PartNumber: index + 1 };
      const sent = await client.send(new sdk.UploadPartCommand({ ...place, Body: part }));
      this.#sent.push({ ETag: sent.ETag ?? "", PartNumber: index + 1 });
    });
  }
}

const isHidden = (name: string): boolean => name.split("/").some((segment) => segment.startsWith("."));

const sendOptions = (signal: AbortSignal | undefined): { abortSignal?: AbortSignal } =>
  signal === undefined ? {} : { abortSignal: signal };

const statusOf = (error: unknown): number | undefined =>
  (error as { $metadata?: { httpStatusCode?: number } }).$metadata?.httpStatusCode;

async function guard<T>(url: string, action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (error) {
    throw asError(url, error);
  }
}

function asError(url: string, error: unknown): Error {
  if (error instanceof QStreamError || (error instanceof Error && error.name === "AbortError")) return error;
  const status = statusOf(error);
  if (status === 412) return changed(url);
  const { name, message } = error instanceof Error ? error : { name: "Error", message: String(error) };
  const code = status === 404 ? "PATH_NOT_FOUND" : "BAD_INPUT";
  return new QStreamError(code, `S3 answered ${name}: ${message}`, {
    file: url,
    advice: "Check bucket, key, region, endpoint and credentials (the option s3 of the file system, or AWS_*).",
    cause: error,
  });
}

function changed(url: string): QStreamError {
  return new QStreamError("BAD_INPUT", "the object changed after it was listed", {
    file: url,
    advice: "Objects must not be replaced while a flow reads them: run the flow again.",
  });
}
