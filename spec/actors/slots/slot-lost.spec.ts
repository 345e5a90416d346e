import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import * as assert from "uvu/assert";
import { isOwnDoing, slotLost } from "../../../actors/slots/slot-lost.ts";
import { temporaryFolderIn } from "../../../lib/core/seam/temporary-folder.ts";
import { defineFlow, numbers } from "../../../lib/index.ts";
import { failure } from "../../kit/failure.ts";
import { suite } from "../../kit/suite.ts";

const test = suite("slots that end");

const ending: Readonly<Record<string, () => void>> = {
  exit: () => process.exit(3),
  float: () => void Promise.reject(new Error("floating")),
  timer: () =>
    void setTimeout(() => {
      throw new Error("ticking");
    }, 1),
};
const ends = defineFlow(import.meta.url, (q, { how }: { how: string }) => ({
  out: q
    .read("numbers", numbers(0, 10), { channels: 1 })
    .apply("end", () => ({
      async execute({ objects }) {
        ending[how]?.();
        await new Promise((resolve) => setTimeout(resolve, 200));
        return objects;
      },
    }))
    .collect(),
}));

for (const isolation of ["thread", "process"] as const) {
  test(`${isolation}: what user code did is said with its message`, async () => {
    const told: Readonly<Record<string, RegExp>> = {
      exit: new RegExp(`user code ended its ${isolation} by process.exit\\(3\\)`),
      float: /a promise was rejected that nobody waited for: floating/,
      timer: /an error was thrown where nobody could catch it: ticking/,
    };
    for (const [how, message] of Object.entries(told)) {
      const error = await failure(() => ends.run({ how }, { slots: 1, isolation }), "SLOT_LOST");
      assert.match(error.message, message);
      assert.not.match(error.message, "memory");
    }
  });
}

test("only ends that often are for want of memory speak of it", () => {
  const exited = (code: number): string =>
    slotLost("slot-0", { kind: "exited", what: "process", code, started: true }).message;
  for (const code of [134, 137]) assert.match(exited(code), /memory/);
  for (const code of [0, 1, 7]) assert.not.match(exited(code), /memory/);
  for (const signal of ["SIGABRT", "SIGKILL"]) {
    assert.match(slotLost("slot-0", { kind: "killed", signal }).message, /memory/);
  }
  assert.not.match(slotLost("slot-0", { kind: "killed", signal: "SIGTERM" }).message, /memory/);
  const early = slotLost("slot-0", { kind: "exited", what: "process", code: 1, started: false }).message;
  assert.match(early, /while it started/);
});

test("a slot's end is its own doing unless somebody else ended it, or it never came up", () => {
  const exited = (started: boolean): boolean => isOwnDoing({ kind: "exited", what: "process", code: 3, started });
  const killed = (signal: string): boolean => isOwnDoing({ kind: "killed", signal });
  assert.equal([exited(true), exited(false)], [true, false]);
  assert.ok(["SIGABRT", "SIGSEGV", "SIGILL", "SIGTRAP", "SIGBUS", "SIGFPE"].every((signal) => killed(signal)));
  assert.not(["SIGKILL", "SIGTERM", "SIGINT", "SIGHUP"].some((signal) => killed(signal)));
  assert.ok(isOwnDoing({ kind: "uncaught", error: new Error("ticking") }));
  assert.not(isOwnDoing({ kind: "silent", silentMs: 10_000 }));
});

test("a connection that was cut isn't called a mistake in a timer or event handler", () => {
  for (const message of ["write EPIPE", "read ECONNRESET"]) {
    const uncaught = slotLost("slot-1", { kind: "uncaught", error: new Error(message) }).message;
    assert.match(uncaught, `slot slot-1 was lost: a connection of its was cut by the other end: ${message}. `);
    assert.not.match(uncaught, /timer|Catch it/);
    const gone = slotLost("slot-1", { kind: "unreachable", error: new Error(message) }).message;
    assert.match(gone, `slot slot-1 was lost: its process couldn't be reached: ${message}. `);
    assert.match(gone, /outside of QStream/);
    assert.not.match(gone, /timer|Catch it/);
  }
  assert.match(slotLost("slot-1", { kind: "uncaught", error: new Error("ticking") }).message, /Catch it in the timer/);
});

test("temporary folders of processes that are gone are swept, others stay", () => {
  const temporary = mkdtempSync(join(tmpdir(), "qs-sweep-"));
  const gone = spawnSync(process.execPath, ["-e", ""]).pid;
  // qstream-PID-PLACE-START-
  const [, , place = "", start = ""] = basename(temporaryFolderIn(temporary)).split("-");
  const elsewhere = place === "000000" ? "111111" : "000000";
  const kept = [
    `qstream-${process.pid}-${place}-${start}-abc`,
    `qstream-${process.pid}-${place}-${start}-t3-abc`,
    // A process that the system may not tell of.
    `qstream-${process.pid}-${place}-0-abc`,
    // The same id in another container, or on another machine, is another process.
    `qstream-${gone}-${elsewhere}-${start}-abc`,
    `qstream-${gone}-abc`,
    "qstream-code-abc123",
    `other-${gone}-${place}-${start}-abc`,
  ];
  const left = [
    `qstream-${gone}-${place}-${start}-abc`,
    `qstream-${gone}-${place}-${start}-t3-abc`,
    `qstream-code-${gone}-${place}-${start}-abc`,
    // Its id was given again, to a process that started later.
    ...(start === "0" ? [] : [`qstream-${process.pid}-${place}-${start}x-abc`]),
  ];
  for (const name of [...kept, ...left]) mkdirSync(join(temporary, name));
  const module = new URL("../../../lib/core/seam/temporary-folder.js", import.meta.url).href;
  const code = `import { makeTemporaryFolder } from ${JSON.stringify(module)}; console.log(makeTemporaryFolder("code-"));`;
  const made = spawnSync(process.execPath, ["--input-type=module", "-e", code], {
    env: { ...process.env, TMPDIR: temporary },
    encoding: "utf8",
  });
  assert.match(made.stdout, /qstream-code-\d+-/, made.stderr);
  assert.ok(existsSync(made.stdout.trim()));
  const names = readdirSync(temporary).filter((name) => !made.stdout.includes(name));
  assert.equal(names.toSorted(), kept.toSorted());
  rmSync(temporary, { recursive: true });
});

test("a process that ends while its threads run removes what these had on disk", () => {
  const temporary = mkdtempSync(join(tmpdir(), "qs-threads-"));
  const module = new URL("../../../lib/index.js", import.meta.url).href;
  const flow = join(temporary, "flow.mjs");
  const code = `
import { isMainThread } from "node:worker_threads";
import { existsSync, writeFileSync } from "node:fs";
import { defineFlow, numbers } from ${JSON.stringify(module)};
export const flow = defineFlow(import.meta.url, (q) => ({
  rows: q.read("numbers", numbers(0, 10)).apply("holds", () => ({
    async execute({ objects }, ctx) {
      await (await ctx.spill.create("mine")).append(new Uint8Array(100));
      writeFileSync(${JSON.stringify(join(temporary, "there"))}, "");
      return new Promise(() => {});
    },
  }), { channels: 1 }).collect(),
}));
if (isMainThread) {
  flow.run({}, { slots: 1, isolation: "thread", store: "none" });
  setInterval(() => existsSync(${JSON.stringify(join(temporary, "there"))}) && process.exit(0), 5);
}
`;
  writeFileSync(flow, code);
  const ended = spawnSync(process.execPath, [flow], { env: { ...process.env, TMPDIR: temporary }, encoding: "utf8" });
  assert.is(ended.status, 0, ended.stderr);
  assert.ok(existsSync(join(temporary, "there")));
  assert.equal(readdirSync(temporary).toSorted(), ["flow.mjs", "there"]);
  rmSync(temporary, { recursive: true });
});

test.run();
