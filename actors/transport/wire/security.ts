import { isIP } from "node:net";
import { QStreamError } from "../../../lib/core/errors.ts";

/** Certificates in PEM. */
export interface Tls {
  readonly cert: string;
  readonly key: string;
  /** Who signs certificates of other machines. With it, a machine that dials has to show one, too. */
  readonly ca?: string | undefined;
}

/** What lets machines and clients in. */
export interface Security {
  /** What everybody who connects has to know. Undefined: anybody who reaches the port, which must be a loopback one. */
  readonly token: string | undefined;
  /** What lets clients in that may only look. */
  readonly readToken?: string | undefined;
  readonly tls: Tls | undefined;
}

/** Where to listen. */
export interface Bind {
  readonly host: string;
  /** 0 for any free one. */
  readonly port: number;
}

const tokenCharactersMin = 16;
const tokenCharactersMax = 1024;

/** Refuses a token that can be guessed, or that no header can carry. It isn't shown. @throws QStreamError OPTION_INVALID */
export function checkToken(token: string | undefined): void {
  const isLong = token === undefined || (token.length >= tokenCharactersMin && token.length <= tokenCharactersMax);
  if (isLong && (token === undefined || /^[\x21-\x7e]+$/u.test(token))) return;
  throw new QStreamError(
    "OPTION_INVALID",
    `a token needs at least ${tokenCharactersMin} characters, and at most ${tokenCharactersMax}, printable ones without blanks`,
    { advice: "Make one: openssl rand -hex 32 > token" },
  );
}

/**
 * Refuses what would let strangers run code: a port beyond loopback needs a token and TLS.
 *
 * @throws QStreamError OPTION_INVALID
 */
export function checkSecurity({ host }: Bind, { token, readToken, tls }: Security): void {
  checkToken(token);
  checkToken(readToken);
  if (token === undefined && readToken !== undefined) {
    throw new QStreamError("OPTION_INVALID", "a token that lets clients look is of no use where all are let in", {
      advice: "Give --token-file, too",
    });
  }
  if (token !== undefined && token === readToken) {
    throw new QStreamError(
      "OPTION_INVALID",
      "the token that lets clients look is the one that lets them do everything",
    );
  }
  if (isLoopback(host) || (token !== undefined && tls !== undefined)) return;
  const missing = [token === undefined ? ["--token-file"] : [], tls === undefined ? ["--tls-cert and --tls-key"] : []];
  throw new QStreamError(
    "OPTION_INVALID",
    `beyond this machine nothing listens without a token and TLS, and ${host} is beyond it`,
    {
      advice: `Who reaches the port can run code here: give ${missing.flat().join(", ")}, or listen on 127.0.0.1`,
    },
  );
}

/** True for an address that only this machine reaches. */
export function isLoopback(host: string): boolean {
  const bare = host.replace(/^\[(.*)\]$/u, "$1");
  if (bare === "localhost" || bare === "::1") return true;
  return isIP(bare) === 4 && bare.startsWith("127.");
}

/**
 * Where others find what listens: `host:port`.
 *
 * @param port - on which it does
 * @param advertise - `host`, or `host:port` where others find it at another port, too
 */
export function addressOf({ host }: Bind, port: number, advertise?: string): string {
  if (advertise !== undefined) return /:\d+$/u.test(advertise) ? advertise : `${advertise}:${port}`;
  return `${host.includes(":") && !host.startsWith("[") ? `[${host}]` : host}:${port}`;
}

/** The host of `host`, or of `host:port`. */
export function hostOfAddress(address: string): string {
  return address.replace(/:\d+$/u, "");
}

/** @throws QStreamError OPTION_INVALID where nobody could find what listens everywhere */
export function checkAdvertised({ host }: Bind, advertise: string | undefined): void {
  // All of it, however it is written: 0.0.0.0, 0, ::, [::0].
  if (advertise !== undefined || !/^\[?[0.:]+\]?$/u.test(host)) return;
  throw new QStreamError("OPTION_INVALID", `${host} says to listen everywhere, but not where others find it`, {
    advice: "Give --advertise host:port",
  });
}
