import { livesOn } from "../../lib/core/actor-home.ts";
import type { DefinedActor } from "../../lib/core/actor-definition.ts";
import { QStreamError } from "../../lib/core/errors.ts";
import { cellFlag, type Cell } from "./cell.ts";
import { lastMailName, type Envelope } from "./envelope.ts";
import type { ActorNode } from "./node.ts";
import { Reference } from "./reference.ts";

/** No life: where an entity is, its key says. */
const entityLife = -1;

/** A reference to whoever is the actor of a kind and key. */
export class EntityReference extends Reference {
  readonly definition: DefinedActor;
  readonly entityKey: string;

  get [livesOn](): true {
    return true;
  }

  constructor(node: ActorNode, definition: DefinedActor, entityKey: string) {
    super(node, entityLife, 0, definition.kind, undefined);
    this.definition = definition;
    this.entityKey = entityKey;
  }

  override get label(): string {
    return `${this.kind}/${this.entityKey}`;
  }

  override get key(): string {
    return `entity/${this.kind}/${this.entityKey}`;
  }

  override equals(other: unknown): boolean {
    return other === this || (other instanceof Reference && other.key === this.key);
  }
}

/** The entities that are at home in a node: made by their first message, passivated when they have nothing to do. */
export class Entities {
  readonly #node: ActorNode;
  readonly #cells = new Map<string, Cell>();
  readonly #keys = new WeakMap<Cell, string>();
  /** What came while an entity ended: it is for its next life. */
  readonly #next = new Map<string, Waiting>();
  /** Whose entities a kind's are. */
  readonly #definitions = new Map<string, DefinedActor>();
  /** How many messages each had handled when it was looked at last. */
  readonly #seen = new WeakMap<Cell, number>();
  readonly #sweeps = new Map<DefinedActor, () => void>();

  constructor(node: ActorNode) {
    this.#node = node;
  }

  reference(wanted: DefinedActor, key: string): EntityReference {
    const definition = this.#node.durable?.derive(wanted) ?? wanted;
    // Half a character can't be in a log: it would come back as another one.
    const isCut = definition.durable !== undefined && typeof key === "string" && /\p{Surrogate}/u.test(key);
    if (typeof key !== "string" || key.length === 0 || key.length > 1024 || isCut) {
      throw new QStreamError("OPTION_INVALID", `${JSON.stringify(String(key).slice(0, 40))} is no key of an entity`, {
        advice: isCut ? "It holds half a surrogate pair" : "A key is a string of 1 to 1,024 characters",
      });
    }
    this.#know(definition);
    return new EntityReference(this.#node, definition, key);
  }

  /** Others may send to entities of a kind by its name. */
  meet(wanted: DefinedActor): void {
    this.#know(this.#node.durable?.derive(wanted) ?? wanted);
  }

  #know(definition: DefinedActor): void {
    const known = this.#definitions.get(definition.kind);
    if (known === undefined) this.#definitions.set(definition.kind, definition);
    else if (known !== definition) {
      throw new QStreamError(
        "ACTOR_INVALID",
        `two definitions are called "${definition.kind}", and both have entities`,
        {
          advice: 'Give each a name of its own: actor({ kind: "account", ... })',
        },
      );
    }
  }

  /** Whose entities are called by a kind's name, once there was a reference to one. */
  definitionOf(kind: string): DefinedActor | undefined {
    return this.#definitions.get(kind);
  }

  /** Hands a message to an entity that is at home here. False if it belongs elsewhere. */
  deliver(to: EntityReference, envelope: Envelope, from: Cell | undefined): boolean {
    const node = this.#node;
    if (node.parts.isHome?.(to) === false) return false;
    const cell = this.here(to);
    if ((cell.flags & cellFlag.stopping) === 0) node.deliver(cell, envelope, from);
    else this.#keep(cell, to, envelope);
    return true;
  }

  #keep(cell: Cell, reference: EntityReference, envelope: Envelope): void {
    let waiting = this.#next.get(reference.key);
    if (waiting === undefined) this.#next.set(reference.key, (waiting = { reference, envelopes: [] }));
    if (waiting.envelopes.length < cell.limit) waiting.envelopes.push(envelope);
    else this.#node.deadLetter(reference.label, envelope, "mailbox-full");
  }

  /** The entity's cell, which is made if there is none. */
  here(reference: EntityReference, args: unknown = reference.entityKey): Cell {
    const { definition, entityKey, key } = reference;
    let cell = this.#cells.get(key);
    if (cell === undefined) {
      cell = this.#node.make(definition, args, {});
      cell.more().name = `${definition.kind}/${entityKey}`;
      cell.addressAs(new EntityReference(this.#node, definition, entityKey));
      this.#cells.set(key, cell);
      this.#keys.set(cell, key);
      this.#sweep(definition);
    }
    return cell;
  }

  get(key: string): Cell | undefined {
    return this.#cells.get(key);
  }

  /** What waits for an entity is for its next life, unless it failed: then it might fail forever. False for who is none. */
  inherits(cell: Cell, mail: readonly Envelope[]): boolean {
    const key = this.#keys.get(cell);
    if (key === undefined || this.#cells.get(key) !== cell || cell.extras?.error !== undefined) return false;
    const waiting = this.#next.get(key);
    const envelopes = mail.filter(({ name }) => name !== lastMailName);
    if (waiting !== undefined) waiting.envelopes.unshift(...envelopes);
    else if (envelopes.length > 0) this.#next.set(key, { reference: cell.self as EntityReference, envelopes });
    return true;
  }

  ended(cell: Cell): void {
    const key = this.#keys.get(cell);
    if (key === undefined || this.#cells.get(key) !== cell) return;
    this.#cells.delete(key);
    const waiting = this.#next.get(key);
    this.#next.delete(key);
    if (waiting === undefined) return;
    for (const envelope of waiting.envelopes) this.#node.resend(waiting.reference, envelope);
  }

  close(): void {
    for (const cancel of this.#sweeps.values()) cancel();
    this.#sweeps.clear();
  }

  #sweep(definition: DefinedActor): void {
    const { passivateMs } = definition;
    if (passivateMs === undefined || this.#sweeps.has(definition)) return;
    const sweep = (): void => {
      this.#sweeps.delete(definition);
      let left = 0;
      for (const cell of this.#cells.values()) {
        if (cell.definition !== definition) continue;
        if (this.#seen.get(cell) === cell.handled && isIdle(cell)) this.#node.lifecycle.stop(cell);
        else {
          this.#seen.set(cell, cell.handled);
          left++;
        }
      }
      if (left > 0) this.#sweep(definition);
    };
    this.#sweeps.set(definition, this.#node.clock.after(passivateMs, sweep));
  }
}

interface Waiting {
  readonly reference: EntityReference;
  readonly envelopes: Envelope[];
}

const { starting, running, suspended, held, stopping, backingOff, control, clearing } = cellFlag;
const busy = starting | running | suspended | held | stopping | backingOff | control | clearing;

/** True if an entity can end without anything being lost but its state: nothing waits for it, and it waits for nothing. */
function isIdle(cell: Cell): boolean {
  if ((cell.flags & busy) !== 0 || cell.head !== undefined || cell.firstChild !== undefined) return false;
  const { extras } = cell;
  if (extras === undefined) return true;
  const { stash, timers, topics, watching, distant, promised } = extras;
  if (promised?.isOpen === true) return false;
  return isEmpty(timers) && isEmpty(topics) && isEmpty(watching) && isEmpty(distant) && (stash?.length ?? 0) === 0;
}

function isEmpty(map: ReadonlyMap<unknown, unknown> | undefined): boolean {
  return map === undefined || map.size === 0;
}
