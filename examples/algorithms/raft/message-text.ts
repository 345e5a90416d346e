import type { Entry } from "./log.ts";

/** What messages may have in them. */
interface Fields {
  readonly term?: number;
  readonly granted?: boolean;
  readonly entries?: readonly Entry[];
  readonly success?: boolean;
  readonly match?: number;
  readonly operation?: { readonly key: string };
  readonly key?: string;
  readonly kind?: string;
  readonly leader?: string;
}

/** A message of Raft or of its clients in a few words, for pictures. */
export function messageText(name: string, payload: unknown): string {
  const { term, granted, entries = [], success, match, operation, key, kind, leader } = (payload ?? {}) as Fields;
  switch (name) {
    case "vote":
      return `vote, term ${term}`;
    case "voted":
      return granted === true ? "yes" : "no";
    case "append":
      return entries.length === 0 ? "heartbeat" : `append ${entries.length}`;
    case "appended":
      return success === true ? `has ${match}` : `lacks ${(match ?? 0) + 1}`;
    case "write":
      return `write ${operation?.key}`;
    case "read":
      return `read ${key}`;
    case "answer":
      return kind === "elsewhere" ? `ask ${leader ?? "others"}` : `${kind}`;
    default:
      return name;
  }
}
