/**
 * A partition function that slices: objects that are the business of several channels are cut, and each channel gets
 * its part.
 *
 *     node dist/examples/slices.js
 *     npx qstream run examples/slices.ts --arg stays=10000
 *
 * A hotel's stays last some nights. Each channel owns a stretch of the year, and counts the guests of its nights; a
 * stay that reaches over the end of a stretch is cut there. Parts are made before anything is sent, so no channel gets
 * nights that it doesn't own, and none is counted twice.
 */
import { pathToFileURL } from "node:url";
import {
  custom,
  defineFlow,
  formatTable,
  reader,
  run,
  slice,
  type Context,
  type Operator,
  type Stateful,
  type Task,
} from "qstream";

export const nightsOfYear = 365;

/** Nights from `from` up to but without `to`, numbered from New Year's. */
export type Stay = { readonly from: number; readonly to: number; readonly guests: number };
export type Night = { readonly night: number; readonly guests: number };

/** First night of a channel's stretch. */
const firstNight = (channel: number, channels: number): number => Math.floor((nightsOfYear * channel) / channels);

const byStretch = custom(function byStretch(stay: Stay, { channels }) {
  const parts = [];
  for (let channel = 0; channel < channels; channel += 1) {
    const from = Math.max(stay.from, firstNight(channel, channels));
    const to = Math.min(stay.to, firstNight(channel + 1, channels));
    if (from < to) parts.push(slice(channel, { ...stay, from, to }));
  }
  return parts;
});

/** Counts the guests of each night of its stretch. */
class Nights implements Operator<{ in: Stay }, Night>, Stateful<Uint32Array> {
  #guests: Uint32Array = new Uint32Array(nightsOfYear);

  execute({ objects }: Task<{ in: Stay }>): void {
    for (const { from, to, guests } of objects) {
      for (let night = from; night < to; night += 1) this.#guests[night] = (this.#guests[night] ?? 0) + guests;
    }
  }

  *done({ channel, channels }: Context): Generator<Night, void> {
    const end = firstNight(channel + 1, channels);
    for (let night = firstNight(channel, channels); night < end; night += 1) {
      yield { night, guests: this.#guests[night] ?? 0 };
    }
  }

  snapshot(): Uint32Array {
    return this.#guests;
  }

  restore(guests: Uint32Array): void {
    this.#guests = guests;
  }
}

/** The stay of this number: all of them look random, and each is always the same. */
export function stayOf(number: number): Stay {
  const drawn = Math.imul(number + 1, 0x9e3779b1) >>> 0;
  const from = drawn % nightsOfYear;
  return { from, to: Math.min(nightsOfYear, from + 1 + ((drawn >>> 12) % 21)), guests: 1 + ((drawn >>> 24) % 4) };
}

const slices = defineFlow(import.meta.url, { stays: "int32?" }, (q, { stays = 100_000 }) => {
  const bookings = reader({
    kind: "stays",
    options: { stays },
    splits: ({ channels }) =>
      Array.from({ length: channels }, (_, part) => ({
        first: Math.floor((stays * part) / channels),
        end: Math.floor((stays * (part + 1)) / channels),
      })),
    *read({ first, end }) {
      for (let at = first; at < end; at += 1000) {
        yield run(Array.from({ length: Math.min(1000, end - at) }, (_, number) => stayOf(at + number)));
      }
    },
  });
  const nights = q
    .read("stays", bookings)
    .partition(byStretch)
    .apply("nights", () => new Nights(), { channels: 4, declares: "confluent" });
  return { nights: nights.collect() };
});

export default slices;

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  const { nights } = await slices.run();
  const fullest = nights.toSorted((a, b) => b.guests - a.guests || a.night - b.night);
  console.log(formatTable(fullest, { rowsMax: 10 }));
}
