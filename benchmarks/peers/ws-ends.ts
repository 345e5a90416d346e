// The two ends of a bare WebSocket, as peers use it.

import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { WebSocket, WebSocketServer } from "ws";

/** Sends back whatever comes. Gives the port. */
export async function serveEcho(): Promise<{ readonly port: number }> {
  const server = new WebSocketServer({ port: 0, host: "127.0.0.1", perMessageDeflate: false });
  server.on("connection", (webSocket) => webSocket.on("message", (bytes: Buffer) => webSocket.send(bytes)));
  await once(server, "listening");
  return { port: (server.address() as AddressInfo).port };
}

/** A connection that is open. */
export async function connectTo(port: number): Promise<WebSocket> {
  const webSocket = new WebSocket(`ws://127.0.0.1:${port}`, { perMessageDeflate: false });
  await once(webSocket, "open");
  return webSocket;
}
