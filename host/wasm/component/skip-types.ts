// Moves past the types of a component: the host knows those of its own functions, so what a component
// says of them need not be understood, only read to its end. Binary format: component model, "Binary.md".

import type { BinaryReader } from "../binary-reader.ts";
import { hex, malformed } from "../read-fault.ts";
import { asyncModel, unsupportedPart } from "./refusals.ts";
import { wanted } from "./scope.ts";

const typeDepthMax = 64;

/** Names of imports and exports are tagged; `attributes` are of proposals that no 0.2 toolchain uses. */
export function externName(reader: BinaryReader): string {
  const offset = reader.position;
  const tag = reader.u8();
  if (tag > 1) throw malformed(`a name begins with ${hex(tag)}`, offset, wanted);
  return reader.name();
}

/** Whether a definition in the type section is of a resource. */
export function skipTypeDefinition(reader: BinaryReader, depth = 0): "resource" | "other" {
  const offset = reader.position;
  if (depth > typeDepthMax) throw malformed("types are nested too deep", offset, wanted);
  const form = reader.u8();
  switch (form) {
    case 0x3f:
      skipResource(reader);
      return "resource";
    case 0x40:
      skipFunction(reader);
      return "other";
    case 0x41:
    case 0x42:
      for (let left = reader.count(2); left > 0; left -= 1) skipDeclaration(reader, depth + 1);
      return "other";
    case 0x43:
      throw asyncModel("an async function type", offset);
    default:
      skipDefinedValue(reader, form, offset);
      return "other";
  }
}

function skipResource(reader: BinaryReader): void {
  const offset = reader.position;
  if (reader.u8() !== 0x7f) throw asyncModel("a resource with an async destructor", offset);
  if (isPresent(reader)) reader.u32();
}

function skipFunction(reader: BinaryReader): void {
  for (let left = reader.count(2); left > 0; left -= 1) {
    reader.name();
    skipValueType(reader);
  }
  const offset = reader.position;
  const result = reader.u8();
  if (result === 0) skipValueType(reader);
  else if (result !== 1 || reader.u8() !== 0)
    throw malformed("a function has no result list", offset, wanted);
}

function skipDefinedValue(reader: BinaryReader, form: number, offset: number): void {
  switch (form) {
    case 0x72: // record
      for (let left = reader.count(2); left > 0; left -= 1) {
        reader.name();
        skipValueType(reader);
      }
      return;
    case 0x71: // variant
      for (let left = reader.count(3); left > 0; left -= 1) {
        reader.name();
        if (isPresent(reader)) skipValueType(reader);
        if (reader.u8() !== 0) throw malformed("a case of a variant does not end", reader.position, wanted);
      }
      return;
    case 0x70: // list
    case 0x6b: // option
      return skipValueType(reader);
    case 0x67: // list of a fixed length
      skipValueType(reader);
      reader.u32();
      return;
    case 0x6f: // tuple
      for (let left = reader.count(); left > 0; left -= 1) skipValueType(reader);
      return;
    case 0x6e: // flags
    case 0x6d: // enum
      for (let left = reader.count(); left > 0; left -= 1) reader.name();
      return;
    case 0x6a: // result
      if (isPresent(reader)) skipValueType(reader);
      if (isPresent(reader)) skipValueType(reader);
      return;
    case 0x69: // own
    case 0x68: // borrow
      reader.u32();
      return;
    case 0x66: // stream
    case 0x65: // future
      throw asyncModel("a stream or future type", offset);
    default:
      if (form < 0x73 || form > 0x7f) throw malformed(`a type begins with ${hex(form)}`, offset, wanted);
  }
}

/** A primitive type's code, or an index. */
function skipValueType(reader: BinaryReader): void {
  reader.s33();
}

/** A declaration within the type of an instance or of a component. */
function skipDeclaration(reader: BinaryReader, depth: number): void {
  const offset = reader.position;
  const form = reader.u8();
  switch (form) {
    case 0x00:
      throw unsupportedPart("core-types-of-components", "a core type", offset);
    case 0x01:
      skipTypeDefinition(reader, depth);
      return;
    case 0x02:
      return skipAlias(reader);
    case 0x03:
    case 0x04:
      externName(reader);
      return skipExternType(reader);
    default:
      throw malformed(`a declaration begins with ${hex(form)}`, offset, wanted);
  }
}

function skipAlias(reader: BinaryReader): void {
  if (reader.u8() === 0) reader.u8();
  const target = reader.u8();
  reader.u32();
  if (target === 2) reader.u32();
  else reader.name();
}

/** The type that an import is wanted with, or an export is given. */
export function skipExternType(reader: BinaryReader): void {
  const offset = reader.position;
  const sort = reader.u8();
  switch (sort) {
    case 0x00:
      reader.u8();
      reader.u32();
      return;
    case 0x01:
    case 0x04:
    case 0x05:
      reader.u32();
      return;
    case 0x03:
      if (reader.u8() === 0) reader.u32();
      return;
    default:
      throw malformed(`the type of an import or export begins with ${hex(sort)}`, offset, wanted);
  }
}

/** What may follow, or not. */
export function isPresent(reader: BinaryReader): boolean {
  const offset = reader.position;
  const flag = reader.u8();
  if (flag > 1) throw malformed(`${hex(flag)} is neither absent nor present`, offset, wanted);
  return flag === 1;
}
