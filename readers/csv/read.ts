import type { Context } from "../../lib/core/contracts/context.ts";
import type { Reading, Side } from "../../lib/core/contracts/reader.ts";
import { QStreamError } from "../../lib/core/errors.ts";
import type { Columns } from "../../lib/core/schema.ts";
import { reportBadRow, type BadRow } from "../text/bad-row.ts";
import { countLines, decodeText } from "../text/decode.ts";
import type { LineBlock } from "../text/line-blocks.ts";
import { openText, type TextSource } from "../text/source.ts";
import { headerNames } from "./header.ts";
import { recordBlocks } from "./record-blocks.ts";
import { RecordParser } from "./record-parser.ts";
import { rowCollector, type RowCollector } from "./row-collector.ts";
import { RowPlan, type RecordProblem } from "./row-plan.ts";
import type { CsvSettings, CsvSplit } from "./settings.ts";

/** Reads the rows of a split as runs of objects or batches, and its bad rows. */
export async function* readCsv(
  split: CsvSplit,
  ctx: Context,
  settings: CsvSettings,
): AsyncGenerator<Reading<unknown>, void> {
  const source = await openText(split, ctx);
  try {
    yield* new SplitReading(source, ctx, settings).rows(split);
  } finally {
    await source.close();
  }
}

/** One split while it is read. */
class SplitReading {
  readonly #source: TextSource;
  readonly #ctx: Context;
  readonly #settings: CsvSettings;
  readonly #parser: RecordParser;

  constructor(source: TextSource, ctx: Context, settings: CsvSettings) {
    this.#source = source;
    this.#ctx = ctx;
    this.#settings = settings;
    this.#parser = new RecordParser(settings.dialect);
  }

  async *rows(split: CsvSplit): AsyncGenerator<Reading<unknown>, void> {
    const { dialect, recordBytesMax, schema, header, nullValues, as } = this.#settings;
    const columns = schema ?? split.columns ?? {};
    let plan = header ? undefined : RowPlan.ofPositions(columns, nullValues);
    if (header && split.from > 0) plan = await this.#planOfHeader(columns);
    let collector = plan && (await rowCollector(plan, as));
    for await (const block of recordBlocks(this.#source, split.from, dialect, recordBytesMax)) {
      let rows = block;
      if (plan === undefined || collector === undefined) {
        plan = RowPlan.ofHeader(columns, this.#headerOf(block), this.#headerCheck());
        collector = await rowCollector(plan, as);
        // The header was the block's first record; its bytes are those of its text, which was decoded from them.
        const headerBytes = Buffer.byteLength(block.bytes.toString("utf8").slice(0, this.#parser.end));
        rows = { bytes: block.bytes.subarray(headerBytes), position: block.position + headerBytes };
      }
      const text = decodeText(rows.bytes);
      if (text === undefined) yield* this.#recordsOneByOne(rows, plan, collector);
      else yield* this.#records(text, rows.position, plan, collector);
    }
    const rest = collector?.take();
    if (rest !== undefined) yield rest;
  }

  async *#records(
    text: string,
    position: number,
    plan: RowPlan,
    collector: RowCollector,
  ): AsyncGenerator<Reading<unknown>, void> {
    const parser = this.#parser;
    let counted = 0;
    let lines = 0;
    parser.take(text);
    while (parser.next()) {
      if (plan.isBlank(parser)) continue;
      const problem = plan.convert(parser);
      if (problem === undefined) {
        if (!collector.add()) continue;
      } else {
        lines += countLines(text, counted, parser.start);
        counted = parser.start;
      }
      const gathered = collector.take();
      if (gathered !== undefined) yield gathered;
      if (problem !== undefined) yield await this.#bad(problem, parser.recordText(), position, lines);
    }
  }

  /** A block with bytes that are no UTF-8: found record by record, in a text that has a character for each byte. */
  async *#recordsOneByOne(
    block: LineBlock,
    plan: RowPlan,
    collector: RowCollector,
  ): AsyncGenerator<Reading<unknown>, void> {
    const places = new RecordParser(this.#settings.dialect);
    places.take(block.bytes.toString("latin1"));
    while (places.next()) {
      const bytes = block.bytes.subarray(places.start, places.end);
      const text = decodeText(bytes);
      const position = block.position + places.start;
      if (text !== undefined) {
        yield* this.#records(text, position, plan, collector);
        continue;
      }
      const gathered = collector.take();
      if (gathered !== undefined) yield gathered;
      const shown = bytes.toString("utf8").replace(/\r?\n$/u, "");
      yield await this.#bad(this.#invalidText(places, plan), shown, position, 0);
    }
  }

  #invalidText(places: RecordParser, plan: RowPlan): RecordProblem {
    const reason = "a row isn't valid UTF-8";
    const index = places.fields
      .slice(0, places.count)
      .findIndex((field) => decodeText(Buffer.from(field, "latin1")) === undefined);
    const column = plan.fields.find((field) => field.index === index)?.name;
    return column === undefined ? { reason } : { reason, column };
  }

  async #bad(problem: RecordProblem, text: string, position: number, linesBefore: number): Promise<Side<BadRow>> {
    return reportBadRow(this.#settings.badRows, this.#ctx, {
      file: this.#source.file,
      line: (await this.#source.lineAt(position)) + linesBefore,
      ...problem,
      text,
    });
  }

  async #planOfHeader(columns: Columns): Promise<RowPlan> {
    const { dialect, recordBytesMax } = this.#settings;
    for await (const block of recordBlocks(this.#source, 0, dialect, recordBytesMax)) {
      return RowPlan.ofHeader(columns, this.#headerOf(block), this.#headerCheck());
    }
    throw new QStreamError("BAD_INPUT", "the file has no header", { file: this.#source.file, line: 1 });
  }

  #headerOf(block: LineBlock): string[] {
    return headerNames(block, this.#parser, this.#source.file);
  }

  #headerCheck(): { file: string; exact: boolean; nullValues: readonly string[] } {
    const { schema, nullValues } = this.#settings;
    return { file: this.#source.file, exact: schema === undefined, nullValues };
  }
}
