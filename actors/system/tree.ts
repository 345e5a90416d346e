import { cellFlag, type Cell } from "./cell.ts";

/** Makes a cell the first child of its parent. */
export function attach(parent: Cell, cell: Cell): void {
  cell.nextSibling = parent.firstChild;
  if (parent.firstChild !== undefined) parent.firstChild.previousSibling = cell;
  parent.firstChild = cell;
}

export function detach(cell: Cell): void {
  const { parent, previousSibling, nextSibling } = cell;
  if (previousSibling !== undefined) previousSibling.nextSibling = nextSibling;
  else if (parent?.firstChild === cell) parent.firstChild = nextSibling;
  if (nextSibling !== undefined) nextSibling.previousSibling = previousSibling;
  cell.previousSibling = undefined;
  cell.nextSibling = undefined;
}

/** A cell and all below it, parents before their children. A list and no recursion: trees may be deep. */
export function familyOf(cell: Cell): Cell[] {
  const family = [cell];
  for (let index = 0; index < family.length; index++) {
    for (let child = family[index]?.firstChild; child !== undefined; child = child.nextSibling) family.push(child);
  }
  return family;
}

/** All actors below a cell that haven't ended. */
export function* livingBelow(cell: Cell): Generator<Cell> {
  for (const each of familyOf(cell)) if (each !== cell && (each.flags & cellFlag.ended) === 0) yield each;
}
