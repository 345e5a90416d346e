import type { QStream } from "qstream";

// A stream of a derived type is taken where one of its base is wanted.
type Animal = { name: string };
type Cat = { name: string; lives: number };
declare const cats: QStream<Cat>;
declare function feed(animals: QStream<Animal>): QStream<Animal>;
export const fed = feed(cats);
export const named: QStream<{ name: string }> = cats.filter("alive", (cat) => cat.lives > 0);
