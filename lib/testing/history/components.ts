/**
 * The strongly connected components of a graph, by Tarjan's algorithm, without recursion: nodes of one component reach
 * each other.
 *
 * @param targets - of each node, the nodes that its edges lead to
 * @returns of each node, the number of its component
 */
export function componentsOf<Node>(targets: ReadonlyMap<Node, readonly Node[]>): Map<Node, number> {
  const component = new Map<Node, number>();
  const low = new Map<Node, number>();
  const stack: Node[] = [];
  let [visited, components] = [0, 0];
  const visit = (node: Node): { node: Node; index: number; at: number } => {
    low.set(node, visited);
    stack.push(node);
    return { node, index: visited++, at: 0 };
  };
  const lower = (node: Node, to: number): void => void low.set(node, Math.min(low.get(node) ?? to, to));
  for (const root of targets.keys()) {
    if (low.has(root)) continue;
    const path = [visit(root)];
    for (let top = path.at(-1); top !== undefined; top = path.at(-1)) {
      const target = targets.get(top.node)?.[top.at++];
      if (target !== undefined) {
        if (!low.has(target)) path.push(visit(target));
        else if (!component.has(target)) lower(top.node, low.get(target) as number);
        continue;
      }
      path.pop();
      const parent = path.at(-1);
      if (parent !== undefined) lower(parent.node, low.get(top.node) as number);
      if (low.get(top.node) !== top.index) continue;
      for (let node = stack.pop(); node !== undefined; node = node === top.node ? undefined : stack.pop()) {
        component.set(node, components);
      }
      components += 1;
    }
  }
  return component;
}
