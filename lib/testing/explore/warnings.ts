interface Checks {
  readonly always?: object;
  readonly never?: object;
  readonly eventually?: object;
  readonly atEnd?: object;
}

/** What people are told of an exploration of actors that has no checks. */
export function uncheckedActors(name: string, options: Checks & { readonly mayFail?: boolean }): readonly string[] {
  if (hasChecks(options)) return [];
  const only = options.mayFail === true ? "nothing" : "only that no actor fails";
  return [`${name} checks ${only}: say what has to hold by \`always\`, \`never\`, \`eventually\` or \`atEnd\``];
}

/** The same of one of a flow. */
export function uncheckedFlow(name: string, options: Checks): readonly string[] {
  if (hasChecks(options)) return [];
  return [`${name} checks only that executions succeed: say what has to hold by \`always\`, \`never\` or \`atEnd\``];
}

function hasChecks({ always = {}, never = {}, eventually = {}, atEnd = {} }: Checks): boolean {
  return [always, never, eventually, atEnd].some((checks) => Object.keys(checks).length > 0);
}
