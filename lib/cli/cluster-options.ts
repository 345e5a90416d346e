import { readFileSync, statSync } from "node:fs";
import { resolve } from "node:path";
import type { ClusterOptions } from "../cluster/cluster-session.ts";
import { headUrl } from "../cluster/head-url.ts";
import type { Bind, Security } from "../../actors/transport/wire/security.ts";
import { QStreamError } from "../core/errors.ts";
import type { MachineFiles } from "../files/index.ts";

/** Options of all commands that have to do with a cluster, for `parseArgs`. */
export const securityOptions = {
  "token-file": { type: "string" },
  "read-token-file": { type: "string" },
  "tls-cert": { type: "string" },
  "tls-key": { type: "string" },
  "tls-ca": { type: "string" },
} as const;

/** Options of commands that are clients of a cluster. */
export const clientOptions = { cluster: { type: "string" }, ...securityOptions } as const;

/** What `parseArgs` makes of them. */
export type SecurityValues = { readonly [K in keyof typeof securityOptions]?: string | undefined };

/** The one execution or machine that a command is for. @throws QStreamError OPTION_INVALID */
export function parseSubject(what: "execution" | "machine", positionals: readonly string[]): string {
  const [subject, ...more] = positionals;
  if (subject !== undefined && more.length === 0) return subject;
  const wanted = subject === undefined ? `which ${what}? qstream ps lists them` : `one ${what} at a time`;
  throw new QStreamError(
    "OPTION_INVALID",
    subject === undefined ? wanted : `${wanted}, not ${positionals.join(" and ")}`,
  );
}

/** Tokens and certificates. A token is never on the command line, where every user of the machine could read it. */
export function parseSecurity(values: SecurityValues): Security {
  const cert = values["tls-cert"];
  const key = values["tls-key"];
  if ((cert === undefined) !== (key === undefined)) {
    throw new QStreamError("OPTION_INVALID", "--tls-cert and --tls-key belong together: give both", {
      advice: "The certificate is what others see, the key is what proves it",
    });
  }
  const ca = read("--tls-ca", values["tls-ca"]);
  return {
    token: read("--token-file", values["token-file"])?.trim(),
    readToken: read("--read-token-file", values["read-token-file"])?.trim(),
    tls:
      cert === undefined || key === undefined
        ? undefined
        : { cert: read("--tls-cert", cert) ?? "", key: read("--tls-key", key) ?? "", ca },
  };
}

/** For commands that only dial: a CA without a certificate of their own. */
export function parseClientSecurity(values: SecurityValues): {
  readonly token?: string;
  readonly tls?: { readonly ca?: string; readonly cert?: string; readonly key?: string };
} {
  const { token, tls } = parseSecurity(values);
  const ca = read("--tls-ca", values["tls-ca"]);
  const certificates = {
    ...(tls === undefined ? {} : { cert: tls.cert, key: tls.key }),
    ...(ca === undefined ? {} : { ca }),
  };
  return {
    ...(token === undefined ? {} : { token }),
    ...(Object.keys(certificates).length === 0 ? {} : { tls: certificates }),
  };
}

/** The cluster that a command is for: the one that --cluster names, else QSTREAM_CLUSTER. */
export function parseCluster(values: SecurityValues & { readonly cluster?: string | undefined }): ClusterOptions {
  const url = values.cluster ?? process.env["QSTREAM_CLUSTER"];
  if (url === undefined) {
    throw new QStreamError("OPTION_INVALID", "--cluster ws://host:port is wanted: the URL of a head", {
      advice: "qstream head prints it when it starts; QSTREAM_CLUSTER may name it, too",
    });
  }
  for (const one of url.split(",")) headUrl(one.trim());
  return { url, ...parseClientSecurity(values) };
}

/** Folders that are there, as whole paths, and beginnings of URLs: what flows may read and write of a machine. */
export function parsePlaces(option: string, places: readonly string[] | undefined): MachineFiles {
  if (places === undefined) return {};
  return {
    within: places.map((place) =>
      /^(s3|https?):\/\/./iu.test(place) ? urlOf(option, place) : folderOf(option, place),
    ),
  };
}

function urlOf(option: string, place: string): string {
  if (URL.canParse(place)) return place;
  throw new QStreamError(
    "OPTION_INVALID",
    `${option} ${place}: it isn't the beginning of a URL, like s3://bucket/prefix`,
  );
}

function folderOf(option: string, place: string): string {
  if (statSync(place, { throwIfNoEntry: false })?.isDirectory() === true) return resolve(place);
  throw new QStreamError("OPTION_INVALID", `${option} ${place}: there is no such folder`, {
    advice: "Name a folder of this machine, or the beginning of a URL, like s3://bucket/prefix",
  });
}

function read(option: string, file: string | undefined): string | undefined {
  if (file === undefined) return undefined;
  try {
    return readFileSync(file, "utf8");
  } catch (cause) {
    throw new QStreamError("OPTION_INVALID", `${option} ${file}: it can't be read (${(cause as Error).message})`, {
      cause,
    });
  }
}

/** `host:port`, `[::1]:port`, `:port` or just a port. */
export function parseBind(option: string, text: string): Bind {
  const match = /^(?:(\[[\da-fA-F:]+\]|[\w.-]*):)?(\d{1,5})$/u.exec(text);
  const port = Number(match?.[2] ?? Number.NaN);
  if (match === null || port > 65_535) {
    throw new QStreamError("OPTION_INVALID", `${option} ${text}: host:port is wanted, like 127.0.0.1:7420, or a port`);
  }
  const host = match[1] ?? "";
  return { host: host === "" ? "127.0.0.1" : host, port };
}

/** `host:port`, as others reach this machine. */
export function parseAddress(option: string, text: string): string {
  const port = /^(?:\[[\da-fA-F:]+\]|[\w.-]+):(\d{1,5})$/u.exec(text)?.[1];
  if (port !== undefined && isPort(port)) return text;
  throw new QStreamError("OPTION_INVALID", `${option} ${text}: host:port is wanted, as other machines reach this one`);
}

/** `host:port` or `host`, as others reach this machine. */
export function parseHost(option: string, text: string): string {
  const match = /^(?:\[[\da-fA-F:]+\]|[\w.-]+)(?::(\d{1,5}))?$/u.exec(text);
  if (match !== null && isPort(match[1] ?? "1")) return text;
  throw new QStreamError("OPTION_INVALID", `${option} ${text}: host:port is wanted, or a host, as machines reach it`);
}

function isPort(text: string): boolean {
  const port = Number(text);
  return port > 0 && port < 65_536;
}

/** Milliseconds of a lease. */
export const leaseMsDefault = 10_000;
export const leaseMsLeast = 1000;
export const leaseMsMost = 3_600_000;
