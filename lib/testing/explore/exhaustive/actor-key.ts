import type { Cell } from "../../../../actors/system/cell.ts";
import { EntityReference } from "../../../../actors/system/entities.ts";
import type { Reference } from "../../../../actors/system/reference.ts";
import type { ExploredNode } from "../explored-node.ts";
import { ResidentReference } from "../resident.ts";
import type { World } from "../world.ts";

/** The same for an actor in all runs: residents and entities by their names, others by their machines and numbers. */
export function keyOf(cell: Cell | undefined): string {
  if (cell === undefined) return "outside";
  const { name } = (cell.node as ExploredNode).machine;
  return `${name}/${isPlace(cell.self as Reference) ? (cell.self as Reference).label : `${cell.label} #${cell.id}`}`;
}

/** The key of whom a reference leads to, whether or not somebody is there. */
export function keyOfReference(reference: Reference, world: World): string {
  if (!isPlace(reference)) return keyOf(reference.cell);
  return `${world.machineOf(reference).name}/${reference.label}`;
}

/** True for references that lead to whoever is there. */
function isPlace(reference: Reference): boolean {
  return reference instanceof ResidentReference || reference instanceof EntityReference;
}
