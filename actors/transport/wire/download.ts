import { request as plainRequest } from "node:http";
import { request as tlsRequest } from "node:https";
import { QStreamError } from "../../../lib/core/errors.ts";
import { certificatesOf, exposedToken } from "./dial.ts";
import type { Security } from "./security.ts";

const timeoutMs = 30_000;
// A head that takes something keeps it before it answers: it may have to wait for Redis.
const putTimeoutMs = 90_000;

interface Exchange {
  readonly method: "GET" | "PUT" | "HEAD";
  readonly body?: Uint8Array;
  readonly bytesMax: number;
}

/**
 * Gets what a machine serves.
 *
 * @param url - http:// or https://
 * @throws QStreamError MACHINE_UNREACHABLE, MACHINE_REFUSED, LIMIT_EXCEEDED, OPTION_INVALID where the token would be sent in the clear
 */
export async function download(url: string, security: Security, bytesMax: number): Promise<Uint8Array> {
  return (await exchange(url, security, { method: "GET", bytesMax })).bytes;
}

/** Sends something to a machine, unless that has it. */
export async function upload(url: string, security: Security, body: Uint8Array): Promise<void> {
  const known = await exchange(url, security, { method: "HEAD", bytesMax: 0 });
  if (known.status !== 200) await exchange(url, security, { method: "PUT", body, bytesMax: 1024 });
}

interface Answer {
  readonly status: number;
  readonly bytes: Buffer;
}

function exchange(url: string, security: Security, { method, body, bytesMax }: Exchange): Promise<Answer> {
  const { token, tls } = security;
  const exposed = exposedToken(url, security);
  if (exposed !== undefined) return Promise.reject(exposed);
  const { host, protocol } = new URL(url);
  const withinMs = method === "PUT" ? putTimeoutMs : timeoutMs;
  const make = protocol === "https:" ? tlsRequest : plainRequest;
  return new Promise((resolve, reject) => {
    const sent = make(
      url,
      {
        method,
        timeout: withinMs,
        agent: false,
        headers: {
          ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
          ...(body === undefined ? {} : { "content-length": body.byteLength }),
        },
        ...certificatesOf(tls),
      },
      (response) => {
        const chunks: Buffer[] = [];
        let bytes = 0;
        response.on("data", (chunk: Buffer) => {
          bytes += chunk.byteLength;
          if (bytes <= Math.max(bytesMax, 1024)) chunks.push(chunk);
          else sent.destroy(new QStreamError("LIMIT_EXCEEDED", `${host} sent more than ${bytesMax} bytes`));
        });
        response.on("error", (cause) => reject(unreachable(host, cause)));
        response.on("end", () => {
          const status = response.statusCode ?? 0;
          const all = Buffer.concat(chunks);
          if (status === 200 || status === 201 || method === "HEAD") resolve({ status, bytes: all });
          else
            reject(new QStreamError("MACHINE_REFUSED", `${host} answered ${status}: ${all.toString("utf8").trim()}`));
        });
      },
    );
    sent.on("timeout", () => sent.destroy(new Error(`no answer for ${withinMs} ms`)));
    sent.on("error", (cause) => reject(unreachable(host, cause)));
    sent.end(body);
  });
}

function unreachable(host: string, cause: Error): Error {
  if (cause instanceof QStreamError) return cause;
  return new QStreamError("MACHINE_UNREACHABLE", `${host} can't be reached: ${cause.message}`, {
    advice: "Check that it runs, the address, and what lies between",
    cause,
  });
}
