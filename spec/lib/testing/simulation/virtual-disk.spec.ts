import * as assert from "uvu/assert";
import fc from "fast-check";
import { QStreamError } from "../../../../lib/core/errors.ts";
import { seededRandom } from "../../../../lib/core/seam/random.ts";
import { VirtualClock } from "../../../../lib/testing/simulation/virtual-clock.ts";
import { VirtualDrive } from "../../../../lib/testing/simulation/virtual-disk.ts";
import { suite } from "../../../kit/suite.ts";

const test = suite("virtual disk");

function driveOf(
  seed = 1,
  bytesMax = 1 << 20,
): { clock: VirtualClock; drive: VirtualDrive; during: <T>(work: Promise<T>) => Promise<T> } {
  const random = seededRandom(seed);
  const clock = new VirtualClock({ random, graceMs: 50 });
  const drive = new VirtualDrive({ clock, random, bytesMax });
  const during = async <T>(work: Promise<T>): Promise<T> => {
    work.catch(() => {});
    await clock.run({ settled: work });
    return work;
  };
  return { clock, drive, during };
}

const bytesOf = (...values: number[]): Uint8Array => Uint8Array.from(values);

async function errorOf(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    () => undefined,
    (error: unknown) => error,
  );
}

test("what was appended is read back, whatever the sizes, also when appends overlap", async () => {
  const chunks = fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 20 });
  await fc.assert(
    fc.asyncProperty(chunks, fc.integer(), async (appended, seed) => {
      const { drive, during } = driveOf(seed);
      const disk = drive.disk();
      const work = async (): Promise<void> => {
        const file = await disk.create("spool");
        const positions = await Promise.all(appended.map((bytes) => file.append(bytes)));
        let expected = 0;
        for (const [index, bytes] of appended.entries()) {
          assert.is(positions[index], expected);
          assert.equal([...(await file.read(expected, bytes.byteLength))], [...bytes]);
          expected += bytes.byteLength;
        }
        assert.is(file.bytes, expected);
        assert.is(disk.bytesWritten, expected);
        assert.equal((await file.read(expected, 5)).byteLength, 0);
      };
      await during(work());
    }),
    { numRuns: 50 },
  );
});

test("a write takes virtual time, more on a slow drive", async () => {
  const { clock, drive, during } = driveOf();
  const file = await during(drive.disk().create("spool"));
  const timeOf = async (): Promise<number> => {
    const before = clock.monotonic();
    for (let count = 0; count < 20; count++) await during(file.append(bytesOf(1)));
    return clock.monotonic() - before;
  };
  const usual = await timeOf();
  drive.slow(100);
  const slow = await timeOf();
  drive.heal();
  assert.ok(usual > 0 && slow > 20 * usual, `${usual} and ${slow} ms`);
});

test("a full drive is LIMIT_EXCEEDED, and takes more once there is room", async () => {
  const { drive, during } = driveOf(1, 10);
  const file = await during(drive.disk().create("spool"));
  await during(file.append(new Uint8Array(8)));
  const error = await errorOf(during(file.append(new Uint8Array(3))));
  assert.ok(error instanceof QStreamError && error.code === "LIMIT_EXCEEDED", String(error));
  drive.fill();
  assert.ok((await errorOf(during(file.append(bytesOf(1))))) instanceof QStreamError);
  drive.heal();
  assert.is(await during(file.append(bytesOf(1, 2))), 8);
});

test("a broken drive fails reads and writes until it is healed", async () => {
  const { drive, during } = driveOf();
  const file = await during(drive.disk().create("spool"));
  drive.break();
  assert.match(String(await errorOf(during(file.append(bytesOf(1))))), "EIO");
  assert.match(String(await errorOf(during(file.read(0, 1)))), "EIO");
  drive.heal();
  await during(file.append(bytesOf(2)));
});

test("a buffer that is used again too early is written as it is then", async () => {
  const { drive, during } = driveOf();
  const file = await during(drive.disk().create("spool"));
  const buffer = bytesOf(1, 2, 3);
  const writing = file.append(buffer);
  buffer.fill(9);
  await during(writing);
  assert.equal([...(await during(file.read(0, 3)))], [9, 9, 9]);
});

test("a crash ends everything, and tears what was being written", async () => {
  const lengths = new Set<number>();
  for (let seed = 0; seed < 20; seed++) {
    const { clock, drive, during } = driveOf(seed);
    const file = await during(drive.disk().create("spool"));
    await during(file.append(bytesOf(1, 2, 3)));
    let ended = false;
    void file.append(new Uint8Array(50).fill(7)).then(() => (ended = true));
    drive.crash({ keeps: true });
    await clock.run();
    assert.is(ended, false);
    const [left] = drive.files;
    const bytes = [...(left?.bytes ?? [])];
    assert.equal(bytes.slice(0, 3), [1, 2, 3]);
    assert.ok(bytes.slice(3).every((byte) => byte === 7) && bytes.length < 53);
    lengths.add(bytes.length);
  }
  assert.ok(lengths.size > 5);
});

test("a machine whose drive is lost leaves nothing", async () => {
  const { drive, during } = driveOf();
  const file = await during(drive.disk().create("spool"));
  await during(file.append(bytesOf(1)));
  drive.crash({ keeps: false });
  assert.equal(drive.files, []);
});

test("clear removes every file of a disk, and none can be made any more", async () => {
  const { drive, during } = driveOf();
  const [disk, other] = [drive.disk(), drive.disk()];
  await during(disk.create("one"));
  await during(disk.create("two"));
  await during(other.create("three"));
  const late = disk.create("late");
  await during(Promise.all([disk.clear(), errorOf(late)]));
  assert.match(String(await errorOf(late)), "after the execution had ended");
  assert.equal(
    drive.files.map(({ name }) => name.split("-")[0]),
    ["three"],
  );
  assert.ok((await errorOf(during(disk.create("four")))) instanceof QStreamError);
});

for (const purpose of ["spool", "sort"]) {
  test(`what is read of a ${purpose} has a wrong byte, or lacks its last; once, and nothing that others spill does`, async () => {
    const { drive, during } = driveOf();
    const disk = drive.disk();
    const file = await during(disk.create(purpose));
    const other = await during(disk.create("other"));
    const written = bytesOf(1, 2, 3, 4);
    for (const one of [file, other]) await during(one.append(written));
    drive.damage("byte");
    assert.equal(await during(other.read(0, 4)), written);
    const damaged = await during(file.read(0, 4));
    assert.is(damaged.length, 4);
    assert.is(damaged.filter((byte, at) => byte !== written[at]).length, 1);
    assert.equal(await during(file.read(0, 4)), written);
    drive.damage("length");
    assert.equal(await during(file.read(0, 4)), written.subarray(0, 3));
    drive.damage("length");
    drive.heal();
    assert.equal(await during(file.read(0, 4)), written);
    assert.is(drive.count("appends", purpose), 1);
    assert.is(drive.count("reads", purpose), 4);
    assert.is(drive.count("reads", "none"), 0);
  });
}

test.run();
