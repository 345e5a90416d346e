import type { ClientNode } from "../../actors/slot/hosted-node.ts";
import { QStreamError } from "../core/errors.ts";

/** What a node has answered, and the number of its host. */
export type SlotAnswer<T> = readonly [slot: string, answer: T, channel: number];

/** What slots said, and those that didn't in time. */
export interface SlotAnswers<T> {
  readonly answers: readonly SlotAnswer<T>[];
  readonly silent: readonly string[];
}

/** Where the actors of the thread that started a system are said to be. */
export const clientSlot = "client";
/** The number of that thread among the hosts. */
export const clientChannel = -1;

/** What one of all nodes has, as soon as it says so; else those that didn't say. */
export async function findOnSlots<T>(
  client: ClientNode,
  name: string,
  payload: unknown,
  timeoutMs: number,
): Promise<{ readonly found: T | undefined; readonly silent: readonly string[] }> {
  let first: (answer: T) => void = () => {};
  const isFound = new Promise<T>((resolve) => (first = resolve));
  const heard = (answer: T | undefined): void => void (answer === undefined || first(answer));
  const all = askSlots<T | undefined>(client, name, payload, timeoutMs, heard);
  const found = await Promise.race([isFound, all.then(() => undefined)]);
  return { found, silent: found === undefined ? (await all).silent : [] };
}

/** Asks all nodes of a system: the hosts, and that of this thread. Those that are lost meanwhile have no answer. */
export async function askSlots<T>(
  { distant }: ClientNode,
  name: string,
  payload: unknown,
  timeoutMs: number,
  heard?: (answer: T) => void,
): Promise<SlotAnswers<T>> {
  const hosts = distant.hosts.map(({ life, slot }, channel) => ({ life, slot, channel }));
  const nodes = [...hosts, { life: distant.life, slot: clientSlot, channel: clientChannel }];
  const silent = new Set<string>();
  const asked = nodes.map(async ({ life, slot, channel }) => {
    if (life === undefined) return [];
    try {
      const answer = (await distant.askNode(life, name, payload, timeoutMs)) as T;
      heard?.(answer);
      return [[slot, answer, channel] as const];
    } catch (error) {
      if (error instanceof QStreamError && error.code === "ASK_TIMEOUT") silent.add(slot);
      return [];
    }
  });
  return { answers: (await Promise.all(asked)).flat(), silent: [...silent] };
}
