import { combineHashes, hashNull } from "./hash.ts";
import { groupOfHash, hashKey, type MapKey } from "./key.ts";

/** The key group of the keys that a map key stands for: that of `hashKey` of any of them. */
export function groupOfMapKey(key: MapKey): number {
  if (typeof key !== "string" || key.length === 0 || key.charCodeAt(0) > 1) return groupOfHash(hashKey(key));
  if (key.charCodeAt(0) === 0) return groupOfHash(hashKey(key.slice(1)));
  return groupOfHash(new KeyTexts(key).hash());
}

/** Reads what `mapKey` writes for arrays and bytes: texts of keys, one after the other. */
class KeyTexts {
  readonly #text: string;
  /** Behind the mark. */
  #at = 1;

  constructor(text: string) {
    this.#text = text;
  }

  hash(): number {
    let hash: number | undefined;
    while (this.#at < this.#text.length) hash = combined(hash, this.#next());
    return hash ?? hashNull;
  }

  /** The hash of the next key. */
  #next(): number {
    const kind = this.#text[this.#at];
    this.#at += 1;
    switch (kind) {
      case "n":
        return hashKey(Number(this.#until(";")));
      case "i":
        return hashKey(BigInt(this.#until(";")));
      case "s":
        return hashKey(this.#characters(Number(this.#until(":"))));
      case "b":
        return hashKey(Buffer.from(this.#characters(Number(this.#until(":"))), "latin1"));
      case "a":
        return this.#array(Number(this.#until("[")));
      case "t":
      case "f":
        return hashKey(kind === "t");
      default:
        return hashNull;
    }
  }

  #array(length: number): number {
    let hash: number | undefined;
    for (let index = 0; index < length; index += 1) hash = combined(hash, this.#next());
    return hash ?? hashNull;
  }

  #until(end: string): string {
    const from = this.#at;
    const to = this.#text.indexOf(end, from);
    this.#at = to + 1;
    return this.#text.slice(from, to);
  }

  #characters(length: number): string {
    const from = this.#at;
    this.#at += length;
    return this.#text.slice(from, this.#at);
  }
}

function combined(hash: number | undefined, next: number): number {
  return hash === undefined ? next : combineHashes(hash, next);
}
