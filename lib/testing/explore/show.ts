import { Reference } from "../../../actors/system/reference.ts";
import type { AnyReference } from "../../core/contracts/actor.ts";
import { MachineDisk } from "./machine-disk.ts";
import type { ExplorationOptions } from "./exploration.ts";

const depthMax = 6;
const lengthMax = 400;

/** A value in a few words, as pictures show it: as JSON, with actors by their labels, Maps and Sets as such, and no quotes where none are needed. */
export function shortText(value: unknown): string {
  const text = textOf(value, 0);
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
    return show === undefined ? shortText(state) : show(state as never, actor);
  }

  message(name: string, payload: unknown): string {
    const { message } = this.#options;
    if (message !== undefined) return message(name, payload as never);
    return payload === undefined ? name : `${name} ${shortText(payload)}`;
  }
}

function textOf(value: unknown, depth: number): string {
  switch (typeof value) {
    case "string":
      return /^[\w./:-]+$/u.test(value) ? value : JSON.stringify(value);
    case "bigint":
      return `${value}n`;
    case "function":
      return "(function)";
    case "object":
      return value === null ? "null" : objectText(value, depth + 1);
    default:
      return String(value);
  }
}

function objectText(value: object, depth: number): string {
  if (value instanceof Reference) return value.label;
  if (value instanceof Error) return value.message;
  if (value instanceof MachineDisk) return `disk of ${value.size}`;
  if (value instanceof Date) return value.toISOString();
  if (depth > depthMax) return "…";
  if (Array.isArray(value)) return `[${listed(value, (each) => textOf(each, depth))}]`;
  if (ArrayBuffer.isView(value)) return `${value.constructor.name}(${value.byteLength} bytes)`;
  if (value instanceof Map) {
    return `{${listed([...value], ([key, each]) => `${textOf(key, depth)} => ${textOf(each, depth)}`)}}`;
  }
  if (value instanceof Set) return `{${listed([...value], (each) => textOf(each, depth))}}`;
  const entries = Object.entries(value).filter(([, each]) => each !== undefined && typeof each !== "function");
  return `{${listed(entries, ([key, each]) => `${key}: ${textOf(each, depth)}`)}}`;
}

const listedMax = 50;

function listed<T>(values: readonly T[], text: (value: T) => string): string {
  const shown = values.slice(0, listedMax).map(text).join(", ");
  return values.length > listedMax ? `${shown}, …` : shown;
}
