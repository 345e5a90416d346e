import { generate } from "../generate.ts";

/** Properties that objects which travel as columns may have; wider ones are cloned. */
const keysMax = 512;
const shapesMax = 512;
/** Rows of a shape after which code for it is generated: compiling pays only for shapes that come again. */
const rowsBeforeCode = 256;

/** Where the values of one property are gathered: numbers in a float array, all others in a plain one. */
export type Gathered = Float64Array | unknown[];

/** Decoded columns, from which objects are built. */
export type Column = ArrayLike<unknown>;

/** Takes objects apart. Returns their number; or `wrongShape`, or `wrongKind` where a value isn't the number it should be. */
type Gather = (objects: readonly unknown[], columns: readonly Gathered[]) => number;
type Build = (rows: number, columns: readonly Column[]) => unknown[];

export const wrongShape = -1;
export const wrongKind = -2;

/** The keys of objects in their order, with the functions that take such objects apart and put them together. */
export class Shape {
  readonly keys: readonly string[];
  /** The keys as JSON: equal for equal shapes. */
  readonly text: string;
  #rows = 0;
  readonly #gathers = new Map<string, Gather>();
  #build: Build | undefined;

  constructor(keys: readonly string[], text: string) {
    this.keys = keys;
    this.text = text;
  }

  /** Takes objects apart into columns, if all are plain objects of just these keys in this order. */
  gather(objects: readonly unknown[], columns: readonly Gathered[]): number {
    this.#rows += objects.length;
    if (this.#rows < rowsBeforeCode) return gatherPlainly(this.keys, objects, columns);
    const kinds = columns.map((column) => (Array.isArray(column) ? "o" : "f")).join("");
    let gather = this.#gathers.get(kinds);
    if (gather === undefined) {
      gather = generateGather(this.keys, kinds) ?? ((all, into) => gatherPlainly(this.keys, all, into));
      if (this.#gathers.size >= 8) this.#gathers.clear();
      this.#gathers.set(kinds, gather);
    }
    return gather(objects, columns);
  }

  /** Puts objects together from columns. */
  build(rows: number, columns: readonly Column[]): unknown[] {
    this.#rows += rows;
    if (this.#rows < rowsBeforeCode) return buildPlainly(this.keys, rows, columns);
    this.#build ??= generateBuild(this.keys) ?? ((count, from) => buildPlainly(this.keys, count, from));
    return this.#build(rows, columns);
  }
}

const shapes = new Map<string, Shape>();

/** The shape of a plain object; undefined for all else, and for objects with very many properties. */
export function shapeOf(object: unknown): Shape | undefined {
  if (typeof object !== "object" || object === null) return undefined;
  const prototype = Object.getPrototypeOf(object) as object | null;
  if (prototype !== Object.prototype && prototype !== null) return undefined;
  const keys = Object.keys(object);
  return keys.length > keysMax ? undefined : remembered(JSON.stringify(keys), keys);
}

/** The shape that a frame names; undefined if the text isn't one. */
export function shapeNamed(text: string): Shape | undefined {
  const known = shapes.get(text);
  if (known !== undefined) return known;
  let keys: unknown;
  try {
    keys = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!Array.isArray(keys) || keys.length > keysMax || !keys.every((key) => typeof key === "string")) return undefined;
  return remembered(text, keys);
}

function remembered(text: string, keys: readonly string[]): Shape {
  const known = shapes.get(text);
  if (known !== undefined) return known;
  if (shapes.size >= shapesMax) {
    for (const oldest of shapes.keys()) {
      shapes.delete(oldest);
      break;
    }
  }
  const shape = new Shape(keys, text);
  shapes.set(text, shape);
  return shape;
}

function gatherPlainly(keys: readonly string[], objects: readonly unknown[], columns: readonly Gathered[]): number {
  for (let row = 0; row < objects.length; row += 1) {
    const object = objects[row];
    if (typeof object !== "object" || object === null || !isOfShape(object, keys)) return wrongShape;
    for (let place = 0; place < keys.length; place += 1) {
      const value = (object as Record<string, unknown>)[keys[place] ?? ""];
      const column = columns[place];
      if (Array.isArray(column)) column[row] = value;
      else if (typeof value === "number" && column !== undefined) column[row] = value;
      else return wrongKind;
    }
  }
  return objects.length;
}

function isOfShape(object: object, keys: readonly string[]): boolean {
  const prototype = Object.getPrototypeOf(object) as object | null;
  if (prototype !== Object.prototype && prototype !== null) return false;
  let place = 0;
  for (const key in object) {
    if (key !== keys[place]) return false;
    place += 1;
  }
  return place === keys.length;
}

function buildPlainly(keys: readonly string[], rows: number, columns: readonly Column[]): unknown[] {
  const objects: unknown[] = [];
  for (let row = 0; row < rows; row += 1) {
    const object: Record<string, unknown> = {};
    for (let place = 0; place < keys.length; place += 1) {
      const key = keys[place] ?? "";
      const value = columns[place]?.[row];
      // Assigned, this key would set the prototype.
      if (key === "__proto__")
        Object.defineProperty(object, key, { value, configurable: true, enumerable: true, writable: true });
      else object[key] = value;
    }
    objects.push(object);
  }
  return objects;
}

/**
 * Code for one shape: each property is read by its own instruction with its own inline cache, several times faster than a
 * loop over keys. The prototype is checked last, where the compiler knows it from the reads before.
 */
function generateGather(keys: readonly string[], kinds: string): Gather | undefined {
  const reads = keys.map((key, place) => {
    const read = `const v${place} = object[${JSON.stringify(key)}];`;
    const check = kinds[place] === "f" ? `if (typeof v${place} !== "number") return ${wrongKind};` : "";
    return `${read} ${check} c${place}[row] = v${place};`;
  });
  return generateFor<Gather>(
    `${keys.map((_, place) => `const c${place} = columns[${place}];`).join("\n")}
    for (let row = 0; row < objects.length; row += 1) {
      const object = objects[row];
      if (typeof object !== "object" || object === null) return ${wrongShape};
      ${reads.join("\n      ")}
      let place = 0;
      for (const key in object) {
        if (key !== keys[place]) return ${wrongShape};
        place += 1;
      }
      if (place !== ${keys.length}) return ${wrongShape};
      const prototype = Object.getPrototypeOf(object);
      if (prototype !== plain && prototype !== null) return ${wrongShape};
    }
    return objects.length;`,
    "objects, columns",
    keys,
  );
}

/** An object literal makes all properties at once, in the shape that the engine already knows. */
function generateBuild(keys: readonly string[]): Build | undefined {
  const properties = keys.map((key, place) => {
    // A computed key is always an own property; written plainly, __proto__ would set the prototype.
    return `${key === "__proto__" ? `["__proto__"]` : JSON.stringify(key)}: c${place}[row]`;
  });
  return generateFor<Build>(
    `${keys.map((_, place) => `const c${place} = columns[${place}];`).join("\n")}
    const objects = new Array(rows);
    for (let row = 0; row < rows; row += 1) objects[row] = { ${properties.join(", ")} };
    return objects;`,
    "rows, columns",
    keys,
  );
}

function generateFor<F>(body: string, parameters: string, keys: readonly string[]): F | undefined {
  return generate<F>(["keys", "plain"], `return (${parameters}) => {\n${body}\n};`, [keys, Object.prototype]);
}
