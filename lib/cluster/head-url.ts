import { QStreamError } from "../core/errors.ts";

/**
 * The URL of a head, as a WebSocket is opened: `ws://`, `wss://`, `http://`, `https://` or just `host:port`.
 *
 * @throws QStreamError OPTION_INVALID
 */
export function headUrl(text: string): URL {
  const full = /^\w+:\/\//u.test(text) ? text : `ws://${text}`;
  const url = URL.canParse(full) ? new URL(full.replace(/^http/u, "ws")) : undefined;
  if (url !== undefined && /^wss?:$/u.test(url.protocol) && url.hostname !== "" && url.pathname === "/") return url;
  throw new QStreamError("OPTION_INVALID", `${JSON.stringify(text.slice(0, 200))} isn't the URL of a head`, {
    advice: "Write ws://host:port, or wss://host:port with TLS",
  });
}

/** The same place for plain requests. */
export function plainUrl(head: URL, path: string): string {
  return new URL(path, head.href.replace(/^ws/u, "http")).href;
}
