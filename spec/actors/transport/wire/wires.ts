import { setTimeout as wait } from "node:timers/promises";
import type { LinkMessage } from "../../../../lib/core/contracts/transport.ts";
import type { WireOptions } from "../../../../actors/transport/wire/wire-options.ts";
import { Wire } from "../../../../actors/transport/wire/wire.ts";

export const token = "a-token-that-specs-share";

/** A wire, and what came over it. */
export interface Ended {
  readonly wire: Wire;
  readonly links: LinkMessage[];
  readonly told: unknown[];
  readonly silent: string[];
  readonly givenUp: string[];
}

export async function openWire(machine: string, options: Partial<WireOptions> = {}): Promise<Ended> {
  const links: LinkMessage[] = [];
  const told: unknown[] = [];
  const silent: string[] = [];
  const givenUp: string[] = [];
  const wire = await Wire.open({
    machine,
    bind: { host: "127.0.0.1", port: 0 },
    security: { token, tls: undefined },
    leaseMs: 4000,
    link: (_to, _from, message) => void links.push(message),
    told: (_machine, content) => void told.push(content),
    silent: (other) => void silent.push(other),
    givenUp: (other, why) => void givenUp.push(`${other}: ${why}`),
    ...options,
  });
  return { wire, links, told, silent, givenUp };
}

export async function until(holds: () => boolean, withinMs = 4000): Promise<void> {
  const last = performance.now() + withinMs;
  while (!holds()) {
    if (performance.now() > last) throw new Error(`it didn't come to that within ${withinMs} ms: ${holds.toString()}`);
    await wait(2);
  }
}
