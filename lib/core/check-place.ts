import type { ActorPlace } from "./contracts/actor.ts";
import { QStreamError } from "./errors.ts";
import { shown } from "./shown.ts";

type Kind = ActorPlace["kind"];

const kinds: readonly string[] = Object.keys({
  single: true,
  "per-slot": true,
  "per-machine": true,
  tagged: true,
  "with-data": true,
  "near-files": true,
  apart: true,
  spread: true,
  client: true,
  "with-step": true,
  near: true,
} satisfies Record<Kind, true>);

const advice =
  'Give it one of a function: single(), perMachine(), tagged("gpu"); or { kind: "near", actor }, with a reference to an actor';

/**
 * Refuses what is no place for an actor.
 *
 * @param of - whose place it is: `spawn() of counter`
 * @throws QStreamError OPTION_INVALID
 */
export function checkPlace(of: string, place: unknown): void {
  const { kind, tag, actor } = (place ?? {}) as {
    readonly kind?: unknown;
    readonly tag?: unknown;
    readonly actor?: unknown;
  };
  if (typeof kind !== "string" || !kinds.includes(kind)) throw invalid(`place of ${of} is ${shown(place)}`);
  if (kind === "tagged" && (typeof tag !== "string" || tag === "")) throw invalid(`place of ${of} has no tag`);
  const isReference = typeof actor === "object" && actor !== null && "tell" in actor && "equals" in actor;
  if (kind === "near" && !isReference) throw invalid(`place of ${of} is near no actor`);
}

function invalid(what: string): QStreamError {
  return new QStreamError("OPTION_INVALID", what, { advice });
}
