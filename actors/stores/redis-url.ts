import { QStreamError } from "../../lib/core/errors.ts";

/**
 * What a URL says of a store: the server, and the prefix of its keys.
 *
 * @throws QStreamError OPTION_INVALID
 */
export function checkRedisUrl(text: string): { readonly url: URL; readonly root: string } {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const prefix = url?.searchParams.get("prefix") ?? "qstream";
  const others = [...(url?.searchParams.keys() ?? [])].filter((name) => name !== "prefix");
  const database = /^(\/\d{0,5})?$/u.test(url?.pathname ?? "");
  const named = database && others.length === 0 && /^[\w.:-]{1,64}$/u.test(prefix);
  if (url === undefined || url.hostname === "" || !named || !isEncoded(url.username + url.password)) {
    // The text isn't shown: a password may be in it.
    throw new QStreamError("OPTION_INVALID", "the URL of the store isn't one of a Redis server", {
      advice:
        "Write redis://[user:password@]host:port/db, rediss:// for TLS; ?prefix=<name> sets apart what shares a server",
    });
  }
  url.search = "";
  return { url, root: `${prefix}:` };
}

function isEncoded(text: string): boolean {
  try {
    decodeURIComponent(text);
    return true;
  } catch {
    return false;
  }
}
