// Says what an upload is when it is no core module: people send components, text, archives and error
// pages. Looks at the first bytes only (docs/threat-model.md A19).

import { malformed, type ReadFault } from "./read-fault.ts";
import { headerBytes } from "./sections.ts";

const wanted = "wanted a core WebAssembly module, which begins 00 61 73 6d 01 00 00 00";
const bytesLookedAt = 512;

const coreHeader = [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00];

type Signature = readonly [signature: readonly number[], found: string];

const signatures: readonly Signature[] = [
  [[0x00, 0x61, 0x73, 0x6d, 0x0d, 0x00, 0x01, 0x00], "the upload is a WebAssembly component"],
  [[0x1f, 0x8b], "the upload is gzip data"],
  [[0x50, 0x4b, 0x03, 0x04], "the upload is a zip archive"],
  [[0x50, 0x4b, 0x05, 0x06], "the upload is an empty zip archive"],
  [[0x28, 0xb5, 0x2f, 0xfd], "the upload is zstd data"],
  [[0x42, 0x5a, 0x68], "the upload is bzip2 data"],
  [[0xfd, 0x37, 0x7a, 0x58, 0x5a], "the upload is xz data"],
  [[0x7f, 0x45, 0x4c, 0x46], "the upload is an ELF binary"],
  [[0x21, 0x3c, 0x61, 0x72, 0x63, 0x68, 0x3e], "the upload is an ar archive"],
];

/** Null when the upload begins as a core module of version 1, else what it is. */
export function foreignUpload(bytes: Uint8Array): ReadFault | null {
  if (startsWith(bytes, coreHeader)) return null;
  return malformed(whatItIs(bytes), null, wanted);
}

function whatItIs(bytes: Uint8Array): string {
  if (bytes.length === 0) return "the upload is empty";
  for (const [signature, found] of signatures) {
    if (startsWith(bytes, signature)) return found;
  }
  if (startsWith(bytes, coreHeader.slice(0, 4))) {
    if (bytes.length < headerBytes) return `the upload ends after ${bytes.length} bytes of the header`;
    return `the upload is WebAssembly of version ${hexBytes(bytes.subarray(4, headerBytes))}`;
  }
  const text = new TextDecoder("latin1")
    .decode(bytes.subarray(0, bytesLookedAt))
    .replace(/^ï»¿/, "")
    .trimStart();
  if (/^<(!doctype|html|head|body|!--|\?xml)/i.test(text)) return "the upload is HTML or XML";
  if (/^(\(|;;)/.test(text)) return "the upload is WebAssembly text format";
  const size = bytes.length === 1 ? "1 byte that begins" : `${bytes.length} bytes that begin`;
  return `the upload is ${size} ${hexBytes(bytes.subarray(0, headerBytes))}`;
}

function startsWith(bytes: Uint8Array, signature: readonly number[]): boolean {
  return bytes.length >= signature.length && signature.every((byte, index) => bytes[index] === byte);
}

function hexBytes(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join(" ");
}
