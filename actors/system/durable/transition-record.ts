import { QStreamError } from "../../../lib/core/errors.ts";
import { ByteReader } from "./byte-reader.ts";
import { ByteWriter } from "./byte-writer.ts";
import { readValue, writeValue } from "./value-bytes.ts";

/** What made an actor take a step. */
export type Input =
  /** The first one: its state is made. */
  | { readonly kind: "born"; readonly args: unknown; readonly seed: number }
  /** From outside, or from an actor that isn't durable. */
  | { readonly kind: "message"; readonly name: string; readonly payload: unknown; readonly sender: unknown }
  /** From a durable actor: its name, and which of its messages to this one it is. */
  | {
      readonly kind: "numbered";
      readonly name: string;
      readonly payload: unknown;
      readonly from: string;
      readonly number: number;
    }
  /** The first one of those that it has taken back from its stash. */
  | { readonly kind: "again" }
  | { readonly kind: "timer"; readonly timer: number };

/** How the step ended: the state and what was sent are kept, or it failed and is as if it hadn't been. */
export interface Outcome {
  /** What `ctx.now()` said, if it was asked. */
  readonly now: number | undefined;
  /** Messages that it sent to durable actors. */
  readonly sent: number;
  readonly hasFailed: boolean;
}

export interface TransitionRecord extends Outcome {
  /** Version of the definition whose handler took the step. */
  readonly version: number;
  readonly input: Input;
}

const kinds: readonly Input["kind"][] = ["born", "message", "numbered", "again", "timer"];
const kindMask = 0x07;
const failedFlag = 0x08;
const nowFlag = 0x10;

/** Writes records, each in two parts: the input before the handler may change what it was given, the outcome after it. */
export class RecordWriter {
  readonly #writer = new ByteWriter();
  #head = 0;

  /** @throws QStreamError CANNOT_TRAVEL */
  begin(input: Input, version: number): void {
    const writer = this.#writer;
    this.#head = kinds.indexOf(input.kind);
    writer.begin();
    writer.byte(this.#head);
    writer.count(version);
    switch (input.kind) {
      case "born":
        writer.double(input.seed);
        writeValue(writer, input.args);
        return;
      case "message":
        writer.text(input.name);
        writeValue(writer, input.sender);
        writeValue(writer, input.payload);
        return;
      case "numbered":
        writer.text(input.from);
        writer.count(input.number);
        writer.text(input.name);
        writeValue(writer, input.payload);
        return;
      case "timer":
        writer.count(input.timer);
        return;
      case "again":
    }
  }

  end({ now, sent, hasFailed }: Outcome): Uint8Array {
    this.#writer.patch(0, this.#head | (hasFailed ? failedFlag : 0) | (now === undefined ? 0 : nowFlag));
    this.#writer.count(sent);
    if (now !== undefined) this.#writer.double(now);
    return this.#writer.cut();
  }
}

/** @throws QStreamError FRAME_INVALID for bytes that aren't a whole record */
export function readRecord(bytes: Uint8Array): TransitionRecord {
  const reader = new ByteReader(bytes);
  const head = reader.byte();
  const version = reader.count();
  const input = readInput(reader, kinds[head & kindMask]);
  const sent = reader.count();
  const now = (head & nowFlag) === 0 ? undefined : reader.double();
  if (!reader.isAtEnd) throw new QStreamError("FRAME_INVALID", "the record of a transition is longer than it says");
  return { version, input, sent, now, hasFailed: (head & failedFlag) !== 0 };
}

function readInput(reader: ByteReader, kind: Input["kind"] | undefined): Input {
  switch (kind) {
    case "born":
      return { kind, seed: reader.double(), args: readValue(reader) };
    case "message":
      return { kind, name: reader.text(), sender: readValue(reader), payload: readValue(reader) };
    case "numbered":
      return {
        kind,
        from: reader.text(),
        number: reader.count(),
        name: reader.text(),
        payload: readValue(reader),
      };
    case "timer":
      return { kind, timer: reader.count() };
    case "again":
      return { kind };
    case undefined:
      throw new QStreamError("FRAME_INVALID", "the record of a transition is of an unknown kind");
  }
}
