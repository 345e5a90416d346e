import { MemoryStore } from "../../../actors/stores/memory-store.ts";
import { suite } from "../../kit/suite.ts";
import { testStore } from "./conformance.ts";

const test = suite("the store in memory");

testStore(test, { open: async () => new MemoryStore(), survives: false, checkpointBytes: [0, 100_000] });

test.run();
