import { dial } from "../../actors/transport/wire/dial.ts";
import { versionHeaders } from "../../actors/transport/wire/wire-hello.ts";
import type { FromClient, ToClient } from "../../lib/cluster/protocol.ts";
import { Talk } from "../../lib/cluster/talk.ts";

/** Asks a head something, as a client does, and gives all that it says until and with the answer. */
export async function askHead(url: string, request: FromClient): Promise<readonly ToClient[]> {
  const { socket } = await dial(`${url}/client`, versionHeaders, { token: undefined, tls: undefined });
  const said: ToClient[] = [];
  await new Promise<void>((ended) => {
    const talk: Talk<FromClient, ToClient> = new Talk(socket, 10_000, {
      told: (message) => {
        said.push(message);
        if (message.kind !== "welcome") talk.close();
      },
      ended,
    });
    talk.tell(request);
  });
  return said;
}
