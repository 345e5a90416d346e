import type { ActorReference } from "./actor.ts";

/**
 * The entities of one kind in a system of actors, by their keys. It travels: in messages, and in the arguments of flows.
 *
 * @example
 * const accounts = system.entities(account);
 * accounts.of("ann").tell("deposit", 5);
 */
export interface EntityKind<out P> {
  /** What people call the kind. */
  readonly kind: string;
  /**
   * The entity of a key.
   *
   * @throws QStreamError OPTION_INVALID for a key that has no character, or more than 1,024
   */
  of(key: string): ActorReference<P>;
}
