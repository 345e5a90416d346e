import type { S3Client } from "@aws-sdk/client-s3";
import { QStreamError } from "../core/errors.ts";

export type Sdk = typeof import("@aws-sdk/client-s3");

/** The SDK, once it is loaded, and a client. */
export interface S3Connection {
  readonly sdk: Sdk;
  readonly client: S3Client;
}

export const statusOf = (error: unknown): number | undefined =>
  (error as { $metadata?: { httpStatusCode?: number } }).$metadata?.httpStatusCode;

export async function guard<T>(url: string, action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (error) {
    throw asError(url, error);
  }
}

export function asError(url: string, error: unknown): Error {
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

export function changed(url: string): QStreamError {
  return new QStreamError("BAD_INPUT", "the object changed after it was listed", {
    file: url,
    advice: "Objects must not be replaced while a flow reads them: run the flow again.",
  });
}
