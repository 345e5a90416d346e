import { actor, type ActorReference } from "qstream";

export interface RingProtocol {
  /** Links the node to the one behind it, and has it stand for election. */
  begin: (next: ActorReference<RingProtocol>) => void;
  candidate: (id: number) => void;
  elected: (id: number) => void;
}

export interface RingState {
  readonly id: number;
  next: ActorReference<RingProtocol> | undefined;
  /** What came before the node was linked. */
  early: number[];
  /** True once it has sent its own name, or a higher one. */
  isParticipant: boolean;
  leader: number | undefined;
}

/**
 * Election in a ring that goes one way (Chang and Roberts, 1979). A node sends its number on; numbers lower than the receiver's
 * own go no further; whoever gets its own number back is the leader, and says so. N log N messages on average, N² at worst.
 */
export const ringNode = actor({
  kind: "ring-node",
  init: (id: number): RingState => ({ id, next: undefined, early: [], isParticipant: false, leader: undefined }),
  receive: {
    begin(state, next: ActorReference<RingProtocol>, ctx) {
      state.next = next;
      for (const id of state.early.splice(0)) ctx.self.tell("candidate", id);
      if (state.isParticipant) return;
      state.isParticipant = true;
      next.tell("candidate", state.id);
    },

    candidate(state, id: number) {
      const { next } = state;
      if (next === undefined) {
        state.early.push(id);
        return;
      }
      if (id === state.id) {
        state.leader = id;
        state.isParticipant = false;
        next.tell("elected", id);
      } else if (id > state.id) {
        state.isParticipant = true;
        next.tell("candidate", id);
      } else if (!state.isParticipant) {
        state.isParticipant = true;
        next.tell("candidate", state.id);
      }
    },

    elected(state, id: number) {
      state.isParticipant = false;
      if (id === state.id) return;
      state.leader = id;
      state.next?.tell("elected", id);
    },
  },
});
