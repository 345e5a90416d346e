/** True where a path has the magic of a glob: `*`, `?`, `[...]` or `{a,b}`. */
export function isGlob(path: string): boolean {
  return /[*?]|\[[^\]]+\]|\{[^}]*(?:,|\.\.)[^}]*\}/u.test(path);
}

/** The folder part of a glob before its first segment with magic, with its slash: what has to be listed. */
export function globPrefix(glob: string): string {
  const first = glob.search(/[*?[{]/u);
  return first === -1 ? glob : glob.slice(0, glob.lastIndexOf("/", first) + 1);
}

/**
 * The regular expression of a glob over `/`-separated names: `*` and `?` within a segment, `**` over segments, `[a-z]`,
 * `[!a]`, `{a,b}`. Stars don't match names that start with a dot, as in a shell.
 */
export function globExpression(glob: string): RegExp {
  let source = "";
  let depth = 0;
  for (let at = 0; at < glob.length; at++) {
    const char = glob.charAt(at);
    const segmentStart = at === 0 || glob[at - 1] === "/";
    if (char === "*" && glob[at + 1] === "*") {
      at += 1;
      if (segmentStart && glob[at + 1] === "/") {
        at += 1;
        source += String.raw`(?:(?!\.)[^/]+/)*`;
      } else source += String.raw`(?:(?!/\.).)*`;
    } else if (char === "*") source += segmentStart ? String.raw`(?!\.)[^/]*` : "[^/]*";
    else if (char === "?") source += segmentStart ? "[^/.]" : "[^/]";
    else if (char === "[" && glob.includes("]", at + 2)) {
      const end = glob.indexOf("]", at + 2);
      const inner = glob.slice(at + 1, end).replaceAll(/[\\^[\]]/gu, String.raw`\$&`);
      source += inner.startsWith("!") ? `[^/${inner.slice(1)}]` : `[${inner}]`;
      at = end;
    } else if (char === "{" && glob.includes("}", at)) {
      source += "(?:";
      depth += 1;
    } else if (char === "}" && depth > 0) {
      source += ")";
      depth -= 1;
    } else if (char === "," && depth > 0) source += "|";
    else source += char.replace(/[\\^$.|+(){}[\]/]/u, String.raw`\$&`);
  }
  return new RegExp(`^${source}$`, "su");
}
