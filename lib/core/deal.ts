import type { Deal, OperatorDefinition } from "./contracts/operator.ts";
import { QStreamError } from "./errors.ts";
import { channelOfGroup, groupOfHash, hashKey, keyGroups } from "./key.ts";

/** From how many channels to which one of how many a state goes. */
export interface Dealing {
  /** How many channels the step had. */
  readonly before: number;
  /** How many it has now, and which of them takes over. */
  readonly channels: number;
  readonly channel: number;
}

/**
 * The state with which a channel goes on when the step's channels have become more or fewer: its key groups' parts of the
 * states that the channels before had. One of those is held at a time.
 *
 * @param definition - the step's operator, which has `deal`
 * @param load - gives the whole state of a channel as it was before; asked only for those of which this channel takes a part
 * @returns the state, or undefined where the channel begins with none
 * @throws QStreamError UNSUPPORTED for an operator without `deal`, and for states with keys that `hash` of the operator's key
 * doesn't send to where they are: then another partition function decides where they go, and nobody knows how for a key alone
 */
export async function dealState<State>(
  definition: Pick<OperatorDefinition<never, never, State>, "kind" | "deal">,
  load: (channel: number) => State | Promise<State>,
  dealing: Dealing,
): Promise<State | undefined> {
  const { kind, deal } = definition;
  if (deal === undefined) {
    throw new QStreamError("UNSUPPORTED", `the state of ${kind} can't be dealt to another number of channels`, {
      advice: "Go on with as many channels as before, or give the operator's definition the function deal.",
    });
  }
  const parts: State[] = [];
  for (let from = 0; from < dealing.before; from += 1) {
    const takesRest = channelOfRest(from, dealing) === dealing.channel;
    if (!takesRest && !sharesGroups(from, dealing)) continue;
    // oxlint-disable-next-line no-await-in-loop -- one state after the other, so that they are never all in memory
    parts.push(await deal([await load(from)], dealOf(kind, from, takesRest, dealing)));
  }
  return parts.length < 2 ? parts[0] : deal(parts, everything);
}

/**
 * The pending timers with which a channel goes on, of those that the channels before had.
 *
 * @param definition - the step's operator
 * @param timers - name and time of each, by the channel that it was pending in; only of those of which this channel takes a part
 * @returns one of each name, the earliest
 * @throws QStreamError UNSUPPORTED where there are some and the operator has no `dealTimer`, and as `dealState` does
 */
export function dealTimers(
  definition: Pick<OperatorDefinition<never, never>, "kind" | "dealTimer">,
  timers: ReadonlyMap<number, readonly (readonly [name: string, at: number])[]>,
  dealing: Dealing,
): (readonly [name: string, at: number])[] {
  const { kind, dealTimer } = definition;
  const taken = new Map<string, number>();
  for (const [from, pending] of timers) {
    if (pending.length > 0 && dealTimer === undefined) throw notDealt(kind, pending);
    const deal = dealOf(kind, from, channelOfRest(from, dealing) === dealing.channel, dealing);
    for (const [name, at] of pending) {
      if (dealTimer?.(name, deal) === true) taken.set(name, Math.min(at, taken.get(name) ?? at));
    }
  }
  return [...taken].toSorted(([, one], [, other]) => one - other);
}

const everything: Deal = { takes: () => true, takesGroup: () => true, takesRest: true };

function dealOf(kind: string, from: number, takesRest: boolean, { before, channels, channel }: Dealing): Deal {
  const takesGroup = (group: number): boolean => {
    if (channelOfGroup(group, before) !== from) throw notByHash(kind, from, before);
    return channelOfGroup(group, channels) === channel;
  };
  return { takes: (key) => takesGroup(groupOfHash(hashKey(key))), takesGroup, takesRest };
}

/** True if some key groups of a channel before are the channel's now. */
function sharesGroups(from: number, { before, channels, channel }: Dealing): boolean {
  const first = Math.max(firstGroup(from, before), firstGroup(channel, channels));
  return first < Math.min(firstGroup(from + 1, before), firstGroup(channel + 1, channels));
}

function firstGroup(channel: number, channels: number): number {
  return Math.ceil((channel * keyGroups) / channels);
}

/** Where what has no key goes: neighbours stay neighbours. */
function channelOfRest(from: number, { before, channels }: Dealing): number {
  return Math.floor((from * channels) / before);
}

function notDealt(kind: string, [first]: readonly (readonly [name: string, at: number])[]): QStreamError {
  return new QStreamError(
    "UNSUPPORTED",
    `timers of ${kind} are pending, "${first?.[0]}" for one, which can't be dealt to another number of channels`,
    {
      advice: "Go on with as many channels as before, or give the operator's definition the function dealTimer.",
    },
  );
}

function notByHash(kind: string, channel: number, channels: number): QStreamError {
  return new QStreamError(
    "UNSUPPORTED",
    `channel ${channel} of ${channels} of ${kind} holds keys that hash() would have sent to another one`,
    {
      advice:
        "The step's objects came by another partition function, or by the hash of another key. Go on with as many channels as before.",
    },
  );
}
