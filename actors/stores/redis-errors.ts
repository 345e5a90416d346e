import { QStreamError } from "../../lib/core/errors.ts";

/** The server of a URL without user and password, which nobody may see. */
export function serverOf(url: URL): string {
  return `${url.protocol}//${url.host}${url.pathname === "/" ? "" : url.pathname}`;
}

export function storeLost(server: string, what: string): QStreamError {
  return new QStreamError("STORE_LOST", `the Redis ${server} ${what}`, {
    advice: "Start the flow again; docs/lineage-stores.md says which settings of Redis keep its data",
  });
}

export function storeAway(server: string, what: string, cause?: unknown): QStreamError {
  return new QStreamError("STORE_UNAVAILABLE", `the Redis ${server} ${what}`, {
    advice: "Check that it runs and can be reached",
    ...(cause === undefined ? {} : { cause }),
  });
}

export function storeRefused(server: string, what: string, advice: string, cause?: unknown): QStreamError {
  return new QStreamError("STORE_REFUSED", `the Redis ${server} ${what}`, {
    advice,
    ...(cause === undefined ? {} : { cause }),
  });
}

// What a server answers, or a connection ends with, that repeating doesn't help. Scripts wrap the message of their commands.
const refusals: readonly (readonly [RegExp, string, string])[] = [
  [/\bOOM\b/u, "has no memory left", "Raise its maxmemory, take checkpoints more often, or remove old executions"],
  [/\bREADONLY\b/u, "is a read-only replica", "Give the URL of the primary"],
  [/\bMISCONF\b/u, "can't save to its disk, and refuses writes", "Look at its log; free space on its disk"],
  [/\bNOREPLICAS\b/u, "has too few replicas, and refuses writes", "Start them, or lower its min-replicas-to-write"],
  [/\b(NOAUTH|WRONGPASS|NOPERM|DENIED)\b/u, "doesn't let this user in", "Check user, password and rights"],
  [
    /\b(MOVED|CLUSTERDOWN|CROSSSLOT)\b/u,
    "is a cluster",
    "Lineage needs one primary: give a server that isn't part of one",
  ],
  [/\bWRONGTYPE\b/u, "has something else under a key of the store", "Give another database, or ?prefix=<name>"],
  [/certificate|self.signed/iu, "has a certificate that isn't trusted", "Set NODE_EXTRA_CA_CERTS to the authority's"],
  [/wrong version number|packet length too long/iu, "doesn't speak TLS", "Write redis:// instead of rediss://"],
];

const passing = /\b(LOADING|BUSY|MASTERDOWN|TRYAGAIN|UNBLOCKED|max number of clients)\b/u;

/** Says what an error of the client or the server means. `answered`: it came from the server. */
export function redisError(server: string, error: unknown, answered: boolean): QStreamError {
  if (error instanceof QStreamError) return error;
  const message = error instanceof Error ? messageOf(error) : String(error);
  for (const [sign, what, advice] of refusals) {
    if (sign.test(message)) return storeRefused(server, what, advice, error);
  }
  if (!answered) return storeAway(server, `can't be reached: ${message}`, error);
  if (passing.test(message)) return storeAway(server, `isn't ready: ${message}`, error);
  return storeRefused(server, `answered: ${message}`, "Look at its log", error);
}

/** The message with the code, which most messages have already; some errors have nothing but a code. */
function messageOf(error: Error): string {
  const { code = "" } = error as NodeJS.ErrnoException;
  return error.message.includes(code) ? error.message : `${error.message} ${code}`.trim();
}
