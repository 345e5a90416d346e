import { QStreamError } from "../core/errors.ts";

/** Where heads listen unless they are told otherwise. */
export const headPortDefault = 7420;

/**
 * The URL of a head, as a WebSocket is opened: `ws://`, `wss://`, `http://`, `https://`, or just `host:port` or `host`.
 *
 * @throws QStreamError OPTION_INVALID
 */
export function headUrl(text: string): URL {
  const isUrl = /^\w+:\/\//u.test(text);
  const full = isUrl ? text : `ws://${text}`;
  const url = URL.canParse(full) ? new URL(full.replace(/^http/u, "ws")) : undefined;
  if (url !== undefined && !isUrl && url.port === "" && !text.endsWith(":80")) url.port = String(headPortDefault);
  const isPlace = url !== undefined && /^wss?:$/u.test(url.protocol) && url.hostname !== "" && url.pathname === "/";
  // What a URL holds is seen by all: in logs, and by users of the machine who list its processes.
  if (isPlace && url.username + url.password + url.search + url.hash === "") return url;
  // A token may be where it doesn't belong.
  const shown = text.replace(/^(\w+:\/\/)?.*@/su, "$1***@").replace(/[?#].*$/su, "?***");
  throw new QStreamError("OPTION_INVALID", `${JSON.stringify(shown.slice(0, 200))} isn't the URL of a head`, {
    advice: "Write ws://host:port, or wss://host:port with TLS; a token is in a file, that --token-file names",
  });
}

/** The same place for plain requests. */
export function plainUrl(head: URL, path: string): string {
  return new URL(path, head.href.replace(/^ws/u, "http")).href;
}
