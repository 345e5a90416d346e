import { readFileSync } from "node:fs";
import { checkToken, type Security, type Tls } from "../../actors/transport/wire/security.ts";
import { QStreamError } from "../core/errors.ts";

/** What a client shows a head. */
export function securityOf({
  token,
  tokenFile,
  tls,
}: {
  readonly token?: string;
  readonly tokenFile?: string;
  readonly tls?: { readonly [K in keyof Tls]?: Tls[K] };
}): Security {
  const { cert = "", key = "", ca } = tls ?? {};
  const shown = token ?? (tokenFile === undefined ? undefined : readToken(tokenFile));
  checkToken(shown);
  return {
    token: shown,
    tls: tls === undefined ? undefined : { cert, key, ca },
  };
}

function readToken(file: string): string {
  try {
    return readFileSync(file, "utf8").trim();
  } catch (cause) {
    throw new QStreamError("OPTION_INVALID", `tokenFile ${file} can't be read: ${(cause as Error).message}`, { cause });
  }
}
