import type { IncomingHttpHeaders } from "node:http";
import type { Way } from "./peer.ts";

// Of what machines, heads and clients say to each other.
const wireVersion = "1";
const nameLengthMax = 200;
const urlLengthMax = 1000;

/** What a machine says in the headers of a connection that it opens. */
export interface Hello {
  readonly from: string;
  /** Whom it takes the other end for. */
  readonly to: string;
  /** Where it listens. */
  readonly url: string;
  /** Number of the last message that it has, of those that come to it over such a connection. */
  readonly received: number;
}

/** What everybody says who opens a connection. */
export const versionHeaders: Readonly<Record<string, string>> = { "x-qstream-version": wireVersion };

const receivedHeader = "x-qstream-received";

export function wayOf(pathname: string): Way | undefined {
  return pathname === "/wire/control" ? "control" : pathname === "/wire/data" ? "data" : undefined;
}

export function helloHeaders({ from, to, url, received }: Hello): Record<string, string> {
  return {
    ...versionHeaders,
    "x-qstream-from": from,
    "x-qstream-to": to,
    "x-qstream-url": url,
    ...receivedHeaders(received),
  };
}

/** Headers of the answer to a hello. */
export function receivedHeaders(received: number): Record<string, string> {
  return { [receivedHeader]: String(received) };
}

/** Number of the last message that the other end has; NaN where it doesn't say. */
export function receivedOf(headers: IncomingHttpHeaders): number {
  const text = headers[receivedHeader];
  const received = typeof text === "string" && /^\d{1,16}$/u.test(text) ? Number(text) : Number.NaN;
  return Number.isSafeInteger(received) ? received : Number.NaN;
}

/** Says what is wrong with the version of who opens a connection. */
export function checkVersion(headers: IncomingHttpHeaders): string | undefined {
  const version = String(headers["x-qstream-version"] ?? "").slice(0, nameLengthMax);
  return version === wireVersion
    ? undefined
    : `version ${version || "?"} isn't ${wireVersion}: install the same everywhere`;
}

/** A hello, or what is wrong with it. */
export function readHello(headers: IncomingHttpHeaders): Hello | string {
  const value = (name: string): string => String(headers[`x-qstream-${name}`] ?? "");
  const otherVersion = checkVersion(headers);
  if (otherVersion !== undefined) return otherVersion;
  const [from, to, url] = [value("from"), value("to"), value("url")];
  if (![from, to].every((name) => /^[\w.:-]+$/u.test(name) && name.length <= nameLengthMax)) return "it has no name";
  if (url.length > urlLengthMax || !URL.canParse(url) || !/^wss?:$/u.test(new URL(url).protocol)) {
    return "it doesn't say where it listens";
  }
  const received = receivedOf(headers);
  return Number.isNaN(received) ? "it doesn't say what it has" : { from, to, url, received };
}
