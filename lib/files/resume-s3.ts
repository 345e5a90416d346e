import type { ResumableOptions, ResumableWriter } from "../core/contracts/sink.ts";
import { QStreamError } from "../core/errors.ts";
import { asError, guard, statusOf } from "./s3-connection.ts";
import { isOwn, S3Writer, type S3FileState, type S3Object } from "./s3-writer.ts";

/**
 * Creates an S3 object that a later life of its owner can go on with, or goes on with its upload. Parts are cut at fixed
 * places, so that an earlier life which still writes sends the same bytes under the same numbers.
 */
export async function resumeS3(object: S3Object, { owner, from }: ResumableOptions): Promise<ResumableWriter> {
  if (from === undefined) return new S3Writer(object, { owner });
  const state = from as S3FileState;
  if (state.upload === undefined || (await isUploading(object, state.upload))) {
    return goOn(object, owner, state);
  }
  // The upload was completed by a life that committed, or somebody removed it.
  if (!(await isOwn(object, owner, state.bytes, !state.finished))) {
    throw lost(object.url, "its upload is neither going on nor completed");
  }
  if (state.finished) return new S3Writer(object, { owner, from: state, committed: true });
  const writer = new S3Writer(object, { owner });
  await copyInto(writer, object, object.key, state.bytes);
  return writer;
}

async function goOn(object: S3Object, owner: string, state: S3FileState): Promise<ResumableWriter> {
  const writer = new S3Writer(object, { owner, from: state });
  if (state.restKey !== undefined) await copyInto(writer, object, state.restKey, state.restBytes);
  return writer;
}

async function isUploading({ url, bucket, key, connection }: S3Object, upload: string): Promise<boolean> {
  const { sdk, client } = connection;
  try {
    await client.send(new sdk.ListPartsCommand({ Bucket: bucket, Key: key, UploadId: upload, MaxParts: 1 }));
    return true;
  } catch (error) {
    if (statusOf(error) === 404) return false;
    // A server that can't list parts: the commit will say whether the upload is there.
    if ([405, 501].includes(statusOf(error) ?? 0)) return true;
    throw asError(url, error);
  }
}

const readBytes = 8 << 20;

async function copyInto(writer: ResumableWriter, object: S3Object, key: string, bytes: number): Promise<void> {
  const { url, bucket, connection } = object;
  const { sdk, client } = connection;
  for (let at = 0; at < bytes; at += readBytes) {
    const length = Math.min(readBytes, bytes - at);
    const range = `bytes=${at}-${at + length - 1}`;
    const read = await guard(url, async () => {
      const { Body } = await client.send(new sdk.GetObjectCommand({ Bucket: bucket, Key: key, Range: range }));
      return Body?.transformToByteArray();
    }).catch((error: unknown) => {
      if (error instanceof QStreamError && error.code === "PATH_NOT_FOUND") return undefined;
      throw error;
    });
    if (read?.byteLength !== length) throw lost(url, `bytes ${at} to ${at + length} aren't there any more`);
    await writer.write(read);
  }
}

function lost(file: string, what: string): QStreamError {
  return new QStreamError("NOT_RECOVERABLE", `an object that was being written can't be gone on with: ${what}`, {
    file,
    advice: "Run the flow again from its start, and leave uploads of a running execution alone.",
  });
}
