import type { Patch } from "../../kit/mutating-loader.ts";
import type { ExplorationName } from "./explorations.ts";

/** A mistake that others have made and written about, as a change of an example's compiled text. */
export interface AlgorithmMutant {
  readonly exploration: ExplorationName;
  /** Where it is written about. */
  readonly published: string;
  readonly patches: readonly Patch[];
  /** One of the invariants that it breaks. */
  readonly breaks: string;
  /** How many seeds are tried, and from which on where that would take long. */
  readonly seeds: number;
  readonly from?: number;
  /** Which of the folder's explorations finds it; the default one unless told. */
  readonly scenario?: string;
}

function change(exploration: ExplorationName, file: string, search: string, replace: string): readonly Patch[] {
  return [{ file: `examples/algorithms/${exploration}/${file}`, search, replace }];
}

export const mutants: Readonly<Record<string, AlgorithmMutant>> = {
  "raft: a node votes twice in a term": {
    exploration: "raft",
    published: "Ongaro, 2014, section 3.4: votedFor is kept, and there is one vote a term",
    patches: change("raft", "raft.js", "(state.votedFor === undefined || state.votedFor === candidate)", "true"),
    breaks: "one leader a term",
    seeds: 200,
  },
  "raft: a follower answers before its log is flushed": {
    exploration: "raft",
    published: "Jepsen's analyses of stores whose acknowledged writes were lost by a crash",
    patches: change("raft", "raft.js", "storage.flush();", ""),
    breaks: "what is committed stays",
    seeds: 200,
  },
  "raft: a deposed leader answers reads": {
    exploration: "raft",
    published: "Ongaro, 2014, section 6.4; found by Jepsen in etcd 0.4.1 and Consul 0.2 (2014)",
    patches: change("raft", "raft.js", "const isLeader = isMajority(", "const isLeader = true || isMajority("),
    breaks: "clients see one store",
    scenario: "partitioned",
    seeds: 400,
  },
  "raft: what a follower has behind new entries goes, though it agrees": {
    exploration: "raft",
    published: "A mistake that most who write Raft make (Students' Guide to Raft, Howard and others, 2016)",
    patches: change("raft", "log.js", "|| this.termAt(index) === entry.term", "|| false"),
    breaks: "what is committed stays",
    seeds: 400,
  },
  "raft: members change before the leader has an entry of its own committed": {
    exploration: "raft",
    published: "Ongaro, 2015, 'bug in single-server membership changes' (raft-dev)",
    patches: change("raft", "raft.js", "isPending || log.termAt(commit) !== term", "isPending"),
    breaks: "what is committed stays",
    scenario: "changing",
    // From the first seed on it takes 1,483.
    from: 1401,
    seeds: 300,
  },
  "two-phase commit: a participant says yes before that is on its disk": {
    exploration: "two-phase-commit",
    published: "Gray, 1978: the vote is a promise, so it is in the log before it is sent",
    patches: change(
      "two-phase-commit",
      "two-phase-commit.js",
      'save(state);\n            state.coordinator?.tell("vote"',
      'state.coordinator?.tell("vote"',
    ),
    breaks: "nothing is open, and the money is all there",
    seeds: 400,
  },
  "two-phase commit: the coordinator tells what it decided before that is on its disk": {
    exploration: "two-phase-commit",
    published: "Mohan, Lindsay and Obermarck, 1986: presumed abort needs the commit to be forced",
    patches: change(
      "two-phase-commit",
      "two-phase-commit.js",
      "    state.storage.flush();\n    tellDecision",
      "    tellDecision",
    ),
    breaks: "all decide the same",
    seeds: 400,
  },
  "two-phase commit: two transfers promise the same money": {
    exploration: "two-phase-commit",
    published: "Lost update: Berenson and others, 1995, P4",
    patches: change("two-phase-commit", "two-phase-commit.js", "free += Math.min(other, 0);", "free += 0 * other;"),
    breaks: "no balance is below zero",
    seeds: 400,
  },
  "mutual exclusion: equal times aren't told apart": {
    exploration: "mutual-exclusion",
    published: "Lamport, 1978: a total order needs the numbers of the nodes",
    patches: change("mutual-exclusion", "mutual-exclusion.js", "|| (state.since === time && state.id < id)", ""),
    breaks: "two hold the lock",
    seeds: 400,
  },
  "termination: who receives work stays white": {
    exploration: "termination",
    published: "Dijkstra, EWD 998, 1987: rule 3",
    patches: change("termination", "termination.js", 'state.color = "black";', ""),
    breaks: "nothing goes on once node 0 says that all is done",
    seeds: 2000,
  },
  "snapshot: what comes before the marker isn't counted": {
    exploration: "snapshot",
    published: "Chandy and Lamport, 1985: the state of the channels",
    patches: change(
      "snapshot",
      "snapshot.js",
      "if (recorded?.open.has(from) !== true)",
      "if (recorded !== undefined || true)",
    ),
    breaks: "a snapshot has all the money in it",
    seeds: 200,
  },
  "membership: who doesn't answer is dead at once": {
    exploration: "membership",
    published: "Das, Gupta and Motivala, 2002, section 4.2: suspicion, against false positives",
    patches: change(
      "membership",
      "swim.js",
      'status: "suspect", incarnation }, ctx)',
      'status: "dead", incarnation }, ctx)',
    ),
    breaks: "nobody that is there is called dead",
    seeds: 400,
  },
  "replicated types: a counter adds up what it merges": {
    exploration: "replicated-types",
    published: "Shapiro and others, 2011: merging is idempotent",
    patches: change(
      "replicated-types",
      "types.js",
      "Math.max(merged[replica] ?? 0, count)",
      "(merged[replica] ?? 0) + count",
    ),
    breaks: "all replicas have the same",
    seeds: 50,
  },
  "parameter server: a pull isn't held back": {
    exploration: "parameter-server",
    published: "Ho and others, 2013: the bound on staleness",
    patches: change(
      "parameter-server",
      "parameter-server.js",
      "if (step > slowest + staleness)\n            continue;",
      "",
    ),
    breaks: "nobody is far ahead",
    seeds: 200,
  },
};
