import { QStreamError } from "./errors.ts";

const namesShown = 20;

/**
 * Called where a key's property was read as undefined. It may be there and hold nothing; one that the object lacks is taken
 * for a wrong name, which would send every object to one channel.
 *
 * @throws QStreamError BAD_INPUT with the name as column
 */
export function requireProperty(object: unknown, name: string): void {
  if (name in Object(object)) return;
  throw new QStreamError("BAD_INPUT", "an object doesn't have the property that a key names", {
    column: name,
    advice: `${namesOf(object)} If it may be absent, give a function instead: (object) => object[${JSON.stringify(name)}].`,
  });
}

/** Says in an advice which properties an object has. */
export function namesOf(object: unknown): string {
  if (typeof object !== "object" || object === null) return `It is of type ${typeof object}, and no object.`;
  const names = Object.keys(object);
  if (names.length === 0) return "It has no properties.";
  const shown = names.slice(0, namesShown).map((name) => JSON.stringify(name));
  return `It has ${shown.join(", ")}${names.length > namesShown ? `, and ${names.length - namesShown} more` : ""}.`;
}
