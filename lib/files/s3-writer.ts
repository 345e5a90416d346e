import type { ResumableWriter } from "../core/contracts/sink.ts";
import { fingerprintOf } from "../core/fingerprint.ts";
import { asError, guard, statusOf, type S3Connection } from "./s3-connection.ts";
import { PartWriter } from "./part-writer.ts";

const partBytesMin = 8 << 20;
// Parts grow, because an upload has at most 10,000: doubled every 1,000 parts, 5 TiB (the largest object) always fit.
const partBytes = (index: number): number => partBytesMin * 2 ** Math.min(7, Math.floor(index / 1000));

/** An object, and the way to it. */
export interface S3Object {
  readonly url: string;
  readonly bucket: string;
  readonly key: string;
  readonly connection: S3Connection;
}

interface SentPart {
  readonly ETag: string;
  readonly PartNumber: number;
}

/** What a later life needs to go on with an upload. */
export interface S3FileState {
  readonly upload: string | undefined;
  readonly sent: readonly SentPart[];
  /** Bytes written, and how many of them are in no part yet: those are kept in an object of their own. */
  readonly bytes: number;
  readonly restBytes: number;
  readonly restKey: string | undefined;
  readonly finished: boolean;
}

/** The metadata of an object that says who wrote it. */
const ownerMark = "qstream";

export interface S3WriterOptions {
  /** Puts a mark on the object, and makes `snapshot` possible. */
  readonly owner?: string;
  /** An upload to go on with. */
  readonly from?: S3FileState;
  /** The object is complete: an earlier life has committed it. */
  readonly committed?: boolean;
}

/** Writes an object by a multipart upload, which nobody sees before it is completed. */
export class S3Writer implements ResumableWriter {
  readonly #object: S3Object;
  readonly #target: { readonly Bucket: string; readonly Key: string };
  readonly #owner: string | undefined;
  readonly #parts: PartWriter;
  readonly #sent: SentPart[];
  #bytes: number;
  #upload: string | undefined;
  #state: "open" | "finished" | "ended" = "open";

  constructor(object: S3Object, { owner, from, committed = false }: S3WriterOptions = {}) {
    this.#object = object;
    this.#target = { Bucket: object.bucket, Key: object.key };
    this.#owner = owner;
    this.#sent = [...(from?.sent ?? [])];
    // The bytes in no part are written again by whoever goes on.
    this.#bytes = (from?.bytes ?? 0) - (from?.restBytes ?? 0);
    this.#upload = from?.upload;
    if (from?.finished === true) this.#state = committed ? "ended" : "finished";
    this.#parts = new PartWriter(partBytes, (part, index) => this.#sendPart(part, index), this.#sent.length);
  }

  async write(bytes: Uint8Array): Promise<void> {
    this.#bytes += bytes.byteLength;
    await this.#parts.write(bytes);
  }

  async finish(): Promise<void> {
    if (this.#state !== "open") return;
    await this.#parts.flush();
    this.#state = "finished";
  }

  async commit(): Promise<void> {
    if (this.#state === "ended") return;
    await this.finish();
    const { url, connection } = this.#object;
    const { sdk, client } = connection;
    const upload = this.#upload;
    try {
      await (upload === undefined
        ? client.send(new sdk.PutObjectCommand({ ...this.#target, ...this.#metadata(), Body: new Uint8Array(0) }))
        : client.send(
            new sdk.CompleteMultipartUploadCommand({
              ...this.#target,
              UploadId: upload,
              MultipartUpload: { Parts: this.#sent.map((part) => ({ ...part })) },
            }),
          ));
    } catch (error) {
      // A life that committed before this one has completed it: then there is no such upload, which servers say in several ways.
      if (!(await isOwn(this.#object, this.#owner, this.#bytes))) throw asError(url, error);
    }
    this.#state = "ended";
  }

  async snapshot(): Promise<S3FileState> {
    const rest = this.#state === "open" ? this.#parts.pending.slice() : new Uint8Array(0);
    const restKey = rest.byteLength === 0 ? undefined : this.#restKey(rest);
    const { url, bucket, connection } = this.#object;
    const { sdk, client } = connection;
    if (restKey !== undefined) {
      await guard(url, () => client.send(new sdk.PutObjectCommand({ Bucket: bucket, Key: restKey, Body: rest })));
    }
    return {
      upload: this.#upload,
      sent: [...this.#sent],
      bytes: this.#bytes,
      restBytes: rest.byteLength,
      restKey,
      finished: this.#state !== "open",
    };
  }

  async leave(): Promise<void> {
    if (this.#state === "ended") return;
    this.#state = "ended";
    await this.#parts.drop();
  }

  async abort(): Promise<void> {
    if (this.#state === "ended") return;
    await this.leave();
    if (this.#upload === undefined) return;
    const { url, connection } = this.#object;
    const { sdk, client } = connection;
    try {
      await client.send(new sdk.AbortMultipartUploadCommand({ ...this.#target, UploadId: this.#upload }));
    } catch (error) {
      // The upload is gone already, or the server can't abort one: nobody sees its parts, which the server's own rule for
      // unfinished uploads removes.
      if (![404, 405, 501].includes(statusOf(error) ?? 0)) throw asError(url, error);
    }
  }

  /** Named by a hash of what it holds, so that whoever writes it writes the same: an earlier life may have other bytes there. */
  #restKey(rest: Uint8Array): string {
    const { key } = this.#object;
    const folder = key.slice(0, key.lastIndexOf("/") + 1);
    const name = `${this.#bytes - rest.byteLength}-${this.#bytes}-${fingerprintOf(rest)}`;
    return `${folder}.${this.#owner}.${key.slice(folder.length)}.rest-${name}`;
  }

  #metadata(): { Metadata?: Record<string, string> } {
    return this.#owner === undefined ? {} : { Metadata: { [ownerMark]: this.#owner } };
  }

  async #sendPart(part: Uint8Array, index: number): Promise<void> {
    const { url, connection } = this.#object;
    const { sdk, client } = connection;
    await guard(url, async () => {
      const create = new sdk.CreateMultipartUploadCommand({ ...this.#target, ...this.#metadata() });
      this.#upload ??= (await client.send(create)).UploadId;
      const place = { ...this.#target, UploadId: this.#upload, PartNumber: index + 1 };
      const sent = await client.send(new sdk.UploadPartCommand({ ...place, Body: part }));
      this.#sent.push({ ETag: sent.ETag ?? "", PartNumber: index + 1 });
    });
  }
}

/** True if the object is there, has this length, or at least that where `least` is set, and its owner's mark. */
export async function isOwn(
  { url, bucket, key, connection }: S3Object,
  owner: string | undefined,
  bytes: number,
  least = false,
): Promise<boolean> {
  const { sdk, client } = connection;
  try {
    const head = await client.send(new sdk.HeadObjectCommand({ Bucket: bucket, Key: key }));
    const length = head.ContentLength ?? 0;
    const marked = owner !== undefined && head.Metadata?.[ownerMark] === owner;
    return marked && (least ? length >= bytes : length === bytes);
  } catch (error) {
    if (statusOf(error) === 404) return false;
    throw asError(url, error);
  }
}
