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

/**
 * Refuses what would let strangers run code: a port beyond loopback needs a token and TLS.
 *
 * @throws QStreamError OPTION_INVALID
 */
export function checkSecurity({ host }: Bind, { token, readToken, tls }: Security): void {
  for (const given of [token, readToken]) {
    if (given === undefined || (given.length >= tokenCharactersMin && /^[\x21-\x7e]+$/u.test(given))) continue;
    throw new QStreamError(
      "OPTION_INVALID",
      `a token needs at least ${tokenCharactersMin} characters, printable ones without blanks`,
      { advice: "Make one: openssl rand -hex 32 > token" },
    );
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
