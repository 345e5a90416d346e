import * as assert from "uvu/assert";
import { QStreamError, type ErrorCode, type Place } from "../../lib/core/errors.ts";

/** Runs a body that has to fail with a code of QStream's, and perhaps at a place; returns the error for more. */
export async function failure(body: () => unknown, code: ErrorCode, place: Place = {}): Promise<QStreamError> {
  let thrown: unknown;
  try {
    await body();
  } catch (error) {
    thrown = error;
  }
  if (!(thrown instanceof QStreamError)) throw new Error(`expected ${code}, got ${String(thrown)}`, { cause: thrown });
  assert.is(thrown.code, code, thrown.message);
  for (const [name, value] of Object.entries(place)) {
    assert.is(thrown.place[name as keyof Place], value, `${name} of the error's place: ${thrown.message}`);
  }
  return thrown;
}
