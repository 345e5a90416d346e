import { representationOf } from "../core/batch/index.ts";
import type { Many } from "../core/contracts/operator.ts";
import { QStreamError } from "../core/errors.ts";
import type { EdgeFunction } from "../core/program.ts";
import type { FunctionContext } from "./stream-types.ts";

type Apply = EdgeFunction["apply"];

/** Each kind of edge function as one plain loop over the objects of a parcel. */
export function mapping(id: string, f: (object: never, ctx: FunctionContext) => unknown): Apply {
  const loop: Apply = (objects, ctx) => {
    const count = objects.length;
    const made = new Array<unknown>(count);
    for (let at = 0; at < count; at++) {
      made[at] = f(objects[at] as never, ctx);
      // An asynchronous function shows at its first object, and is called for no other one.
      if (at === 0 && made[0] instanceof Promise) throw asynchronous("map", id, made[0]);
    }
    return made;
  };
  return Object.assign(loop, { each: f });
}

export function filtering(id: string, f: (object: never, ctx: FunctionContext) => unknown): Apply {
  return (objects, ctx) => {
    const kept: unknown[] = [];
    for (let at = 0; at < objects.length; at++) {
      const object = objects[at];
      const answer = f(object as never, ctx);
      if (answer instanceof Promise) throw asynchronous("filter", id, answer);
      if (answer) kept.push(object);
    }
    return kept;
  };
}

export function flatMapping(id: string, f: (object: never, ctx: FunctionContext) => Many<unknown>): Apply {
  return (objects, ctx) => {
    const made: unknown[] = [];
    for (let at = 0; at < objects.length; at++) addAll(made, f(objects[at] as never, ctx), "flatMap", id);
    return made;
  };
}

export function tapping(id: string, f: (object: never, ctx: FunctionContext) => unknown): Apply {
  return (objects, ctx) => {
    for (let at = 0; at < objects.length; at++) {
      const answer = f(objects[at] as never, ctx);
      if (answer instanceof Promise) throw asynchronous("tap", id, answer);
    }
    return objects;
  };
}

/** A function over all objects of a parcel at once. */
export function batching(id: string, f: (objects: readonly never[], ctx: FunctionContext) => Many<unknown>): Apply {
  return (objects, ctx) => {
    const several = f(objects as readonly never[], ctx);
    if (Array.isArray(several)) return several;
    const made: unknown[] = [];
    addAll(made, several, "mapParcels", id);
    return made;
  };
}

/** A function over columnar batches: each must be one. */
export function framing(id: string, f: (batch: never, ctx: FunctionContext) => unknown): Apply {
  return (objects, ctx) =>
    objects.map((object) => {
      if (representationOf(object) === undefined) {
        throw new QStreamError("MIXED_REPRESENTATION", `frame function "${id}" got a plain object`, {
          advice: 'Frame functions take Arrow tables or Polars frames: read with as: "polars", or use map',
        });
      }
      const made = f(object as never, ctx);
      if (made instanceof Promise) throw asynchronous("frame", id, made);
      if (representationOf(made) === undefined) {
        throw wrongResult("frame", id, made, "Return an Arrow table or a Polars frame; for other objects use flatMap");
      }
      return made;
    });
}

/** Objects that may be made of one parcel: they are all in memory at once. */
const madeMax = 2 ** 24;

/** Adds the objects of an array or another iterable, up to a bound: a generator may have no end. */
function addAll(made: unknown[], several: unknown, kind: string, id: string): void {
  if (Array.isArray(several)) {
    if (made.length + several.length > madeMax) throw tooMany(kind, id);
    for (let index = 0; index < several.length; index++) made.push(several[index]);
    return;
  }
  if (several instanceof Promise) throw asynchronous(kind, id, several);
  if (!isIterable(several)) {
    throw wrongResult(
      kind,
      id,
      several,
      "Return an array or another iterable: [] for nothing, [text] for a single string",
    );
  }
  for (const object of several) {
    if (made.length >= madeMax) throw tooMany(kind, id);
    made.push(object);
  }
}

function isIterable(value: unknown): value is Iterable<unknown> {
  return (
    typeof value === "object" &&
    value !== null &&
    typeof (value as Partial<Iterable<unknown>>)[Symbol.iterator] === "function"
  );
}

function tooMany(kind: string, id: string): QStreamError {
  return new QStreamError("LIMIT_EXCEEDED", `${kind} "${id}" made more than ${madeMax} objects of one parcel`, {
    advice:
      "They are all in memory at once: use apply with an operator whose execute is a generator, which is taken in pieces",
  });
}

function wrongResult(kind: string, id: string, value: unknown, advice: string): QStreamError {
  return new QStreamError("STEP_FAILED", `${kind} "${id}" got ${describe(value)} from its function`, { advice });
}

function describe(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  if (typeof value !== "object") return `a ${typeof value}`;
  return Symbol.asyncIterator in value
    ? "an asynchronous iterable"
    : `an object of ${value.constructor?.name ?? "no class"}`;
}

/** Refuses a promise. Nobody is going to wait for it, so that it may reject is no news. */
function asynchronous(kind: string, id: string, promise: Promise<unknown>): QStreamError {
  promise.catch(() => {});
  return new QStreamError("STEP_FAILED", `${kind} "${id}" got a promise from its function`, {
    advice: "Functions on edges are synchronous; use apply with an operator whose execute is async",
  });
}
