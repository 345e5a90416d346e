import { local, type FlowSession, type SessionOptions } from "../../../lib/index.ts";
import kinds from "../../contract/actor-module.ts";
import { actorContract } from "../../contract/actors.ts";
import { suite } from "../../kit/suite.ts";

const test = suite("actors on slots");

const topologies: readonly (SessionOptions & { readonly name: string })[] = [
  { name: "two slots in one thread", slots: 2, isolation: "none" },
  { name: "two threads", slots: 2, isolation: "thread", store: "memory" },
  { name: "two processes", slots: 2, isolation: "process", store: "memory" },
];

for (const { name, ...options } of topologies) {
  let session: Promise<FlowSession> | undefined;
  actorContract(test, {
    name,
    start: async ({ onEvent }) => kinds.start({ on: await (session ??= local(options)), onEvent }),
  });
  test.after(async () => (await session)?.close());
}

test.run();
