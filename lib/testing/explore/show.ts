import { Reference } from "../../../actors/system/reference.ts";
import type { AnyReference } from "../../core/contracts/actor.ts";
import { MachineDisk } from "./machine-disk.ts";
import type { ExplorationOptions } from "./exploration.ts";

const depthMax = 6;
const lengthMax = 400;
const listedMax = 50;
// What is shown whole may be nested as deep, and no deeper, as there may be cycles.
const wholeDepthMax = 30;

/** A value in a few words, as pictures show it: as JSON, with actors by their labels, Maps and Sets as such, and no quotes where none are needed. */
export function shortText(value: unknown): string {
  const text = new Texts(depthMax, listedMax).of(value, 0);
  return text.length > lengthMax ? `${text.slice(0, lengthMax - 1)}…` : text;
}

/** How an exploration wants its states and messages shown. */
export class Show {
  readonly #options: NonNullable<ExplorationOptions<unknown>["show"]>;

  constructor(options: ExplorationOptions<never>["show"]) {
    this.#options = options ?? {};
  }

  state(state: unknown, actor: AnyReference): string {
    const { state: show } = this.#options;
    return show === undefined ? this.#text(state) : show(state as never, actor);
  }

  message(name: string, payload: unknown): string {
    const { message } = this.#options;
    if (message !== undefined) return message(name, payload as never);
    return payload === undefined ? name : `${name} ${this.#text(payload)}`;
  }

  #text(value: unknown): string {
    return this.#options.whole === true ? new Texts(wholeDepthMax, Infinity).of(value, 0) : shortText(value);
  }
}

/** Values as texts, down to a depth, with so many parts of each at most. */
class Texts {
  readonly #depthMax: number;
  readonly #listedMax: number;
  /** Objects that are being shown: what is in itself isn't shown again. */
  readonly #open = new Set<object>();

  constructor(depthMax: number, listedMax: number) {
    this.#depthMax = depthMax;
    this.#listedMax = listedMax;
  }

  of(value: unknown, depth: number): string {
    switch (typeof value) {
      case "string":
        return /^[\w./:-]+$/u.test(value) ? value : JSON.stringify(value);
      case "bigint":
        return `${value}n`;
      case "function":
        return "(function)";
      case "object":
        return value === null ? "null" : this.#ofObject(value, depth + 1);
      default:
        return String(value);
    }
  }

  #ofObject(value: object, depth: number): string {
    if (value instanceof Reference) return value.label;
    if (value instanceof Error) return value.message;
    if (value instanceof MachineDisk) return `disk of ${value.size}`;
    if (value instanceof Date) return value.toISOString();
    if (depth > this.#depthMax || this.#open.has(value)) return "…";
    if (ArrayBuffer.isView(value)) return `${value.constructor.name}(${value.byteLength} bytes)`;
    this.#open.add(value);
    const text = this.#ofParts(value, depth);
    this.#open.delete(value);
    return text;
  }

  #ofParts(value: object, depth: number): string {
    const of = (part: unknown): string => this.of(part, depth);
    if (Array.isArray(value)) return `[${this.#listed(value, of)}]`;
    if (value instanceof Map) return `{${this.#listed([...value], ([key, each]) => `${of(key)} => ${of(each)}`)}}`;
    if (value instanceof Set) return `{${this.#listed([...value], of)}}`;
    const entries = Object.entries(value).filter(([, each]) => each !== undefined && typeof each !== "function");
    return `{${this.#listed(entries, ([key, each]) => `${key}: ${of(each)}`)}}`;
  }

  #listed<T>(values: readonly T[], text: (value: T) => string): string {
    const shown = values.slice(0, this.#listedMax).map(text).join(", ");
    return values.length > this.#listedMax ? `${shown}, …` : shown;
  }
}
