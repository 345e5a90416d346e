// What must not compile: the inside of the package.
// @ts-expect-error: by the path of its source
import type { Limits } from "qstream/lib/core/limits";
// @ts-expect-error: by the path of its build
import type { Channel } from "qstream/dist/actors/channel/channel.js";
// @ts-expect-error: by a folder
import type { csv } from "qstream/readers";
// @ts-expect-error: internals that the entry doesn't name
import { nodeOf } from "qstream";
// @ts-expect-error: the builder is made by the library
import { Graph } from "qstream";

export type Insides = [Limits, Channel, typeof csv, typeof nodeOf, Graph];
