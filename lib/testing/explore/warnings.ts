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

/** What people are told of an exploration in whose runs no actor does anything. */
export function idleActors(name: string, handled: number): readonly string[] {
  if (handled > 0) return [];
  const advice = "tell actors something in `start`, and look whether `stopWhen` holds too early";
  return [`${name}: no actor handles a message or a timer in any run: ${advice}`];
}

/** The same as `uncheckedActors` of an exploration of a flow. */
export function uncheckedFlow(name: string, options: Checks): readonly string[] {
  if (hasChecks(options)) return [];
  return [`${name} checks only that executions succeed: say what has to hold by \`always\`, \`never\` or \`atEnd\``];
}

function hasChecks({ always = {}, never = {}, eventually = {}, atEnd = {} }: Checks): boolean {
  return [always, never, eventually, atEnd].some((checks) => Object.keys(checks).length > 0);
}
