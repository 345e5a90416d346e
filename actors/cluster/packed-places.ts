import { constants, deflateRawSync, inflateRawSync } from "node:zlib";
import { frameBytesMaxDefault } from "../../lib/core/envelope/frame.ts";
import type { LinkOrder, Order, PlacedLife, PrepareOrder } from "../slot/protocol.ts";
import { Refusal } from "../transport/wire/refusal.ts";
import type { PackedOrders, SlotOrder } from "./protocol.ts";

type Places = Pick<PrepareOrder, "slots" | "placement">;

// The same for all machines: it is packed once, and sent as often as there are machines.
const packedPlaces = new WeakMap<object, Uint8Array>();

/**
 * Takes out of orders where channels are and how they are linked, which is most of what a machine is told of an execution, much of it
 * the same for all of its slots, and packs it: names of slots are much alike, and numbers follow each other.
 */
export function packOrders(orders: readonly SlotOrder[]): PackedOrders {
  const places = new Map<object, number>();
  const packed = orders.map(({ slot, order }) => {
    const part = packedPart(order);
    if (part === undefined) return { slot, order };
    const { all, rest } = part;
    const index = places.get(all) ?? places.size;
    places.set(all, index);
    if (!packedPlaces.has(all)) packedPlaces.set(all, pack(part.columns()));
    return { slot, order: rest, places: index };
  });
  return { orders: packed, places: [...places.keys()].map((all) => packedPlaces.get(all) ?? nothing) };
}

const nothing = new Uint8Array();
const linksLeast = 32;

/**
 * @param bytesMax - that all that is packed may have
 * @throws Refusal where that is more, or isn't where channels are
 */
export function unpackOrders({ orders, places }: PackedOrders, bytesMax: number = frameBytesMaxDefault): SlotOrder[] {
  const unpacked = new Map<string, Places | Lives | Links>();
  let bytesLeft = bytesMax;
  return orders.map(({ slot, order, places: index }) => {
    if (index === undefined) return { slot, order };
    const bytes = places[index];
    const read = readers[order.kind];
    if (bytes === undefined || read === undefined) throw notThere();
    const key = `${order.kind} ${index}`;
    let known = unpacked.get(key);
    if (known === undefined) {
      const text = inflate(bytes, bytesLeft);
      bytesLeft -= text.byteLength;
      unpacked.set(key, (known = read(columnsIn(text))));
    }
    return { slot, order: { ...order, ...known } as Order };
  });
}

interface Lives {
  readonly placed: readonly PlacedLife[];
}

interface Links {
  readonly links: readonly LinkOrder[];
}

const readers: { readonly [K in Order["kind"]]?: (columns: readonly unknown[]) => Places | Lives | Links } = {
  prepare: placesOf,
  recover: livesOf,
  connect: linksOf,
};

interface PackedPart {
  /** What the orders of other slots have, too. */
  readonly all: object;
  readonly columns: () => readonly unknown[];
  readonly rest: Order;
}

function packedPart(order: Order): PackedPart | undefined {
  switch (order.kind) {
    case "prepare":
      return { all: order.placement, columns: () => columnsOf(order), rest: { ...order, slots: [], placement: [] } };
    case "recover": {
      const { placed } = order;
      return placed.length === 0
        ? undefined
        : { all: placed, columns: () => columnsOfLives(placed), rest: { ...order, placed: [] } };
    }
    case "connect": {
      const { links } = order;
      // Where each channel is linked with each of another step, there are many; those to lives that make outputs again are few.
      return links.length < linksLeast || links.some(({ replay }) => replay !== undefined)
        ? undefined
        : { all: links, columns: () => columnsOfLinks(links), rest: { ...order, links: [] } };
    }
    default:
      return undefined;
  }
}

/** Steps on the same slots share one list, at the other end, too. */
function columnsOf({ slots, placement }: Places): readonly unknown[] {
  const lists = [...new Set(placement)];
  const listOf = new Map(lists.map((list, index) => [list, index]));
  return [slots, placement.map((list) => listOf.get(list)), ...lists];
}

function placesOf([slots, steps, ...lists]: readonly unknown[]): Places {
  if (!isListOf(slots, isText) || !isNumbers(steps) || !isListOf(lists, isNumbers)) throw notThere();
  return { slots, placement: steps.map((step) => lists[step] ?? refuse()) };
}

function columnsOfLives(placed: readonly PlacedLife[]): readonly unknown[] {
  const slots = [...new Set(placed.map(({ slot }) => slot))];
  const indexOf = new Map(slots.map((slot, index) => [slot, index]));
  return [
    slots,
    placed.map(({ slot }) => indexOf.get(slot)),
    placed.map(({ step }) => step),
    placed.map(({ channel }) => channel),
    placed.map(({ life }) => life),
  ];
}

function livesOf([slots, indexes, ...columns]: readonly unknown[]): Lives {
  if (!isListOf(slots, isText) || !isNumbers(indexes) || !isListOf(columns, isNumbers)) throw notThere();
  const [steps = [], channels = [], lives = []] = columns;
  const placed = indexes.map((index, at) => ({
    step: steps[at] ?? refuse(),
    channel: channels[at] ?? refuse(),
    life: lives[at] ?? refuse(),
    slot: slots[index] ?? refuse(),
  }));
  return { placed };
}

function columnsOfLinks(links: readonly LinkOrder[]): readonly unknown[] {
  return [links.map(({ consumer }) => consumer), links.map(({ edge }) => edge), links.map(({ from }) => from)];
}

function linksOf(columns: readonly unknown[]): Links {
  if (!isListOf(columns, isNumbers)) throw notThere();
  const [consumers = [], edges = [], from = []] = columns;
  const links = consumers.map((consumer, at) => ({
    consumer,
    edge: edges[at] ?? refuse(),
    from: from[at] ?? refuse(),
  }));
  return { links };
}

function pack(columns: readonly unknown[]): Uint8Array {
  return deflateRawSync(JSON.stringify(columns), { level: constants.Z_BEST_SPEED });
}

function inflate(bytes: Uint8Array, bytesMax: number): Buffer {
  try {
    return inflateRawSync(bytes, { maxOutputLength: Math.max(1, bytesMax) });
  } catch (cause) {
    throw new Refusal("tell", "its places can't be read", cause);
  }
}

function columnsIn(text: Buffer): readonly unknown[] {
  let found: unknown;
  try {
    found = JSON.parse(text.toString());
  } catch (cause) {
    throw new Refusal("tell", "its places can't be read", cause);
  }
  return Array.isArray(found) ? (found as readonly unknown[]) : refuse();
}

function notThere(): Refusal {
  return new Refusal("tell", "its places aren't there, or aren't of their form");
}

function refuse(): never {
  throw notThere();
}

const isText = (one: unknown): one is string => typeof one === "string";
const isNumber = (one: unknown): one is number => typeof one === "number";
const isNumbers = (one: unknown): one is readonly number[] => isListOf(one, isNumber);

function isListOf<T>(list: unknown, holds: (one: unknown) => one is T): list is readonly T[] {
  return Array.isArray(list) && list.every((one) => holds(one));
}
