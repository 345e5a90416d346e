import { findViolation, type Exploration } from "qstream/testing";
import * as assert from "uvu/assert";
import { importMutant } from "../../kit/mutant-module.ts";
import { suite } from "../../kit/suite.ts";
import { mutants } from "./mutants.ts";

const test = suite("algorithms with published mistakes");

for (const [name, { exploration, patches, seeds, from = 1, scenario = "default", breaks }] of Object.entries(mutants)) {
  test(`${name}: found`, async () => {
    const path = `examples/algorithms/${exploration}/exploration.js`;
    const { [scenario]: mutant } = (await importMutant(path, patches)) as Readonly<Record<string, Exploration>>;
    assert.ok(mutant, `${path} has no ${scenario}`);
    const { violation, seeds: tried } = await findViolation(mutant, { seeds, from, shrinks: false });
    assert.ok(violation, `${tried} seeds found nothing`);
    assert.is(violation.invariant, breaks);
  }, 60_000);
}

test.run();
