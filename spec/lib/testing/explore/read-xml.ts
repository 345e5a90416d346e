/** An element of XML. */
export interface XmlElement {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly children: (XmlElement | string)[];
}

const entities: Readonly<Record<string, string>> = { amp: "&", lt: "<", gt: ">", quot: '"', "#39": "'" };
const tagPattern = /<(\/?)([A-Za-z][\w-]*)((?:\s+[\w:-]+="[^"<]*")*)\s*(\/?)>/uy;
const textPattern = /[^<]+/uy;
const forbidden = /[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/u;

/** Reads XML as strictly as a browser does, of the little that diagrams use. Throws at whatever isn't well formed. */
export function readXml(text: string): XmlElement {
  const bad = forbidden.exec(text);
  if (bad !== null) throw new Error(`a character that XML forbids at ${bad.index}`);
  const root: XmlElement = { name: "", attributes: {}, children: [] };
  const open = [root];
  for (let at = 0; at < text.length;) {
    const parent = open.at(-1);
    if (parent === undefined) throw new Error(`an end too many before ${at}`);
    textPattern.lastIndex = tagPattern.lastIndex = at;
    const plain = textPattern.exec(text)?.[0];
    if (plain !== undefined) {
      parent.children.push(decode(plain));
      at += plain.length;
      continue;
    }
    const tag = tagPattern.exec(text);
    if (tag === null) throw new Error(`no tag at ${at}: ${text.slice(at, at + 80)}`);
    const [whole, isEnd, name = "", attributes = "", isEmpty] = tag;
    at += whole.length;
    if (isEnd === "/") {
      if (open.pop()?.name !== name) throw new Error(`</${name}> ends another element at ${at}`);
      continue;
    }
    const element = { name, attributes: readAttributes(attributes), children: [] };
    parent.children.push(element);
    if (isEmpty !== "/") open.push(element);
  }
  if (open.length !== 1) throw new Error(`<${open.at(-1)?.name}> isn't ended`);
  const elements = root.children.filter((child) => typeof child !== "string");
  const [only] = elements;
  if (only === undefined || elements.length !== 1) throw new Error(`${elements.length} elements at the top`);
  return only;
}

/** All elements below one, with itself, in the order of the text. */
export function allElements(element: XmlElement): XmlElement[] {
  return [element, ...element.children.flatMap((child) => (typeof child === "string" ? [] : allElements(child)))];
}

/** Elements that have all of some classes, given as `arrow lost`. */
export function byClass(element: XmlElement, classes: string): XmlElement[] {
  return allElements(element).filter(({ attributes }) => {
    const own = (attributes["class"] ?? "").split(" ");
    return classes.split(" ").every((name) => own.includes(name));
  });
}

/** The text in an element, without that of titles. */
export function textOf(element: XmlElement): string {
  return element.children
    .map((child) => (typeof child === "string" ? child : child.name === "title" ? "" : textOf(child)))
    .join("");
}

function readAttributes(text: string): Record<string, string> {
  const attributes: Record<string, string> = {};
  for (const [, name = "", value = ""] of text.matchAll(/([\w:-]+)="([^"]*)"/gu)) {
    if (name in attributes) throw new Error(`${name} is there twice`);
    attributes[name] = decode(value);
  }
  return attributes;
}

function decode(text: string): string {
  return text.replace(/&(?:([a-z]+|#\d+);)?/gu, (found, name: string | undefined) => {
    const meant = entities[name ?? ""];
    if (meant === undefined) throw new Error(`${found} is no entity`);
    return meant;
  });
}
