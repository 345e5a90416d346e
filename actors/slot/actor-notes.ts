import type { Cell } from "../system/cell.ts";
import type { Envelope } from "../system/envelope.ts";
import type { Observer } from "../system/node-parts.ts";
import { idLabel } from "../system/reference.ts";

/** The actor whose code a slot was at, and the message that it handled. */
export interface ActorActivity {
  readonly label: string;
  /** Undefined while its state was made, or the end of another was told. */
  readonly message: string | undefined;
}

// Places of an actor's note, in words of 32 bits. A text is its length, and a character a word.
const kindAt = 0;
const messageAt = 1;
const idLowAt = 2;
const idHighAt = 3;
const nameAt = 4;
const nameMax = 64;
const textsAt = nameAt + 1 + nameMax;
const textMax = 31;
const textWords = textMax + 1;
const textsMost = 200;
const wordRange = 2 ** 32;

/** How much memory it takes. */
export const actorNoteWords: number = textsAt + textsMost * textWords;

/** Reads the note, which begins at `from`. */
export function readActorNote(memory: Int32Array, from: number): ActorActivity {
  const word = (at: number): number => memory[from + at] ?? 0;
  const name = readText(memory, from + nameAt, nameMax);
  const kind = readText(memory, from + textsAt + word(kindAt) * textWords, textMax);
  const message = readText(memory, from + textsAt + word(messageAt) * textWords, textMax);
  const id = word(idHighAt) * wordRange + (word(idLowAt) >>> 0);
  return { label: name === "" ? `${kind}-${idLabel(id)}` : name, message: message === "" ? undefined : message };
}

/** Texts of one slot's notes: kinds and messages are written once, and then have numbers. */
export class ActorTexts {
  readonly #memory: Int32Array;
  readonly #from: number;
  readonly #numbers = new Map<string, number>([["", 0]]);

  constructor(memory: Int32Array, from: number) {
    this.#memory = memory;
    this.#from = from;
  }

  /** Zero, which is no text, where there is no room any more. */
  numberOf(text: string): number {
    const known = this.#numbers.get(text);
    if (known !== undefined) return known;
    const number = this.#numbers.size;
    if (number >= textsMost) return 0;
    this.#numbers.set(text, number);
    writeText(this.#memory, this.#from + textsAt + number * textWords, text, textMax);
    return number;
  }

  write(kind: number, message: number, id: number): void {
    const [memory, from] = [this.#memory, this.#from];
    memory[from + kindAt] = kind;
    memory[from + messageAt] = message;
    memory[from + idLowAt] = id;
    memory[from + idHighAt] = id / wordRange;
  }

  /** The name of the actor, or nothing: then its kind and number are. */
  name(text: string | undefined): void {
    writeText(this.#memory, this.#from + nameAt, text ?? "", nameMax);
  }
}

/** Notes which actor of a node handles what, for others to read when its code doesn't come back. */
export class ActorNotes implements Observer {
  readonly #texts: ActorTexts;
  readonly #begun: () => void;
  readonly #ended: () => void;
  #cell: Cell | undefined;
  #kind = 0;
  #message = "";
  #messageNumber = 0;

  /** @param begun - code of an actor is going to run; `ended` once it has */
  constructor(texts: ActorTexts, begun: () => void, ended: () => void) {
    this.#texts = texts;
    this.#begun = begun;
    this.#ended = ended;
  }

  /** A turn of the node begins: others may have written meanwhile. */
  turn(): void {
    this.#cell = undefined;
  }

  before(cell: Cell, envelope: Envelope | undefined): void {
    const message = envelope?.name ?? "";
    if (message !== this.#message) {
      this.#message = message;
      this.#messageNumber = this.#texts.numberOf(message);
    }
    if (cell !== this.#cell) {
      const named = this.#cell === undefined || this.#cell.extras?.name !== undefined;
      this.#cell = cell;
      this.#kind = this.#texts.numberOf(cell.definition.kind);
      const name = cell.extras?.name;
      if (named || name !== undefined) this.#texts.name(name);
    }
    this.#texts.write(this.#kind, this.#messageNumber, cell.id);
    this.#begun();
  }

  after(): void {
    this.#ended();
  }
}

function writeText(memory: Int32Array, at: number, text: string, most: number): void {
  const length = Math.min(text.length, most);
  for (let index = 0; index < length; index++) memory[at + 1 + index] = text.charCodeAt(index);
  memory[at] = length;
}

function readText(memory: Int32Array, at: number, most: number): string {
  const length = Math.min(memory[at] ?? 0, most);
  return String.fromCharCode(...memory.subarray(at + 1, at + 1 + length));
}
