import { escapeXml } from "./text.ts";

/** Values of attributes; one that is undefined is left away. */
export type Attributes = Readonly<Record<string, string | number | undefined>>;

/** An element of SVG or HTML. Attributes are escaped; `children` are markup already. */
export function element(name: string, attributes: Attributes, children?: string): string {
  const written = Object.entries(attributes)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => ` ${key}="${typeof value === "number" ? pixels(value) : escapeXml(value ?? "")}"`)
    .join("");
  return children === undefined ? `<${name}${written}/>` : `<${name}${written}>${children}</${name}>`;
}

/** A text of SVG, escaped. */
export function textAt(className: string, x: number, y: number, text: string, others: Attributes = {}): string {
  return element("text", { class: className, x, y, ...others }, escapeXml(text));
}

/** A number with at most one decimal, as paths and attributes have it. */
export function pixels(value: number): string {
  return String(Math.round(value * 10) / 10);
}

/** Commands and numbers of a path, `["M", 1, 2, "L", 3, 4]`, as its text. */
export function path(className: string, parts: readonly (string | number)[]): string {
  const d = parts.map((part) => (typeof part === "number" ? pixels(part) : part)).join(" ");
  return element("path", { class: className, d });
}

/** A diagonal cross. @param size - from its middle to its ends, sideways */
export function crossAt(className: string, x: number, y: number, size: number): string {
  return path(className, [
    "M",
    x - size,
    y - size,
    "L",
    x + size,
    y + size,
    "M",
    x - size,
    y + size,
    "L",
    x + size,
    y - size,
  ]);
}
