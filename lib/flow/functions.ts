import { representationOf } from "../core/batch/index.ts";
import type { Many } from "../core/contracts/operator.ts";
import { QStreamError } from "../core/errors.ts";
import type { EdgeFunction } from "../core/program.ts";
import type { FunctionContext } from "./stream-types.ts";

type Apply = EdgeFunction["apply"];

/** Each kind of edge function as one plain loop over the objects of a parcel. */
export function mapping(f: (object: never, ctx: FunctionContext) => unknown): Apply {
  return (objects, ctx) => {
    const count = objects.length;
    const made = new Array<unknown>(count);
    for (let at = 0; at < count; at++) made[at] = f(objects[at] as never, ctx);
    if (count > 0 && made[0] instanceof Promise) throw asynchronous("map");
    return made;
  };
}

export function filtering(f: (object: never, ctx: FunctionContext) => unknown): Apply {
  return (objects, ctx) => {
    const kept: unknown[] = [];
    for (let at = 0; at < objects.length; at++) {
      const object = objects[at];
      const answer = f(object as never, ctx);
      if (answer instanceof Promise) throw asynchronous("filter");
      if (answer) kept.push(object);
    }
    return kept;
  };
}

export function flatMapping(f: (object: never, ctx: FunctionContext) => Many<unknown>): Apply {
  return (objects, ctx) => {
    const made: unknown[] = [];
    for (let at = 0; at < objects.length; at++) {
      const several = f(objects[at] as never, ctx);
      if (Array.isArray(several)) {
        for (let index = 0; index < several.length; index++) made.push(several[index]);
        continue;
      }
      if (typeof several !== "object" || several === null || several instanceof Promise) throw notSeveral(several);
      for (const object of several) made.push(object);
    }
    return made;
  };
}

export function tapping(f: (object: never, ctx: FunctionContext) => void): Apply {
  return (objects, ctx) => {
    for (let at = 0; at < objects.length; at++) f(objects[at] as never, ctx);
    return objects;
  };
}

/** A function over all objects of a parcel at once. */
export function batching(f: (objects: readonly never[], ctx: FunctionContext) => Many<unknown>): Apply {
  return (objects, ctx) => {
    const made = f(objects as readonly never[], ctx);
    if (made instanceof Promise) throw asynchronous("mapParcel");
    return Array.isArray(made) ? made : [...made];
  };
}

/** A function over columnar batches: each must be one. */
export function framing(id: string, f: (batch: never, ctx: FunctionContext) => unknown): Apply {
  return (objects, ctx) =>
    objects.map((object) => {
      if (representationOf(object) !== undefined) return f(object as never, ctx);
      throw new QStreamError("MIXED_REPRESENTATION", `frame function "${id}" got a plain object`, {
        advice: 'Frame functions take Arrow tables or Polars frames: read with as: "polars", or use map',
      });
    });
}

function notSeveral(value: unknown): QStreamError {
  if (value instanceof Promise) return asynchronous("flatMap");
  return new QStreamError("STEP_FAILED", `flatMap got ${value === null ? "null" : typeof value} from its function`, {
    advice: "Return an array or another iterable: [] for nothing, [text] for a single string",
  });
}

function asynchronous(kind: string): QStreamError {
  return new QStreamError("STEP_FAILED", `${kind} got a promise from its function`, {
    advice: "Functions on edges are synchronous; use apply with an operator whose execute is async",
  });
}
