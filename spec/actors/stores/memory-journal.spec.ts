import { openJournal } from "../../../actors/stores/open-journal.ts";
import { suite } from "../../kit/suite.ts";
import { testJournal } from "./journal-conformance.ts";

const test = suite("the journal of actors in memory");

testJournal(test, { open: () => openJournal("memory"), survives: false });

test.run();
