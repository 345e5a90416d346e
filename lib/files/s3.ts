import type { FileEntry, FileWriter, OpenFile } from "../core/contracts/file-system.ts";
import type { ResumableOptions, ResumableWriter } from "../core/contracts/sink.ts";
import { QStreamError } from "../core/errors.ts";
import { globExpression, globPrefix, isGlob } from "./glob.ts";
import { resumeS3 } from "./resume-s3.ts";
import { asError, changed, guard, statusOf, type S3Connection, type Sdk } from "./s3-connection.ts";
import { S3Writer } from "./s3-writer.ts";
import type { SchemeFileSystem } from "./scheme.ts";

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

function objectOf(url: string): { bucket: string; key: string } {
  const address = addressOf(url);
  if (address.key !== "" && !address.key.endsWith("/")) return address;
  throw new QStreamError("OPTION_INVALID", "an S3 object needs a key", { file: url, advice: "Write s3://bucket/key." });
}

class S3Files implements SchemeFileSystem {
  readonly #options: S3Options;
  #connection: Promise<S3Connection> | undefined;

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
    const { bucket, key } = objectOf(url);
    return new S3Writer({ url, bucket, key, connection: await this.#connect() });
  }

  async createResumable(url: string, options: ResumableOptions): Promise<ResumableWriter> {
    const { bucket, key } = objectOf(url);
    return resumeS3({ url, bucket, key, connection: await this.#connect() }, options);
  }

  async discardResumable(folder: string, owner: string): Promise<void> {
    const { bucket, key } = addressOf(folder);
    const prefix = `${key === "" || key.endsWith("/") ? key : `${key}/`}.${owner}.`;
    const entries = await this.#listPrefix({ url: folder, bucket, prefix, signal: undefined }, () => true);
    await this.remove(entries.map((entry) => entry.path));
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

  #connect(): Promise<S3Connection> {
    this.#connection ??= connect(this.#options);
    return this.#connection;
  }
}

async function connect(options: S3Options): Promise<S3Connection> {
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

const isHidden = (name: string): boolean => name.split("/").some((segment) => segment.startsWith("."));

const sendOptions = (signal: AbortSignal | undefined): { abortSignal?: AbortSignal } =>
  signal === undefined ? {} : { abortSignal: signal };
