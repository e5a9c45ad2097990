// The functions that metering appends: the one that asks the host whether to go on, and wrappers.
// Each is an entry of the code section, its size included.

import { verdict } from "../../prepared-names.ts";
import { BinaryWriter } from "../binary-writer.ts";
import { ByteBuffer } from "./byte-buffer.ts";
import { periodInstructions } from "./costs.ts";

/** A countdown that has just been renewed, as signed LEB128. */
export function fullCountdown(): Uint8Array {
  const bytes = new ByteBuffer();
  bytes.positive(periodInstructions);
  return bytes.finish();
}

/**
 * () -> (i32): asks the host whether to go on, and lets others run when told so; traps when the call is
 * to stop, or else gives a new countdown.
 */
export function renewBody(checkFunction: number, pauseFunction: number): Uint8Array {
  const body = new BinaryWriter()
    .u8(0x01, 0x01, 0x7f, 0x10) // one local, of type i32: the answer
    .u32(checkFunction)
    .u8(0x22, 0x00, 0x04, 0x40) // if it is not 0
    .u8(0x20, 0x00, 0x41, verdict.pause, 0x46, 0x04, 0x40, 0x10) // and if it is "pause"
    .u32(pauseFunction)
    .u8(0x21, 0x00, 0x0b) // that decides
    .u8(0x20, 0x00, 0x04, 0x40, 0x00, 0x0b) // if not 0, unreachable: a trap passes every catch_all
    .u8(0x0b, 0x41)
    .append(fullCountdown())
    .u8(0x0b);
  return new BinaryWriter().sized(body).finish();
}

/** (i32, i32) -> (i32), the type of the function that charges, as an entry of the type section. */
export const chargeType = Uint8Array.of(0x60, 2, 0x7f, 0x7f, 1, 0x7f);

/** Takes the second parameter off the first, the countdown; renews it below zero. */
export function chargeBody(renewFunction: number): Uint8Array {
  const body = new BinaryWriter()
    .u8(0x00, 0x20, 0x00, 0x20, 0x01, 0x6b, 0x22, 0x00) // the difference, kept in the first parameter
    .u8(0x41, 0x00, 0x48, 0x04, 0x40, 0x10) // if it is below zero
    .u32(renewFunction)
    .u8(0x21, 0x00, 0x0b, 0x20, 0x00, 0x0b);
  return new BinaryWriter().sized(body).finish();
}

/** An import and, behind it, the question whether its caller is to go on. */
export function turnBody(parameters: number, importFunction: number, turnFunction: number): Uint8Array {
  const body = new ByteBuffer();
  body.u8(0x00);
  for (let parameter = 0; parameter < parameters; parameter += 1) {
    body.u8(0x20);
    body.u32(parameter);
  }
  body.u8(0x10);
  body.u32(importFunction);
  body.u8(0x10);
  body.u32(turnFunction);
  body.u8(0x1a); // the countdown is as it was
  body.u8(0x0b);
  return new BinaryWriter().u32(body.length).append(body.finish()).finish();
}

/** A function with the old signature around one in the passed form. */
export function wrapperBody(parameters: number, inner: number, countdownGlobal: number): Uint8Array {
  const body = new ByteBuffer();
  body.u8(0x00);
  for (let parameter = 0; parameter < parameters; parameter += 1) {
    body.u8(0x20);
    body.u32(parameter);
  }
  body.u8(0x23);
  body.u32(countdownGlobal);
  body.u8(0x10);
  body.u32(inner);
  body.u8(0x24);
  body.u32(countdownGlobal);
  body.u8(0x0b);
  return new BinaryWriter().u32(body.length).append(body.finish()).finish();
}
