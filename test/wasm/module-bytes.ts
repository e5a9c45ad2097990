// Builds modules byte by byte for the tests of `host/wasm/`, also such as no assembler would write.
// It shares nothing with `binary-writer.ts`, numbers included, so that a fault there shows in a test.

export type Bytes = readonly (number | Bytes | Uint8Array)[];

export const header: Bytes = [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00];
export const end = 0x0b;
export const i32 = 0x7f;

export function leb(value: number): number[] {
  const bytes: number[] = [];
  let rest = value >>> 0;
  do {
    const low = rest & 0x7f;
    rest >>>= 7;
    bytes.push(rest === 0 ? low : low | 0x80);
  } while (rest !== 0);
  return bytes;
}

export function flatten(bytes: Bytes): Uint8Array {
  let length = 0;
  const measure = (part: Bytes): void => {
    for (const item of part) {
      if (typeof item === "number") length += 1;
      else if (item instanceof Uint8Array) length += item.length;
      else measure(item);
    }
  };
  measure(bytes);
  const flat = new Uint8Array(length);
  let position = 0;
  const copy = (part: Bytes): void => {
    for (const item of part) {
      if (typeof item === "number") flat[position++] = item;
      else if (item instanceof Uint8Array) {
        flat.set(item, position);
        position += item.length;
      } else copy(item);
    }
  };
  copy(bytes);
  return flat;
}

export const sized = (content: Bytes): Bytes => {
  const flat = flatten(content);
  return [leb(flat.length), flat];
};
export const section = (id: number, content: Bytes): Bytes => [id, sized(content)];
export const vector = (items: readonly Bytes[]): Bytes => [leb(items.length), ...items];
export const repeat = (count: number, item: Bytes): Bytes => [
  leb(count),
  ...Array.from({ length: count }, () => flatten(item)),
];
export const name = (text: string): Bytes => sized([new TextEncoder().encode(text)]);
export const custom = (title: string, content: Bytes = []): Bytes => section(0, [name(title), content]);
export const functionType = (params: readonly number[] = [], results: readonly number[] = []): Bytes => [
  0x60,
  vector(params.map((type) => [type])),
  vector(results.map((type) => [type])),
];
export const types = (...items: Bytes[]): Bytes => section(1, vector(items));
/** Bodies without locals; the final `end` is added. */
export const body = (...instructions: Bytes): Bytes => sized([0x00, ...instructions, end]);
export const module = (...sections: Bytes): Uint8Array => flatten([...header, ...sections]);

/** A module of one memory and one function of type () -> () with this body. */
export const codeModule = (...instructions: Bytes): Uint8Array =>
  module(
    types(functionType()),
    section(3, [1, 0]),
    section(5, [1, 0, 1]),
    section(10, vector([body(...instructions)])),
  );
