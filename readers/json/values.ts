import type { Context } from "../../lib/core/contracts/context.ts";
import { run, type Reading, type Run } from "../../lib/core/contracts/reader.ts";
import { reportBadRow, type BadRows } from "../text/bad-row.ts";
import { isNestedTooDeep, levelsMax } from "./nesting.ts";
import { issuePath, type StandardResult, type StandardSchema } from "./standard-schema.ts";

export interface JsonSettings {
  readonly schema: StandardSchema | undefined;
  readonly badRows: BadRows;
}

/** A JSON text, and how to find out where it stands when it turns out to be bad. */
export interface JsonText {
  readonly text: string;
  readonly file: string;
  readonly line: () => Promise<number>;
}

/** What is wrong with a JSON text. */
interface JsonProblem {
  readonly reason: string;
  readonly column?: string;
}

const runObjects = 1000;

/** Parses JSON texts, checks them against the schema, and gathers the values to runs. */
export class JsonValues {
  readonly #settings: JsonSettings;
  readonly #ctx: Context;
  #objects: unknown[] = [];

  constructor(settings: JsonSettings, ctx: Context) {
    this.#settings = settings;
    this.#ctx = ctx;
  }

  /** Takes a text without a schema to ask: true where it went well, which needs no waiting. */
  takePlain(text: string): boolean {
    if (this.#settings.schema !== undefined) return false;
    try {
      const value: unknown = JSON.parse(text);
      if (isNestedTooDeep(text, value)) return false;
      this.#objects.push(value);
      return true;
    } catch {
      return false;
    }
  }

  get full(): boolean {
    return this.#objects.length >= runObjects;
  }

  /** The values since the last time, or undefined where there are none. */
  gathered(): Run<unknown> | undefined {
    if (this.#objects.length === 0) return undefined;
    const objects = this.#objects;
    this.#objects = [];
    return run(objects);
  }

  /** Takes any text, and yields its bad row if it is one. */
  async *take(json: JsonText): AsyncGenerator<Reading<unknown>, void> {
    const problem = await this.#check(json.text);
    if (problem !== undefined) yield* this.bad(json, problem);
  }

  /** Yields a bad row, and before it what came before it. */
  async *bad(json: JsonText, problem: JsonProblem): AsyncGenerator<Reading<unknown>, void> {
    const gathered = this.gathered();
    if (gathered !== undefined) yield gathered;
    const { file, text } = json;
    yield reportBadRow(this.#settings.badRows, this.#ctx, { file, line: await json.line(), ...problem, text });
  }

  async #check(text: string): Promise<JsonProblem | undefined> {
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch (error) {
      return { reason: `not JSON (${(error as Error).message})` };
    }
    if (isNestedTooDeep(text, value)) return { reason: `nested deeper than ${levelsMax} levels` };
    const { schema } = this.#settings;
    if (schema === undefined) {
      this.#objects.push(value);
      return undefined;
    }
    const checked = schema["~standard"].validate(value);
    const result: StandardResult<unknown> = checked instanceof Promise ? await checked : checked;
    if (result.issues === undefined) {
      this.#objects.push(result.value);
      return undefined;
    }
    const first = result.issues[0];
    const column = first && issuePath(first);
    const reason = result.issues.map((issue) => issue.message).join("; ");
    return { reason: `not as the schema says (${reason})`, ...(column === undefined ? {} : { column }) };
  }
}
