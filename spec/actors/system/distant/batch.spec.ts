import * as fc from "fast-check";
import * as assert from "uvu/assert";
import { QStreamError } from "../../../../lib/core/errors.ts";
import { actor } from "../../../../lib/actors/actor.ts";
import { definedActor, type DefinedActor } from "../../../../lib/core/actor-definition.ts";
import { decodeBatch, type ArrivedRow } from "../../../../actors/system/distant/decode-batch.ts";
import { encodeBatch } from "../../../../actors/system/distant/encode-batch.ts";
import { MessageRows, rowKind, type RowKind } from "../../../../actors/system/distant/message-rows.ts";
import type { Binder } from "../../../../actors/system/distant/reference-codec.ts";
import { EntityReference } from "../../../../actors/system/entities.ts";
import { Reference } from "../../../../actors/system/reference.ts";
import { suite } from "../../../kit/suite.ts";

const test = suite("batches of messages between nodes");

const account = definedActor(actor({ kind: "account", init: () => ({}), receive: { pay() {} } })) as DefinedActor;
account.registered = "account";
const nowhere = undefined as never;
const binder: Binder = {
  refer: (life, id, kind) => new Reference(nowhere, life, id, kind, undefined),
  entity: (kind, key) => {
    if (kind !== "account") throw new QStreamError("FRAME_INVALID", `no definition is called "${kind}"`);
    return new EntityReference(nowhere, account, key);
  },
};

interface Row {
  readonly kind: RowKind;
  readonly name: string;
  readonly id: number;
  readonly payload: unknown;
  readonly sender: number;
  readonly key: string;
}

const payload = fc.oneof(
  fc.constant(undefined),
  fc.integer(),
  fc.string(),
  fc.record({ id: fc.integer(), word: fc.string() }, { noNullPrototype: true }),
  fc.array(fc.oneof(fc.string(), fc.double({ noNaN: true })), { maxLength: 4 }),
);
const anyRow: fc.Arbitrary<Row> = fc.record({
  kind: fc.integer({ min: 0, max: 7 }) as fc.Arbitrary<RowKind>,
  name: fc.constantFrom("add", "get", "äöü", "\u0000", ""),
  id: fc.nat({ max: 2 ** 40 }),
  payload,
  sender: fc.nat({ max: 5 }),
  key: fc.string({ minLength: 1, maxLength: 8 }),
});

function rowsOf(rows: readonly Row[]): MessageRows {
  const senders = [
    undefined,
    ...[1, 2, 3, 4].map((id) => binder.refer(7, id, "source")),
    binder.entity("account", "ann"),
  ];
  const made = new MessageRows();
  rows.forEach(({ kind, name, id, payload: carried, sender, key }, index) => {
    const isEntity = kind === rowKind.entityTell || kind === rowKind.entityAsk;
    const target = isEntity ? binder.entity("account", key) : undefined;
    made.push(kind, name, id, target, carried, senders[sender], isQuestion(kind) ? index + 1 : 0);
  });
  return made;
}

function isQuestion(kind: RowKind): boolean {
  return kind === rowKind.ask || kind === rowKind.entityAsk || kind === rowKind.nodeAsk;
}

function decoded(bytes: ArrayBuffer): { readonly actors: number; readonly rows: readonly ArrivedRow[] } {
  const rows: ArrivedRow[] = [];
  const actors = decodeBatch(bytes, binder, (row) => rows.push({ ...row }));
  return { actors, rows };
}

const refuseNothing = (): void => assert.unreachable("everything travels");

test("what arrives is what was sent, in its order", () => {
  fc.assert(
    fc.property(fc.array(anyRow, { maxLength: 40 }), fc.nat({ max: 1000 }), (rows, count) => {
      const { actors, rows: arrived } = decoded(encodeBatch(rowsOf(rows), count, refuseNothing).bytes);
      assert.is(actors, count);
      assert.is(arrived.length, rows.length);
      rows.forEach((row, index) => {
        const { kind, name, id, payload: carried, sender, ask, entityKey } = arrived[index] as ArrivedRow;
        // An answer is known by its number.
        if (kind !== rowKind.refusal) assert.is(name, row.name);
        assert.equal([kind, id, carried], [row.kind, row.id, row.payload]);
        if (isQuestion(row.kind)) assert.is(ask, index + 1);
        if (kind === rowKind.entityTell || kind === rowKind.entityAsk) assert.is(entityKey, row.key);
        assert.is(sender?.key, rowsOf([row]).senders[0]?.key);
      });
    }),
    { numRuns: 200 },
  );
});

test("damaged bytes are refused by a named error, or give rows that could have been sent", () => {
  fc.assert(
    fc.property(
      fc.array(anyRow, { minLength: 1, maxLength: 20 }),
      fc.array(fc.tuple(fc.nat(), fc.nat({ max: 255 })), { minLength: 1, maxLength: 4 }),
      fc.nat({ max: 3 }),
      (rows, flips, cut) => {
        const whole = new Uint8Array(encodeBatch(rowsOf(rows), 1, refuseNothing).bytes);
        for (const [at, byte] of flips) whole[at % whole.length] = byte;
        try {
          decoded(whole.slice(0, whole.length - cut).buffer);
        } catch (error) {
          assert.instance(error, QStreamError);
          assert.ok(["FRAME_INVALID", "CANNOT_TRAVEL"].includes((error as QStreamError).code), String(error));
        }
      },
    ),
    { numRuns: 500 },
  );
});

test("what can't travel is left out, and whoever sent it is told; all else arrives", () => {
  const rows = new MessageRows();
  rows.push(rowKind.tell, "take", 1, undefined, { fine: 1 }, undefined, 0);
  rows.push(rowKind.ask, "take", 2, undefined, { fine: () => {} }, undefined, 9);
  rows.push(rowKind.tell, "take", 3, undefined, { fine: 3 }, undefined, 0);
  const refused: number[] = [];
  const { bytes } = encodeBatch(rows, 0, (row, error) => {
    refused.push(row);
    assert.is((error as QStreamError).code, "CANNOT_TRAVEL");
  });
  assert.equal(refused, [1]);
  const arrived = decoded(bytes).rows;
  assert.equal(
    arrived.map(({ kind, payload: carried }) => [kind, carried]),
    [
      [rowKind.tell, { fine: 1 }],
      [rowKind.nothing, undefined],
      [rowKind.tell, { fine: 3 }],
    ],
  );
});

test.run();
