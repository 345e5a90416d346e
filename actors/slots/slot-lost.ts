import { QStreamError } from "../../lib/core/errors.ts";

/** How a slot's thread or process ended though nobody told it to. */
export type SlotEnd =
  | { readonly kind: "rejected" | "uncaught"; readonly error: Error }
  | { readonly kind: "exited"; readonly what: "thread" | "process"; readonly code: number; readonly started: boolean }
  | { readonly kind: "killed"; readonly signal: string }
  /** Seen from the session: orders can't be given to it any more. */
  | { readonly kind: "unreachable"; readonly error: Error }
  | { readonly kind: "silent"; readonly silentMs: number }
  | { readonly kind: "stuck"; readonly stuckMs: number }
  | { readonly kind: "late" }
  | { readonly kind: "unending" };

/** The error of executions that ran on a slot which ended. */
export function slotLost(slot: string, end: SlotEnd): QStreamError {
  const { what, advice } = describe(end);
  const cause = "error" in end ? end.error : new Error(what);
  return new QStreamError("SLOT_LOST", `slot ${slot} was lost: ${what}`, { advice, cause });
}

// A heap that runs over, an assertion of native code, an address that isn't there.
const ownSignals: readonly string[] = ["SIGABRT", "SIGBUS", "SIGFPE", "SIGILL", "SIGSEGV", "SIGTRAP"];

/** True where what ran in the slot ended it, and neither the system nor its user did. */
export function isOwnDoing(end: SlotEnd): boolean {
  switch (end.kind) {
    case "rejected":
    case "uncaught":
    case "stuck":
      return true;
    case "exited":
      return end.started;
    case "killed":
      return ownSignals.includes(end.signal);
    default:
      return false;
  }
}

const memoryAdvice = "Give slots more memory (--memory, or local({ memoryBytes })), or keep less state in operators";
const memorySignals: readonly string[] = ["SIGABRT", "SIGKILL"];
// What a shell or a container makes of these signals.
const memoryCodes: readonly number[] = [134, 137];

function describe(end: SlotEnd): { readonly what: string; readonly advice: string } {
  switch (end.kind) {
    case "rejected":
      return {
        what: `a promise was rejected that nobody waited for: ${end.error.message}`,
        advice: "Await it, or return it from execute",
      };
    case "uncaught":
      return describeUncaught(end.error.message);
    case "unreachable":
      return {
        what: `its process couldn't be reached: ${end.error.message}`,
        advice: `Something outside of QStream ended it, or there was no memory left. ${memoryAdvice}`,
      };
    case "killed":
      return {
        what: `its process was ended by ${end.signal}`,
        advice: memorySignals.includes(end.signal)
          ? `Often there was no memory left. ${memoryAdvice}`
          : "Something outside of QStream sent it",
      };
    case "exited":
      if (!end.started) {
        return {
          what: `its ${end.what} ended with code ${end.code} while it started`,
          advice: "Standard error may say why",
        };
      }
      if (memoryCodes.includes(end.code)) {
        return {
          what: `its process ended with code ${end.code}`,
          advice: `Often there was no memory left. ${memoryAdvice}`,
        };
      }
      return {
        what: `user code ended its ${end.what} by process.exit(${end.code})`,
        advice: "Throw an error instead, which names the step, or end early with ctx.stop()",
      };
    case "silent":
      return {
        what: `its process showed no sign of life for ${(end.silentMs / 1000).toFixed(1)} s`,
        advice: "It was stopped (SIGSTOP), or its machine had no time for it; leaseMs says how long that may last",
      };
    case "stuck":
      return {
        what: `user code kept it from its event loop for ${(end.stuckMs / 1000).toFixed(1)} s`,
        advice:
          "End the loop, or await something now and then in code that takes long; turnMs (--turn-ms) says how long a turn may take, 0 for no limit",
      };
    case "unending":
      return {
        what: "its thread didn't end within two seconds, as a native call holds it: the session's process is lost",
        advice: `End the process, and go on with --resume; with isolation "process" only the slot is lost`,
      };
    case "late":
      return {
        what: "it didn't stop within two seconds",
        advice: "An endless loop or a native call doesn't end by itself",
      };
  }
}

function describeUncaught(message: string): { readonly what: string; readonly advice: string } {
  if (/memory/i.test(message)) return { what: message, advice: memoryAdvice };
  // Standard output is such a connection too: often none of user code is at fault.
  if (/\b(?:EPIPE|ECONNRESET)\b/.test(message)) {
    return {
      what: `a connection of its was cut by the other end: ${message}`,
      advice:
        "See why the other end is gone: what reads its output, or whom user code is connected to, whose sockets need a listener for errors",
    };
  }
  return {
    what: `an error was thrown where nobody could catch it: ${message}`,
    advice: "Catch it in the timer or event handler that it comes from",
  };
}
