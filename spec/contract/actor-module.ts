// The kinds of actors of the contract as a module that slots load.
import { defineActors } from "../../lib/index.ts";
import { clerk, counter, door, gate, listener, narrow, relay, tally, ticker } from "./actor-kinds.ts";

export default defineActors(import.meta.url, { clerk, counter, door, gate, listener, narrow, relay, tally, ticker });
