import { QStreamError } from "../../lib/core/errors.ts";

/**
 * Parses the URL of a server. The URL itself is in no error, since it may hold a password.
 *
 * @param protocols - what it may begin with: "redis:"
 * @throws QStreamError OPTION_INVALID
 */
export function parseServerUrl(url: string, protocols: readonly string[]): URL {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (parsed !== undefined && protocols.includes(parsed.protocol) && parsed.hostname !== "") return parsed;
  throw new QStreamError("OPTION_INVALID", `the URL of the server doesn't begin with ${protocols[0]}// and a host`, {
    advice: `Give one like ${protocols[0]}//host:1234; ${protocols.join("// and ")}// are known.`,
  });
}

/** A server's URL for messages and fingerprints: without user, password and query, which may hold a token. */
export function labelOf(url: URL): string {
  const path = url.pathname === "/" ? "" : url.pathname;
  return `${url.protocol}//${url.host}${path}`;
}
