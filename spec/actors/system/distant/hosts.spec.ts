import * as assert from "uvu/assert";
import { Hosts } from "../../../../actors/system/distant/hosts.ts";
import { Reference } from "../../../../actors/system/reference.ts";
import { failure } from "../../../kit/failure.ts";
import { suite } from "../../../kit/suite.ts";

const test = suite("hosts of actors");

const spread = { kind: "spread", channels: 1 } as const;

function fourHosts(): Hosts {
  const slots = ["a/0", "a/1", "b/0", "b/1"].map((id) => ({
    id,
    machine: id[0] ?? "",
    tags: id === "b/1" ? ["gpu"] : [],
  }));
  return new Hosts(
    slots.map(({ id }, life) => ({ life, slot: id })),
    slots,
  );
}

const chosen = (hosts: Hosts, count: number, place: Parameters<Hosts["choose"]>[0]): number[] =>
  Array.from({ length: count }, () => hosts.choose(place)).toSorted((left, right) => left - right);

test("actors are spread over those that have least, by what is known of them", () => {
  const hosts = fourHosts();
  assert.equal(chosen(hosts, 8, spread), [0, 0, 1, 1, 2, 2, 3, 3]);
  hosts.counted(0, 50);
  hosts.counted(3, 50);
  assert.equal(chosen(hosts, 4, spread), [1, 1, 2, 2]);
});

test("places are taken at their word", async () => {
  const hosts = fourHosts();
  const near = new Reference(undefined as never, 2, 1, "account", undefined);
  assert.equal(chosen(hosts, 3, { kind: "near", actor: near }), [2, 2, 2]);
  assert.equal(chosen(hosts, 2, { kind: "single" }), [0, 0]);
  assert.equal(chosen(hosts, 2, { kind: "tagged", tag: "gpu", channels: 1 }), [3, 3]);
  await failure(async () => hosts.choose({ kind: "tagged", tag: "tpu", channels: 1 }), "PLACEMENT_IMPOSSIBLE");
});

test("slots that joined later are taken for what they are, and those that are gone are forgotten", async () => {
  const hosts = fourHosts();
  const slot = (id: string, tags: readonly string[]) => ({ id, machine: id[0] ?? "", tags });
  hosts.placed(3, 9, "c/0");
  await failure(async () => hosts.choose({ kind: "tagged", tag: "gpu", channels: 1 }), "PLACEMENT_IMPOSSIBLE");
  hosts.knowSlots([slot("a/0", []), slot("a/1", []), slot("b/0", []), slot("c/0", ["gpu"])]);
  assert.equal(chosen(hosts, 2, { kind: "tagged", tag: "gpu", channels: 1 }), [9, 9]);
  // That has two actors already.
  const machines = chosen(hosts, 6, { kind: "per-machine", channels: 1 });
  assert.is(machines.filter((life) => life === 2).length, 3);
});

test("a key is at home in one host, whoever is that; a lost one has no life until another takes over", () => {
  const hosts = fourHosts();
  const homes = Array.from({ length: 4000 }, (_, index) => hosts.homeOf(`entity/account/${index}`));
  for (const channel of [0, 1, 2, 3]) assert.ok(homes.filter((home) => home === channel).length > 800);
  assert.is(hosts.lost(1), 1);
  assert.is(hosts.lifeOf(1), undefined);
  assert.ok(!chosen(hosts, 12, spread).includes(1));
  hosts.placed(1, 9, "a/0");
  assert.is(hosts.lifeOf(1), 9);
  assert.equal(
    homes,
    Array.from({ length: 4000 }, (_, index) => hosts.homeOf(`entity/account/${index}`)),
  );
});

test.run();
